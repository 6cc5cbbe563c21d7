"""LangChain's chat models and embeddings of langchain-azure-ai and langchain-openai, alone and in an agent."""

import openai
import pytest
import tiktoken
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from langchain.agents import create_agent
from langchain_azure_ai.chat_models import AzureAIOpenAIApiChatModel
from langchain_azure_ai.chat_models.inference import AzureAIChatCompletionsModel
from langchain_azure_ai.embeddings import AzureAIOpenAIApiEmbeddingsModel
from langchain_azure_ai.embeddings.inference import AzureAIEmbeddingsModel
from langchain_core.messages import HumanMessage
from langchain_core.tools import tool
from langchain_openai import AzureChatOpenAI, AzureOpenAIEmbeddings, ChatOpenAI, OpenAI, OpenAIEmbeddings
from pydantic import BaseModel

from conftest import named

VERSION = "2024-10-21"


def inference(url, key, address, model, **options):
    return AzureAIChatCompletionsModel(endpoint=url + named(address, model), credential=key, model=model, **options)


def successor(url, key, address, model, **options):
    return AzureAIOpenAIApiChatModel(endpoint=url + address, credential=key, model=model, max_retries=0, stream_usage=True, **options)


def plain(url, key, address, model, **options):
    return ChatOpenAI(base_url=url + address, api_key=key, model=model, max_retries=0, stream_usage=True, **options)


def azure(url, key, address, model, **options):
    return AzureChatOpenAI(azure_endpoint=url, api_key=key, azure_deployment=model, api_version=VERSION, max_retries=0, stream_usage=True, **options)


INFERENCE = [("langchain-azure-ai", inference, a) for a in ("", "/models", "/inference", "/deployments/{name}", "/openai/deployments/{name}", "/openai/v1")]
OPENAI = [
    *(("langchain-azure-ai", successor, a) for a in ("/v1", "/openai/v1")),
    *(("langchain-openai", plain, a) for a in ("/v1", "/openai/v1", "/inference", "/inference/v1")),
    ("langchain-openai", azure, "/openai"),
]


def title(case):
    return f"{case[1].__name__} at {case[2] or '/'}"


@pytest.fixture(params=INFERENCE + OPENAI, ids=title)
def door(request):
    """A package, what makes its chat model, and the address."""
    return request.param


@pytest.fixture
async def make(door, url, key):
    made = []

    def make(model, key=key, **options):
        made.append(door[1](url, key, door[2], model, **options))
        return made[-1]

    yield make
    for model in made:
        if door[1] is inference:
            await model.aclose()


class Mass(BaseModel):
    """A mass."""

    grams: float
    label: str


@tool
def weigh(thing: str) -> str:
    """Weighs a thing."""
    return f"{thing!r} weighs 7 grams"


async def test_a_chat_is_answered_with_its_usage(make, door, note, ask):
    answer = await ask(make("mock"), "invoke", [HumanMessage("Hello there")])

    assert answer.content == "Hello there"
    assert answer.usage_metadata.items() >= {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}.items()
    note(door[0], door[2], "chat/completions")


async def test_a_chat_is_streamed_with_its_usage(make, door, note, ask):
    chunks = await ask(make("mock"), "stream", "Hello there")
    whole = sum(chunks[1:], chunks[0])

    assert len(chunks) > 2
    assert whole.content == "Hello there"
    if door[1] is inference and door[2].startswith("/openai"):
        assert whole.usage_metadata is None, "Azure OpenAI tells it where stream_options ask, which this class does not"
    else:
        assert whole.usage_metadata.items() >= {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}.items()
    note(door[0], door[2], "chat/completions, streamed")


async def test_an_agent_calls_its_tool_and_goes_on(make, door, note, ask):
    agent = create_agent(make("calls"), tools=[weigh])
    said = (await ask(agent, "invoke", {"messages": [HumanMessage("Weigh it")]}))["messages"]

    assert [m.type for m in said] == ["human", "ai", "tool", "ai"]
    assert said[1].tool_calls[0]["name"] == "weigh"
    assert said[2].content == "'' weighs 7 grams"
    assert said[3].content == "Weigh it"
    note(door[0], door[2], "chat/completions with tools")


async def test_tool_calls_are_streamed(make, ask):
    chunks = await ask(make("mock").bind_tools([weigh], tool_choice="any"), "stream", "Weigh it")

    call = sum(chunks[1:], chunks[0]).tool_calls[0]
    assert (call["name"], call["args"]) == ("weigh", {"thing": ""})


@pytest.mark.parametrize("method", ["json_schema", "function_calling"])
async def test_an_answer_fills_a_model_of_pydantic(make, door, note, ask, method):
    structured = make("mock").with_structured_output(Mass, method=method)

    assert await ask(structured, "invoke", "Weigh it") == Mass(grams=0, label="")
    if method == "json_schema":
        note(door[0], door[2], "chat/completions with a schema")


async def test_a_picture_is_shown(make, door, note, ask):
    red = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP8z4AdMOEQH6QSAM1BAQ/oQeJvAAAAAElFTkSuQmCC"
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + red}}
    answer = await ask(make("mock"), "invoke", [HumanMessage([{"type": "text", "text": "What is this?"}, picture])])

    assert answer.content == "What is this?"
    note(door[0], door[2], "chat/completions with images")


@pytest.fixture
def refusals(door):
    """The classes of 401, 404 and of a value at fault, and the status of the latter."""
    if door[1] is inference:
        return ClientAuthenticationError, ResourceNotFoundError, HttpResponseError
    return openai.AuthenticationError, openai.NotFoundError, openai.APIStatusError


async def test_a_wrong_key_is_an_error_of_authentication(make, ask, refusals):
    with pytest.raises(refusals[0]) as refused:
        await ask(make("mock", key="wrong"), "invoke", "Hello")
    assert refused.value.status_code == 401


async def test_a_model_that_does_not_chat_is_not_found(make, ask, refusals):
    with pytest.raises(refusals[1]) as refused:
        await ask(make("mock-embedding"), "invoke", "Hello")
    assert refused.value.status_code == 404
    assert "mock-embedding" in str(refused.value)


async def test_a_value_out_of_range_is_told(make, door, ask, refusals):
    with pytest.raises(refusals[2]) as refused:
        await ask(make("mock", temperature=9), "invoke", "Hello")
    assert refused.value.status_code == (400 if door[2].startswith("/openai") or door[2].endswith("/v1") else 422)
    assert "temperature" in str(refused.value)


EMBEDDINGS = [
    *(("langchain-azure-ai", AzureAIEmbeddingsModel, a) for a in ("", "/models", "/inference", "/deployments/{name}", "/openai/deployments/{name}")),
    *(("langchain-azure-ai", AzureAIOpenAIApiEmbeddingsModel, a) for a in ("/v1", "/openai/v1")),
    *(("langchain-openai", OpenAIEmbeddings, a) for a in ("/v1", "/openai/v1", "/inference", "/inference/v1")),
    ("langchain-openai", AzureOpenAIEmbeddings, "/openai"),
]


@pytest.mark.parametrize("case", EMBEDDINGS, ids=title)
async def test_texts_are_embedded(url, key, note, ask, case):
    package, kind, address = case
    place = url + named(address, "mock-embedding")
    # Else the texts are cut into tokens of OpenAI's models, by a list that is downloaded.
    options = {"model": "mock-embedding", "dimensions": 8, "check_embedding_ctx_length": False}
    match kind.__name__:
        case "AzureAIEmbeddingsModel":
            made = kind(endpoint=place, credential=key, model="mock-embedding", dimensions=8)
        case "AzureAIOpenAIApiEmbeddingsModel":
            made = kind(endpoint=place, credential=key, **options)
        case "OpenAIEmbeddings":
            made = kind(base_url=place, api_key=key, **options)
        case _:
            made = kind(azure_endpoint=url, api_key=key, api_version=VERSION, **options)

    vectors = await ask(made, "embed_documents", ["Hello", "there"])
    assert [len(v) for v in vectors] == [8, 8]
    assert await ask(made, "embed_query", "Hello") == pytest.approx(vectors[0])
    if kind is AzureAIEmbeddingsModel:
        await made._async_client.close()
    note(package, address, "embeddings")


@pytest.mark.parametrize("address", ["/v1", "/openai/v1", "/inference", "/inference/v1"])
async def test_texts_are_embedded_as_token_ids_by_default(url, key, monkeypatch, ask, address):
    bytewise = tiktoken.Encoding("bytes", pat_str=r"(?s).", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={})
    monkeypatch.setattr(tiktoken, "get_encoding", lambda name: bytewise)
    options = {"base_url": url + address, "api_key": key, "model": "mock-embedding", "dimensions": 8}

    ids = await ask(OpenAIEmbeddings(**options), "embed_documents", ["Hello", "Hello", "there"])
    assert [len(v) for v in ids] == [8, 8, 8]
    assert ids[0] == ids[1] != ids[2]
    [text] = await ask(OpenAIEmbeddings(**options, check_embedding_ctx_length=False), "embed_documents", ["Hello"])
    assert text != ids[0]


@pytest.mark.parametrize("address", ["/v1", "/openai/v1", "/inference", "/inference/v1"])
async def test_a_text_is_completed(url, key, note, ask, address):
    made = OpenAI(base_url=url + address, api_key=key, model="mock", max_retries=0)

    assert await ask(made, "invoke", "Hello there") == "Hello there"
    assert "".join(await ask(made, "stream", "Hello there")) == "Hello there"
    note("langchain-openai", address, "completions")


@pytest.mark.parametrize("address", ["", "/models", "/inference", "/deployments/{name}"])
async def test_a_model_that_is_not_named_is_asked_for(url, key, note, address):
    made = AzureAIChatCompletionsModel(endpoint=url + named(address, "mock"), credential=key)

    assert made._model_name == "mock"
    assert made.invoke("Hello there").content == "Hello there"
    await made.aclose()
    note("langchain-azure-ai", address, "info")


RESPONSES = [("langchain-azure-ai", successor, a) for a in ("/v1", "/openai/v1")] + [("langchain-openai", plain, a) for a in ("/v1", "/openai/v1")]


@pytest.mark.parametrize("case", [*RESPONSES, ("langchain-openai", azure, "/openai")], ids=title)
async def test_the_responses_api_is_used_where_it_is_asked_for(url, key, note, ask, case):
    package, make, address = case
    model = make(url, key, address, "mock", use_responses_api=True)

    answer = await ask(model, "invoke", "Hello there")
    assert answer.text == "Hello there"
    assert answer.usage_metadata["output_tokens"] == 2
    chunks = await ask(model, "stream", "Hello there")
    assert sum(chunks[1:], chunks[0]).text == "Hello there"
    agent = create_agent(make(url, key, address, "calls", use_responses_api=True), tools=[weigh])
    said = (await ask(agent, "invoke", {"messages": [HumanMessage("Weigh it")]}))["messages"]
    assert [m.type for m in said] == ["human", "ai", "tool", "ai"]
    note(package, address, "responses")
