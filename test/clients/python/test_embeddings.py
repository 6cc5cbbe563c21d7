"""Embeddings of the mock in all six encodings."""

import io
import json
import math

import pytest
from azure.ai.inference.models import EmbeddingEncodingFormat, EmbeddingInputType
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from answers import ID, Sent
from encoding import encode

BASES = ["", "/models", "/deployments/mock-embedding", "/inference", "/orgs/acme/inference"]
TEXTS = ["Hello there", "Good bye, moon", "Hello there"]


def vectors(client, **options):
    return [item.embedding for item in client.embed(input=TEXTS, **options).data]


@pytest.mark.parametrize("base", BASES)
def test_embeddings_have_the_members_of_the_contract(sdk, base):
    result = sdk.embeddings(base).embed(input=TEXTS)

    assert ID.fullmatch(result.id)
    assert (result["object"], result.model) == ("list", "mock-embedding")
    assert [(d.index, d["object"], len(d.embedding)) for d in result.data] == [(i, "embedding", 384) for i in range(3)]
    assert dict(result.usage) == {"prompt_tokens": 8, "completion_tokens": 0, "total_tokens": 8}
    first, second, third = (d.embedding for d in result.data)
    assert first == third != second
    assert all(math.isclose(math.hypot(*v), 1, abs_tol=1e-5) for v in (first, second))


@pytest.mark.parametrize("encoding", ["float", "base64", "int8", "uint8", "binary", "ubinary"])
@pytest.mark.parametrize("dimensions", [None, 16])
def test_an_encoding_holds_the_same_numbers(sdk, encoding, dimensions):
    client = sdk.embeddings()
    plain = vectors(client, dimensions=dimensions)

    assert [len(v) for v in plain] == [dimensions or 384] * 3
    assert vectors(client, dimensions=dimensions, encoding_format=encoding) == [encode(v, encoding) for v in plain]


@pytest.mark.parametrize("input_type", ["text", "query", "document"])
def test_every_input_type_is_taken(sdk, input_type):
    assert [len(v) for v in vectors(sdk.embeddings("/models"), model="mock-embedding", input_type=input_type)] == [384] * 3


def test_every_parameter_at_the_client_and_at_the_call(sdk):
    given = {"dimensions": 16, "encoding_format": EmbeddingEncodingFormat.UBINARY, "input_type": EmbeddingInputType.QUERY, "model": "mock-embedding"}
    other = {"dimensions": 8, "encoding_format": "float", "input_type": "document", "model": "nobody"}
    sent, wanted = Sent(), {"input": TEXTS, "dimensions": 16, "encoding_format": "ubinary", "input_type": "query", "model": "mock-embedding"}
    for at_client, at_call in (given, {}), ({}, given), (other, given):
        result = sdk.embeddings("/models", **at_client).embed(input=TEXTS, raw_request_hook=sent, **at_call)
        assert sent.body() == wanted
        assert [len(d.embedding) for d in result.data] == [2] * 3
    assert all("extra-parameters" not in r.headers for r in sent.requests)


@pytest.mark.parametrize("form", [dict, lambda body: json.dumps(body).encode(), lambda body: io.BytesIO(json.dumps(body).encode())])
def test_a_body_may_be_given_whole(sdk, form):
    result = sdk.embeddings(dimensions=8).embed(form({"input": TEXTS, "dimensions": 16}), content_type="application/json")

    assert [len(d.embedding) for d in result.data] == [16] * 3


@pytest.mark.parametrize("at", ["client", "call"])
def test_extras_ask_to_be_passed_through(sdk, at):
    sent, extras = Sent(), {"model_extras": {"user": "somebody"}}
    client = sdk.embeddings(**(extras if at == "client" else {}))
    result = client.embed(input=["a"], raw_request_hook=sent, **(extras if at == "call" else {}))

    assert len(result.data) == 1
    assert sent.requests[0].headers["extra-parameters"] == "pass-through"
    assert sent.body() == {"input": ["a"], "user": "somebody"}


def test_what_nobody_knows_may_be_dropped(sdk):
    seen = []
    client = sdk.embeddings()
    body = {"input": ["a"], "truncate": "END"}
    result = client.embed(body, headers={"extra-parameters": "drop"}, raw_response_hook=seen.append)

    assert len(result.data) == 1
    assert seen[0].http_response.headers["x-ingot-dropped"] == "truncate"
    with pytest.raises(HttpResponseError) as refused:
        client.embed(body)
    assert (refused.value.status_code, refused.value.error.code) == (400, "extra_parameters_not_allowed")


def test_many_texts_keep_their_order(sdk):
    texts = [f"text {n} – ünï 世界 🚀" for n in range(1000)]
    client = sdk.embeddings(dimensions=4)
    result = client.embed(input=texts)

    assert [d.index for d in result.data] == list(range(1000))
    for n in 0, 499, 999:
        assert client.embed(input=[texts[n]]).data[0].embedding == result.data[n].embedding
    assert result.usage.total_tokens == result.usage.prompt_tokens > 1000
    assert json.loads(str(result))["data"][999]["index"] == 999


def test_a_client_has_defaults(sdk):
    client = sdk.embeddings(dimensions=8, encoding_format="ubinary")

    assert [len(v) for v in vectors(client)] == [1] * 3
    assert [len(v) for v in vectors(client, dimensions=16)] == [2] * 3


@pytest.mark.parametrize(
    ("options", "member", "value"),
    [
        ({"encoding_format": "foo"}, "encoding_format", "foo"),
        ({"input_type": "foo"}, "input_type", "foo"),
        ({"dimensions": 0}, "dimensions", 0),
        ({"dimensions": 9, "encoding_format": "binary"}, "encoding_format", "binary"),
        ({"input": []}, "input", []),
        ({"input": ["good", ""]}, "input", ""),
        ({"model_extras": {"truncate": "END"}}, "truncate", "END"),
    ],
)
def test_a_wrong_value_is_named(sdk, options, member, value):
    with pytest.raises(HttpResponseError) as refused:
        sdk.embeddings().embed(**{"input": TEXTS, **options})

    assert refused.value.status_code == 422
    assert refused.value.error.code == "Invalid input"
    (detail,) = refused.value.response.json()["detail"]
    assert detail["loc"][:2] == ["body", member]
    assert detail["input"] == value


def test_a_chat_model_does_not_embed(sdk):
    for client in sdk.embeddings("/deployments/mock"), sdk.embeddings("/models", model="mock"):
        with pytest.raises(ResourceNotFoundError, match="(?i)not found"):
            client.embed(input=TEXTS)


def test_tokens_may_be_given_for_text(mock_url, http):
    for given, count, tokens in ("Hello there", 1, 2), ([5, 17], 1, 2), ([[5, 17], [3]], 2, 3):
        answer = http.post(mock_url + "/embeddings", json={"input": given}).json()
        assert len(answer["data"]) == count
        assert answer["usage"]["prompt_tokens"] == tokens
