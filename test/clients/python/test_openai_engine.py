"""The openai SDK and smollm2 on the real engine: a smaller set."""

import json
import math

import openai
import pydantic
import pytest

from test_openai_chat import joined

CAPITAL = [{"role": "user", "content": "What is the capital of France?"}]
FIXED = {"model": "smollm2", "temperature": 0, "seed": 7}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}}, "required": ["city"], "additionalProperties": False},
    },
}


def test_a_real_answer_whole_and_streamed(engine_oai):
    client = engine_oai.client()
    whole = client.chat.completions.create(messages=CAPITAL, max_tokens=32, **FIXED)
    chunks = list(client.chat.completions.create(messages=CAPITAL, max_tokens=32, stream=True, stream_options={"include_usage": True}, **FIXED))

    assert "Paris" in whole.choices[0].message.content
    assert (whole.model, whole.choices[0].finish_reason) == ("smollm2", "stop")
    assert joined(chunks) == whole.choices[0].message.content
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens > 1
    assert len({c.id for c in chunks}) == 1


def test_a_real_call_has_the_arguments_of_its_schema(engine_oai):
    result = engine_oai.client().chat.completions.create(
        messages=[{"role": "user", "content": "How is the weather in Paris?"}], tools=[WEATHER], tool_choice="required", max_tokens=64, **FIXED
    )
    (call,) = result.choices[0].message.tool_calls

    assert result.choices[0].finish_reason == "tool_calls"
    assert call.function.name == "get_weather"
    assert set(json.loads(call.function.arguments)) == {"city"}


class Answer(pydantic.BaseModel):
    capital: bool
    population: int


def test_parse_holds_a_real_answer_to_its_class(engine_oai):
    result = engine_oai.client().chat.completions.parse(messages=CAPITAL, response_format=Answer, max_tokens=64, **FIXED)

    assert isinstance(result.choices[0].message.parsed, Answer)


def test_real_texts_go_on(engine_oai):
    completions = engine_oai.client().completions
    (choice,) = completions.create(prompt="The capital of France is", max_tokens=3, **FIXED).choices
    chunks = list(completions.create(prompt="The capital of France is", max_tokens=3, stream=True, **FIXED))

    assert "Paris" in choice.text
    assert choice.finish_reason == "length"
    assert "".join(c.text for chunk in chunks for c in chunk.choices) == choice.text
    assert completions.create(model="smollm2", prompt="Once", temperature=0).usage.completion_tokens <= 16


def test_real_embeddings_come_as_base64(engine_oai):
    client = engine_oai.client()
    data = client.embeddings.create(model="minilm", input=["A cat sleeps.", "A kitten naps.", "The stock market fell."]).data
    vectors = [d.embedding for d in data]

    assert [round(math.hypot(*v), 3) for v in vectors] == [1.0] * 3
    near, far = (sum(a * b for a, b in zip(vectors[0], other, strict=True)) for other in vectors[1:])
    assert near > far
    floats = client.embeddings.create(model="minilm", input="A cat sleeps.", encoding_format="float").data[0].embedding
    assert sum(a * b for a, b in zip(vectors[0], floats, strict=True)) > 0.9999


def test_what_the_real_model_cannot_do_is_refused_by_name(engine_oai):
    client = engine_oai.client()
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(messages=[{"role": "user", "content": [picture]}], **FIXED)
    assert (refused.value.param or "").startswith("messages")
    with pytest.raises(openai.APIStatusError):
        client.chat.completions.create(model="minilm", messages=CAPITAL)


def test_an_abandoned_stream_gives_its_slot_back(engine_oai):
    client = engine_oai.client()
    story = [{"role": "user", "content": "Write a long story about a ship."}]
    stream = client.chat.completions.create(model="smollm2", messages=story, stream=True, max_tokens=1000)
    for chunk in stream:
        if chunk.choices[0].delta.content:
            break
    stream.close()

    assert "Paris" in client.chat.completions.create(messages=CAPITAL, max_tokens=32, **FIXED).choices[0].message.content


def test_members_of_openais_are_obeyed_by_the_real_model(engine_oai):
    client = engine_oai.client()
    chat = client.chat.completions.create(messages=CAPITAL, max_tokens=32, n=2, logprobs=True, top_logprobs=2, **FIXED)
    text = client.completions.create(prompt="The capital of France is", max_tokens=3, echo=True, best_of=2, **FIXED)

    assert [(c.index, "Paris" in c.message.content) for c in chat.choices] == [(0, True), (1, True)]
    tokens = chat.choices[0].logprobs.content
    assert "".join(t.token for t in tokens) == chat.choices[0].message.content
    assert all(t.logprob <= 0 and len(t.top_logprobs) == 2 and bytes(t.bytes).decode() == t.token for t in tokens)
    assert text.choices[0].text.startswith("The capital of France is Paris")
    assert client.completions.create(prompt=[[1, 2, 3]], max_tokens=1, **FIXED).usage.prompt_tokens == 3


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("completions", {"prompt": "a", "suffix": "b"}),
        ("completions", {"prompt": "a", "logprobs": 1, "echo": True}),
        ("chat", {"messages": CAPITAL, "reasoning_effort": "low"}),
    ],
)
def test_what_it_cannot_obey_is_refused_by_name(engine_oai, operation, members):
    client = engine_oai.client()
    create = (client.chat.completions if operation == "chat" else client.completions).create
    with pytest.raises(openai.BadRequestError) as refused:
        create(max_tokens=1, **FIXED, **members)

    assert (refused.value.code, refused.value.param) == ("unsupported_parameter", list(members)[-1])


def test_a_real_response_whole_and_streamed(engine_oai):
    client = engine_oai.client()
    asked = {"model": "smollm2", "input": "What is the capital of France?", "max_output_tokens": 32, "temperature": 0}
    whole = client.responses.create(**asked)
    events = list(client.responses.create(stream=True, **asked))

    assert "Paris" in whole.output_text
    assert whole.usage.output_tokens > 1
    assert [e.sequence_number for e in events] == list(range(len(events)))
    assert events[-1].response.output_text == whole.output_text
