"""The SDK's stream objects: their fields, their ends, and several at the same time."""

import asyncio
import datetime
import json
import time

import pytest
from azure.ai.inference.models import (
    ChatCompletionsToolDefinition,
    ChatRole,
    CompletionsFinishReason,
    FunctionCall,
    FunctionDefinition,
    StreamingChatChoiceUpdate,
    StreamingChatCompletionsUpdate,
    StreamingChatResponseMessageUpdate,
    StreamingChatResponseToolCallUpdate,
)
from azure.core.exceptions import HttpResponseError, ServiceResponseError, ServiceResponseTimeoutError

import sdk as flavours
from answers import Sent, joined, said, usage, user
from conftest import KEY
from test_tools import ASK, CLOCK, WEATHER

WORDS = "one two three four five"


def test_an_update_has_the_types_of_the_sdk(sdk):
    stream = sdk.chat().complete(messages=user("Hello there"), stream=True)
    updates = list(stream)

    assert flavours.kind(stream) == "StreamingChatCompletions"
    for update in updates:
        assert isinstance(update, StreamingChatCompletionsUpdate)
        (choice,) = update.choices
        assert isinstance(choice, StreamingChatChoiceUpdate)
        assert isinstance(choice.delta, StreamingChatResponseMessageUpdate)
        assert isinstance(update.created, datetime.datetime)
        assert update.created.tzinfo is datetime.timezone.utc
        assert choice.delta.tool_calls is None
        assert json.loads(json.dumps(update.as_dict())) == dict(update)
    assert updates[0].choices[0].delta.role is ChatRole.ASSISTANT
    assert updates[-1].choices[0].finish_reason is CompletionsFinishReason.STOPPED
    assert usage(updates[-1].usage) == (5, 2, 7)


def test_updates_of_a_tool_call_have_the_types_of_the_sdk(sdk):
    updates = list(sdk.chat().complete(messages=ASK, tools=[WEATHER], tool_choice="required", stream=True))
    deltas = [u.choices[0].delta for u in updates]
    calls = [call for delta in deltas for call in delta.tool_calls or []]

    assert deltas[0].role is ChatRole.ASSISTANT
    assert all(isinstance(call, StreamingChatResponseToolCallUpdate) and isinstance(call.function, FunctionCall) for call in calls)
    assert calls[0].id.startswith("call_")
    assert {call["index"] for call in calls} == {0}
    # Older .NET clients fail over a null, Python's over a call without a function.
    assert all("tool_calls" not in delta or delta["tool_calls"] for delta in deltas)
    assert [call.id for call in calls[1:]] == [None] * (len(calls) - 1)
    assert [call.function.name for call in calls[1:]] == [None] * (len(calls) - 1)
    assert json.loads("".join(call.function.arguments for call in calls)) == {"city": "", "days": 1, "unit": "C"}
    assert updates[-1].choices[0].finish_reason is CompletionsFinishReason.TOOL_CALLS
    assert updates[-1].usage.completion_tokens > 1


def test_a_tool_that_the_model_chose_itself(faulty):
    client = faulty.chat("/deployments/calls", tools=[CLOCK])
    updates = list(client.complete(messages=ASK, stream=True))

    assert updates[-1].choices[0].finish_reason is CompletionsFinishReason.TOOL_CALLS
    assert updates[0].choices[0].delta.content in (None, "")


@pytest.mark.parametrize(("options", "reason"), [({"max_tokens": 1}, "length"), ({"stop": ["two"]}, "stop"), ({}, "stop")])
def test_a_finish_reason_is_the_sdks_own(sdk, options, reason):
    client = sdk.chat()
    whole = client.complete(messages=user(WORDS), **options)
    *_, last = client.complete(messages=user(WORDS), stream=True, **options)

    assert whole.choices[0].finish_reason is last.choices[0].finish_reason is CompletionsFinishReason(reason)


def test_a_stream_ends_for_good(sdk):
    stream = sdk.chat().complete(messages=user("Hi"), stream=True)

    assert joined(stream) == "Hi"
    for _ in range(2):
        with pytest.raises(StopIteration):
            next(stream)
    stream.close()
    stream.close()


def test_a_stream_is_a_context_manager(sdk):
    client = sdk.chat()
    with client.complete(messages=user(WORDS), stream=True) as stream:
        assert next(stream).choices[0].delta.role == "assistant"
    assert joined(client.complete(messages=user("next"), stream=True)) == "next"


def test_a_stream_may_be_left_in_the_middle(sdk):
    client = sdk.chat("/deployments/mock-long")
    for _ in range(3):
        stream = client.complete(messages=user("go"), stream=True)
        assert [next(stream).choices[0].delta.content for _ in range(3)] == ["", "1", " 2"]
        stream.close()

    assert said(client.complete(messages=user("go"), max_tokens=2)) == "1 2"


def test_updates_come_as_they_are_made(faulty):
    stream = faulty.chat("/deployments/slow").complete(messages=user("go"), stream=True, max_tokens=10)
    times = [time.monotonic() for _ in stream]

    # Ten tokens at fifty a second.
    assert times[-1] - times[0] > 0.1


def test_two_streams_of_one_client_are_read_in_turns(sdk):
    client = sdk.chat()
    first, second = (client.complete(messages=user(text), stream=True) for text in ("a b c", "x y z"))
    pairs = list(zip(first, second, strict=True))

    assert joined([a for a, _ in pairs]) == "a b c"
    assert joined([b for _, b in pairs]) == "x y z"
    assert pairs[0][0].id != pairs[0][1].id


def tool(n):
    return ChatCompletionsToolDefinition(function=FunctionDefinition(name=f"tool_{n}"))


def called(updates):
    return [call.function.name for u in updates for c in u.choices for call in c.delta.tool_calls or [] if call.id]


def test_two_hundred_requests_at_once_are_nobody_elses(sdk):
    chat, models, embeddings, wrong = sdk.chat(), sdk.chat("/models"), sdk.embeddings(dimensions=4), sdk.chat(key="wrong")
    alone = [d.embedding for d in embeddings.embed(input=[f"text {n}" for n in range(200)]).data]

    def call(n):
        """A request, and how its outcome is told from any other's."""
        text = f"request {n} says {n * n} of its own"
        return [
            (chat.complete, {"messages": user(text)}, lambda r: said(r) == text),
            (chat.complete, {"messages": user(text), "stream": True}, lambda r: joined(r) == text and len({u.id for u in r}) == 1),
            (embeddings.embed, {"input": [f"text {n}"]}, lambda r: r.data[0].embedding == alone[n]),
            (models.complete, {"messages": user(text), "model": f"nobody-{n}"}, lambda r: r.status_code == 400 and f"nobody-{n}." in f"{r.error.message}."),
            (models.complete, {"messages": user(text), "max_tokens": n % 7, "model": "mock"}, lambda r: r.usage.completion_tokens == min(n % 7, 9)),
            (chat.complete, {"messages": user(text), "tools": [tool(n)], "tool_choice": "required", "stream": True}, lambda r: called(r) == [f"tool_{n}"]),
            (wrong.complete, {"messages": user(text)}, lambda r: r.status_code == 401),
            (chat.complete, {"messages": user(text), "temperature": 3 + n}, lambda r: r.response.json()["detail"][0]["input"] == 3 + n),
        ][n % 8]

    calls = [call(n) for n in range(200)]
    outcomes = sdk.together([(method, options) for method, options, _ in calls])

    assert [n for n, (outcome, (_, _, right)) in enumerate(zip(outcomes, calls, strict=True)) if not right(outcome)] == []


@pytest.mark.parametrize("n", [1, 3])
def test_choices_of_a_stream_are_told_apart(sdk, n):
    updates = list(sdk.chat().complete(messages=user("a b"), stream=True, model_extras={"n": n}))
    parts = [[c for u in updates for c in u.choices if c.index == index] for index in range(n)]

    assert ["".join(c.delta.content or "" for c in choice) for choice in parts] == ["a b"] * n
    assert [choice[-1].finish_reason for choice in parts] == ["stop"] * n
    assert [u.usage for u in updates[:-1]] == [None] * (len(updates) - 1)
    assert updates[-1].usage.completion_tokens == 2 * n


def test_silence_ends_by_the_callers_patience(faulty):
    """Nobody is told that an answer is complete when it only fell silent."""
    client = faulty.chat("/deployments/stalls")
    received = []
    with pytest.raises((ServiceResponseError, HttpResponseError)):
        for update in client.complete(messages=user(WORDS), stream=True, read_timeout=0.3):
            received.append(update)

    assert joined(received) in ("one two three", "one two")
    assert all(u.choices[0].finish_reason is None for u in received)


def test_patience_ends_before_an_unstreamed_answer_once(faulty):
    sent, client = Sent(), faulty.chat("/deployments/stalls")
    start = time.monotonic()
    with pytest.raises(ServiceResponseTimeoutError):
        client.complete(messages=user(WORDS), read_timeout=0.3, raw_request_hook=sent)

    assert time.monotonic() - start < 2
    assert len(sent.requests) == 1
    assert said(faulty.chat("/deployments/good").complete(messages=user("next"))) == "next"


@pytest.mark.parametrize("stream", [False, True])
def test_a_task_may_be_cancelled(faulty_server, scheme, stream):
    made = flavours.Async(faulty_server, scheme, KEY)
    client = made.chat("/deployments/stalls").target

    async def answer():
        result = await client.complete(messages=user(WORDS), stream=stream)
        return [update async for update in result]

    async def cancel():
        task = asyncio.create_task(answer())
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(answer(), 0.1)

    made.loop.run_until_complete(cancel())
    made.close()


def test_asynchronous_clients_and_streams_are_context_managers(mock_server, scheme):
    made = flavours.Async(mock_server, scheme, KEY)

    async def talk():
        async with made.chat().target as client, await client.complete(messages=user("Hello there"), stream=True) as stream:
            return [update async for update in stream]

    assert joined(made.loop.run_until_complete(talk())) == "Hello there"
    made.close()
