"""Responses by the openai SDK, at OpenAI's doors."""

import itertools
import json
import time

import openai
import pydantic
import pytest

FLAT = {
    "type": "function",
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
ASK = "How is the weather?"


def test_a_response_has_the_members_of_the_contract(oai_v1):
    result = oai_v1.client().responses.create(model="mock", input="Hello there, world")

    assert result.id.startswith("resp_")
    assert (result.object, result.status, result.model) == ("response", "completed", "mock")
    assert (result.error, result.incomplete_details, result.instructions, result.metadata) == (None, None, None, {})
    (item,) = result.output
    assert (item.type, item.role, item.status, [part.type for part in item.content]) == ("message", "assistant", "completed", ["output_text"])
    assert item.id.startswith("msg_")
    assert result.output_text == "Hello there, world"
    assert (result.usage.input_tokens, result.usage.output_tokens, result.usage.total_tokens) == (7, 4, 11)
    assert result.usage.input_tokens_details.cached_tokens == 0
    assert result.usage.output_tokens_details.reasoning_tokens == 0
    assert (result.tool_choice, result.tools, result.parallel_tool_calls) == ("auto", [], True)


def test_a_stream_has_every_event_in_order_and_numbered(oai_v1):
    events = list(oai_v1.client().responses.create(model="mock", input="Hello there", stream=True))

    assert [e.sequence_number for e in events] == list(range(len(events)))
    assert [kind for kind, _ in itertools.groupby(e.type for e in events)] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ]
    assert events[0].response.status == "in_progress"
    deltas = [e for e in events if e.type == "response.output_text.delta"]
    assert "".join(e.delta for e in deltas) == "Hello there"
    final = events[-1].response
    assert {(e.item_id, e.output_index, e.content_index) for e in deltas} == {(final.output[0].id, 0, 0)}
    assert (final.id, final.output_text, final.usage.total_tokens) == (events[0].response.id, "Hello there", 7)


def test_the_streaming_helper_accumulates_a_response(oai_v1):
    with oai_v1.client().responses.stream(model="mock", input="Hello there") as stream:
        texts = [event.delta for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()

    assert "".join(texts) == final.output_text == "Hello there"


def test_a_tools_loop_comes_to_an_answer(oai_v1):
    client = oai_v1.client()
    first = client.responses.create(model="mock", input=ASK, tools=[FLAT], tool_choice="required")
    (call,) = first.output
    assert (call.type, call.name, json.loads(call.arguments), call.status) == ("function_call", "get_weather", {"city": ""}, "completed")
    history = [{"role": "user", "content": ASK}, call, {"type": "function_call_output", "call_id": call.call_id, "output": "clear"}]
    answer = client.responses.create(model="mock", input=history, tools=[FLAT])

    assert answer.output_text == ASK


def test_a_call_is_streamed(oai_v1):
    events = list(oai_v1.client().responses.create(model="mock", input=ASK, tools=[FLAT], tool_choice="required", stream=True))

    (added,) = [e for e in events if e.type == "response.output_item.added"]
    (done,) = [e for e in events if e.type == "response.function_call_arguments.done"]
    deltas = [e.delta for e in events if e.type == "response.function_call_arguments.delta"]
    assert (added.item.type, added.item.name) == ("function_call", "get_weather")
    assert "".join(deltas) == done.arguments == events[-1].response.output[0].arguments
    assert (done.item_id, done.output_index) == (added.item.id, 0)
    assert [e.sequence_number for e in events] == list(range(len(events)))


class Place(pydantic.BaseModel):
    city: str
    inhabitants: int


def test_parse_gives_an_object_of_the_callers_class(oai_v1):
    client = oai_v1.client()
    whole = client.responses.parse(model="mock", input="Where?", text_format=Place)
    with client.responses.stream(model="mock", input="Where?", text_format=Place) as stream:
        list(stream)
        streamed = stream.get_final_response()

    assert isinstance(whole.output_parsed, Place)
    assert streamed.output_parsed == whole.output_parsed


def test_messages_and_instructions(oai_v1):
    result = oai_v1.client().responses.create(
        model="mock",
        instructions="Be brief.",
        input=[
            {"role": "user", "content": [{"type": "input_text", "text": "One"}]},
            {"role": "assistant", "content": [{"type": "output_text", "text": "One", "annotations": []}]},
            {"role": "user", "content": "Two"},
        ],
        temperature=0.5,
        top_p=0.5,
        metadata={"a": "b"},
        text={"format": {"type": "text"}},
    )

    assert (result.output_text, result.instructions, result.metadata) == ("Two", "Be brief.", {"a": "b"})
    assert (result.temperature, result.top_p) == (0.5, 0.5)


def test_a_limit_makes_it_incomplete(oai_v1):
    client = oai_v1.client()
    whole = client.responses.create(model="mock", input="one two three", max_output_tokens=2)
    *_, last = client.responses.create(model="mock", input="one two three", max_output_tokens=2, stream=True)

    assert (whole.status, whole.incomplete_details.reason, whole.output_text) == ("incomplete", "max_output_tokens", "one two")
    assert (last.type, last.response.status) == ("response.incomplete", "incomplete")


def test_thoughts_are_items_of_their_own(oai_v1):
    client = oai_v1.client()
    whole = client.responses.create(model="mock-reasoning", input="Hello")
    events = list(client.responses.create(model="mock-reasoning", input="Hello", stream=True))

    assert [item.type for item in whole.output] == ["reasoning", "message"]
    assert whole.output_text == "Hello"
    assert whole.usage.output_tokens_details.reasoning_tokens == 7
    assert "".join(e.delta for e in events if e.type == "response.reasoning_text.delta") == "The answer is what was said."
    assert [e.sequence_number for e in events] == list(range(len(events)))


def test_nothing_is_kept_unless_the_operator_says_so(oai_v1):
    client = oai_v1.client()
    raw = client.responses.with_raw_response.create(model="mock", input="Hello", store=True)

    assert raw.headers["x-ingot-dropped"] == "store"
    assert raw.parse().store is False
    for refuse in (
        lambda: client.responses.create(model="mock", input="Hello", previous_response_id="resp_1"),
        lambda: client.responses.create(model="mock", input="Hello", background=True),
        lambda: client.responses.retrieve("resp_1"),
        lambda: client.responses.delete("resp_1"),
        lambda: client.responses.cancel("resp_1"),
    ):
        with pytest.raises(openai.APIStatusError) as refused:
            refuse()
        assert refused.value.status_code in (400, 404)
        assert refused.value.message


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"tools": [{"type": "web_search"}]}, "tools[0]"),
        ({"extra_body": {"conversation": "c"}}, "conversation"),
        ({"extra_body": {"foo": 1}}, "foo"),
        ({"temperature": 3}, "temperature"),
        ({"input": [{"role": "nobody", "content": "x"}]}, "input[0]"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(oai_v1, members, param):
    with pytest.raises(openai.BadRequestError) as refused:
        oai_v1.client().responses.create(**{"model": "mock", "input": "Hello", **members})

    assert (refused.value.param or "").startswith(param)
    assert refused.value.type == "invalid_request_error"


def test_an_unknown_model(oai_v1):
    with pytest.raises(openai.NotFoundError):
        oai_v1.client().responses.create(model="nobody", input="Hello")


def test_what_is_kept_can_be_gone_on_with(keeping_oai):
    client = keeping_oai.client()
    first = client.responses.create(model="mock", input="One", store=True)
    second = client.responses.create(model="mock", input="Two", previous_response_id=first.id)

    assert client.responses.retrieve(first.id).output_text == "One"
    assert (second.output_text, second.previous_response_id) == ("Two", first.id)
    assert second.usage.input_tokens > first.usage.input_tokens
    items = list(client.responses.input_items.list(second.id, order="asc"))
    assert [item.role for item in items if item.type == "message"][-1] == "user"
    client.responses.delete(first.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(first.id)


def test_what_is_kept_is_its_owners(keeping_oai):
    mine = keeping_oai.client().responses.create(model="mock", input="One", store=True)
    other = keeping_oai.client(key="another-key-of-the-tests")

    with pytest.raises(openai.NotFoundError):
        other.responses.retrieve(mine.id)
    with pytest.raises(openai.APIStatusError):
        other.responses.create(model="mock", input="Two", previous_response_id=mine.id)


def test_work_in_the_background_is_asked_for_and_cancelled(keeping_oai):
    client = keeping_oai.client()
    begun = client.responses.create(model="slow", input="go", background=True)
    assert begun.status in ("queued", "in_progress")
    assert client.responses.cancel(begun.id).status == "cancelled"
    quick = client.responses.create(model="mock", input="Hello", background=True)
    deadline = time.monotonic() + 30
    while (result := client.responses.retrieve(quick.id)).status != "completed":
        assert time.monotonic() < deadline
    assert result.output_text == "Hello"


def test_a_stream_in_the_background_is_taken_up_again(keeping_oai):
    client = keeping_oai.client()
    stream = client.responses.create(model="mock", input="Hello there", background=True, stream=True)
    first = list(itertools.islice(stream, 2))
    stream.close()
    rest = list(client.responses.retrieve(first[0].response.id, stream=True, starting_after=first[-1].sequence_number))

    assert [e.sequence_number for e in [*first, *rest]] == list(range(len(first) + len(rest)))
    assert rest[-1].response.output_text == "Hello there"
