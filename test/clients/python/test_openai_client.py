"""What clients of the openai SDK have for every operation: raw and streamed responses, options, patience, and ends before the end."""

import asyncio
import inspect
import json
import operator
import socket
import time
from pathlib import Path

import httpx2
import openai
import pytest

import openai_sdk
from conftest import KEY
from test_openai_chat import HELLO, Place, joined

# Each operation as its path of methods, with what it takes and what the JSON of its answer is.
OPERATIONS = {
    "chat": ("chat.completions.create", {"model": "mock", "messages": HELLO}, "chat.completion"),
    "texts": ("completions.create", {"model": "mock", "prompt": "Hello"}, "text_completion"),
    "vectors": ("embeddings.create", {"model": "mock-embedding", "input": "Hello"}, "list"),
    "models": ("models.list", {}, "list"),
    "model": ("models.retrieve", {"model": "mock"}, "model"),
    "responses": ("responses.create", {"model": "mock", "input": "Hello"}, "response"),
}
operations = pytest.mark.parametrize("operation", OPERATIONS)


def of(client, path, view):
    """The method of a path, seen as with_raw_response or with_streaming_response has it."""
    *resources, method = path.split(".")
    for resource in resources:
        client = getattr(client, resource)
    return getattr(getattr(client, view), method)


@operations
def test_a_raw_response_has_headers_and_the_object(oai, operation):
    path, given, kind = OPERATIONS[operation]
    raw = of(oai.client(), path, "with_raw_response")(**given)

    assert (raw.status_code, raw.headers["content-type"].partition(";")[0]) == (200, "application/json")
    assert raw.request_id == raw.headers["x-request-id"]
    assert json.loads(raw.text)["object"] == kind
    assert (raw.http_request.method, raw.retries_taken) == ("GET" if operation.startswith("model") else "POST", 0)
    assert raw.parse()


@operations
def test_a_response_is_read_when_it_is_wanted(oai, operation):
    path, given, kind = OPERATIONS[operation]
    with of(oai.client(), path, "with_streaming_response")(**given) as response:
        assert response.headers["x-request-id"]
        assert json.loads(b"".join(response.iter_bytes()))["object"] == kind


def test_the_lines_of_a_stream(oai):
    create = oai.client().chat.completions.with_streaming_response.create
    with create(model="mock", messages=HELLO, stream=True) as response:
        lines = [line for line in response.iter_lines() if line]
    with create(model="mock", messages=HELLO, stream=True) as response:
        chunks = list(response.parse())

    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"
    assert len(lines) == len(chunks) + 1
    assert joined(chunks) == "Hello there, world"


def test_options_of_one_call_and_of_a_copy(oai):
    client = oai.client(default_headers={"x-mine": "client"}, default_query={"mine": "client"})
    client.chat.completions.create(model="mock", messages=HELLO, extra_headers={"x-mine": "call"}, extra_query={"more": "1"}, timeout=30)
    client.with_options(max_retries=0, timeout=httpx2.Timeout(30, connect=5)).chat.completions.create(model="mock", messages=HELLO)
    first, second = oai.sent

    assert [r.headers["x-mine"] for r in (first, second)] == ["call", "client"]
    assert [r.url.params["mine"] for r in (first, second)] == ["client", "client"]
    assert first.url.params["more"] == "1"


def test_silence_ends_by_the_clients_patience_and_may_be_repeated(faulty_oai):
    client = faulty_oai.client(timeout=0.3, max_retries=1)
    with pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(model="stalls", messages=HELLO)

    assert len(faulty_oai.sent) == 2


def test_silence_in_a_stream_is_no_answer(faulty_oai):
    received = []
    with pytest.raises((openai.APITimeoutError, httpx2.TimeoutException)):
        for chunk in faulty_oai.client().chat.completions.create(model="stalls", messages=HELLO, stream=True, timeout=0.3):
            received.append(chunk)

    assert joined(received).startswith("Hello")
    assert not any(c.choices[0].finish_reason for c in received)


def test_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    with openai.OpenAI(base_url=url, api_key="k", max_retries=0) as client, pytest.raises(openai.APIConnectionError):
        client.models.list()


def test_an_answer_that_cannot_be_parsed_says_why(oai):
    parse = oai.client().chat.completions.parse
    with pytest.raises(openai.LengthFinishReasonError):
        parse(model="mock", messages=HELLO, response_format=Place, max_tokens=1)
    with pytest.raises(openai.ContentFilterFinishReasonError):
        parse(model="mock", messages=[{"role": "user", "content": "say this mock:censor and that"}])


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("door", openai_sdk.DOORS)
def test_a_task_may_be_cancelled(faulty_server, door, stream):
    made = openai_sdk.Async(faulty_server, "http", door, KEY)
    client = made.client()._target

    async def answer(model):
        result = await client.chat.completions.create(model=model, messages=HELLO, stream=stream, max_tokens=100)
        return [chunk async for chunk in result] if stream else result

    async def cancel():
        for model in "stalls", "slow":
            task = asyncio.create_task(answer(model))
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(answer(model), 0.1)
        return await answer("good")

    assert made._loop.run_until_complete(cancel())
    made.close()


def test_a_stream_is_a_context_manager_that_may_be_left(faulty_oai):
    start = time.monotonic()
    with faulty_oai.client().chat.completions.create(model="slow", messages=HELLO, stream=True, max_tokens=500) as stream:
        next(iter(stream))
    with faulty_oai.client().chat.completions.stream(model="slow", messages=HELLO, max_tokens=500) as events:
        next(iter(events))

    assert time.monotonic() - start < 5, "it was not read to its end, which takes ten seconds each"


def test_clients_are_context_managers(mock_server):
    with openai.OpenAI(base_url=mock_server.at("http") + "/v1", api_key=KEY) as client:
        assert client.models.retrieve("mock").id == "mock"
    assert client.is_closed()

    async def talk():
        async with openai.AsyncAzureOpenAI(azure_endpoint=mock_server.at("http"), api_key=KEY, api_version="2024-10-21") as client:
            return await client.chat.completions.create(model="mock", messages=HELLO)

    assert asyncio.run(talk()).choices[0].message.content == "Hello there, world"


SERVED = """chat.completions.create chat.completions.parse chat.completions.stream completions.create embeddings.create models.list models.retrieve
responses.create responses.parse responses.stream responses.retrieve responses.delete responses.cancel responses.input_items.list""".split()
# Of the resources that are served in part, and some of the others.
UNSERVED = {
    "chat.completions.delete": ("chatcmpl-1",),
    "chat.completions.list": (),
    "chat.completions.messages.list": ("chatcmpl-1",),
    "chat.completions.retrieve": ("chatcmpl-1",),
    "chat.completions.update": {"completion_id": "chatcmpl-1", "metadata": {}},
    "models.delete": ("mock",),
    "responses.compact": {"model": "mock", "input": "Hello"},
    "responses.input_tokens.count": {"model": "mock", "input": "Hello"},
    "audio.speech.create": {"model": "mock", "input": "Hello", "voice": "alloy"},
    "batches.list": (),
    "files.list": (),
    "images.generate": {"model": "mock", "prompt": "a cat"},
    "moderations.create": {"input": "Hello"},
}


@pytest.mark.parametrize("path", UNSERVED)
def test_what_is_not_served_says_so(oai, path):
    given, client = UNSERVED[path], oai.client()
    with pytest.raises(openai.APIStatusError) as refused:
        result = operator.attrgetter(path)(client)(**given) if isinstance(given, dict) else operator.attrgetter(path)(client)(*given)
        list(result)  # of what is listed the asynchronous client asks for a page when it is read

    assert refused.value.status_code in (404, 405)
    assert refused.value.message
    assert refused.value.request_id


def test_there_are_no_web_sockets(oai_v1):
    """As responses.connect asks for one."""
    with pytest.raises(openai.APIStatusError) as refused:
        oai_v1.client().get("/responses", cast_to=object, options={"headers": {"Connection": "Upgrade", "Upgrade": "websocket"}})

    assert refused.value.status_code in (404, 405)


def test_every_operation_is_tried():
    """Those that are served by tests of their own, whose text calls them."""
    with openai.OpenAI(api_key="k") as client:
        offered = set(operations_of("", client, ["chat", "completions", "embeddings", "models", "responses"]))
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_openai*.py")) + Path(__file__).with_name("test_responses.py").read_text()

    assert offered - {"responses.connect"} == {*SERVED} | {path for path in UNSERVED if path.startswith(("chat.", "models.", "responses."))}
    assert [path for path in SERVED if f".{path}(" not in tests] == []


def operations_of(place, resource, names):
    """The paths of the methods of resources, and of those within."""
    for name in names:
        thing, path = getattr(resource, name), f"{place}{name}"
        if isinstance(thing, openai._resource.SyncAPIResource):
            yield from operations_of(path + ".", thing, [n for n in dir(thing) if not n.startswith(("_", "with_"))])
        elif inspect.ismethod(thing):
            yield path
