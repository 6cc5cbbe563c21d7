"""Chat completions by the openai SDK, at OpenAI's doors and Azure OpenAI's."""

import itertools
import json
import re
import time
from typing import Literal

import pydantic
import pytest

ID = re.compile(r"chatcmpl-[0-9A-Za-z]+")
HELLO = [{"role": "user", "content": "Hello there, world"}]
ASK = [{"role": "user", "content": "How is the weather?"}]
CLOCK = {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object", "properties": {}}}}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
            "required": ["city", "days"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}


def usage(counted):
    return counted.prompt_tokens, counted.completion_tokens, counted.total_tokens


def joined(chunks):
    return "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices)


def test_a_completion_has_the_members_of_the_contract(oai):
    result = oai.client().chat.completions.create(model="mock", messages=HELLO)

    assert ID.fullmatch(result.id)
    assert result.object == "chat.completion"
    assert abs(result.created - time.time()) < 60
    assert result.model == "mock"
    (choice,) = result.choices
    assert (choice.index, choice.finish_reason, choice.logprobs) == (0, "stop", None)
    assert (choice.message.role, choice.message.content, choice.message.refusal) == ("assistant", "Hello there, world", None)
    assert choice.message.tool_calls is None
    assert choice.message.function_call is None
    assert usage(result.usage) == (7, 4, 11)
    assert result._request_id


def test_a_stream_carries_usage_only_where_it_is_asked_for(oai):
    chunks = list(oai.client().chat.completions.create(model="mock", messages=HELLO, stream=True))

    assert joined(chunks) == "Hello there, world"
    assert len({(c.id, c.created, c.model, c.object) for c in chunks}) == 1
    assert ID.fullmatch(chunks[0].id)
    assert chunks[0].object == "chat.completion.chunk"
    assert (chunks[0].choices[0].delta.role, chunks[0].choices[0].delta.content) == ("assistant", "")
    assert [len(c.choices) for c in chunks] == [1] * len(chunks)
    assert [c.usage for c in chunks] == [None] * len(chunks)
    assert [c.choices[0].finish_reason for c in chunks] == [None] * (len(chunks) - 1) + ["stop"]


def test_usage_that_is_asked_for_has_a_chunk_of_its_own(oai):
    chunks = list(oai.client().chat.completions.create(model="mock", messages=HELLO, stream=True, stream_options={"include_usage": True}))

    *before, last = chunks
    assert last.choices == []
    assert usage(last.usage) == (7, 4, 11)
    assert all(c.choices and c.usage is None and "usage" in c.model_fields_set for c in before)
    assert before[-1].choices[0].finish_reason == "stop"


def test_the_streaming_helper_accumulates_an_answer(oai):
    events = []
    with oai.client().chat.completions.stream(model="mock", messages=HELLO, stream_options={"include_usage": True}) as stream:
        for event in stream:
            events.append(event)
        final = stream.get_final_completion()

    assert "".join(e.delta for e in events if e.type == "content.delta") == "Hello there, world"
    assert [e.content for e in events if e.type == "content.done"] == ["Hello there, world"]
    assert (final.choices[0].message.content, final.choices[0].finish_reason) == ("Hello there, world", "stop")
    assert usage(final.usage) == (7, 4, 11)


def test_the_streaming_helper_accumulates_calls(oai):
    with oai.client().chat.completions.stream(model="mock", messages=ASK, tools=[WEATHER], tool_choice="required") as stream:
        done = [event for event in stream if event.type == "tool_calls.function.arguments.done"]
        (call,) = stream.get_final_completion().choices[0].message.tool_calls

    assert [(e.name, json.loads(e.arguments)) for e in done] == [("get_weather", {"city": "", "days": 1})]
    assert (call.function.name, call.function.parsed_arguments) == ("get_weather", {"city": "", "days": 1})


def test_a_tools_loop_comes_to_an_answer(oai):
    client, messages = oai.client(), list(ASK)
    result = client.chat.completions.create(model="mock", messages=messages, tools=[WEATHER, CLOCK], tool_choice="required")
    message = result.choices[0].message

    assert result.choices[0].finish_reason == "tool_calls"
    (call,) = message.tool_calls
    assert (call.type, call.function.name, json.loads(call.function.arguments)) == ("function", "get_weather", {"city": "", "days": 1})
    messages += [message, {"role": "tool", "tool_call_id": call.id, "content": "clear"}]
    answer = client.chat.completions.create(model="mock", messages=messages, tools=[WEATHER, CLOCK])
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("How is the weather?", "stop")


def test_a_named_tool_ends_with_stop(oai):
    choice = {"type": "function", "function": {"name": "get_time"}}
    result = oai.client().chat.completions.create(model="mock", messages=ASK, tools=[WEATHER, CLOCK], tool_choice=choice)

    assert (result.choices[0].finish_reason, result.choices[0].message.tool_calls[0].function.name) == ("stop", "get_time")


@pytest.mark.parametrize("stream", [False, True])
def test_deprecated_functions_are_called(oai, stream):
    result = oai.client().chat.completions.create(
        model="mock", messages=ASK, functions=[WEATHER["function"], CLOCK["function"]], function_call={"name": "get_time"}, stream=stream
    )
    if stream:
        calls = [c.choices[0].delta.function_call for c in result if c.choices and c.choices[0].delta.function_call]
        name, arguments = "".join(c.name or "" for c in calls), "".join(c.arguments or "" for c in calls)
    else:
        message = result.choices[0].message
        name, arguments = message.function_call.name, message.function_call.arguments
        assert message.tool_calls is None

    assert (name, json.loads(arguments)) == ("get_time", {})


def test_the_result_of_a_deprecated_function_is_taken(oai):
    call = {"role": "assistant", "content": None, "function_call": {"name": "get_time", "arguments": "{}"}}
    messages = [*ASK, call, {"role": "function", "name": "get_time", "content": "noon"}]
    result = oai.client().chat.completions.create(model="mock", messages=messages, functions=[CLOCK["function"]])

    assert result.choices[0].message.content == "How is the weather?"


class Place(pydantic.BaseModel):
    city: str
    kind: Literal["town", "village"]
    inhabitants: int


def test_parse_gives_an_object_of_the_callers_class(oai):
    result = oai.client().chat.completions.parse(model="mock", messages=HELLO, response_format=Place)
    place = result.choices[0].message.parsed

    assert isinstance(place, Place)
    assert place.kind in ("town", "village")


def test_json_mode_is_taken_without_the_word(oai):
    result = oai.client().chat.completions.create(model="mock", messages=HELLO, response_format={"type": "json_object"})

    assert result.choices[0].message.content == "{}"


def test_every_parameter_is_taken(oai):
    result = oai.client().chat.completions.create(
        model="mock",
        messages=[{"role": "developer", "content": "Be brief."}, {"role": "user", "name": "me", "content": [{"type": "text", "text": "Hello"}]}],
        frequency_penalty=-2,
        presence_penalty=2,
        temperature=2,
        top_p=1,
        max_completion_tokens=100,
        seed=5,
        stop=["never said"],
        n=2,
        logprobs=True,
        top_logprobs=2,
        logit_bias={"5": -100},
        user="somebody",
        safety_identifier="somebody",
        metadata={"a": "b"},
        parallel_tool_calls=True,
        tools=[CLOCK],
        tool_choice="none",
        reasoning_effort="low",
        response_format={"type": "text"},
    )

    assert [(c.index, c.message.content, c.finish_reason) for c in result.choices] == [(0, "Hello", "stop"), (1, "Hello", "stop")]
    (token,) = result.choices[0].logprobs.content
    assert (token.token, token.logprob, token.bytes, len(token.top_logprobs)) == ("Hello", -0.1, list(b"Hello"), 2)


def test_choices_and_log_probabilities_of_a_stream(oai):
    chunks = list(oai.client().chat.completions.create(model="mock", messages=HELLO, stream=True, n=2, logprobs=True))
    for index in 0, 1:
        choices = [c for chunk in chunks for c in chunk.choices if c.index == index]
        assert "".join(c.delta.content or "" for c in choices) == "Hello there, world"
        assert [t.token for c in choices if c.logprobs for t in c.logprobs.content] == ["Hello", " there", ",", " world"]


@pytest.mark.parametrize(("members", "text", "finish"), [({"max_tokens": 2}, "Hello there", "length"), ({"stop": " world"}, "Hello there,", "stop")])
def test_limits_end_an_answer(oai, members, text, finish):
    (choice,) = oai.client().chat.completions.create(model="mock", messages=HELLO, **members).choices

    assert (choice.message.content, choice.finish_reason) == (text, finish)


def test_what_is_accepted_and_not_obeyed_is_named(oai):
    raw = oai.client().chat.completions.with_raw_response.create(model="mock", messages=HELLO, store=True, service_tier="flex")

    assert sorted(raw.headers["x-ingot-dropped"].split(", ")) == ["service_tier", "store"]
    assert raw.parse().choices[0].message.content == "Hello there, world"


def test_extra_parameters_are_the_callers_choice(oai):
    create = oai.client().chat.completions.with_raw_response.create
    raw = create(model="mock", messages=HELLO, extra_body={"foo": 1}, extra_headers={"extra-parameters": "drop"})

    assert raw.headers["x-ingot-dropped"] == "foo"
    assert raw.headers["x-ingot-deployment"] == "mock"


def test_thoughts_have_a_member_of_their_own(oai):
    client = oai.client()
    message = client.chat.completions.create(model="mock-reasoning", messages=HELLO).choices[0].message
    chunks = list(client.chat.completions.create(model="mock-reasoning", messages=HELLO, stream=True))

    assert (message.content, message.reasoning_content) == ("Hello there, world", "The answer is what was said.")
    deltas = [c.choices[0].delta for c in chunks]
    assert "".join(getattr(d, "reasoning_content", None) or "" for d in deltas) == "The answer is what was said."
    assert joined(chunks) == "Hello there, world"


def test_a_stream_may_be_left_in_the_middle(oai):
    client = oai.client()
    for _ in range(3):
        stream = client.chat.completions.create(model="mock-long", messages=HELLO, stream=True)
        texts = [chunk.choices[0].delta.content for chunk in itertools.islice(stream, 3)]
        assert texts == ["", "1", " 2"]
        stream.close()

    assert client.chat.completions.create(model="mock-long", messages=HELLO, max_tokens=2).choices[0].message.content == "1 2"
