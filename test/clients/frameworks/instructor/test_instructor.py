"""instructor over the clients of OpenAI and Azure OpenAI, and over that of the inference endpoint."""

import instructor
import openai
import pytest
from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.aio import ChatCompletionsClient as AsyncChatCompletionsClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError
from instructor.core.exceptions import InstructorRetryException
from pydantic import BaseModel

from conftest import KEY, named

PACKAGE = "instructor"
ASKED = [{"role": "user", "content": "Weigh it"}]
VERSION = "2024-10-21"

OPENAI = ["/v1", "/openai/v1", "/inference", "/inference/v1", "/models", "/openai"]
INFERENCE = ["", "/models", "/inference", "/deployments/{name}", "/openai/deployments/{name}"]
CHAT = [instructor.Mode.TOOLS, instructor.Mode.TOOLS_STRICT, instructor.Mode.JSON_SCHEMA]
KINDS = {
    ("sync", "azure"): openai.AzureOpenAI,
    ("sync", "plain"): openai.OpenAI,
    ("async", "azure"): openai.AsyncAzureOpenAI,
    ("async", "plain"): openai.AsyncOpenAI,
}


class Mass(BaseModel):
    """A mass."""

    grams: float
    label: str


@pytest.fixture(params=OPENAI)
def address(request):
    return request.param


@pytest.fixture(params=["sync", "async"])
def client(request, url, key, address):
    """Makes a client of OpenAI's, or of Azure OpenAI's, in a mode of instructor's."""

    def client(mode, key=key):
        kind = KINDS[request.param, "azure" if address == "/openai" else "plain"]
        place = {"azure_endpoint": url, "api_version": VERSION} if address == "/openai" else {"base_url": url + address}
        return instructor.from_openai(kind(api_key=key, max_retries=0, **place), mode=mode)

    return client


def filled(mass):
    """Whether it is a Mass, of which instructor makes a class of its own, with the smallest values."""
    return isinstance(mass, Mass) and (mass.grams, mass.label) == (0, "")


async def done(result):
    """The result of a client, awaited where it is an asynchronous one's."""
    return await result if hasattr(result, "__await__") else result


@pytest.mark.parametrize("mode", CHAT, ids=str)
async def test_an_answer_is_a_model_of_pydantic(client, address, note, mode):
    mass, raw = await done(client(mode).create_with_completion(model="mock", messages=ASKED, response_model=Mass))

    assert filled(mass)
    assert raw.usage.total_tokens > 0
    note(PACKAGE, address, "chat/completions", "chat/completions with a schema" if mode is instructor.Mode.JSON_SCHEMA else "chat/completions with tools")


@pytest.mark.parametrize("mode", CHAT, ids=str)
async def test_an_answer_is_streamed_as_it_fills(client, address, note, mode):
    stream = client(mode).create_partial(model="mock", messages=ASKED, response_model=Mass)
    parts = [part async for part in stream] if hasattr(stream, "__anext__") else list(stream)

    assert filled(parts[-1])
    note(PACKAGE, address, "chat/completions, streamed")


@pytest.mark.parametrize("address", ["/v1", "/openai/v1", "/inference/v1", "/openai"])
async def test_the_responses_api_fills_a_model(client, address, note):
    mass = await done(client(instructor.Mode.RESPONSES_TOOLS).create(model="mock", messages=ASKED, response_model=Mass))

    assert filled(mass)
    note(PACKAGE, address, "responses")


@pytest.mark.parametrize(("model", "key", "cause"), [("mock", "wrong", openai.AuthenticationError), ("mock-embedding", KEY, openai.NotFoundError)])
async def test_a_refusal_keeps_the_error_of_the_sdk(client, model, key, cause):
    made = client(instructor.Mode.TOOLS, key)
    with pytest.raises((cause, InstructorRetryException)) as refused:
        await done(made.create(model=model, messages=ASKED, response_model=Mass, max_retries=1))
    assert isinstance(refused.value, cause) or isinstance(refused.value.__cause__, cause)


def inference(url, key, address, mode):
    client = ChatCompletionsClient(url + named(address, "mock"), AzureKeyCredential(key), model="mock")
    return instructor.patch(create=client.complete, mode=mode)


@pytest.mark.parametrize("address", INFERENCE)
def test_the_client_of_the_inference_endpoint_is_patched(url, key, note, address):
    assert filled(inference(url, key, address, instructor.Mode.TOOLS)(messages=ASKED, response_model=Mass))
    note(PACKAGE, address, "chat/completions", "chat/completions with tools")


@pytest.mark.parametrize("address", INFERENCE)
def test_the_patched_client_streams_an_answer_as_it_fills(url, key, note, address):
    parts = list(inference(url, key, address, instructor.Mode.TOOLS)(messages=ASKED, response_model=instructor.Partial[Mass], stream=True))

    assert len(parts) > 1
    assert filled(parts[-1])
    note(PACKAGE, address, "chat/completions, streamed")


# At the others the client of OpenAI's is held to a schema.
@pytest.mark.parametrize("address", ["", "/deployments/{name}", "/openai/deployments/{name}"])
def test_the_patched_client_takes_no_schema(url, key, note, address):
    with pytest.raises(InstructorRetryException, match="Unsupported `response_format`"):
        inference(url, key, address, instructor.Mode.JSON_SCHEMA)(messages=ASKED, response_model=Mass, max_retries=1)
    why = "over azure-ai-inference it gives the schema in OpenAI's form, which that client does not take; its tools mode fills models"
    note(PACKAGE, address, "chat/completions with a schema", why=why)


@pytest.mark.parametrize("address", INFERENCE)
async def test_its_asynchronous_client_is_patched(url, key, address):
    async with AsyncChatCompletionsClient(url + named(address, "mock"), AzureKeyCredential(key), model="mock") as client:
        assert filled(await instructor.patch(create=client.complete)(messages=ASKED, response_model=Mass))


def test_the_patched_client_keeps_its_errors(url):
    with pytest.raises((ClientAuthenticationError, InstructorRetryException)) as refused:
        inference(url, "wrong", "", instructor.Mode.TOOLS)(messages=ASKED, response_model=Mass, max_retries=1)
    assert isinstance(refused.value, ClientAuthenticationError) or isinstance(refused.value.__cause__, ClientAuthenticationError)
