"""PromptTemplate of the SDK: its messages are what the endpoint takes."""

import pytest
from azure.ai.inference.models import UserMessage
from azure.ai.inference.prompts import PromptTemplate

from answers import joined, said

TEMPLATE = """
    system:
    You help {{who}}.
    {{#rules}}
    {{rule}}
    {{/rules}}

    user:
    How far is it to {{place}}?

    assistant:
    Far.

    user:
    Say {{word}}.
"""
PROMPTY = """---
name: Greeting
description: Says a word.
model:
  api: chat
  configuration:
    azure_deployment: mock
  parameters:
    max_tokens: 2
    temperature: 0.5
inputs:
  word:
    type: string
sample:
  word: nothing
---
system:
You repeat.

user:
{{word}} and again {{word}}
"""
DATA = {"who": "{people}", "rules": [{"rule": "Be brief."}, {"rule": "Be kind."}], "place": 'the "moon" & <back>', "word": "Grüße 世界"}


@pytest.mark.parametrize("stream", [False, True])
def test_a_template_from_a_string(sdk, stream):
    template = PromptTemplate.from_string(TEMPLATE, model_name="mock")
    messages = template.create_messages(DATA)
    result = sdk.chat("/models").complete(messages=messages, model=template.model_name, stream=stream, **template.parameters)

    assert [m["role"] for m in messages] == ["system", "user", "assistant", "user"]
    assert (joined(result) if stream else said(result)) == "Say Grüße 世界."


def test_its_messages_mix_with_others(sdk):
    messages = PromptTemplate.from_string("You are {{who}}.").create_messages(who="terse")

    assert messages == [{"role": "system", "content": "You are terse."}]
    assert said(sdk.chat().complete(messages=[*messages, UserMessage("Go on.")])) == "Go on."


def test_a_template_from_a_file(sdk, tmp_path):
    path = tmp_path / "greeting.prompty"
    path.write_text(PROMPTY)
    template = PromptTemplate.from_prompty(str(path))
    messages = template.create_messages(word="hello")
    result = sdk.chat("/models").complete(messages=messages, model=template.model_name, **template.parameters)

    assert (template.model_name, template.parameters) == ("mock", {"max_tokens": 2, "temperature": 0.5})
    assert (said(result), result.choices[0].finish_reason) == ("hello and", "length")
