"""Haystack's generators and embedders of OpenAI and Azure OpenAI, alone, in a pipeline and in an agent."""

import openai
import pytest
from haystack import Document, Pipeline
from haystack.components.agents import Agent
from haystack.components.builders import ChatPromptBuilder
from haystack.components.embedders import (
    AzureOpenAIDocumentEmbedder,
    AzureOpenAITextEmbedder,
    OpenAIDocumentEmbedder,
    OpenAITextEmbedder,
)
from haystack.components.generators.chat import (
    AzureOpenAIChatGenerator,
    AzureOpenAIResponsesChatGenerator,
    OpenAIChatGenerator,
    OpenAIResponsesChatGenerator,
)
from haystack.dataclasses import ChatMessage, ImageContent
from haystack.tools import tool
from haystack.utils import Secret
from pydantic import BaseModel

PACKAGE = "haystack-ai"
HELLO = [ChatMessage.from_user("Hello there")]
VERSION = "2024-10-21"


@pytest.fixture(params=["/v1", "/openai/v1", "/inference", "/inference/v1", "/openai"])
def address(request):
    return request.param


@pytest.fixture
def make(address, url, key):
    """Makes a component of OpenAI's or of Azure OpenAI's kind."""

    def make(plain, azure, model, key=key, **options):
        options = {"api_key": Secret.from_token(key), "max_retries": 0, **options}
        if address == "/openai":
            return azure(azure_endpoint=url, azure_deployment=model, api_version=VERSION, **options)
        return plain(api_base_url=url + address, model=model, **options)

    return make


@pytest.fixture
def generator(make):
    return lambda model, **options: make(OpenAIChatGenerator, AzureOpenAIChatGenerator, model, **options)


@pytest.fixture(params=["run", "run_async"])
def run(request):
    async def run(component, **options):
        result = getattr(component, request.param)(**options)
        return await result if request.param == "run_async" else result

    run.later = request.param == "run_async"
    return run


class Mass(BaseModel):
    """A mass."""

    grams: float
    label: str


@tool
def weigh(thing: str) -> str:
    """Weighs a thing."""
    return f"{thing!r} weighs 7 grams"


async def test_a_chat_is_answered_with_its_usage(generator, run, address, note):
    [reply] = (await run(generator("mock"), messages=HELLO))["replies"]

    assert reply.text == "Hello there"
    assert reply.meta["usage"].items() >= {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}.items()
    note(PACKAGE, address, "chat/completions")


async def test_a_chat_is_streamed_with_its_usage(generator, run, address, note):
    chunks = []

    def sync(chunk):
        chunks.append(chunk.content)

    async def later(chunk):
        chunks.append(chunk.content)

    options = {"stream_options": {"include_usage": True}}
    model = generator("mock", generation_kwargs=options)
    [reply] = (await run(model, messages=HELLO, streaming_callback=later if run.later else sync))["replies"]

    assert "".join(chunks) == reply.text == "Hello there"
    assert reply.meta["usage"]["completion_tokens"] == 2
    note(PACKAGE, address, "chat/completions, streamed")


async def test_an_agent_calls_its_tool_and_goes_on(generator, run, address, note):
    agent = Agent(chat_generator=generator("calls"), tools=[weigh])
    said = (await run(agent, messages=[ChatMessage.from_user("Weigh it")]))["messages"]

    assert [m.role.value for m in said] == ["user", "assistant", "tool", "assistant"]
    assert said[1].tool_call.tool_name == "weigh"
    assert said[2].tool_call_result.result == "'' weighs 7 grams"
    assert said[3].text == "Weigh it"
    note(PACKAGE, address, "chat/completions with tools")


async def test_an_answer_fills_a_model_of_pydantic(generator, run, address, note):
    [reply] = (await run(generator("mock", generation_kwargs={"response_format": Mass}), messages=HELLO))["replies"]

    assert Mass.model_validate_json(reply.text) == Mass(grams=0, label="")
    note(PACKAGE, address, "chat/completions with a schema")


async def test_a_picture_is_shown(generator, run, address, note):
    red = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP8z4AdMOEQH6QSAM1BAQ/oQeJvAAAAAElFTkSuQmCC"
    message = ChatMessage.from_user(content_parts=["What is this?", ImageContent(base64_image=red, mime_type="image/png")])
    [reply] = (await run(generator("mock"), messages=[message]))["replies"]

    assert reply.text == "What is this?"
    assert reply.meta["usage"]["prompt_tokens"] > 7
    note(PACKAGE, address, "chat/completions with images")


def test_a_pipeline_asks(generator):
    pipeline = Pipeline()
    pipeline.add_component("prompt", ChatPromptBuilder(template=[ChatMessage.from_user("Hello {{who}}")]))
    pipeline.add_component("model", generator("mock"))
    pipeline.connect("prompt.prompt", "model.messages")

    assert pipeline.run({"prompt": {"who": "there"}})["model"]["replies"][0].text == "Hello there"


def azure_responses(api_version, **options):
    """Azure's class for responses, which is of the version-less /openai/v1."""
    return AzureOpenAIResponsesChatGenerator(**options)


@pytest.mark.parametrize("address", ["/v1", "/openai/v1", "/inference/v1", "/openai"])
async def test_the_responses_api_answers(make, run, address, note):
    made = make(OpenAIResponsesChatGenerator, azure_responses, "mock")
    [reply] = (await run(made, messages=HELLO))["replies"]

    assert reply.text == "Hello there"
    assert reply.meta["usage"]["output_tokens"] == 2
    note(PACKAGE, address, "responses")


async def test_texts_and_documents_are_embedded(make, run, address, note):
    text = make(OpenAITextEmbedder, AzureOpenAITextEmbedder, "mock-embedding", dimensions=8)
    documents = make(OpenAIDocumentEmbedder, AzureOpenAIDocumentEmbedder, "mock-embedding", dimensions=8, progress_bar=False)
    vector = (await run(text, text="Hello"))["embedding"]
    found = await run(documents, documents=[Document(content="Hello"), Document(content="there")])

    assert [len(d.embedding) for d in found["documents"]] == [8, 8]
    assert found["documents"][0].embedding == pytest.approx(vector, abs=1e-6)
    assert found["meta"]["usage"]["prompt_tokens"] == 2
    note(PACKAGE, address, "embeddings")


async def test_a_wrong_key_is_an_error_of_authentication(generator, run):
    with pytest.raises(openai.AuthenticationError) as refused:
        await run(generator("mock", key="wrong"), messages=HELLO)
    assert refused.value.status_code == 401


async def test_a_model_that_does_not_chat_is_not_found(generator, run):
    with pytest.raises(openai.NotFoundError, match="mock-embedding") as refused:
        await run(generator("mock-embedding"), messages=HELLO)
    assert refused.value.status_code == 404


async def test_a_value_out_of_range_is_told(generator, run, address):
    kind = openai.UnprocessableEntityError if address == "/inference" else openai.BadRequestError
    with pytest.raises(kind, match="temperature") as refused:
        await run(generator("mock", generation_kwargs={"temperature": 9}), messages=HELLO)
    assert refused.value.status_code == (422 if address == "/inference" else 400)
