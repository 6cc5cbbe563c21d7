"""Every answer and event of OpenAI's doors has all that the types of the openai SDK require, which its clients do not check by themselves."""

import json

import pydantic
import pytest
from openai.types import Completion, CreateEmbeddingResponse, Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent

from answers import frames
from openai_sdk import DOORS
from pictures import RED, data_url
from test_openai_chat import ASK, CLOCK, HELLO, WEATHER
from test_responses import FLAT

LOOK = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": data_url(RED)}}, {"type": "text", "text": "What is this?"}]}]
CHATS = {
    "text": {"messages": HELLO},
    "image": {"messages": LOOK},
    "choices": {"messages": HELLO, "n": 2, "logprobs": True, "top_logprobs": 2},
    "tools": {"messages": ASK, "tools": [WEATHER, CLOCK], "tool_choice": "required"},
    "functions": {"messages": ASK, "functions": [CLOCK["function"]], "function_call": {"name": "get_time"}},
    "thoughts": {"messages": HELLO, "model": "mock-reasoning"},
    "limit": {"messages": HELLO, "max_completion_tokens": 1},
    "filter": {"messages": [{"role": "user", "content": "say this mock:censor and that"}]},
}
RESPONSES = {
    "text": {"input": "Hello there"},
    "tools": {"input": "How is the weather?", "tools": [FLAT], "tool_choice": "required"},
    "thoughts": {"input": "Hello there", "model": "mock-reasoning"},
    "limit": {"input": "one two three", "max_output_tokens": 1},
    "logprobs": {"input": "Hello", "top_logprobs": 2, "include": ["message.output_text.logprobs"]},
    "echoed": {"input": "Hello", "instructions": "Be brief.", "metadata": {"a": "b"}, "temperature": 1},
    "schema": {"input": "Hello", "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object", "properties": {}}}}},
}
chats = pytest.mark.parametrize("body", CHATS.values(), ids=CHATS)
doors = pytest.mark.parametrize("door", DOORS)


@pytest.fixture
def ask(mock_server, http):
    def ask(door, operation, **body):
        body = {"model": "mock", **body}
        base, version = DOORS[door], ""
        if door == "azure":
            base, version = f"{base}/{body['model']}", "?api-version=2024-10-21"
        answer = http.post(f"{mock_server.at('http')}{base}/{operation}{version}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.text

    return ask


def strictly(kind, value):
    """Validates without turning anything into something else."""
    adapter = pydantic.TypeAdapter(kind)
    adapter.validate_json(json.dumps(value), strict=True)


@doors
@chats
def test_a_completion_has_all_that_its_type_requires(ask, door, body):
    strictly(ChatCompletion, json.loads(ask(door, "chat/completions", **body)))


@doors
@chats
@pytest.mark.parametrize("usage", [False, True])
def test_a_chunk_has_all_that_its_type_requires(ask, door, body, usage):
    options = {"stream_options": {"include_usage": True}} if usage else {}
    *chunks, done = frames(ask(door, "chat/completions", stream=True, **options, **body))

    assert done == "[DONE]"
    for chunk in chunks:
        strictly(ChatCompletionChunk, json.loads(chunk))


@doors
def test_texts_and_vectors_have_all_that_their_types_require(ask, door):
    for body in {}, {"n": 2, "logprobs": 1}:
        strictly(Completion, json.loads(ask(door, "completions", prompt="Hello there", **body)))
    strictly(CreateEmbeddingResponse, json.loads(ask(door, "embeddings", model="mock-embedding", input=["Hello"], dimensions=8)))


@pytest.mark.parametrize("door", ["v1", "openai-v1"])
def test_a_model_has_all_that_its_type_requires(mock_server, http, door):
    for model in http.get(mock_server.at("http") + DOORS[door] + "/models").json()["data"]:
        strictly(Model, model)


@pytest.mark.parametrize("door", ["v1", "openai-v1"])
@pytest.mark.parametrize("body", RESPONSES.values(), ids=RESPONSES)
def test_a_response_and_its_events_have_all_that_their_types_require(ask, door, body):
    strictly(Response, json.loads(ask(door, "responses", **body)))
    for event in ask(door, "responses", stream=True, **body)[:-2].split("\n\n"):
        kind, data = event.split("\n")
        told = json.loads(data.removeprefix("data: "))
        assert kind == f"event: {told['type']}"
        strictly(ResponseStreamEvent, told)
