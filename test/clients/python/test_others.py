"""What the clients for .NET and Java send and how they read, byte by byte as doc/protocol.md has it; neither is run here."""

import http.client
import json
import re
import ssl
import urllib.parse

import pytest

from answers import VERSION
from conftest import KEY
from test_tools import CLOCK, WEATHER

ID = "9f2c1b7e-0d1a-4c57-9a52-6f7d0c3b2a11"
JAVA = {
    "Accept": "application/json",
    "Authorization": KEY,
    "api-key": KEY,
    "Content-Type": "application/json",
    "Date": "Wed, 25 Nov 2026 09:00:00 GMT",
    "User-Agent": "azsdk-java-azure-ai-inference/1.0.0-beta.5 (17.0.1; Linux; 6.1)",
    "x-ms-client-request-id": ID,
}
NET = {
    "Accept": "application/json",
    "Authorization": f"Bearer {KEY}",
    "api-key": KEY,
    "Content-Type": "application/json",
    "User-Agent": "azsdk-net-AI.Inference/1.0.0-beta.5 (.NET 8.0.1; Linux)",
    "x-ms-client-request-id": ID,
    "x-ms-return-client-request-id": "true",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}
clients = pytest.mark.parametrize("headers", [JAVA, NET], ids=["java", "net"])


@pytest.fixture
def call(mock_server, mock_url):
    """Sends one request over a connection of its own: status, headers and the bytes of the body."""
    address = urllib.parse.urlsplit(mock_url)

    def call(method, path, headers, body=None, version=VERSION):
        if address.scheme == "https":
            context = ssl.create_default_context(cafile=str(mock_server.ca))
            connection = http.client.HTTPSConnection(address.netloc, timeout=10, context=context)
        else:
            connection = http.client.HTTPConnection(address.netloc, timeout=10)
        try:
            connection.request(method, path + version, body, headers)
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    return call


def dotnet(stream):
    """Reads a stream as SseReader does: one line an event, a blank line after it, `data` fields only, and [DONE] at the end."""
    assert stream.decode().encode() == stream
    lines = stream.split(b"\n")
    assert lines.pop() == b"", "the last line is not ended"
    assert len(lines) % 2 == 0, "an event is not followed by a blank line"
    events = []
    for event, blank in zip(lines[::2], lines[1::2], strict=True):
        assert blank == b"", f"{event!r} is not followed by a blank line"
        field, colon, value = event.partition(b":")
        assert (field, colon) == (b"data", b":"), f"{event!r} is not data"
        events.append(value.removeprefix(b" "))
    assert events.pop() == b"[DONE]", "its enumerator would spin for ever"
    assert b"[DONE]" not in events
    chunks = [json.loads(event) for event in events]
    for chunk in chunks:
        assert isinstance(chunk["id"], str)
        assert type(chunk["created"]) is int
        for choice in chunk["choices"]:
            assert choice["delta"].get("tool_calls", []) is not None, "older versions fail over null"
    return chunks


def java(stream):
    """Reads a stream as the Java client does: data lines only, and a choice in every event."""
    chunks = []
    for line in stream.decode().split("\n"):
        if not line:
            continue
        assert line.startswith("data:"), f"{line!r} does not parse"
        data = line.removeprefix("data:").strip()
        if data == "[DONE]":
            break
        chunk = json.loads(data)
        assert chunk["choices"][0]["delta"] is not None, "getChoice throws"
        chunks.append(chunk)
    return chunks


readers = pytest.mark.parametrize(("headers", "read"), [(JAVA, java), (NET, dotnet)], ids=["java", "net"])


def messages(content="Hello there"):
    return [{"content": "Be brief.", "role": "system"}, {"content": content, "role": "user"}]


def body(**members):
    return json.dumps({"messages": messages(), **members}, separators=(",", ":")).encode()


@clients
@pytest.mark.parametrize("base", ["", "/models", "/deployments/mock"])
def test_an_answer_has_what_their_models_require(call, headers, base):
    status, received, text = call("POST", f"{base}/chat/completions", headers, body(model="mock", max_tokens=9, temperature=0.5, stream=False))
    answer = json.loads(text)

    assert status == 200
    assert received["x-ms-client-request-id"] == ID
    assert received.get_content_type() == "application/json"
    assert type(answer["created"]) is int
    assert isinstance(answer["id"], str)
    assert isinstance(answer["model"], str)
    assert all(type(answer["usage"][name]) is int for name in ("prompt_tokens", "completion_tokens", "total_tokens"))
    (choice,) = answer["choices"]
    assert (choice["index"], choice["finish_reason"], choice["message"]["role"]) == (0, "stop", "assistant")
    assert choice["message"]["content"] == "Hello there"


@readers
@pytest.mark.parametrize("content", ["Hello there", "Grüße, 世界! 🚀\r\n\u2028 data: \\u0000", ""])
def test_a_stream_is_read_to_its_end(call, headers, read, content):
    status, received, text = call("POST", "/models/chat/completions", headers, body(messages=messages(content), stream=True, model="mock"))
    chunks = read(text)

    assert status == 200
    assert re.fullmatch(r"text/event-stream(; charset=utf-8)?", received["Content-Type"])
    assert "Content-Encoding" not in received
    assert "".join(c["choices"][0]["delta"].get("content") or "" for c in chunks) == content
    assert chunks[0]["choices"][0]["delta"]["role"] == "assistant"
    assert [bool(c["choices"][0]["finish_reason"]) for c in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1]["usage"]["total_tokens"] > 0


@readers
def test_a_streamed_tool_call_is_joined(call, headers, read):
    asked = body(stream=True, tools=[WEATHER.as_dict(), CLOCK.as_dict()], tool_choice="required")
    calls = [c for chunk in read(call("POST", "/chat/completions", headers, asked)[2]) for c in chunk["choices"][0]["delta"].get("tool_calls", [])]

    assert all(isinstance(c["function"].get("arguments", ""), str) for c in calls)
    assert [c["id"] for c in calls if c.get("id")] == [calls[0]["id"]]
    assert json.loads("".join(c["function"].get("arguments", "") for c in calls)) == {"city": "", "days": 1, "unit": "C"}


@clients
@pytest.mark.parametrize("content", [{}, {"content": ""}, {"content": None}], ids=["absent", "empty", "null"])
def test_a_call_comes_back_with_its_result(call, headers, content):
    """Java sends empty content beside tool calls, .NET none or null, both with the type last."""
    asked = {"function": {"name": "get_time", "arguments": "{}"}, "id": "call_7", "type": "function"}
    history = [*messages(), {**content, "tool_calls": [asked], "role": "assistant"}, {"content": "noon", "tool_call_id": "call_7", "role": "tool"}]
    status, _, text = call("POST", "/chat/completions", headers, body(messages=history, tools=[CLOCK.as_dict()], tool_choice="auto"))

    assert status == 200, text
    assert json.loads(text)["choices"][0]["message"]["content"] == "Hello there"


def test_net_passes_its_additional_properties_through(call):
    headers = {**NET, "extra-parameters": "pass-through"}
    status, _, text = call("POST", "/chat/completions", headers, body(n=2, seed=None, stop=None, response_format={"type": "text"}))

    assert status == 200, text
    assert len(json.loads(text)["choices"]) == 2


@pytest.mark.parametrize(
    ("word", "status", "code"), [("error", 400, "extra_parameters_not_allowed"), ("drop", 200, None), ("pass-through", 422, "Invalid input")]
)
def test_java_says_by_an_option_what_becomes_of_extras(call, word, status, code):
    got, headers, text = call("POST", "/chat/completions", {**JAVA, "extra-parameters": word}, body(foo="bar"))

    assert got == status
    assert headers["x-ms-error-code"] == code
    assert (json.loads(text).get("error") or {}).get("code") == code


@clients
def test_content_types_with_a_charset_and_none_at_all(call, headers):
    for spelled in "application/json; charset=UTF-8", "application/json;charset=utf-8", 'application/json; charset="utf-8"', "Application/JSON", None:
        sent = {name: value for name, value in {**headers, "Content-Type": spelled}.items() if value}
        assert call("POST", "/chat/completions", sent, body())[0] == 200, spelled


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"Authorization": KEY}, 200),
        ({"Authorization": f"bearer  {KEY}"}, 200),
        ({"api-key": KEY}, 200),
        ({"API-Key": KEY, "Authorization": "Bearer "}, 200),
        ({"api-key": "", "Authorization": f"Bearer {KEY}"}, 200),
        ({"api-key": "wrong", "Authorization": KEY}, 200),
        ({"api-key": KEY, "Authorization": "Bearer a.b.c"}, 200),
        ({"Authorization": f"Basic {KEY}"}, 401),
        ({"Authorization": f"{KEY} {KEY}"}, 401),
        ({"api-key": KEY[:-1]}, 401),
        ({"api-key": KEY + " x"}, 401),
        ({"x-api-key": ""}, 401),
        ({}, 401),
    ],
)
def test_any_right_key_suffices_and_nothing_less(call, sent, status):
    got, headers, text = call("POST", "/chat/completions", {"Content-Type": "application/json", **sent}, body())

    assert got == status
    if status == 401:
        assert headers["WWW-Authenticate"] == "Bearer"
        assert headers["x-ms-error-code"] == "401"
        assert json.loads(text)["message"].startswith("Auth token validation failed")


@clients
@pytest.mark.parametrize(
    ("path", "sent", "status", "code"),
    [
        ("/chat/completions", {"api-key": "no", "Authorization": "no"}, 401, "401"),
        ("/deployments/nobody/chat/completions", {}, 404, "DeploymentNotFound"),
        ("/chat/completions/chat/completions", {}, 404, "404"),
    ],
)
def test_an_error_names_its_code_in_both_places(call, headers, path, sent, status, code):
    """.NET reads error.code and falls back to the header; both map 401 and 404 to exceptions of their own."""
    got, received, text = call("POST", path, {**headers, **sent}, body())
    error = json.loads(text)["error"]

    assert got == status
    assert error["code"] == received["x-ms-error-code"] == code
    assert isinstance(error["message"], str)
    assert isinstance(error["details"], list)
    assert received["x-ms-client-request-id"] == ID
    assert received["x-request-id"]


@clients
def test_embeddings_are_lists_of_numbers(call, headers):
    asked = json.dumps({"input": ["Hello", "there"], "dimensions": 4, "input_type": "query"}).encode()
    status, _, text = call("POST", "/models/embeddings", headers, asked)
    answer = json.loads(text)

    assert status == 200
    assert isinstance(answer["id"], str)
    assert isinstance(answer["model"], str)
    assert [(d["index"], [type(x) for x in d["embedding"]]) for d in answer["data"]] == [(0, [float] * 4), (1, [float] * 4)]
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] == 2


@clients
def test_info_has_all_three_strings(call, headers):
    status, _, text = call("GET", "/info", {n: v for n, v in headers.items() if n != "Content-Type"})

    assert status == 200
    assert json.loads(text) == {"model_name": "mock", "model_type": "chat_completion", "model_provider_name": "Ingot"}


@pytest.mark.parametrize("path", ["//chat/completions", "/models//chat/completions", "/chat/completions/", "/models/chat/completions//"])
def test_slashes_too_many_cost_nobody_a_redirect(call, path):
    status, headers, text = call("POST", path, NET, body(model="mock"))

    assert status == 200, text
    assert "Location" not in headers


def test_the_last_of_two_api_versions_counts(call):
    versions = "?api-version=zzz&api-version=2025-04-01"
    status, _, text = call("POST", "/deployments/mock-reasoning/chat/completions", NET, body(), version=versions)

    assert status == 200
    assert json.loads(text)["choices"][0]["message"]["content"] == "Hello there"
