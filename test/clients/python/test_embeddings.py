"""Embeddings of the mock in all six encodings."""

import math

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from answers import ID
from encoding import encode

BASES = ["", "/models", "/deployments/mock-embedding"]
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
