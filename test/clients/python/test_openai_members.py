"""Every parameter of the openai SDK's operations that are served here: obeyed, left out by name, or refused by name."""

import inspect

import openai
import pytest
from openai.resources import Completions, Embeddings
from openai.resources.chat import Completions as Chat
from openai.resources.responses import Responses

import openai_sdk
from test_openai_chat import CLOCK, HELLO
from test_responses import FLAT

doors = pytest.mark.parametrize("oai", [("sync", door) for door in openai_sdk.DOORS], indirect=True, ids=" ".join)
FUNCTION = CLOCK["function"]
OBEYED, DROPPED, REFUSED = "obeyed", "dropped", "refused"
SHAPE = {"type": "json_schema", "name": "n", "schema": {"type": "object", "properties": {}}}

# What is given for a parameter with what must go with it, and what becomes of it.
CHAT = {
    "audio": ({"audio": {"voice": "alloy", "format": "wav"}}, REFUSED),
    "frequency_penalty": ({"frequency_penalty": 0.5}, OBEYED),
    "function_call": ({"function_call": "none", "functions": [FUNCTION]}, OBEYED),
    "functions": ({"functions": [FUNCTION]}, OBEYED),
    "logit_bias": ({"logit_bias": {"5": 1}}, OBEYED),
    "logprobs": ({"logprobs": True}, OBEYED),
    "max_completion_tokens": ({"max_completion_tokens": 5}, OBEYED),
    "max_tokens": ({"max_tokens": 5}, OBEYED),
    "messages": ({}, OBEYED),
    "metadata": ({"metadata": {"a": "b"}}, OBEYED),
    "modalities": ({"modalities": ["text"]}, OBEYED),
    "model": ({}, OBEYED),
    "moderation": ({"moderation": {"model": "omni-moderation-latest"}}, REFUSED),
    "n": ({"n": 2}, OBEYED),
    "parallel_tool_calls": ({"parallel_tool_calls": False, "tools": [CLOCK]}, OBEYED),
    "prediction": ({"prediction": {"type": "content", "content": "Hello"}}, DROPPED),
    "presence_penalty": ({"presence_penalty": 0.5}, OBEYED),
    "prompt_cache_key": ({"prompt_cache_key": "k"}, DROPPED),
    "prompt_cache_options": ({"prompt_cache_options": {"mode": "explicit"}}, DROPPED),
    "prompt_cache_retention": ({"prompt_cache_retention": "24h"}, DROPPED),
    "reasoning_effort": ({"reasoning_effort": "low"}, OBEYED),
    "response_format": ({"response_format": {"type": "json_object"}}, OBEYED),
    "safety_identifier": ({"safety_identifier": "somebody"}, OBEYED),
    "seed": ({"seed": 1}, OBEYED),
    "service_tier": ({"service_tier": "flex"}, DROPPED),
    "stop": ({"stop": ["never"]}, OBEYED),
    "store": ({"store": True}, DROPPED),
    "stream": ({"stream": True}, OBEYED),
    "stream_options": ({"stream": True, "stream_options": {"include_usage": True}}, OBEYED),
    "temperature": ({"temperature": 1}, OBEYED),
    "tool_choice": ({"tool_choice": "none", "tools": [CLOCK]}, OBEYED),
    "tools": ({"tools": [CLOCK]}, OBEYED),
    "top_logprobs": ({"logprobs": True, "top_logprobs": 2}, OBEYED),
    "top_p": ({"top_p": 1}, OBEYED),
    "user": ({"user": "somebody"}, OBEYED),
    "verbosity": ({"verbosity": "low"}, DROPPED),
    "web_search_options": ({"web_search_options": {}}, REFUSED),
}
TEXT = {
    "best_of": ({"best_of": 2}, OBEYED),
    "echo": ({"echo": True}, OBEYED),
    "logprobs": ({"logprobs": 1}, OBEYED),
    "prompt": ({}, OBEYED),
    "suffix": ({"suffix": "the end"}, REFUSED),
} | {
    name: CHAT[name]
    for name in "frequency_penalty logit_bias max_tokens model n presence_penalty seed stop stream stream_options temperature top_p user".split()
}
VECTORS = {
    "dimensions": ({"dimensions": 8}, OBEYED),
    "encoding_format": ({"encoding_format": "float"}, OBEYED),
    "input": ({}, OBEYED),
    "model": ({}, OBEYED),
    "user": ({"user": "somebody"}, OBEYED),
}
RESPONSES = {
    "access_programs": ({"access_programs": []}, REFUSED),
    "background": ({"background": False}, OBEYED),
    "background_options": ({"background_options": {}}, REFUSED),
    "context_management": ({"context_management": []}, REFUSED),
    "conversation": ({"conversation": "c"}, REFUSED),
    "image": ({"image": {}}, REFUSED),
    "include": ({"include": ["message.output_text.logprobs"]}, OBEYED),
    "input": ({}, OBEYED),
    "instructions": ({"instructions": "Be brief."}, OBEYED),
    "max_output_tokens": ({"max_output_tokens": 20}, OBEYED),
    "max_tool_calls": ({"max_tool_calls": 3}, OBEYED),
    "model": ({}, OBEYED),
    "previous_response_id": ({"previous_response_id": "resp_1"}, REFUSED),
    "prompt": ({"prompt": {"id": "p"}}, REFUSED),
    "reasoning": ({"reasoning": {"effort": "low"}}, OBEYED),
    "stream_options": ({"stream": True, "stream_options": {"include_obfuscation": False}}, OBEYED),
    "text": ({"text": {"format": SHAPE}}, OBEYED),
    "tool_choice": ({"tool_choice": "none", "tools": [FLAT]}, OBEYED),
    "tools": ({"tools": [FLAT]}, OBEYED),
    "top_logprobs": ({"top_logprobs": 2}, OBEYED),
    "truncation": ({"truncation": "auto"}, DROPPED),
} | {
    name: CHAT[name]
    for name in """metadata moderation parallel_tool_calls prompt_cache_key prompt_cache_options prompt_cache_retention safety_identifier service_tier
    store stream temperature top_p user""".split()
}
RESPONSES["parallel_tool_calls"] = ({"parallel_tool_calls": False, "tools": [FLAT]}, OBEYED)


def parameters(resource):
    """Of an operation, without those that every operation has."""
    taken = inspect.signature(resource.create).parameters
    return [name for name in taken if name not in ("self", "extra_headers", "extra_query", "extra_body", "timeout")]


def judge(create, name, table, **needed):
    """Whether a parameter fares as the table says."""
    given, outcome = table[name]
    if outcome == REFUSED:
        with pytest.raises(openai.BadRequestError) as refused:
            create(**needed, **given)
        assert (refused.value.param, refused.value.code) == (name, "unsupported_parameter")
        assert name in refused.value.message
        return
    dropped = create(**needed, **given).headers.get("x-ingot-dropped")
    assert dropped == (name if outcome == DROPPED else None)


@doors
@pytest.mark.parametrize("name", parameters(Chat))
def test_a_parameter_of_chats(oai, name):
    judge(oai.client().chat.completions.with_raw_response.create, name, CHAT, model="mock", messages=HELLO)


@doors
@pytest.mark.parametrize("name", parameters(Completions))
def test_a_parameter_of_texts(oai, name):
    judge(oai.client().completions.with_raw_response.create, name, TEXT, model="mock", prompt="Hello")


@doors
@pytest.mark.parametrize("name", parameters(Embeddings))
def test_a_parameter_of_vectors(oai, name):
    judge(oai.client().embeddings.with_raw_response.create, name, VECTORS, model="mock-embedding", input="Hello")


@pytest.mark.parametrize("name", parameters(Responses))
def test_a_parameter_of_responses(oai_v1, name):
    judge(oai_v1.client().responses.with_raw_response.create, name, RESPONSES, model="mock", input="Hello")


@pytest.mark.parametrize(
    ("table", "resource"), [(CHAT, Chat), (TEXT, Completions), (VECTORS, Embeddings), (RESPONSES, Responses)], ids=["chat", "text", "vectors", "responses"]
)
def test_no_parameter_is_kept_that_the_sdk_gave_up(table, resource):
    assert table.keys() == set(parameters(resource))
