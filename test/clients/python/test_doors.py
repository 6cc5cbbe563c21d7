"""Each operation at each address that a client reaches; what succeeded becomes the table of the README (../table.py)."""

import base64
import json
import os
from importlib.metadata import version
from pathlib import Path

import pytest
from azure.ai.inference.models import ImageContentItem, ImageEmbeddingInput, ImageUrl, TextContentItem, UserMessage
from azure.core.exceptions import HttpResponseError

import openai_sdk
import sdk as flavours
from answers import VERSION, frames, joined, said, user
from conftest import KEY, SCHEMES

# An address as the table has it, and what stands for its variable.
INFERENCE = ["", "/models", "/inference", "/orgs/{org}/inference", "/deployments/{name}", "/openai/deployments/{name}"]
OPENAI = ["/v1", "/openai/v1", "/inference", "/inference/v1", "", "/models", "/deployments/{name}", "/openai/deployments/{name}"]

# Eight by eight pixels, all red.
RED = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP8z4AdMOEQH6QSAM1BAQ/oQeJvAAAAAElFTkSuQmCC")


@pytest.fixture(scope="session")
def note():
    """Notes that a client did an operation at an address, in INGOT_TEST_DOORS."""
    seen = set()

    def note(client, address, operation):
        seen.add((client, address, operation))

    yield note
    if folder := os.environ.get("INGOT_TEST_DOORS"):
        Path(folder, "python.json").write_text(json.dumps(sorted(seen)))


def at(address, model):
    return address.replace("{name}", model).replace("{org}", "acme")


def aoai(address):
    return address.startswith("/openai/")


@pytest.fixture(params=INFERENCE, ids=lambda address: address or "/")
def address(request):
    return request.param


AZURE = f"azure-ai-inference {version('azure-ai-inference')} (Python)"
OPENAI_SDK = f"openai {version('openai')} (Python)"


def test_the_inference_sdk_chats(sdk, note, address):
    client = sdk.chat(at(address, "mock"), model="mock")

    assert said(client.complete(messages=user("Hello there"))) == "Hello there"
    note(AZURE, address, "chat/completions")


def test_the_inference_sdk_streams(sdk, note, address):
    updates = list(sdk.chat(at(address, "mock"), model="mock").complete(messages=user("Hello there"), stream=True))

    assert joined(updates) == "Hello there"
    note(AZURE, address, "chat/completions, streamed")


def test_the_inference_sdk_shows_a_picture(sdk, note, address, tmp_path):
    (tmp_path / "red.png").write_bytes(RED)
    picture = ImageContentItem(image_url=ImageUrl.load(image_file=str(tmp_path / "red.png"), image_format="png"))
    message = UserMessage(content=[TextContentItem(text="What is this?"), picture])

    assert said(sdk.chat(at(address, "mock"), model="mock").complete(messages=[message])) == "What is this?"
    note(AZURE, address, "chat/completions with images")


def test_the_inference_sdk_embeds(sdk, note, address):
    result = sdk.embeddings(at(address, "mock-embedding"), model="mock-embedding").embed(input=["Hello", "there"], dimensions=8)

    assert [(d.index, len(d.embedding)) for d in result.data] == [(0, 8), (1, 8)]
    note(AZURE, address, "embeddings")


@pytest.mark.parametrize("address", [a for a in INFERENCE if not aoai(a)], ids=lambda address: address or "/")
def test_the_inference_sdk_embeds_pictures(sdk, note, address, tmp_path):
    (tmp_path / "red.png").write_bytes(RED)
    picture = ImageEmbeddingInput.load(image_file=str(tmp_path / "red.png"), image_format="png")
    result = sdk.images(at(address, "mock-image-embedding"), model="mock-image-embedding").embed(input=[picture, picture], dimensions=8)

    assert [(d.index, len(d.embedding)) for d in result.data] == [(0, 8), (1, 8)]
    assert result.data[0].embedding == result.data[1].embedding
    assert result.model == "mock-image-embedding"
    note(AZURE, address, "images/embeddings")


@pytest.mark.parametrize(
    ("model", "kind"), [("mock", "ChatCompletionsClient"), ("mock-embedding", "EmbeddingsClient"), ("mock-image-embedding", "ImageEmbeddingsClient")]
)
def test_the_inference_sdk_asks_what_is_there(sdk, note, address, model, kind):
    load = {"base": at(address, model), "headers": {"azureml-model-deployment": model}}
    if aoai(address):
        with pytest.raises(HttpResponseError):
            sdk.load(**load)
        return

    client = sdk.load(**load)
    assert flavours.kind(client) == kind
    assert client.get_model_info().model_name == model
    note(AZURE, address, "info")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("address", INFERENCE[:5], ids=lambda address: address or "/")
def test_texts_are_completed(mock_server, http, note, address, stream):
    body = {"prompt": "Hello there", "model": "mock", "stream": stream}
    answer = http.post(mock_server.at("http") + at(address, "mock") + "/completions" + VERSION, json=body)

    assert answer.status_code == 200, answer.text
    chunks = [json.loads(f) for f in frames(answer.text)[:-1]] if stream else [answer.json()]
    assert "".join(c["choices"][0]["text"] for c in chunks) == "Hello there"
    note("plain HTTP", address, "completions")


@pytest.fixture(params=["sync", "async"])
def plain(request, mock_server):
    """Clients of the openai SDK whose address each test says."""
    made = {"sync": openai_sdk.Sync, "async": openai_sdk.Async}[request.param](mock_server, SCHEMES[request.param == "async"], None, KEY)
    yield made
    made.close()


@pytest.mark.parametrize("address", OPENAI, ids=lambda address: address or "/")
def test_the_openai_sdk_talks(plain, note, address):
    messages = [{"role": "user", "content": "Hello there"}]
    chat = plain.client(base=at(address, "mock")).chat.completions
    assert chat.create(model="mock", messages=messages).choices[0].message.content == "Hello there"
    note(OPENAI_SDK, address, "chat/completions")

    chunks = list(chat.create(model="mock", messages=messages, stream=True, stream_options={"include_usage": True}))
    assert "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices) == "Hello there"
    assert chunks[-1].usage.total_tokens == 7
    note(OPENAI_SDK, address, "chat/completions, streamed")

    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + base64.b64encode(RED).decode()}}
    seen = chat.create(model="mock", messages=[{"role": "user", "content": [picture, {"type": "text", "text": "What is this?"}]}])
    assert seen.choices[0].message.content == "What is this?"
    note(OPENAI_SDK, address, "chat/completions with images")


@pytest.mark.parametrize("address", OPENAI, ids=lambda address: address or "/")
def test_the_openai_sdk_embeds_and_completes(plain, note, address):
    vectors = plain.client(base=at(address, "mock-embedding")).embeddings.create(model="mock-embedding", input=["Hello"], dimensions=8)
    assert len(vectors.data[0].embedding) == 8
    note(OPENAI_SDK, address, "embeddings")

    text = plain.client(base=at(address, "mock")).completions.create(model="mock", prompt="Hello there")
    assert text.choices[0].text == "Hello there"
    note(OPENAI_SDK, address, "completions")


@pytest.mark.parametrize("address", ["/v1", "/openai/v1", "/inference/v1"])
def test_the_openai_sdk_lists_and_responds(plain, note, address):
    client = plain.client(base=address)
    assert "mock" in {m.id for m in client.models.list()}
    assert client.models.retrieve("mock").id == "mock"
    note(OPENAI_SDK, address, "models")

    assert client.responses.create(model="mock", input="Hello there").output_text == "Hello there"
    note(OPENAI_SDK, address, "responses")


@pytest.mark.parametrize("flavour", [openai_sdk.Sync, openai_sdk.Async])
def test_the_azure_openai_sdk_talks(mock_server, note, flavour):
    made = flavour(mock_server, "http", "azure", KEY)
    client, messages = made.client(), [{"role": "user", "content": "Hello there"}]
    address, path = "/openai", lambda: made.sent[-1].url.path

    assert client.chat.completions.create(model="mock", messages=messages).choices[0].message.content == "Hello there"
    assert path() == "/openai/deployments/mock/chat/completions"
    note(OPENAI_SDK, address, "chat/completions")
    chunks = client.chat.completions.create(model="mock", messages=messages, stream=True)
    assert "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices) == "Hello there"
    note(OPENAI_SDK, address, "chat/completions, streamed")
    assert client.completions.create(model="mock", prompt="Hello there").choices[0].text == "Hello there"
    note(OPENAI_SDK, address, "completions")
    assert len(client.embeddings.create(model="mock-embedding", input="Hello", dimensions=8).data[0].embedding) == 8
    note(OPENAI_SDK, address, "embeddings")
    assert "mock" in {m.id for m in client.models.list()}
    assert path() == "/openai/models"
    note(OPENAI_SDK, address, "models")
    assert client.responses.create(model="mock", input="Hello there").output_text == "Hello there"
    assert path() == "/openai/responses"
    note(OPENAI_SDK, address, "responses")
    made.close()


def test_the_catalogue_lists_the_models(mock_server, http, note):
    entries = http.get(mock_server.at("http") + "/catalog/models").json()

    assert {e["id"] for e in entries} >= {"mock", "mock-embedding", "mock-image-embedding"}
    assert all({"name", "publisher", "capabilities", "limits", "supported_input_modalities"} <= set(e) for e in entries)
    note("plain HTTP", "", "catalog/models")
