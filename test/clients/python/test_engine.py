"""smollm2 and minilm on the real engine: what they say is theirs, how they say it is the contract's."""

import asyncio
import math
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from azure.ai.inference.models import (
    AssistantMessage,
    SystemMessage,
    UserMessage,
)
from azure.core.exceptions import AzureError, HttpResponseError

import sdk as flavours
from answers import ID, frames, joined, post
from conftest import KEY
from encoding import encode

BASES = ["", "/models", "/deployments/smollm2"]
CAPITAL = [UserMessage(content="What is the capital of France?")]
STORY = [UserMessage(content="Write a long story about a ship.")]
FIXED = {"temperature": 0, "seed": 7}


@pytest.mark.parametrize("base", BASES)
def test_a_real_answer(engine, base):
    result = engine.chat(base, model="smollm2").complete(messages=CAPITAL, max_tokens=32, **FIXED)

    assert ID.fullmatch(result.id)
    assert (result["object"], result.model) == ("chat.completion", "smollm2")
    (choice,) = result.choices
    assert (choice.index, choice.finish_reason, choice.message.role) == (0, "stop", "assistant")
    assert "Paris" in choice.message.content
    assert result.usage.prompt_tokens > 10
    assert 2 <= result.usage.completion_tokens <= 32
    assert result.usage.total_tokens == result.usage.prompt_tokens + result.usage.completion_tokens


@pytest.mark.parametrize("base", BASES)
def test_a_real_stream_says_the_same(engine, base):
    client = engine.chat(base, model="smollm2")
    whole = client.complete(messages=CAPITAL, max_tokens=32, **FIXED)
    updates = list(client.complete(messages=CAPITAL, max_tokens=32, stream=True, **FIXED))

    assert joined(updates) == whole.choices[0].message.content
    assert len(updates) > 3
    assert len({(u.id, u["created"], u.model, u["object"]) for u in updates}) == 1
    assert (updates[0].choices[0].delta.role, updates[0].choices[0].delta.content) == ("assistant", "")
    assert all(u.usage is None and u.choices[0].finish_reason is None for u in updates[:-1])
    assert updates[-1].choices[0].finish_reason == "stop"
    assert updates[-1].usage.prompt_tokens == whole.usage.prompt_tokens
    assert updates[-1].usage.completion_tokens == whole.usage.completion_tokens
    assert updates[-1].usage.total_tokens == whole.usage.total_tokens


@pytest.mark.parametrize("temperature", [0, 1])
def test_a_seed_makes_answers_repeatable(engine, temperature):
    client = engine.chat()
    answers = {client.complete(messages=STORY, max_tokens=16, temperature=temperature, top_p=0.9, seed=11).choices[0].message.content for _ in range(3)}

    assert len(answers) == 1


@pytest.mark.parametrize("stream", [False, True])
def test_max_tokens_ends_an_answer(engine, stream):
    result = engine.chat().complete(messages=STORY, max_tokens=5, stream=stream, **FIXED)
    last = list(result)[-1] if stream else result

    assert last.choices[0].finish_reason == "length"
    assert last.usage.completion_tokens == 5


@pytest.mark.parametrize("stream", [False, True])
def test_a_stop_sequence_ends_an_answer_and_is_left_out(engine, stream):
    client = engine.chat()
    whole = client.complete(messages=STORY, max_tokens=24, **FIXED).choices[0].message.content
    stop = whole.split()[4]
    result = client.complete(messages=STORY, max_tokens=24, stop=[stop, "\u2603"], stream=stream, **FIXED)
    updates = list(result) if stream else [result]
    said = joined(updates) if stream else result.choices[0].message.content

    assert said == whole[: whole.index(stop)]
    assert updates[-1].choices[0].finish_reason == "stop"


def test_history_comes_back_as_it_was_received(engine):
    client = engine.chat()
    asked = [SystemMessage(content="You teach geography."), *CAPITAL]
    first = client.complete(messages=asked, max_tokens=16, **FIXED)
    received = first.choices[0].message
    answers = [
        client.complete(messages=[*asked, said, UserMessage(content="And of Italy?")], max_tokens=16, **FIXED)
        for said in (received, AssistantMessage(content=received.content))
    ]

    assert answers[0].choices[0].message.content == answers[1].choices[0].message.content
    assert all(a.usage.prompt_tokens > first.usage.total_tokens for a in answers)


def test_passed_through_members_are_obeyed(engine):
    extras = {"n": 2, "top_k": 1, "min_p": 0.1}
    result = engine.chat().complete(messages=CAPITAL, max_tokens=8, model_extras=extras, seed=3)

    assert [c.index for c in result.choices] == [0, 1]
    assert result.choices[0].message.content == result.choices[1].message.content
    assert result.usage.total_tokens == result.usage.prompt_tokens + result.usage.completion_tokens


@pytest.mark.parametrize(
    ("options", "member", "kind"),
    [
        ({"temperature": 2.5}, "temperature", "less_than_equal"),
        ({"model_extras": {"n_predict": 9}}, "n_predict", "extra_forbidden"),
        ({"model_extras": {"ignore_eos": True}}, "ignore_eos", "extra_forbidden"),
    ],
)
def test_what_would_pass_the_limits_is_refused_by_name(engine, options, member, kind):
    with pytest.raises(HttpResponseError) as refused:
        engine.chat().complete(messages=CAPITAL, **options)

    error = refused.value
    assert (error.status_code, error.error.code, error.error.target) == (422, "Invalid input", member)
    assert member in error.error.message
    assert error.error.details[0].code == kind
    assert error.response.json()["detail"][0]["loc"] == ["body", member]


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_beyond_the_context_is_refused_with_both_numbers(engine, stream):
    with pytest.raises(HttpResponseError) as refused:
        engine.chat().complete(messages=[UserMessage(content="word " * 3000)], stream=stream)

    assert (refused.value.status_code, refused.value.error.code) == (400, "context_length_exceeded")
    context, prompt = map(int, re.findall(r"\d{4,}", refused.value.error.message))
    assert context == 2048
    assert 3000 <= prompt < 3100


def test_callers_wait_their_turn(engine_url):
    body = {"messages": [{"role": "user", "content": "Count to five."}], "max_tokens": 8, **FIXED}
    with ThreadPoolExecutor(6) as callers:
        answers = [callers.submit(requests.post, engine_url + "/chat/completions", json=body, headers={"api-key": KEY}, timeout=60) for _ in range(6)]

    assert {a.result().status_code for a in answers} == {200}
    assert len({a.result().json()["choices"][0]["message"]["content"] for a in answers}) == 1


def test_hanging_up_in_mid_stream_frees_the_slot(engine, http):
    stream = engine.chat("/deployments/alone").complete(messages=STORY, max_tokens=1900, stream=True)
    assert next(stream).choices[0].delta.role == "assistant"
    assert taken(engine, http)
    stream.close()

    assert_freed(engine, http)


def test_hanging_up_before_an_unstreamed_answer_frees_the_slot(engine, http):
    client = engine.chat("/deployments/alone", retry_total=0)
    with pytest.raises(AzureError, match="(?i)timed? ?out"):
        client.complete(messages=STORY, max_tokens=1900, read_timeout=1)

    assert_freed(engine, http)


@pytest.mark.parametrize("stream", [False, True])
def test_a_cancelled_task_frees_the_slot(engine_server, http, stream):
    """A stream has to be a context for that: else the SDK leaves the connection of a cancelled task open."""
    made = flavours.Async(engine_server, "https", KEY)
    client = made.chat("/deployments/alone", retry_total=0).target

    async def answer():
        result = await client.complete(messages=STORY, max_tokens=1900, stream=stream)
        async with result as updates:
            return [update async for update in updates]

    with pytest.raises(asyncio.TimeoutError):
        made.loop.run_until_complete(asyncio.wait_for(answer(), 0.5))
    assert_freed(made, http)
    made.close()


def test_a_busy_engine_says_when_to_come_back(engine, http):
    stream = engine.chat("/deployments/alone").complete(messages=STORY, max_tokens=1900, stream=True)
    next(stream)
    with pytest.raises(HttpResponseError) as refused:
        engine.chat("/deployments/alone", retry_total=0).complete(messages=CAPITAL, max_tokens=1)
    stream.close()

    assert (refused.value.status_code, refused.value.error.code) == (429, "429")
    assert 1 <= int(refused.value.response.headers["Retry-After"]) <= 60
    assert_freed(engine, http)


def taken(engine, http):
    """Whether the only slot of alone is taken; the answer is one token long."""
    answer = post(http, engine.url, "/deployments/alone", "/chat/completions", messages=[{"role": "user", "content": "Hi"}], max_tokens=1)
    assert answer.status_code in (200, 429), answer.text
    return answer.status_code == 429


def assert_freed(engine, http):
    """The slot is free within a second, on a machine of whatever speed: no later request is refused."""
    start = time.monotonic()
    while taken(engine, http):
        assert time.monotonic() - start < 1
        time.sleep(0.02)


def test_completions(engine, http):
    body = {"max_tokens": 8, "temperature": 0, "seed": 1}
    batch = post(http, engine.url, "", "/completions", prompt=["1, 2, 3,", "A, B, C,"], **body).json()
    alone = post(http, engine.url, "/deployments/smollm2", "/completions", prompt="1, 2, 3,", **body).json()
    stopped = post(http, engine.url, "/models", "/completions", prompt="1, 2, 3,", stop=["5"], model="smollm2", **body).json()
    *chunks, done = frames(post(http, engine.url, "", "/completions", prompt="1, 2, 3,", stream=True, **body).text)

    assert (batch["object"], batch["model"]) == ("text_completion", "smollm2")
    assert [(c["index"], c["finish_reason"], c["logprobs"]) for c in batch["choices"]] == [(0, "length", None), (1, "length", None)]
    assert batch["usage"]["completion_tokens"] == 16
    assert batch["usage"]["total_tokens"] == batch["usage"]["prompt_tokens"] + 16
    assert batch["choices"][0]["text"].startswith(" 4, 5,")
    assert alone["choices"][0]["text"] == batch["choices"][0]["text"]
    assert (stopped["choices"][0]["text"], stopped["choices"][0]["finish_reason"]) == (" 4, ", "stop")
    assert done == "[DONE]"
    assert len(chunks) > 2


@pytest.mark.parametrize("base", ["", "/models", "/deployments/minilm"])
def test_embeddings_mean_something(engine, base):
    texts = ["A man is playing a guitar.", "Somebody plays the guitar.", "Shares fell on Friday.", "A man is playing a guitar."]
    result = engine.embeddings(base).embed(input=texts)
    vectors = [d.embedding for d in result.data]

    def near(a, b):
        return sum(x * y for x, y in zip(vectors[a], vectors[b], strict=True))

    assert (result.model, [d.index for d in result.data]) == ("minilm", [0, 1, 2, 3])
    assert [len(v) for v in vectors] == [384] * 4
    assert all(math.isclose(math.hypot(*v), 1, abs_tol=1e-3) for v in vectors)
    assert near(0, 1) > 0.8
    assert near(0, 2) < 0.3
    assert near(0, 3) > 0.9999
    assert result.usage.prompt_tokens == result.usage.total_tokens > 4 * 5


@pytest.mark.parametrize("name", ["float", "base64", "int8", "uint8", "binary", "ubinary"])
def test_an_encoding_holds_the_same_numbers(engine, name):
    client = engine.embeddings()
    (plain,) = client.embed(input=["A ship sails."]).data
    (encoded,) = client.embed(input=["A ship sails."], encoding_format=name, input_type="query").data

    assert encoded.embedding == encode(plain.embedding, name)


def test_dimensions_are_the_models_own(engine):
    client = engine.embeddings()
    assert len(client.embed(input=["a"], dimensions=384).data[0].embedding) == 384
    with pytest.raises(HttpResponseError) as refused:
        client.embed(input=["a"], dimensions=128)

    assert (refused.value.status_code, refused.value.error.target) == (422, "dimensions")
    assert "384" in refused.value.error.message


@pytest.mark.parametrize(
    ("base", "headers", "kind", "name"),
    [
        ("", {}, "ChatCompletionsClient", "smollm2"),
        ("/deployments/minilm", {}, "EmbeddingsClient", "minilm"),
        ("/models", {"azureml-model-deployment": "minilm"}, "EmbeddingsClient", "minilm"),
    ],
)
def test_load_client_builds_the_right_client(engine, base, headers, kind, name):
    client = engine.load(base, headers=headers)

    assert flavours.kind(client) == kind
    assert client.get_model_info().model_name == name
