"""Each operation at each address that a client reaches; what was seen becomes the tables of what works where (../table.py)."""

import json
import os
from importlib.metadata import version
from pathlib import Path

import openai
import pydantic
import pytest
from azure.ai.inference.models import ImageContentItem, ImageEmbeddingInput, ImageUrl, JsonSchemaFormat, TextContentItem, UserMessage
from azure.core.exceptions import ResourceNotFoundError

import openai_sdk
import sdk as flavours
from answers import VERSION, frames, joined, said, user
from conftest import KEY, SCHEMES
from pictures import RED, data_url
from test_openai_chat import ASK as QUESTION
from test_openai_chat import CLOCK as OPENAI_CLOCK
from test_tools import ASK, CLOCK

# Addresses as the tables have them, with variables, by whose they are.
INFERENCE = ["", "/models", "/inference", "/orgs/{org}/inference", "/deployments/{name}"]
OPENAI = ["/v1", "/openai/v1", "/inference/v1"]
DEPLOYMENT = "/openai/deployments/{name}"
ADDRESSES = [*INFERENCE, *OPENAI, DEPLOYMENT]
GROUPS = {"inference": INFERENCE, "openai": OPENAI, "not openai": [*INFERENCE, DEPLOYMENT], "not inference": [*OPENAI, DEPLOYMENT], "all": ADDRESSES}
addresses = {name: pytest.mark.parametrize("address", group, ids=lambda address: address or "/") for name, group in GROUPS.items()}
INFERENCE_ONLY = "it is an operation of Model Inference, whose addresses are other ones"
OPENAI_ONLY = "it is an operation of OpenAI's, whose addresses are other ones"


@pytest.fixture(scope="session")
def note():
    """Notes that a client did an operation at an address, or why it cannot, in INGOT_TEST_DOORS."""
    seen = set()

    def note(client, address, operation, *why):
        seen.add((client, address, operation, *why))

    yield note
    if folder := os.environ.get("INGOT_TEST_DOORS"):
        Path(folder, "python.json").write_text(json.dumps(sorted(seen)))


def at(address, model):
    return address.replace("{name}", model).replace("{org}", "acme")


AZURE = f"azure-ai-inference {version('azure-ai-inference')} (Python)"
OPENAI_SDK = f"openai {version('openai')} (Python)"


@addresses["all"]
def test_the_inference_sdk_chats(sdk, note, address):
    client = sdk.chat(at(address, "mock"), model="mock")

    assert said(client.complete(messages=user("Hello there"))) == "Hello there"
    note(AZURE, address, "chat/completions")
    assert joined(client.complete(messages=user("Hello there"), stream=True)) == "Hello there"
    note(AZURE, address, "chat/completions, streamed")


@addresses["all"]
def test_the_inference_sdk_calls_tools_and_keeps_to_schemas(sdk, note, address):
    client = sdk.chat(at(address, "mock"), model="mock")
    choice = client.complete(messages=ASK, tools=[CLOCK], tool_choice="required").choices[0]
    assert (choice.finish_reason, choice.message.tool_calls[0].function.name) == ("tool_calls", "get_time")
    note(AZURE, address, "chat/completions with tools")

    schema = JsonSchemaFormat(name="place", schema=Place.model_json_schema() | {"additionalProperties": False}, strict=True)
    assert json.loads(said(client.complete(messages=ASK, response_format=schema))) == PLACE.model_dump()
    note(AZURE, address, "chat/completions with a schema")


@addresses["all"]
def test_the_inference_sdk_shows_a_picture(sdk, note, address, tmp_path):
    (tmp_path / "red.png").write_bytes(RED)
    picture = ImageContentItem(image_url=ImageUrl.load(image_file=str(tmp_path / "red.png"), image_format="png"))
    message = UserMessage(content=[TextContentItem(text="What is this?"), picture])

    assert said(sdk.chat(at(address, "mock"), model="mock").complete(messages=[message])) == "What is this?"
    note(AZURE, address, "chat/completions with images")


@addresses["all"]
def test_the_inference_sdk_embeds(sdk, note, address):
    result = sdk.embeddings(at(address, "mock-embedding"), model="mock-embedding").embed(input=["Hello", "there"], dimensions=8)

    assert [(d.index, len(d.embedding)) for d in result.data] == [(0, 8), (1, 8)]
    note(AZURE, address, "embeddings")


@addresses["inference"]
def test_the_inference_sdk_embeds_pictures(sdk, note, address, tmp_path):
    (tmp_path / "red.png").write_bytes(RED)
    picture = ImageEmbeddingInput.load(image_file=str(tmp_path / "red.png"), image_format="png")
    result = sdk.images(at(address, "mock-image-embedding"), model="mock-image-embedding").embed(input=[picture, picture], dimensions=8)

    assert [(d.index, len(d.embedding)) for d in result.data] == [(0, 8), (1, 8)]
    assert result.data[0].embedding == result.data[1].embedding
    assert result.model == "mock-image-embedding"
    note(AZURE, address, "images/embeddings")


@addresses["inference"]
@pytest.mark.parametrize(
    ("model", "kind"), [("mock", "ChatCompletionsClient"), ("mock-embedding", "EmbeddingsClient"), ("mock-image-embedding", "ImageEmbeddingsClient")]
)
def test_the_inference_sdk_asks_what_is_there(sdk, note, address, model, kind):
    client = sdk.load(at(address, model), headers={"azureml-model-deployment": model})

    assert flavours.kind(client) == kind
    assert client.get_model_info().model_name == model
    note(AZURE, address, "info")


@addresses["not inference"]
def test_the_inference_sdk_does_not_find_elsewhere_what_is_only_its_own(sdk, note, address):
    with pytest.raises(ResourceNotFoundError):
        sdk.load(at(address, "mock"))
    note(AZURE, address, "info", INFERENCE_ONLY)
    with pytest.raises(ResourceNotFoundError):
        sdk.images(at(address, "mock-image-embedding"), model="mock-image-embedding").embed(input=[ImageEmbeddingInput(image=data_url(RED))])
    note(AZURE, address, "images/embeddings", INFERENCE_ONLY)


@pytest.mark.parametrize("stream", [False, True])
@addresses["inference"]
def test_texts_are_completed(mock_server, http, note, address, stream):
    body = {"prompt": "Hello there", "model": "mock", "stream": stream}
    answer = http.post(mock_server.at("http") + at(address, "mock") + "/completions" + VERSION, json=body)

    assert answer.status_code == 200, answer.text
    chunks = [json.loads(f) for f in frames(answer.text)[:-1]] if stream else [answer.json()]
    assert "".join(c["choices"][0]["text"] for c in chunks) == "Hello there"
    note("requests (plain HTTP)", address, "completions")


@pytest.fixture(params=["sync", "async"])
def plain(request, mock_server):
    """Clients of the openai SDK whose address each test says."""
    made = {"sync": openai_sdk.Sync, "async": openai_sdk.Async}[request.param](mock_server, SCHEMES[request.param == "async"], None, KEY)
    yield made
    made.close()


class Place(pydantic.BaseModel):
    city: str
    inhabitants: int


PLACE = Place(city="", inhabitants=0)


def talk(chat, note):
    messages = [{"role": "user", "content": "Hello there"}]
    assert chat.create(model="mock", messages=messages).choices[0].message.content == "Hello there"
    note("chat/completions")

    chunks = list(chat.create(model="mock", messages=messages, stream=True, stream_options={"include_usage": True}))
    assert "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices) == "Hello there"
    assert chunks[-1].usage.total_tokens == 7
    note("chat/completions, streamed")

    picture = {"type": "image_url", "image_url": {"url": data_url(RED)}}
    seen = chat.create(model="mock", messages=[{"role": "user", "content": [picture, {"type": "text", "text": "What is this?"}]}])
    assert seen.choices[0].message.content == "What is this?"
    note("chat/completions with images")

    (choice,) = chat.create(model="mock", messages=QUESTION, tools=[OPENAI_CLOCK], tool_choice="required").choices
    assert (choice.finish_reason, choice.message.tool_calls[0].function.name) == ("tool_calls", "get_time")
    note("chat/completions with tools")

    assert chat.parse(model="mock", messages=messages, response_format=Place).choices[0].message.parsed == PLACE
    note("chat/completions with a schema")


@addresses["all"]
def test_the_openai_sdk_talks(plain, note, address):
    talk(plain.client(base=at(address, "mock")).chat.completions, lambda operation: note(OPENAI_SDK, address, operation))


@addresses["all"]
def test_the_openai_sdk_embeds_and_completes(plain, note, address):
    vectors = plain.client(base=at(address, "mock-embedding")).embeddings.create(model="mock-embedding", input=["Hello"], dimensions=8)
    assert len(vectors.data[0].embedding) == 8
    note(OPENAI_SDK, address, "embeddings")

    text = plain.client(base=at(address, "mock")).completions.create(model="mock", prompt="Hello there")
    assert text.choices[0].text == "Hello there"
    note(OPENAI_SDK, address, "completions")


@addresses["openai"]
def test_the_openai_sdk_lists_and_responds(plain, note, address):
    client = plain.client(base=address)
    assert "mock" in {m.id for m in client.models.list()}
    assert client.models.retrieve("mock").id == "mock"
    note(OPENAI_SDK, address, "models")

    assert client.responses.create(model="mock", input="Hello there").output_text == "Hello there"
    note(OPENAI_SDK, address, "responses")


@addresses["not openai"]
def test_the_openai_sdk_does_not_find_elsewhere_what_is_only_its_own(plain, note, address):
    client = plain.client(base=at(address, "mock"))
    for operation, call in ("models", lambda: list(client.models.list())), ("responses", lambda: client.responses.create(model="mock", input="Hello")):
        with pytest.raises(openai.NotFoundError):
            call()
        note(OPENAI_SDK, address, operation, OPENAI_ONLY)


@pytest.mark.parametrize("flavour", [openai_sdk.Sync, openai_sdk.Async])
def test_the_azure_openai_sdk_talks(mock_server, note, flavour):
    made = flavour(mock_server, "http", "azure", KEY)
    client, address = made.client(), "/openai"

    def path():
        return made.sent[-1].url.path

    talk(client.chat.completions, lambda operation: note(OPENAI_SDK, address, operation))
    assert {request.url.path for request in made.sent} == {"/openai/deployments/mock/chat/completions"}
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
    note("requests (plain HTTP)", "", "catalog/models")
