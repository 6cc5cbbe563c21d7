"""Images to embed, and images in conversations, by the inference SDK."""

import io
import json
import math

import pytest
from azure.ai.inference.models import (
    AudioContentItem,
    ImageContentItem,
    ImageDetailLevel,
    ImageEmbeddingInput,
    ImageUrl,
    InputAudio,
    TextContentItem,
    UserMessage,
)
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from answers import ID, Sent, said
from encoding import encode
from pictures import BLUE, RED, data_url, png

BASES = ["", "/models", "/inference", "/deployments/mock-image-embedding"]


def pictures(*images):
    return [ImageEmbeddingInput(image=data_url(image)) for image in images]


@pytest.mark.parametrize("base", BASES)
def test_embeddings_of_images_have_the_members_of_the_contract(sdk, base):
    result = sdk.images(base).embed(input=pictures(RED, BLUE, RED))

    assert ID.fullmatch(result.id)
    assert (result["object"], result.model) == ("list", "mock-image-embedding")
    first, second, third = (d.embedding for d in result.data)
    assert [(d.index, d["object"]) for d in result.data] == [(i, "embedding") for i in range(3)]
    assert first == third != second
    assert math.isclose(math.hypot(*first), 1, abs_tol=1e-5)
    assert result.usage["images"] == 3
    assert result.usage["prompt_patches"] == 3 * 2
    assert result.usage.total_tokens == result.usage.prompt_tokens


@pytest.mark.parametrize("encoding", ["float", "base64", "int8", "uint8", "binary", "ubinary"])
def test_an_encoding_holds_the_same_numbers(sdk, encoding):
    client = sdk.images(dimensions=16)
    (plain,), (coded,) = (client.embed(input=pictures(RED), **o).data for o in ({}, {"encoding_format": encoding}))

    assert len(plain.embedding) == 16
    assert coded.embedding == encode(plain.embedding, encoding)


def test_every_parameter_at_the_client_and_at_the_call(sdk):
    given = {"dimensions": 16, "encoding_format": "ubinary", "input_type": "query", "model": "mock-image-embedding"}
    other = {"dimensions": 8, "encoding_format": "float", "input_type": "document", "model": "nobody"}
    sent, wanted = Sent(), {"input": [{"image": data_url(RED)}], **given}
    for at_client, at_call in (given, {}), ({}, given), (other, given):
        result = sdk.images("/models", **at_client).embed(input=pictures(RED), raw_request_hook=sent, **at_call)
        assert sent.body() == wanted
        assert [len(d.embedding) for d in result.data] == [2]
    assert all("extra-parameters" not in r.headers for r in sent.requests)


@pytest.mark.parametrize("form", [dict, lambda body: json.dumps(body).encode(), lambda body: io.BytesIO(json.dumps(body).encode())])
def test_a_body_may_be_given_whole(sdk, form):
    result = sdk.images(dimensions=8).embed(form({"input": [{"image": data_url(RED)}], "dimensions": 16}), content_type="application/json")

    assert [len(d.embedding) for d in result.data] == [16]


@pytest.mark.parametrize("at", ["client", "call"])
def test_extras_ask_to_be_passed_through(sdk, at):
    sent, extras = Sent(), {"model_extras": {"user": "somebody"}}
    client = sdk.images(**(extras if at == "client" else {}))
    result = client.embed(input=pictures(RED), raw_request_hook=sent, **(extras if at == "call" else {}))

    assert len(result.data) == 1
    assert json.loads(str(result))["model"] == "mock-image-embedding"
    assert sent.requests[0].headers["extra-parameters"] == "pass-through"
    assert sent.body() == {"input": [{"image": data_url(RED)}], "user": "somebody"}


def test_a_picture_of_a_file_with_a_text(sdk, tmp_path):
    (tmp_path / "red.png").write_bytes(RED)
    both = ImageEmbeddingInput.load(image_file=str(tmp_path / "red.png"), image_format="png", text="a red stripe")
    client = sdk.images()

    same, alone = client.embed(input=[both, *pictures(RED)]).data
    assert (both.image, both.text) == (data_url(RED), "a red stripe")
    assert same.embedding != alone.embedding


@pytest.mark.parametrize("input_type", ["text", "query", "document"])
def test_every_input_type_and_a_text_beside_the_image(sdk, input_type):
    client = sdk.images("/models", model="mock-image-embedding", input_type=input_type)
    alone, pair = client.embed(input=[*pictures(RED), ImageEmbeddingInput(image=data_url(RED), text="a red stripe")]).data

    assert alone.embedding != pair.embedding


def test_what_is_seen_counts_and_not_the_file(sdk):
    other = data_url(png(28, 14, (255, 0, 0), text=b"the same picture"), "jpeg")
    first, second = sdk.images().embed(input=[*pictures(RED), ImageEmbeddingInput(image=other)]).data

    assert first.embedding == second.embedding


@pytest.mark.parametrize(
    ("image", "says"),
    [
        ("data:image/png;base64,AAAA", "image"),
        ("data:image/png;base64,***", "base64"),
        (data_url(RED[:-20]), "PNG"),
        (data_url(b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "SVG"),
        ("data:image/png;base64,", ""),
        ("http://127.0.0.1/x.png", "https"),
        ("https://127.0.0.1/x.png", ""),
        ("file:///etc/passwd", ""),
    ],
)
def test_an_image_that_cannot_be_read_is_named(sdk, image, says):
    with pytest.raises(HttpResponseError) as refused:
        sdk.images().embed(input=[*pictures(RED), ImageEmbeddingInput(image=image)])

    assert refused.value.status_code == 422
    detail = refused.value.response.json()["detail"][0]
    assert detail["loc"] == ["body", "input", 1, "image"]
    assert says.lower() in detail["msg"].lower()


def test_no_model_embeds_what_it_cannot(sdk):
    for call in (
        lambda: sdk.images("/models", model="mock-embedding").embed(input=pictures(RED)),
        lambda: sdk.images("/deployments/mock").embed(input=pictures(RED)),
        lambda: sdk.embeddings("/models", model="mock-image-embedding").embed(input=["Hello"]),
    ):
        with pytest.raises(ResourceNotFoundError, match="(?i)not found"):
            call()


@pytest.mark.parametrize(("options", "member"), [({"dimensions": 0}, "dimensions"), ({"encoding_format": "foo"}, "encoding_format"), ({"input": []}, "input")])
def test_a_wrong_value_is_named(sdk, options, member):
    with pytest.raises(HttpResponseError) as refused:
        sdk.images().embed(**{"input": pictures(RED), **options})

    assert (refused.value.status_code, refused.value.response.json()["detail"][0]["loc"][:2]) == (422, ["body", member])


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("detail", [None, *ImageDetailLevel])
def test_a_conversation_shows_images(sdk, tmp_path, stream, detail):
    (tmp_path / "red.png").write_bytes(RED)
    seen = ImageContentItem(image_url=ImageUrl.load(image_file=str(tmp_path / "red.png"), image_format="png", detail=detail))
    result = sdk.chat().complete(messages=[UserMessage(content=[seen, TextContentItem(text="What is this?"), seen])], stream=stream)
    text = "".join(c.delta.content or "" for u in result for c in u.choices) if stream else said(result)

    assert text == "What is this?"


def test_an_image_that_cannot_be_read_ends_a_conversation(sdk):
    broken = ImageContentItem(image_url=ImageUrl(url="data:image/png;base64,AAAA"))
    with pytest.raises(HttpResponseError) as refused:
        sdk.chat().complete(messages=[UserMessage(content=[TextContentItem(text="What is this?"), broken])])

    assert refused.value.status_code == 422
    assert refused.value.response.json()["detail"][0]["loc"][:5] == ["body", "messages", 0, "content", 1]


def test_what_a_model_cannot_hear_is_refused_by_its_place(sdk):
    sound = AudioContentItem(input_audio=InputAudio(data="AAAA", format="wav"))
    with pytest.raises(HttpResponseError) as refused:
        sdk.chat().complete(messages=[UserMessage(content=[TextContentItem(text="What is this?"), sound])])

    assert refused.value.status_code == 422
    assert refused.value.response.json()["detail"][0]["loc"][:5] == ["body", "messages", 0, "content", 1]
