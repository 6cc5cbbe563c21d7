"""Completions, embeddings and lists of models by the openai SDK, at OpenAI's doors and Azure OpenAI's."""

import base64
import math
import re
import struct

import openai
import pytest

from test_openai_chat import usage

TEXTS = ["Hello there", "Good bye, moon", "Hello there"]
MOCKS = {"mock", "mock-long", "mock-cut", "mock-reasoning", "mock-embedding", "mock-image-embedding"}


def test_a_text_completion_has_the_members_of_the_contract(oai):
    result = oai.client().completions.create(model="mock", prompt="Hello there")

    assert re.fullmatch(r"cmpl-[0-9A-Za-z]+", result.id)
    assert (result.object, result.model) == ("text_completion", "mock")
    (choice,) = result.choices
    assert (choice.index, choice.text, choice.finish_reason, choice.logprobs) == (0, "Hello there", "stop", None)
    assert usage(result.usage) == (2, 2, 4)


def test_sixteen_tokens_are_the_default(oai):
    result = oai.client().completions.create(model="mock-long", prompt="go")

    assert (result.choices[0].finish_reason, result.usage.completion_tokens) == ("length", 16)


@pytest.mark.parametrize("asked", [False, True])
def test_a_text_stream_carries_usage_only_where_it_is_asked_for(oai, asked):
    options = {"stream_options": {"include_usage": True}} if asked else {}
    chunks = list(oai.client().completions.create(model="mock", prompt="Hello there", stream=True, **options))

    assert "".join(c.text for chunk in chunks for c in chunk.choices) == "Hello there"
    assert {c.object for c in chunks} == {"text_completion"}
    if asked:
        last = chunks.pop()
        assert (last.choices, usage(last.usage)) == ([], (2, 2, 4))
    assert [c.usage for c in chunks] == [None] * len(chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_prompts_in_batches_and_as_tokens(oai):
    client = oai.client()
    result = client.completions.create(model="mock", prompt=["a b", "c"], n=2)

    assert [(c.index, c.text) for c in result.choices] == [(0, "a b"), (1, "a b"), (2, "c"), (3, "c")]
    for prompt, choices in ([5, 17], 1), ([[5, 17], [3]], 2):
        assert len(client.completions.create(model="mock", prompt=prompt).choices) == choices


def test_echo_and_best_of_and_log_probabilities(oai):
    client = oai.client()
    (choice,) = client.completions.create(model="mock", prompt="Hello there", echo=True, best_of=3, logprobs=2).choices

    assert choice.text == "Hello thereHello there"
    assert choice.logprobs.tokens == ["Hello", " there", "Hello", " there"]
    assert choice.logprobs.token_logprobs[0] is None
    assert choice.logprobs.token_logprobs[-1] == -0.1
    assert choice.logprobs.text_offset == [0, 5, 11, 16]
    assert len(choice.logprobs.top_logprobs[-1]) >= 2


@pytest.mark.parametrize(
    ("members", "param"),
    [
        ({"suffix": "the end"}, "suffix"),
        ({"best_of": 1, "n": 2}, "best_of"),
        ({"best_of": 2, "stream": True}, "best_of"),
        ({"logprobs": 6}, "logprobs"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"prompt": []}, "prompt"),
    ],
)
def test_what_cannot_be_completed_is_refused_by_name(oai, members, param):
    with pytest.raises(openai.BadRequestError) as refused:
        oai.client().completions.create(**{"model": "mock", "prompt": "Hello", **members})

    assert refused.value.param == param
    assert refused.value.type == "invalid_request_error"


def test_embeddings_come_as_base64_and_are_read_as_numbers(oai):
    result = oai.client().embeddings.create(model="mock-embedding", input=TEXTS)

    assert b'"encoding_format":"base64"' in oai.sent[-1].content.replace(b" ", b"")
    assert (result.object, result.model) == ("list", "mock-embedding")
    assert [(d.index, d.object, len(d.embedding)) for d in result.data] == [(i, "embedding", 384) for i in range(3)]
    assert result.data[0].embedding == result.data[2].embedding != result.data[1].embedding
    assert all(math.isclose(math.hypot(*d.embedding), 1, abs_tol=1e-5) for d in result.data)
    assert result.usage.model_dump() == {"prompt_tokens": 8, "total_tokens": 8}
    assert "id" not in result.model_fields_set


def test_embeddings_as_the_caller_wants_them(oai):
    client = oai.client()
    plain = client.embeddings.create(model="mock-embedding", input="Hello there", dimensions=16, encoding_format="float").data[0].embedding
    coded = client.embeddings.create(model="mock-embedding", input="Hello there", dimensions=16, encoding_format="base64").data[0].embedding

    assert len(plain) == 16
    assert coded == base64.b64encode(struct.pack("<16f", *plain)).decode()
    for given, count in ([5, 17], 1), ([[5, 17], [3]], 2):
        assert len(client.embeddings.create(model="mock-embedding", input=given).data) == count


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"extra_body": {"encoding_format": "int8"}}, "encoding_format"),
        ({"input": ""}, "input"),
        ({"input": []}, "input"),
        ({"dimensions": 0}, "dimensions"),
        ({"extra_body": {"truncate": "END"}}, "truncate"),
    ],
)
def test_what_cannot_be_embedded_is_refused_by_name(oai, members, says):
    with pytest.raises(openai.BadRequestError) as refused:
        oai.client().embeddings.create(**{"model": "mock-embedding", "input": "Hello", **members})

    assert refused.value.type == "invalid_request_error"
    assert says in (refused.value.param or refused.value.message)


def test_a_chat_model_does_not_embed(oai):
    with pytest.raises(openai.APIStatusError) as refused:
        oai.client().embeddings.create(model="mock", input="Hello")

    assert refused.value.status_code in (400, 404)
    assert "mock" in refused.value.message


def test_models_are_listed_and_found(oai):
    client = oai.client()
    listed = list(client.models.list())

    assert {m.id for m in listed} == MOCKS
    assert {m.object for m in listed} == {"model"}
    found = client.models.retrieve("mock-embedding")
    assert (found.id, found.object) == ("mock-embedding", "model")
    if oai.door != "azure":
        assert isinstance(found.created, int)
        assert found.owned_by
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("nobody")


def test_an_id_with_a_slash_is_found(faulty_oai):
    assert faulty_oai.client().models.retrieve("openai/gpt-4o-mini").id == "openai/gpt-4o-mini"


@pytest.mark.parametrize("name", ["gpt-4o", "openai/gpt-4o-mini", "GPT-5"])
def test_names_of_that_time_stand_for_what_is_here(oai, name):
    """`ingot serve --mock` is no production."""
    result = oai.client().chat.completions.create(model=name, messages=[{"role": "user", "content": "Hi"}])

    assert (result.choices[0].message.content, result.model) == ("Hi", "mock")
    assert name not in {m.id for m in oai.client().models.list()}
