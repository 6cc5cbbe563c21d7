"""AutoGen's clients of the inference endpoint, of Azure OpenAI and of OpenAI, alone and in an agent."""

import json

import openai
import pytest
from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.messages import ToolCallExecutionEvent, ToolCallRequestEvent
from autogen_core import Image
from autogen_core.models import UserMessage
from autogen_core.tools import FunctionTool
from autogen_ext.models.azure import AzureAIChatCompletionClient
from autogen_ext.models.openai import AzureOpenAIChatCompletionClient, OpenAIChatCompletionClient
from azure.ai.inference.models import JsonSchemaFormat
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from pydantic import BaseModel

from conftest import named

PACKAGE = "autogen-ext"
INFO = {"vision": True, "function_calling": True, "json_output": True, "structured_output": True, "family": "unknown"}
VERSION = "2024-10-21"


def inference(url, key, address, model):
    place = {"endpoint": url + named(address, model), "credential": AzureKeyCredential(key)}
    return AzureAIChatCompletionClient(model=model, model_info=INFO, **place)


def plain(url, key, address, model):
    return OpenAIChatCompletionClient(model=model, model_info=INFO, base_url=url + address, api_key=key, max_retries=0)


def azure(url, key, address, model):
    place = {"azure_endpoint": url, "azure_deployment": model, "api_version": VERSION}
    return AzureOpenAIChatCompletionClient(model="gpt-4o", model_info=INFO, api_key=key, max_retries=0, **place)


INFERENCE = [(inference, a) for a in ("", "/models", "/inference", "/deployments/{name}", "/openai/deployments/{name}")]
OPENAI = [*((plain, a) for a in ("/v1", "/openai/v1", "/inference", "/inference/v1")), (azure, "/openai")]


def title(case):
    return f"{case[0].__name__} at {case[1] or '/'}"


@pytest.fixture(params=INFERENCE + OPENAI, ids=title)
def door(request):
    """What makes a client, and the address."""
    return request.param


@pytest.fixture
async def make(door, url, key):
    made = []

    def make(model, key=key):
        made.append(door[0](url, key, door[1], model))
        return made[-1]

    yield make
    for client in made:
        await client.close()


class Mass(BaseModel):
    """A mass."""

    grams: float
    label: str


async def weigh(thing: str) -> str:
    """Weighs a thing."""
    return f"{thing!r} weighs 7 grams"


def said(*content):
    return [UserMessage(content=content[0] if len(content) == 1 else list(content), source="user")]


async def test_a_chat_is_answered_with_its_usage(make, door, note):
    answer = await make("mock").create(said("Hello there"))

    assert (answer.content, answer.finish_reason) == ("Hello there", "stop")
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (5, 2)
    note(PACKAGE, door[1], "chat/completions")


async def test_a_chat_is_streamed_with_its_usage(make, door, note):
    options = {} if door[0] is inference else {"include_usage": True}
    *parts, whole = [part async for part in make("mock").create_stream(said("Hello there"), **options)]

    assert "".join(parts) == whole.content == "Hello there"
    if door == (inference, "/openai/deployments/{name}"):
        assert whole.usage.prompt_tokens == 0, "Azure OpenAI tells it where stream_options ask, which this class does not"
    else:
        assert (whole.usage.prompt_tokens, whole.usage.completion_tokens) == (5, 2)
    note(PACKAGE, door[1], "chat/completions, streamed")


async def test_an_agent_calls_its_tool_and_goes_on(make, door, note):
    agent = AssistantAgent("scales", make("calls"), tools=[weigh], reflect_on_tool_use=True, system_message=None)
    happened = (await agent.run(task="Weigh it")).messages

    assert [m.content[0].name for m in happened if isinstance(m, ToolCallRequestEvent)] == ["weigh"]
    assert [m.content[0].content for m in happened if isinstance(m, ToolCallExecutionEvent)] == ["'' weighs 7 grams"]
    assert happened[-1].content == "Weigh it"
    note(PACKAGE, door[1], "chat/completions with tools")


async def test_a_tool_call_is_streamed(make, door):
    tool = FunctionTool(weigh, description="Weighs a thing.")
    stream = make("mock").create_stream(said("Weigh it"), tools=[tool], tool_choice="required")
    if door[0] is inference:
        # It joins the ids of a call's parts, and none but the first has one.
        with pytest.raises(TypeError, match="NoneType"):
            [part async for part in stream]
        return

    *_, whole = [part async for part in stream]
    assert [(call.name, json.loads(call.arguments)) for call in whole.content] == [("weigh", {"thing": ""})]


async def test_an_answer_fills_a_schema(make, door, note):
    if door[0] is inference:
        with pytest.raises(ValueError, match="Structured output is not currently supported"):
            await make("mock").create(said("Weigh it"), json_output=Mass)
        # The SDK's own schema is handed on.
        schema = JsonSchemaFormat(name="mass", schema=Mass.model_json_schema(), strict=True)
        answer = await make("mock").create(said("Weigh it"), extra_create_args={"response_format": schema})
    else:
        answer = await make("mock").create(said("Weigh it"), json_output=Mass)

    assert Mass.model_validate_json(answer.content) == Mass(grams=0, label="")
    note(PACKAGE, door[1], "chat/completions with a schema")


async def test_a_picture_is_shown(make, door, note):
    red = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP8z4AdMOEQH6QSAM1BAQ/oQeJvAAAAAElFTkSuQmCC"
    answer = await make("mock").create(said("What is this?", Image.from_uri(red)))

    assert answer.content == "What is this?"
    assert answer.usage.prompt_tokens > 7
    note(PACKAGE, door[1], "chat/completions with images")


@pytest.fixture
def refusals(door):
    """The classes of 401, 404 and of a value at fault."""
    if door[0] is inference:
        return ClientAuthenticationError, ResourceNotFoundError, HttpResponseError
    return openai.AuthenticationError, openai.NotFoundError, openai.APIStatusError


async def test_a_wrong_key_is_an_error_of_authentication(make, refusals):
    with pytest.raises(refusals[0]) as refused:
        await make("mock", key="wrong").create(said("Hello"))
    assert refused.value.status_code == 401


async def test_a_model_that_does_not_chat_is_not_found(make, refusals):
    with pytest.raises(refusals[1]) as refused:
        await make("mock-embedding").create(said("Hello"))
    assert refused.value.status_code == 404
    assert "mock-embedding" in str(refused.value)


async def test_a_value_out_of_range_is_told(make, door, refusals):
    with pytest.raises(refusals[2]) as refused:
        await make("mock").create(said("Hello"), extra_create_args={"temperature": 9})
    assert refused.value.status_code == (400 if door[1].startswith("/openai") or door[1].endswith("/v1") else 422)
    assert "temperature" in str(refused.value)
