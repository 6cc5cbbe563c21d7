"""LlamaIndex's models of the inference endpoint, of Azure OpenAI and of OpenAI's shape, alone and in an agent."""

import json

import openai
import pytest
from azure.ai.inference.models import JsonSchemaFormat
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage, ImageBlock, TextBlock
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.azure_inference import AzureAIEmbeddingsModel
from llama_index.embeddings.azure_openai import AzureOpenAIEmbedding
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.llms.azure_inference import AzureAICompletionsModel
from llama_index.llms.azure_openai import AzureOpenAI
from llama_index.llms.openai import OpenAIResponses
from llama_index.llms.openai_like import OpenAILike
from pydantic import BaseModel

from conftest import named

VERSION = "2024-10-21"
HELLO = [ChatMessage("Hello there")]


def inference(url, key, address, model, **options):
    return AzureAICompletionsModel(endpoint=url + named(address, model), credential=key, model_name=model, **options)


def like(url, key, address, model, **options):
    abilities = {"is_chat_model": True, "is_function_calling_model": True, "should_use_structured_outputs": True}
    return OpenAILike(api_base=url + address, api_key=key, model=model, max_retries=0, **abilities, **options)


def azure(url, key, address, model, **options):
    place = {"azure_endpoint": url, "api_version": VERSION, "engine": model}
    return AzureOpenAI(model="gpt-4o", api_key=key, max_retries=0, **place, **options)


INFERENCE = [("llama-index-llms-azure-inference", inference, a) for a in ("", "/models", "/inference", "/deployments/{name}", "/openai/deployments/{name}")]
OPENAI = [
    *(("llama-index-llms-openai-like", like, a) for a in ("/v1", "/openai/v1", "/inference", "/inference/v1")),
    ("llama-index-llms-azure-openai", azure, "/openai"),
]


def title(case):
    return f"{case[1].__name__} at {case[2] or '/'}"


@pytest.fixture(params=INFERENCE + OPENAI, ids=title)
def door(request):
    """A package, what makes its model, and the address."""
    return request.param


@pytest.fixture
def make(door, url, key):
    def make(model, key=key, **options):
        return door[1](url, key, door[2], model, **options)

    return make


class Mass(BaseModel):
    """A mass."""

    grams: float
    label: str


def weigh(thing: str) -> str:
    """Weighs a thing."""
    return f"{thing!r} weighs 7 grams"


WEIGH = FunctionTool.from_defaults(weigh)


async def test_a_chat_is_answered_with_its_usage(make, door, note, ask):
    answer = await ask(make("mock"), "chat", HELLO)

    assert answer.message.content == "Hello there"
    usage = answer.raw["usage"] if door[1] is inference else answer.raw.usage.model_dump()
    assert usage.items() >= {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}.items()
    assert (await ask(make("mock"), "complete", "Hello there")).text == "Hello there"
    note(door[0], door[2], "chat/completions")


async def test_a_chat_is_streamed_with_its_usage(make, door, note, ask):
    options = {} if door[1] is inference else {"stream_options": {"include_usage": True}}
    parts = await ask(make("mock"), "stream_chat", HELLO, **options)

    assert "".join(part.delta or "" for part in parts) == "Hello there"
    assert parts[-1].message.content == "Hello there"
    usage = [part.raw.usage for part in parts if part.raw.usage]
    if door[1] is inference and door[2].startswith("/openai"):
        assert usage == [], "Azure OpenAI tells it where stream_options ask, which this class does not"
    else:
        assert (usage[-1].prompt_tokens, usage[-1].completion_tokens) == (5, 2)
    note(door[0], door[2], "chat/completions, streamed")


async def test_a_tool_is_called_and_its_result_told(make, door, note, ask):
    model, said = make("calls"), [ChatMessage("Weigh it")]
    answer = await ask(model, "chat_with_tools", [WEIGH], chat_history=said, tool_required=True)
    [call] = model.get_tool_calls_from_response(answer)
    result = WEIGH.call(**call.tool_kwargs)
    back = ChatMessage(str(result), role="tool", additional_kwargs={"tool_call_id": call.tool_id})
    last = await ask(model, "chat_with_tools", [WEIGH], chat_history=[*said, answer.message, back])

    assert (call.tool_name, str(result)) == ("weigh", "'' weighs 7 grams")
    assert last.message.content == "Weigh it"
    note(door[0], door[2], "chat/completions with tools")


@pytest.mark.parametrize("streaming", [True, False])
@pytest.mark.parametrize("door", OPENAI, ids=title)
async def test_an_agent_calls_its_tool_and_goes_on(make, streaming):
    answer = await FunctionAgent(tools=[weigh], llm=make("calls"), streaming=streaming).run("Weigh it")

    assert [call.tool_name for call in answer.tool_calls] == ["weigh"]
    assert answer.tool_calls[0].tool_output.content == "'' weighs 7 grams"
    assert answer.response.content == "Weigh it"


@pytest.mark.parametrize("door", INFERENCE[:1], ids=title)
async def test_an_agent_does_not_take_the_model_of_the_inference_endpoint(make):
    with pytest.raises(ValueError, match="LLM must be a FunctionCallingLLM"):
        await FunctionAgent(tools=[weigh], llm=make("calls")).run("Weigh it")


async def test_an_answer_fills_a_schema(make, door, note, ask):
    if door[1] is inference:
        # The class knows no schemas of its own; the SDK's is handed on.
        schema = JsonSchemaFormat(name="mass", schema=Mass.model_json_schema(), strict=True)
        answer = await ask(make("mock"), "chat", [ChatMessage("Weigh it")], response_format=schema)
        mass = Mass(**json.loads(answer.message.content))
    else:
        mass = await ask(make("mock"), "structured_predict", Mass, PromptTemplate("Weigh it"))

    assert mass == Mass(grams=0, label="")
    note(door[0], door[2], "chat/completions with a schema")


@pytest.mark.parametrize("address", ["", "/models", "/inference", "/deployments/{name}"])
def test_a_model_that_is_not_named_is_asked_for(url, key, note, address):
    made = AzureAICompletionsModel(endpoint=url + named(address, "mock"), credential=key)

    assert (made.metadata.model_name, made.metadata.is_chat_model) == ("mock", False)
    assert made._model_type == "chat_completion"
    assert made.chat(HELLO).message.content == "Hello there"
    note("llama-index-llms-azure-inference", address, "info")


RED = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP8z4AdMOEQH6QSAM1BAQ/oQeJvAAAAAElFTkSuQmCC"


@pytest.mark.parametrize("door", OPENAI, ids=title)
async def test_a_picture_is_shown(make, door, note, ask):
    message = ChatMessage(blocks=[TextBlock(text="What is this?"), ImageBlock(image=RED, image_mimetype="image/png")])
    answer = await ask(make("mock"), "chat", [message])

    assert answer.message.content == "What is this?"
    note(door[0], door[2], "chat/completions with images")


@pytest.mark.parametrize("door", INFERENCE, ids=title)
async def test_a_picture_is_lost(make, door, note, ask):
    message = ChatMessage(blocks=[TextBlock(text="What is this?"), ImageBlock(image=RED, image_mimetype="image/png")])
    answer = await ask(make("mock"), "chat", [message])

    assert answer.raw["usage"]["prompt_tokens"] == 7, "three for the message, four for the question, none for the picture"
    note(door[0], door[2], "chat/completions with images", why="it sends the texts of a message and leaves out its pictures")


@pytest.mark.parametrize("address", ["/v1", "/openai/v1", "/inference", "/inference/v1"])
async def test_a_text_is_completed(url, key, note, ask, address):
    made = OpenAILike(api_base=url + address, api_key=key, model="mock", max_retries=0)

    assert (await ask(made, "complete", "Hello there")).text == "Hello there"
    assert (await ask(made, "stream_complete", "Hello there"))[-1].text == "Hello there"
    note("llama-index-llms-openai-like", address, "completions")


@pytest.mark.parametrize("address", ["/v1", "/openai/v1", "/inference/v1"])
async def test_the_responses_api_answers(url, key, note, ask, address):
    # The package of the class that openai-like and azure-openai build on.
    made = OpenAIResponses(api_base=url + address, api_key=key, model="mock", context_window=8192, max_retries=0)

    assert (await ask(made, "chat", HELLO)).message.content == "Hello there"
    assert "".join(part.delta or "" for part in await ask(made, "stream_chat", HELLO)) == "Hello there"
    note("llama-index-llms-openai", address, "responses")


@pytest.fixture
def refusals(door):
    """The classes of 401, 404 and of a value at fault."""
    if door[1] is inference:
        return ClientAuthenticationError, ResourceNotFoundError, HttpResponseError
    return openai.AuthenticationError, openai.NotFoundError, openai.APIStatusError


async def test_a_wrong_key_is_an_error_of_authentication(make, ask, refusals):
    with pytest.raises(refusals[0]) as refused:
        await ask(make("mock", key="wrong"), "chat", HELLO)
    assert refused.value.status_code == 401


async def test_a_model_that_does_not_chat_is_not_found(make, ask, refusals):
    with pytest.raises(refusals[1]) as refused:
        await ask(make("mock-embedding"), "chat", HELLO)
    assert refused.value.status_code == 404
    assert "mock-embedding" in str(refused.value)


async def test_a_value_out_of_range_is_told(make, door, ask, refusals):
    with pytest.raises(refusals[2]) as refused:
        await ask(make("mock"), "chat", HELLO, top_p=9)
    assert refused.value.status_code == (400 if door[2].startswith("/openai") or door[2].endswith("/v1") else 422)
    assert "top_p" in str(refused.value)


EMBEDDINGS = [
    *(("llama-index-embeddings-azure-inference", AzureAIEmbeddingsModel, a) for _, _, a in INFERENCE),
    *(("llama-index-embeddings-openai-like", OpenAILikeEmbedding, a) for a in ("/v1", "/openai/v1", "/inference", "/inference/v1")),
    ("llama-index-embeddings-azure-openai", AzureOpenAIEmbedding, "/openai"),
]


@pytest.mark.parametrize("case", EMBEDDINGS, ids=title)
async def test_texts_are_embedded(url, key, note, ask, case):
    package, kind, address = case
    if kind is AzureAIEmbeddingsModel:
        made = kind(endpoint=url + named(address, "mock-embedding"), credential=key, model_name="mock-embedding")
    elif kind is OpenAILikeEmbedding:
        made = kind(api_base=url + address, api_key=key, model_name="mock-embedding")
    else:
        made = kind(azure_endpoint=url, api_key=key, api_version=VERSION, deployment_name="mock-embedding", model="text-embedding-3-small")

    vectors = await ask(made, "get_text_embedding_batch", ["Hello", "there"])
    assert [len(v) for v in vectors] == [384, 384]
    assert await ask(made, "get_query_embedding", "Hello") == pytest.approx(vectors[0], abs=1e-6)
    if kind is AzureAIEmbeddingsModel:
        await made._async_client.close()
    note(package, address, "embeddings")
