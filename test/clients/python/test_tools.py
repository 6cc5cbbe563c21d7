"""Function calling on the mock, which calls with the smallest arguments that a tool's schema allows."""

import json

import pytest
from azure.ai.inference.models import (
    AssistantMessage,
    ChatCompletionsNamedToolChoice,
    ChatCompletionsNamedToolChoiceFunction,
    ChatCompletionsToolCall,
    ChatCompletionsToolDefinition,
    FunctionCall,
    FunctionDefinition,
    ToolMessage,
    UserMessage,
)
from azure.core.exceptions import HttpResponseError

WEATHER = ChatCompletionsToolDefinition(
    function=FunctionDefinition(
        name="get_weather",
        description="Tells the weather of a city.",
        parameters={
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}, "unit": {"enum": ["C", "F"]}},
            "required": ["city", "days", "unit"],
        },
    )
)
CLOCK = ChatCompletionsToolDefinition(function=FunctionDefinition(name="get_time"))
ASK = [UserMessage(content="How is the weather?")]


def named(name):
    return ChatCompletionsNamedToolChoice(function=ChatCompletionsNamedToolChoiceFunction(name=name))


def called(client, stream, **options):
    """The tool calls of an answer and its finish reason, put together as the SDK's samples do."""
    result = client.complete(stream=stream, **options)
    if not stream:
        return result.choices[0].message.tool_calls, result.choices[0].finish_reason
    calls, finish = [], None
    for choice in (c for u in result for c in u.choices):
        assert not choice.delta.content
        for delta in choice.delta.tool_calls or []:
            if delta.id:
                assert (delta["type"], delta["index"]) == ("function", len(calls))
                calls.append(ChatCompletionsToolCall(id=delta.id, function=FunctionCall(name=delta.function.name, arguments="")))
            calls[-1].function.arguments += delta.function.arguments or ""
        finish = choice.finish_reason or finish
    return calls, finish


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("choice", "name", "arguments"),
    [
        ("required", "get_weather", {"city": "", "days": 1, "unit": "C"}),
        (named("get_weather"), "get_weather", {"city": "", "days": 1, "unit": "C"}),
        (named("get_time"), "get_time", {}),
    ],
    ids=["required", "named", "without parameters"],
)
def test_a_tool_is_called(sdk, stream, choice, name, arguments):
    calls, finish = called(sdk.chat(), stream, messages=ASK, tools=[WEATHER, CLOCK], tool_choice=choice)

    assert finish == "tool_calls"
    assert len(calls) == 1
    assert calls[0].id.startswith("call_")
    assert (calls[0].type, calls[0].function.name) == ("function", name)
    assert json.loads(calls[0].function.arguments) == arguments


@pytest.mark.parametrize("choice", ["auto", "none", None])
def test_no_tool_is_called_unless_it_must_be(sdk, choice):
    answer = sdk.chat().complete(messages=ASK, tools=[WEATHER], tool_choice=choice).choices[0]

    assert (answer.message.content, answer.finish_reason) == ("How is the weather?", "stop")
    assert answer.message.tool_calls is None


@pytest.mark.parametrize("stream", [False, True])
def test_the_whole_loop(sdk, stream):
    client = sdk.chat("/models", model="mock", tools=[WEATHER, CLOCK])
    calls, _ = called(client, stream, messages=ASK, tool_choice="required")
    messages = [*ASK, AssistantMessage(tool_calls=calls)]
    messages += [ToolMessage(tool_call_id=call.id, content='{"sky":"clear"}') for call in calls]
    answer = client.complete(messages=messages)

    assert answer.choices[0].message.content == "How is the weather?"
    assert answer.choices[0].finish_reason == "stop"


def test_the_message_with_the_call_is_taken_back_as_received(sdk):
    client = sdk.chat()
    message = client.complete(messages=ASK, tools=[CLOCK], tool_choice="required").choices[0].message
    assert message.content is None or message.content == ""
    messages = [*ASK, message, ToolMessage(tool_call_id=message.tool_calls[0].id, content="noon"), UserMessage(content="Thanks")]

    assert client.complete(messages=messages, tools=[CLOCK]).choices[0].message.content == "Thanks"


def test_arguments_may_be_an_object_in_history(sdk):
    call = {"id": "call_1", "type": "function", "function": {"name": "get_time", "arguments": {"zone": "UTC"}, "call_id": None}}
    messages = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "noon"},
    ]

    assert sdk.chat().complete({"messages": messages}).choices[0].message.content == "Hi"


@pytest.mark.parametrize(
    ("options", "member"),
    [({"tools": [CLOCK], "tool_choice": named("absent")}, "tool_choice"), ({"tools": []}, "tools")],
)
def test_tools_that_contradict_themselves_are_refused(sdk, options, member):
    with pytest.raises(HttpResponseError) as refused:
        sdk.chat().complete(messages=ASK, **options)

    assert refused.value.status_code == 422
    assert refused.value.error.code == "Invalid input"
    assert member in refused.value.error.target
