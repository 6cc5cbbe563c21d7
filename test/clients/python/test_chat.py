"""Chat completions of the mock, unstreamed and streamed."""

import datetime
import json
import re
import time

import pytest
from azure.ai.inference.models import (
    AssistantMessage,
    ChatChoice,
    ChatCompletions,
    ChatRole,
    CompletionsFinishReason,
    DeveloperMessage,
    JsonSchemaFormat,
    SystemMessage,
    TextContentItem,
    UserMessage,
)

from answers import ID, joined, said, usage, user

BASES = ["", "/", "/models", "/deployments/mock", "/inference", "/orgs/acme/inference"]


@pytest.mark.parametrize("base", BASES)
def test_a_completion_has_the_members_of_the_contract(sdk, base):
    result = sdk.chat(base).complete(messages=user("Hello there, world"))

    assert ID.fullmatch(result.id)
    assert result["object"] == "chat.completion"
    assert abs(result.created.timestamp() - time.time()) < 60
    assert isinstance(result["created"], int)
    assert result.model == "mock"
    assert len(result.choices) == 1
    choice = result.choices[0]
    assert choice.index == 0
    assert choice.finish_reason == "stop"
    assert choice.message.role == "assistant"
    assert choice.message.content == "Hello there, world"
    assert choice.message.tool_calls is None
    assert usage(result.usage) == (7, 4, 11)


@pytest.mark.parametrize("base", BASES)
def test_a_stream_has_the_members_of_the_contract(sdk, base):
    updates = list(sdk.chat(base).complete(messages=user("Hello there, world"), stream=True))

    assert joined(updates) == "Hello there, world"
    assert {(u.id, u["created"], u.model, u["object"]) for u in updates} == {(updates[0].id, updates[0]["created"], "mock", "chat.completion.chunk")}
    assert ID.fullmatch(updates[0].id)
    first = updates[0].choices[0]
    assert (first.delta.role, first.delta.content, first.finish_reason) == ("assistant", "", None)
    assert [u.choices[0].index for u in updates] == [0] * len(updates)
    assert all(u.choices[0].finish_reason is None and u.usage is None for u in updates[:-1])
    assert updates[-1].choices[0].finish_reason == "stop"
    assert usage(updates[-1].usage) == (7, 4, 11)


@pytest.mark.parametrize("text", ["Grüße, 世界! 🚀👩‍👩‍👧 e\u0301", 'line\nbreak\r\n\ttab "quoted" \\ \u2028', " spaces  kept  "])
def test_any_text_survives_whole_and_in_pieces(sdk, text):
    client = sdk.chat()

    assert client.complete(messages=user(text)).choices[0].message.content == text
    assert joined(client.complete(messages=user(text), stream=True)) == text


def test_a_completion_is_a_model_a_mapping_and_json(sdk):
    result = sdk.chat().complete(messages=user("Hello there"), model_extras={"n": 2})

    assert isinstance(result, ChatCompletions)
    assert result.created.tzinfo is datetime.timezone.utc
    assert all(isinstance(choice, ChatChoice) for choice in result.choices)
    assert {choice.finish_reason for choice in result.choices} == {CompletionsFinishReason.STOPPED}
    assert {choice.message.role for choice in result.choices} == {ChatRole.ASSISTANT}
    assert result["choices"][1]["message"]["content"] == result.choices[1].message.content == "Hello there"
    assert set(result) == {"id", "object", "created", "model", "choices", "usage"}
    assert result == ChatCompletions(json.loads(str(result)))
    assert json.loads(str(result)) == result.as_dict()


def test_history_comes_back_as_it_was_received(sdk):
    client = sdk.chat("/models", model="mock")
    messages = [SystemMessage(content="Be brief."), DeveloperMessage(content="Be kind."), *user("One")]
    first = client.complete(messages=messages)
    messages += [first.choices[0].message, UserMessage(content="Two")]
    second = client.complete(messages=messages)
    messages += [AssistantMessage(content=second.choices[0].message.content), UserMessage(content="Three")]
    third = client.complete(messages=messages)

    assert [r.choices[0].message.content for r in (first, second, third)] == ["One", "Two", "Three"]
    # Three tokens a message and the tokens of its text: 6 + 6 + 4, then 4 and 4 more each time.
    assert [r.usage.prompt_tokens for r in (first, second, third)] == [16, 24, 32]


def test_messages_may_be_plain_dicts_and_parts(sdk):
    parts = [TextContentItem(text="Hello "), TextContentItem(text="parts")]

    assert sdk.chat().complete(messages=[UserMessage(content=parts)]).choices[0].message.content == "Hello parts"
    body = {"messages": [{"role": "user", "content": "Hello dict"}]}
    assert sdk.chat().complete(body).choices[0].message.content == "Hello dict"


def test_every_parameter_of_the_contract_is_taken(sdk):
    result = sdk.chat("/models").complete(
        messages=user("Hello there"),
        model="mock",
        frequency_penalty=-2,
        presence_penalty=2,
        temperature=2,
        top_p=1,
        max_tokens=100,
        seed=-9007199254740993,
        stop=["never said"],
        response_format="text",
    )

    assert result.choices[0].message.content == "Hello there"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("options", "text", "finish", "tokens"),
    [
        ({"max_tokens": 2}, "one two", "length", 2),
        ({"max_tokens": 0}, "", "length", 0),
        ({"max_tokens": 4}, "one two three four", "stop", 4),
        ({"stop": [" three"]}, "one two", "stop", 2),
        ({"stop": ["nothing", "two"]}, "one ", "stop", 2),
    ],
)
def test_limits_end_an_answer(sdk, stream, options, text, finish, tokens):
    result = sdk.chat().complete(messages=user("one two three four"), stream=stream, **options)
    if stream:
        updates = list(result)
        said, last = joined(updates), updates[-1]
    else:
        said, last = result.choices[0].message.content or "", result

    assert (said, last.choices[0].finish_reason, last.usage.completion_tokens) == (text, finish, tokens)


@pytest.mark.parametrize("stream", [False, True])
def test_a_response_format_shapes_the_answer(sdk, stream):
    def answer(response_format):
        result = sdk.chat().complete(messages=user("Hi"), stream=stream, response_format=response_format)
        return joined(result) if stream else result.choices[0].message.content

    assert answer("json_object") == "{}"
    schema = {
        "type": "object",
        "properties": {"city": {"type": "string"}, "count": {"type": "integer", "minimum": 3}, "note": {"type": "string"}},
        "required": ["city", "count"],
        "additionalProperties": False,
    }
    assert answer(JsonSchemaFormat(name="place", schema=schema, strict=True)) == '{"city":"","count":3}'
    assert answer(JsonSchemaFormat(name="place", description="A place", schema=schema)) == '{"city":"","count":3}'


def test_what_the_model_knows_is_passed_through(sdk):
    result = sdk.chat().complete(messages=user("Hello there"), model_extras={"n": 2, "user": "somebody"})

    assert [(c.index, c.message.content) for c in result.choices] == [(0, "Hello there"), (1, "Hello there")]
    assert usage(result.usage) == (5, 4, 9)
    streamed = list(sdk.chat().complete(messages=user("Hello there"), stream=True, model_extras={"n": 2}))
    for index in 0, 1:
        said = [c for u in streamed for c in u.choices if c.index == index]
        assert said[0].delta.role == "assistant"
        assert "".join(c.delta.content or "" for c in said) == "Hello there"
        assert said[-1].finish_reason == "stop"


def test_usage_has_a_chunk_of_its_own_where_it_is_asked_for(sdk):
    extras = {"stream_options": {"include_usage": True}}
    updates = list(sdk.chat().complete(messages=user("Hello there"), stream=True, model_extras=extras))

    assert updates[-1].choices == []
    assert usage(updates[-1].usage) == (5, 2, 7)
    assert [u.usage for u in updates[:-1]] == [None] * (len(updates) - 1)
    assert updates[-2].choices[0].finish_reason == "stop"


def test_drop_leaves_out_what_nobody_knows(sdk):
    seen = []
    result = sdk.chat().complete(
        {"messages": [{"role": "user", "content": "Hello"}], "foo": 1},
        headers={"extra-parameters": "drop"},
        raw_response_hook=lambda response: seen.append(response.http_response.headers["x-ingot-dropped"]),
    )

    assert result.choices[0].message.content == "Hello"
    assert seen == ["foo"]


def test_a_client_has_defaults(sdk):
    client = sdk.chat("/models", model="mock", max_tokens=2, stop=["c"], model_extras={"n": 2})

    assert [c.message.content for c in client.complete(messages=user("a b c")).choices] == ["a b", "a b"]
    assert [c.message.content for c in client.complete(messages=user("a b c"), max_tokens=1).choices] == ["a", "a"]


@pytest.mark.parametrize("version", ["2024-05-01-preview", "2024-08-01-preview", "2025-01-01-preview", "2025-04-01", "2027-12-31"])
def test_any_api_version_is_served(sdk, version):
    assert sdk.chat(api_version=version).complete(messages=user("Hello")).choices[0].message.content == "Hello"


def test_the_api_version_says_where_reasoning_goes(sdk):
    thought, base = "The answer is what was said.", "/deployments/mock-reasoning"
    old = sdk.chat(base).complete(messages=user("Hello"))
    new = sdk.chat(base, api_version="2025-04-01").complete(messages=user("Hello"))
    updates = list(sdk.chat(base, api_version="2025-04-01").complete(messages=user("Hello"), stream=True))

    assert re.fullmatch(rf"<think>\s*{re.escape(thought)}\s*</think>\s*Hello", old.choices[0].message.content)
    assert new.choices[0].message.content == "Hello"
    assert new.choices[0].message["reasoning_content"] == thought
    assert "".join(u.choices[0].delta.get("reasoning_content") or "" for u in updates) == thought
    assert joined(updates) == "Hello"
    assert updates[-1].usage["completion_tokens_details"]["reasoning_tokens"] == 7


def test_a_long_stream_arrives_whole(sdk):
    updates = list(sdk.chat("/deployments/mock-long").complete(messages=user("go"), stream=True, max_tokens=400))

    assert joined(updates) == " ".join(str(n) for n in range(1, 401))
    assert updates[-1].choices[0].finish_reason == "length"
    assert updates[-1].usage.completion_tokens == 400


def test_the_request_id_comes_back(sdk):
    ids = []
    sdk.chat().complete(
        messages=user("Hello"),
        raw_response_hook=lambda r: ids.append((r.http_request.headers["x-ms-client-request-id"], r.http_response.headers["x-ms-client-request-id"])),
    )

    sent, echoed = ids[0]
    assert sent == echoed


@pytest.mark.parametrize("stream", [False, True])
def test_a_filtered_answer_says_so(sdk, stream):
    result = sdk.chat().complete(messages=user("say this mock:censor and that"), stream=stream)
    updates = list(result) if stream else [result]

    assert (joined(updates) if stream else said(result)).rstrip() == "say this"
    assert updates[-1].choices[0].finish_reason is CompletionsFinishReason.CONTENT_FILTERED
    assert updates[-1].usage.total_tokens > updates[-1].usage.prompt_tokens


@pytest.mark.parametrize("stream", [False, True])
def test_a_filter_that_is_down_is_told(sdk, stream):
    result = sdk.chat().complete(messages=user("mock:no-filter"), stream=stream)
    updates = list(result) if stream else [result]
    told = [c["content_filter_result"]["error"] for u in updates for c in u.choices if "content_filter_result" in c]

    assert told[0]["code"] == "content_filter_error"
    assert "not filtered" in told[0]["message"]


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_that_was_begun_goes_on(sdk, stream):
    messages = [{"role": "user", "content": "one two three"}, {"role": "assistant", "content": "one", "prefix": True}]
    result = sdk.chat().complete(messages=messages, stream=stream)

    assert (joined(result) if stream else said(result)) == " two three"


def test_log_probabilities_survive_the_sdk(sdk):
    result = sdk.chat().complete(messages=user("Hi you"), model_extras={"logprobs": True, "top_logprobs": 1})
    (choice,) = result.choices

    assert [(t["token"], t["logprob"], len(t["top_logprobs"])) for t in choice["logprobs"]["content"]] == [("Hi", -0.1, 1), (" you", -0.1, 1)]


def test_a_security_context_is_taken(sdk):
    context = {"application_name": "mine", "end_user_id": "9f2c1b7e-0d1a-4c57-9a52-6f7d0c3b2a11", "source_ip": "127.0.0.1"}
    body = {"messages": [{"role": "user", "content": "Hello"}], "user_security_context": context}

    assert said(sdk.chat().complete(body)) == "Hello"
