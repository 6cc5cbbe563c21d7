"""Semantic Kernel's connectors of the inference endpoint, of Azure OpenAI and of OpenAI, alone and with a kernel's functions."""

import openai
import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from pydantic import BaseModel
from semantic_kernel import Kernel
from semantic_kernel.connectors.ai.azure_ai_inference import (
    AzureAIInferenceChatCompletion,
    AzureAIInferenceChatPromptExecutionSettings,
    AzureAIInferenceEmbeddingPromptExecutionSettings,
    AzureAIInferenceTextEmbedding,
)
from semantic_kernel.connectors.ai.function_choice_behavior import FunctionChoiceBehavior
from semantic_kernel.connectors.ai.open_ai import (
    AzureChatCompletion,
    AzureTextCompletion,
    AzureTextEmbedding,
    OpenAIChatCompletion,
    OpenAIChatPromptExecutionSettings,
    OpenAIEmbeddingPromptExecutionSettings,
    OpenAITextCompletion,
    OpenAITextEmbedding,
    OpenAITextPromptExecutionSettings,
)
from semantic_kernel.contents import ChatHistory, ChatMessageContent, ImageContent, TextContent
from semantic_kernel.exceptions import ServiceInitializationError, ServiceResponseException
from semantic_kernel.functions import kernel_function

from conftest import named

PACKAGE = "semantic-kernel"
VERSION = "2024-10-21"


def inference(url, key, address, model, kind=AzureAIInferenceChatCompletion):
    return kind(model, api_key=key, endpoint=url + named(address, model), api_version="2024-05-01-preview")


def plain(url, key, address, model, kind=OpenAIChatCompletion):
    return kind(model, async_client=openai.AsyncOpenAI(base_url=url + address, api_key=key, max_retries=0))


def azure(url, key, address, model, kind=AzureChatCompletion):
    return kind(deployment_name=model, api_key=key, endpoint=url, api_version=VERSION)


INFERENCE = [(inference, a) for a in ("", "/models", "/inference", "/deployments/{name}", "/openai/deployments/{name}")]
OPENAI = [*((plain, a) for a in ("/v1", "/openai/v1", "/inference", "/inference/v1")), (azure, "/openai")]


def title(case):
    return f"{case[0].__name__} at {case[1] or '/'}"


@pytest.fixture(params=INFERENCE + OPENAI, ids=title)
def door(request):
    """What makes a service, and the address."""
    return request.param


@pytest.fixture
async def make(door, secure_url, key):
    made = []

    def make(model, key=key, **kind):
        made.append(door[0](secure_url, key, door[1], model, **kind))
        return made[-1]

    yield make
    for service in made:
        await service.client.close()


@pytest.fixture
def settings(door):
    return AzureAIInferenceChatPromptExecutionSettings if door[0] is inference else OpenAIChatPromptExecutionSettings


class Mass(BaseModel):
    """A mass."""

    grams: float
    label: str


class Scales:
    @kernel_function
    def weigh(self, thing: str) -> str:
        """Weighs a thing."""
        return f"{thing!r} weighs 7 grams"


def asked(text):
    history = ChatHistory()
    history.add_user_message(text)
    return history


async def test_a_chat_is_answered_with_its_usage(make, door, note, settings):
    answer = await make("mock").get_chat_message_content(asked("Hello there"), settings())

    assert str(answer) == "Hello there"
    usage = answer.metadata["usage"]
    assert (usage.prompt_tokens, usage.completion_tokens) == (5, 2)
    note(PACKAGE, door[1], "chat/completions")


async def test_a_chat_is_streamed_with_its_usage(make, door, note, settings):
    parts = [part async for part in make("mock").get_streaming_chat_message_content(asked("Hello there"), settings())]

    assert "".join(map(str, parts)) == "Hello there"
    usage = [(u.prompt_tokens, u.completion_tokens) for part in parts if (u := part.metadata.get("usage"))]
    if door == (inference, "/openai/deployments/{name}"):
        assert usage == [], "Azure OpenAI tells it where stream_options ask, which this class does not"
    else:
        assert usage[-1] == (5, 2)
    note(PACKAGE, door[1], "chat/completions, streamed")


async def test_the_kernel_calls_a_function_and_goes_on(make, door, note, settings):
    kernel = Kernel()
    kernel.add_plugin(Scales(), "scales")
    how, history = settings(function_choice_behavior=FunctionChoiceBehavior.Auto()), asked("Weigh it")
    answer = await make("calls").get_chat_message_content(history, how, kernel=kernel)

    assert [m.role.value for m in history] == ["user", "assistant", "tool"]
    assert history[1].items[0].function_name == "weigh"
    assert history[2].items[0].result == "'' weighs 7 grams"
    assert str(answer) == "Weigh it"
    note(PACKAGE, door[1], "chat/completions with tools")


async def test_the_kernel_calls_a_function_of_a_stream(make, settings):
    kernel = Kernel()
    kernel.add_plugin(Scales(), "scales")
    how, history = settings(function_choice_behavior=FunctionChoiceBehavior.Auto()), asked("Weigh it")
    parts = [part async for part in make("calls").get_streaming_chat_message_content(history, how, kernel=kernel)]

    assert history[2].items[0].result == "'' weighs 7 grams"
    assert "".join(map(str, parts)).endswith("Weigh it")


async def test_an_answer_fills_a_model_of_pydantic(make, door, note, settings):
    how = settings(response_format=Mass, structured_json_response=True)
    answer = await make("mock").get_chat_message_content(asked("Weigh it"), how)

    assert Mass.model_validate_json(str(answer)) == Mass(grams=0, label="")
    note(PACKAGE, door[1], "chat/completions with a schema")


async def test_a_picture_is_shown(make, door, note, settings):
    red = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP8z4AdMOEQH6QSAM1BAQ/oQeJvAAAAAElFTkSuQmCC"
    message = ChatMessageContent(role="user", items=[TextContent(text="What is this?"), ImageContent(data_uri=red)])
    answer = await make("mock").get_chat_message_content(ChatHistory(messages=[message]), settings())

    assert str(answer) == "What is this?"
    assert answer.metadata["usage"].prompt_tokens > 7
    note(PACKAGE, door[1], "chat/completions with images")


def cause(door, refused):
    """The error of the SDK, which the connector of the inference endpoint does not wrap."""
    if door[0] is inference:
        return refused.value
    assert refused.type is ServiceResponseException
    return refused.value.__cause__


async def test_a_wrong_key_is_an_error_of_authentication(make, door, settings):
    with pytest.raises((ClientAuthenticationError, ServiceResponseException)) as refused:
        await make("mock", key="wrong").get_chat_message_content(asked("Hello"), settings())
    assert cause(door, refused).status_code == 401


async def test_a_model_that_does_not_chat_is_not_found(make, door, settings):
    with pytest.raises((ResourceNotFoundError, ServiceResponseException)) as refused:
        await make("mock-embedding").get_chat_message_content(asked("Hello"), settings())
    assert cause(door, refused).status_code == 404
    assert "mock-embedding" in str(cause(door, refused))


async def test_a_value_that_a_model_refuses_is_told(make, door, settings):
    with pytest.raises((HttpResponseError, ServiceResponseException)) as refused:
        await make("refuses").get_chat_message_content(asked("Hello"), settings())
    assert cause(door, refused).status_code == (400 if door[1].startswith("/openai") or door[1].endswith("/v1") else 422)


async def test_texts_are_embedded(make, door, note):
    kind = {inference: AzureAIInferenceTextEmbedding, plain: OpenAITextEmbedding, azure: AzureTextEmbedding}[door[0]]
    how = AzureAIInferenceEmbeddingPromptExecutionSettings if door[0] is inference else OpenAIEmbeddingPromptExecutionSettings
    vectors = await make("mock-embedding", kind=kind).generate_embeddings(["Hello", "there"], how(dimensions=8))

    assert vectors.shape == (2, 8)
    note(PACKAGE, door[1], "embeddings")


@pytest.mark.parametrize("door", OPENAI, ids=title)
async def test_a_text_is_completed(make, door, note):
    made = make("mock", kind=OpenAITextCompletion if door[0] is plain else AzureTextCompletion)
    how = OpenAITextPromptExecutionSettings()

    assert str(await made.get_text_content("Hello there", how)) == "Hello there"
    assert "".join([str(part) async for part in made.get_streaming_text_content("Hello there", how)]) == "Hello there"
    note(PACKAGE, door[1], "completions")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(("make", "address"), [(inference, ""), (azure, "/openai")])
def test_azure_s_connectors_take_no_address_without_tls(url, key, make, address):
    with pytest.raises(ServiceInitializationError):
        make(url, key, address, "mock")
