"""Tools and structured output of smollm2, whose template knows neither: what it says is its own, that it keeps to the schema is not."""

import json
import re

import pytest
from azure.ai.inference.models import (
    AssistantMessage,
    ChatCompletionsNamedToolChoice,
    ChatCompletionsNamedToolChoiceFunction,
    ChatCompletionsToolDefinition,
    FunctionDefinition,
    JsonSchemaFormat,
    ToolMessage,
    UserMessage,
)
from azure.core.exceptions import HttpResponseError

from answers import joined
from test_tools import called

WEATHER = ChatCompletionsToolDefinition(
    function=FunctionDefinition(
        name="get_weather",
        description="Tells the weather of a city.",
        parameters={
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 20}, "unit": {"enum": ["C", "F"]}},
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
    )
)
CLOCK = ChatCompletionsToolDefinition(function=FunctionDefinition(name="get_time", description="Tells the time."))
ASK = [UserMessage(content="How is the weather in Paris?")]
LIMIT = {"max_tokens": 96, "seed": 7}
ONE = {"model_extras": {"parallel_tool_calls": False}}
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": "^[A-Z][a-z]{1,11}$"},
        "age": {"type": "integer", "minimum": 18, "maximum": 99},
        "tags": {"type": "array", "items": {"enum": ["tall", "kind", "old"]}, "minItems": 1, "maxItems": 2},
        "home": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/home"}]},
    },
    "required": ["name", "age", "tags", "home"],
    "additionalProperties": False,
    "$defs": {"home": {"type": "object", "properties": {"street": {"type": "string", "maxLength": 16}}, "required": ["street"], "additionalProperties": False}},
}
streamed = pytest.mark.parametrize("stream", [False, True])


def named(name):
    return ChatCompletionsNamedToolChoice(function=ChatCompletionsNamedToolChoiceFunction(name=name))


def weather(call):
    """The arguments of a call of get_weather, which must keep to its schema."""
    assert (call.type, call.function.name) == ("function", "get_weather")
    assert call.id.startswith("call_")
    arguments = json.loads(call.function.arguments)
    assert set(arguments) == {"city", "unit"}
    assert isinstance(arguments["city"], str)
    assert len(arguments["city"]) <= 20
    assert arguments["unit"] in ("C", "F")
    return arguments


@streamed
def test_a_named_tool_is_called(engine, stream):
    calls, finish = called(engine.chat(), stream, messages=ASK, tools=[CLOCK, WEATHER], tool_choice=named("get_weather"), temperature=1.2, **LIMIT, **ONE)

    assert finish == "tool_calls"
    assert [weather(call) for call in calls]
    assert len(calls) == 1


def test_several_calls_are_told_apart(engine):
    question = [UserMessage("How is the weather in Paris, and in Rome?")]
    updates = list(engine.chat().complete(messages=question, tools=[WEATHER], tool_choice="required", temperature=0, stream=True, max_tokens=120))
    calls = {}
    for delta in (d for u in updates for c in u.choices for d in c.delta.tool_calls or []):
        calls.setdefault(delta["index"], []).append(delta)

    assert list(calls) == list(range(len(calls)))
    assert all(deltas[0].id and not any(d.id for d in deltas[1:]) for deltas in calls.values())
    assert len({deltas[0].id for deltas in calls.values()}) == len(calls)
    if updates[-1].choices[0].finish_reason == "tool_calls":
        assert all(set(json.loads("".join(d.function.arguments or "" for d in deltas))) == {"city", "unit"} for deltas in calls.values())
    else:
        assert updates[-1].choices[0].finish_reason == "length"


@streamed
def test_the_whole_loop(engine, stream):
    """The turn with the call goes back as it was received, or put together from a stream."""
    client = engine.chat("/models", model="smollm2", tools=[WEATHER], temperature=0, **LIMIT)
    if stream:
        calls, finish = called(client, stream, messages=ASK, tool_choice="required", **ONE)
        turn = AssistantMessage(tool_calls=calls)
    else:
        choice = client.complete(messages=ASK, tool_choice="required", **ONE).choices[0]
        turn, finish = choice.message, choice.finish_reason
        assert turn.content in (None, "")
    (call,) = turn.tool_calls
    assert finish == "tool_calls"
    assert "Paris" in weather(call)["city"]

    history = [*ASK, turn, ToolMessage('{"sky": "clear", "degrees": 21}', tool_call_id=call.id)]
    result = client.complete(messages=history, tool_choice="none", stream=stream, max_tokens=32)
    updates = list(result) if stream else [result]
    text = joined(updates) if stream else result.choices[0].message.content

    assert "21" in text or "clear" in text
    assert "tool_call" not in text
    assert updates[-1].usage.prompt_tokens > 50


def test_tools_that_may_not_be_called_are_not(engine):
    answer = engine.chat().complete(messages=ASK, tools=[WEATHER], tool_choice="none", temperature=0, max_tokens=24).choices[0]

    assert answer.message.tool_calls is None
    assert answer.message.content
    assert answer.finish_reason in ("stop", "length")


@pytest.mark.parametrize(("stream", "seed"), [(False, 1), (True, 2)])
def test_an_answer_keeps_to_its_schema(engine, stream, seed):
    result = engine.chat().complete(
        messages=[UserMessage("Describe a person.")],
        response_format=JsonSchemaFormat(name="person", schema=PERSON, strict=True),
        temperature=1.5,
        max_tokens=300,
        seed=seed,
        stream=stream,
    )
    updates = list(result) if stream else [result]
    person = json.loads(joined(updates) if stream else result.choices[0].message.content)

    assert updates[-1].choices[0].finish_reason == "stop"
    assert set(person) == set(PERSON["required"])
    assert re.fullmatch("[A-Z][a-z]{1,11}", person["name"])
    assert type(person["age"]) is int
    assert 18 <= person["age"] <= 99
    assert 1 <= len(person["tags"]) <= 2
    assert set(person["tags"]) <= {"tall", "kind", "old"}
    assert person["home"] is None or list(person["home"]) == ["street"]


def test_a_json_object_is_one(engine):
    stream = engine.chat().complete(
        messages=[UserMessage('Answer as JSON with the member "capital": what is the capital of France?')],
        response_format="json_object",
        temperature=0,
        max_tokens=64,
        stream=True,
    )
    updates = list(stream)
    text = joined(updates)

    if updates[-1].choices[0].finish_reason == "stop":
        assert isinstance(json.loads(text), dict)
    else:
        assert text.lstrip().startswith("{")


@pytest.mark.parametrize(
    ("options", "member", "says"),
    [
        ({"response_format": JsonSchemaFormat(name="a", schema={"type": "array", "uniqueItems": True}, strict=True)}, "response_format", "'uniqueItems'"),
        ({"response_format": JsonSchemaFormat(name="a", schema={"type": "no such"})}, "response_format", "'type'"),
        ({"response_format": JsonSchemaFormat(name="bad name!", schema={})}, "response_format", "name"),
        (
            {"tools": [ChatCompletionsToolDefinition(function=FunctionDefinition(name="f", parameters={"type": "no such"}))], "tool_choice": "required"},
            "tools",
            "'type'",
        ),
    ],
)
@streamed
def test_a_schema_that_cannot_be_kept_is_refused_by_name(engine, stream, options, member, says):
    with pytest.raises(HttpResponseError) as refused:
        engine.chat().complete(messages=ASK, stream=stream, **options)

    error = refused.value
    assert error.status_code == 422, str(error)
    assert error.error.target.startswith(member)
    assert says in str(error)
    assert error.response.json()["detail"][0]["loc"][:2] == ["body", member]
