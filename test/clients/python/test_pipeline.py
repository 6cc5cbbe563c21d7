"""What the SDK's pipeline adds: headers, hooks, policies, retries, credentials, and requests of the caller's own."""

import gzip
import http.server
import io
import json
import logging
import socket
import threading

import pytest
import requests
from azure.ai.inference import ChatCompletionsClient
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.policies import HeadersPolicy, RetryMode, SansIOHTTPPolicy
from azure.core.rest import HttpRequest

import sdk as flavours
from answers import VERSION, Sent, frames, joined, said, user
from conftest import KEY

HELLO = user("Hello")


class Count(SansIOHTTPPolicy):
    """Counts the requests that pass it, and marks each."""

    def __init__(self):
        self.requests = self.responses = 0

    def on_request(self, request):
        self.requests += 1
        request.http_request.headers["x-count"] = str(self.requests)

    def on_response(self, request, response):
        self.responses += 1


def test_headers_of_the_client_and_of_the_call(sdk):
    sent = Sent()
    client = sdk.chat("/models", headers={"azureml-model-deployment": "mock-long", "x-mine": "client"})
    counted = client.complete(messages=HELLO, max_tokens=1, raw_request_hook=sent)
    echoed = client.complete(messages=HELLO, headers={"azureml-model-deployment": "mock", "x-mine": "call"}, max_tokens=1, raw_request_hook=sent)

    # The SDK's headers policy runs last, so the client's win.
    assert [r.headers["x-mine"] for r in sent.requests] == ["client", "client"]
    assert (counted.model, echoed.model) == ("mock-long", "mock-long")
    assert sdk.chat("/models").complete(messages=HELLO, headers={"azureml-model-deployment": "mock-long"}, max_tokens=1).model == "mock-long"


def test_the_ids_of_a_request(sdk):
    seen = []
    client = sdk.chat()
    client.complete(messages=HELLO, request_id="my-own-id_7", raw_response_hook=seen.append)
    client.complete(messages=HELLO, headers={"x-ms-client-request-id": "with spaces; and more"}, raw_response_hook=seen.append)
    first, second = (r.http_response.headers for r in seen)

    assert first["x-ms-client-request-id"] == "my-own-id_7"
    assert not set(second.get("x-ms-client-request-id", "")) & set("; ")
    assert first["x-request-id"] != second["x-request-id"]
    assert first["apim-request-id"] == first["x-request-id"]


def test_the_user_agent_is_the_callers_business(sdk):
    sent = Sent()
    sdk.chat(user_agent="Mine").complete(messages=HELLO, raw_request_hook=sent)
    sdk.chat().complete(messages=HELLO, user_agent="Once", user_agent_overwrite=True, raw_request_hook=sent)

    assert sent.requests[0].headers["User-Agent"].startswith("Mine azsdk-python-ai-inference/")
    assert sent.requests[1].headers["User-Agent"] == "Once"


@pytest.mark.parametrize(
    ("options", "params", "wanted"),
    [
        ({}, {}, "2024-05-01-preview"),
        ({"api_version": "2025-04-01"}, {}, "2025-04-01"),
        ({"api_version": "2025-04-01"}, {"api-version": "2024-08-01-preview"}, "2025-04-01"),
    ],
)
def test_the_api_version_may_be_overridden(sdk, options, params, wanted):
    sent = Sent()
    client = sdk.chat("/deployments/mock-reasoning", **options)
    answer = client.complete(messages=HELLO, params=params, raw_request_hook=sent)

    assert sent.requests[0].url.endswith(f"/deployments/mock-reasoning/chat/completions?api-version={wanted}")
    assert ("<think>" in said(answer)) == (wanted < "2025-04-01")


def test_more_of_the_query_is_left_alone(sdk):
    assert said(sdk.chat().complete(messages=HELLO, params={"mine": "ä&b"})) == "Hello"


def test_hooks_see_both_sides(sdk):
    sent, received = Sent(), []
    client = sdk.chat(raw_request_hook=sent, raw_response_hook=received.append)
    client.complete(messages=HELLO)
    client.get_model_info()

    assert [r.method for r in sent.requests] == ["POST", "GET"]
    assert [r.http_response.status_code for r in received] == [200, 200]
    assert received[0].http_response.headers["Content-Type"].startswith("application/json")
    assert received[0].http_response.headers["x-ingot-deployment"] == "mock"


def test_policies_of_the_caller_run(faulty):
    call, retry = Count(), Count()
    with pytest.raises(HttpResponseError):
        faulty.chat("/deployments/always", transport=faulty.hurried(), per_call_policies=[call], per_retry_policies=[retry]).complete(messages=HELLO)

    assert (call.requests, call.responses) == (1, 1)
    assert (retry.requests, retry.responses) == (4, 4)


def test_a_pipeline_of_the_callers_own(sdk):
    """Without the SDK's policies nothing but what the caller adds goes along: no key unless it does."""
    with pytest.raises(HttpResponseError) as refused:
        sdk.chat(policies=[]).complete(messages=HELLO)
    assert refused.value.status_code == 401
    assert said(sdk.chat(policies=[HeadersPolicy({"api-key": sdk.key})]).complete(messages=HELLO)) == "Hello"


def test_an_answer_may_be_read_in_an_encoding_of_the_callers(sdk):
    assert said(sdk.chat().complete(messages=user("Grüße"), response_encoding="utf-8")) == "Grüße"


@pytest.fixture
def proxy():
    """A proxy for plain HTTP, and the addresses that were asked of it."""
    asked = []

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            asked.append(self.path)
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with requests.Session() as session:
                session.trust_env = False
                answer = session.post(self.path, data=body, headers=dict(self.headers), timeout=10)
            self.send_response(answer.status_code)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *details):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as listening:
        threading.Thread(target=listening.serve_forever).start()
        yield f"http://127.0.0.1:{listening.server_port}", asked
        listening.shutdown()


@pytest.mark.parametrize("made", [flavours.Sync, flavours.Async])
@pytest.mark.parametrize("stream", [False, True])
def test_a_proxy_may_stand_between(mock_server, proxy, made, stream):
    address, asked = proxy
    clients = made(mock_server, "http", KEY)
    result = clients.chat(proxies={"http": address}, use_env_settings=False).complete(messages=HELLO, stream=stream)

    assert (joined(result) if stream else said(result)) == "Hello"
    assert asked == [mock_server.at("http") + "/chat/completions" + VERSION]
    clients.close()


@pytest.mark.parametrize("options", [{"logging_enable": True}, {"logging_enable": True, "logging_body": True}])
@pytest.mark.parametrize("stream", [False, True])
def test_logging_takes_nothing_away(sdk, caplog, options, stream):
    with caplog.at_level(logging.DEBUG, "azure"):
        result = sdk.chat(**options).complete(messages=HELLO, stream=stream)
        assert (len(list(result)) > 2) if stream else said(result) == "Hello"

    assert "/chat/completions" in caplog.text


def test_a_callback_gets_the_answer_and_its_headers(sdk):
    """Of the public methods get_model_info alone takes cls."""
    seen = []

    def cls(pipeline, model, headers):
        seen.append((pipeline.http_response.status_code, model.model_name, headers))
        return model

    info = sdk.chat().get_model_info(cls=cls)

    assert info.model_name == "mock"
    assert seen == [(200, "mock", {})]


class Odd(HttpResponseError):
    """An exception of the caller's own."""


def test_a_status_may_be_mapped_to_an_exception(sdk):
    with pytest.raises(Odd) as raised:
        sdk.chat().complete(messages=HELLO, temperature=9, error_map={422: Odd})
    assert raised.value.error.code == "Invalid input"
    with pytest.raises(Odd):
        sdk.embeddings().embed(input=[], error_map={422: Odd})
    with pytest.raises(Odd):
        sdk.chat("/deployments/nobody").complete(messages=HELLO, error_map={404: Odd}, stream=True)


@pytest.mark.parametrize(
    ("deployment", "status", "attempts"),
    [
        ("broken-500", 500, 4),
        ("broken-502", 502, 1),
        ("broken-503", 503, 4),
        ("broken-504", 504, 4),
        ("broken-403", 403, 1),
        ("broken-422", 422, 1),
    ],
)
def test_what_is_repeated_and_how_often(faulty, deployment, status, attempts):
    """The table of doc/protocol.md §7.9."""
    count = Count()
    with pytest.raises(HttpResponseError) as raised:
        faulty.chat(f"/deployments/{deployment}", retry_backoff_factor=0, per_retry_policies=[count]).complete(messages=HELLO)

    assert raised.value.status_code == status
    assert count.requests == attempts
    assert ("Retry-After" in raised.value.response.headers) <= (status in (429, 503))


@pytest.mark.parametrize(
    ("options", "waits"),
    [
        ({"retry_total": 0}, []),
        ({}, [1, 1, 1]),
        ({"retry_status": 1}, [1]),
        ({"retry_total": 2, "retry_mode": RetryMode.Fixed}, [1, 1]),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_that_says_when_is_repeated_as_often_as_wanted(faulty, options, waits, stream):
    transport, count = faulty.hurried(), Count()
    client = faulty.chat("/deployments/always", transport=transport, per_retry_policies=[count], **options)
    with pytest.raises(HttpResponseError) as raised:
        client.complete(messages=HELLO, stream=stream)

    assert (raised.value.status_code, raised.value.error.code) == (429, "429")
    assert raised.value.response.headers["Retry-After"] == "1"
    assert raised.value.response.headers["retry-after-ms"] == "1000"
    assert transport.waits == waits
    assert count.requests == len(waits) + 1


def test_other_statuses_are_repeated_where_the_caller_says_so(faulty):
    count = Count()
    client = faulty.chat("/deployments/broken-502", per_retry_policies=[count], retry_backoff_factor=0, retry_on_methods=["POST"], retry_status=2)
    with pytest.raises(HttpResponseError):
        client.complete(messages=HELLO)

    assert count.requests == 1, "retry_on_methods is an option of the call"
    with pytest.raises(HttpResponseError):
        client.complete(messages=HELLO, retry_on_methods=["POST"])
    assert count.requests == 1 + 3


def test_so_may_a_status_be_of_which_nobody_else_thinks(faulty):
    count = Count()
    client = faulty.chat("/deployments/broken-422", per_retry_policies=[count], retry_on_status_codes=[422], retry_total=1, retry_backoff_factor=0)
    with pytest.raises(HttpResponseError):
        client.complete(messages=HELLO, retry_on_methods=["POST"])

    assert count.requests == 2


def test_all_attempts_together_may_have_a_time(faulty):
    count = Count()
    client = faulty.chat("/deployments/always", per_retry_policies=[count], timeout=0.5)
    with pytest.raises(ServiceResponseTimeoutError):
        client.complete(messages=HELLO)

    assert count.requests == 1, "the second would have come after a second"


@pytest.mark.parametrize(
    "options",
    [
        {"connection_timeout": 5, "read_timeout": 5},
        {"retry_connect": 0, "retry_read": 0, "retry_backoff_max": 1},
        {"permit_redirects": False},
        {"redirect_max": 0},
    ],
    ids=lambda options: next(iter(options)),
)
@pytest.mark.parametrize("at", ["client", "call"])
def test_patience_and_redirects_are_the_callers_business(sdk, options, at):
    client = sdk.chat(**(options if at == "client" else {}))

    assert said(client.complete(messages=HELLO, **(options if at == "call" else {}))) == "Hello"


@pytest.mark.parametrize("body", [dict, bytes, io.BytesIO])
@pytest.mark.parametrize("stream", [False, True])
def test_a_repeated_request_is_whole(faulty, body, stream):
    transport = faulty.hurried()
    client = faulty.chat("/deployments/waits", transport=transport)
    given = {"messages": [{"role": "user", "content": "Hello"}], "stream": stream}
    for _ in range(2):
        result = client.complete(given if body is dict else body(json.dumps(given).encode()), stream=stream)
        assert (joined(result) if stream else said(result)) == "Hello"
    assert 1 in transport.waits


def test_nobody_listens():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with ChatCompletionsClient(f"http://127.0.0.1:{port}", AzureKeyCredential("k"), retry_total=0) as client:
        with pytest.raises(ServiceRequestError):
            client.complete(messages=HELLO)


def test_a_key_may_be_replaced(sdk):
    """The client goes on sending the first key as api-key, and the new one as Authorization."""
    credential = AzureKeyCredential("old")
    client = sdk.chat(credential=credential)
    with pytest.raises(ClientAuthenticationError):
        client.complete(messages=HELLO)
    credential.update(sdk.key)
    sent = Sent()

    assert said(client.complete(messages=HELLO, raw_request_hook=sent)) == "Hello"
    assert (sent.requests[0].headers["api-key"], sent.requests[0].headers["Authorization"]) == ("old", f"Bearer {sdk.key}")


def test_an_empty_bearer_beside_a_key_of_the_headers(sdk):
    """As the SDK's own tests do for Azure OpenAI."""
    client = sdk.chat(credential=AzureKeyCredential(""), headers={"api-key": sdk.key})

    assert said(client.complete(messages=HELLO)) == "Hello"


@pytest.mark.parametrize("make", ["chat", "embeddings"])
def test_a_token_goes_over_tls_only(sdk, make):
    sent = Sent()
    client = getattr(sdk, make)(credential=sdk.token(sdk.key), raw_request_hook=sent)

    def call(**options):
        return client.complete(messages=HELLO, **options) if make == "chat" else client.embed(input=["Hello"], **options)

    if sdk.scheme == "http":
        with pytest.raises(ServiceRequestError, match="TLS"):
            call()
        assert call(enforce_https=False).model
    else:
        assert call().model
    assert "api-key" not in sent.requests[0].headers
    assert sent.requests[0].headers["Authorization"] == f"Bearer {sdk.key}"


def test_a_wrong_key_says_so_on_every_operation(sdk):
    for call in (
        lambda: sdk.chat(key="wrong").complete(messages=HELLO),
        lambda: sdk.chat(key="wrong").complete(messages=HELLO, stream=True),
        lambda: sdk.chat(key="wrong").get_model_info(),
        lambda: sdk.embeddings(key="wrong").embed(input=["Hello"]),
        lambda: sdk.load(key="wrong"),
    ):
        with pytest.raises(ClientAuthenticationError) as refused:
            call()
        assert refused.value.error.code == "401"


@pytest.mark.parametrize("url", ["{url}/models/info", "{endpoint}/info", "/info"])
def test_send_request_reaches_info(sdk, url):
    request = HttpRequest("GET", url.replace("{url}", sdk.url), params={"api-version": "2025-04-01"})
    response = sdk.chat("/models").send_request(request)

    assert (response.status_code, response.json()["model_name"]) == (200, "mock")


def test_send_request_completes_a_text(sdk):
    """Text completions have no client, but the pipeline carries them."""
    client = sdk.chat("/models")
    request = HttpRequest("POST", "{endpoint}/completions" + VERSION, json={"prompt": ["one two three", "four"], "max_tokens": 2, "model": "mock"})
    response = client.send_request(request)

    assert response.status_code == 200
    assert [c["text"] for c in response.json()["choices"]] == ["one two", "four"]


def test_send_request_streams_a_text(sdk):
    request = HttpRequest("POST", "{endpoint}/completions" + VERSION, json={"prompt": "one two three", "stream": True})
    response = sdk.chat("/deployments/mock").send_request(request, stream=True)
    *chunks, done = frames(b"".join(response.iter_bytes()).decode())
    response.close()

    assert response.headers["Content-Type"].startswith("text/event-stream")
    assert "".join(json.loads(c)["choices"][0]["text"] for c in chunks) == "one two three"
    assert done == "[DONE]"


def test_send_request_in_chunks(sdk):
    """A body of unknown length, as a generator makes it."""
    parts = [b'{"messages":[{"role":"user","con', 'tent":"Grüße"}]}'.encode()[:9], 'tent":"Grüße"}]}'.encode()[9:]]

    async def chunks():
        for part in parts:
            yield part

    content = iter(parts) if isinstance(sdk.chat(), ChatCompletionsClient) else chunks()
    request = HttpRequest("POST", "{endpoint}/chat/completions" + VERSION, headers={"Content-Type": "application/json"}, content=content)
    response = sdk.chat().send_request(request)

    assert response.status_code == 200, response.text()
    assert response.json()["choices"][0]["message"]["content"] == "Grüße"


@pytest.mark.parametrize(("coding", "status"), [("gzip", 200), ("br", 415), ("identity", 200)])
def test_a_body_may_be_compressed(sdk, coding, status):
    body = json.dumps({"messages": [{"role": "user", "content": "Hello"}]}).encode()
    body = gzip.compress(body) if coding == "gzip" else body
    client, seen = sdk.chat(), []

    def complete():
        return client.complete(body, headers={"Content-Encoding": coding}, raw_response_hook=seen.append)

    if status == 200:
        assert said(complete()) == "Hello"
        return
    with pytest.raises(HttpResponseError, match=coding) as refused:
        complete()
    assert refused.value.status_code == status


def test_send_request_raises_nothing_by_itself(sdk):
    client = sdk.chat()
    request = HttpRequest("POST", "{endpoint}/completions" + VERSION, json={"prompt": "a", "echo": True})
    response = client.send_request(request)

    assert (response.status_code, response.json()["error"]["code"]) == (400, "extra_parameters_not_allowed")
    with pytest.raises(HttpResponseError, match="echo"):
        response.raise_for_status()


def test_send_request_without_an_api_version_may_use_openais_members(sdk):
    client = sdk.chat()
    body = {"prompt": "one", "echo": True, "logprobs": 1, "n": 2}
    response = client.send_request(HttpRequest("POST", "{endpoint}/completions", json=body))

    assert response.status_code == 200, response.text()
    assert [c["text"] for c in response.json()["choices"]] == ["oneone", "oneone"]


def test_sequences_of_requests_share_a_connection(sdk):
    """Whatever the outcome of one, the next on the same client works."""
    client = sdk.chat()
    for _ in range(5):
        assert said(client.complete(messages=HELLO)) == "Hello"
        with pytest.raises(HttpResponseError):
            client.complete(messages=HELLO, temperature=9)
        with pytest.raises(HttpResponseError):
            client.complete(messages=HELLO, temperature=9, stream=True)
        client.complete(messages=HELLO, stream=True).close()
