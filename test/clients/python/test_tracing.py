"""The SDK's tracing: its spans hold what the endpoint answered, and leave the answers as they were."""

import json

import pytest
from azure.ai.inference.tracing import AIInferenceInstrumentor
from azure.core.exceptions import HttpResponseError
from azure.core.settings import settings
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from answers import Sent, joined, said, user
from test_tools import ASK, WEATHER


@pytest.fixture(scope="session")
def exporter():
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    trace.set_tracer_provider(provider)
    return memory


@pytest.fixture
def spans(exporter):
    """The finished spans by name, while the SDK is instrumented without content."""
    settings.tracing_implementation = "opentelemetry"
    AIInferenceInstrumentor().instrument(enable_content_recording=False)
    exporter.clear()
    yield lambda: {span.name: span for span in exporter.get_finished_spans()}
    AIInferenceInstrumentor().uninstrument()
    settings.tracing_implementation.unset_value()


def events(span):
    return [(event.name, json.loads(event.attributes["gen_ai.event.content"])) for event in span.events]


def test_the_instrumentor_says_what_it_does(spans):
    instrumentor = AIInferenceInstrumentor()

    assert instrumentor.is_instrumented()
    assert not instrumentor.is_content_recording_enabled()
    instrumentor.instrument(enable_content_recording=True)
    assert instrumentor.is_content_recording_enabled()
    instrumentor.uninstrument()
    assert not instrumentor.is_instrumented()


@pytest.mark.parametrize("stream", [False, True])
def test_a_span_describes_the_answer(sdk, spans, stream):
    client = sdk.chat("/models")
    result = client.complete(messages=user("Hello there"), model="mock", max_tokens=9, temperature=1, top_p=0.5, stream=stream)
    if stream:
        updates = list(result)
        assert joined(updates) == "Hello there"
        result = updates[-1]
    span = spans()["chat mock"]
    host, _, port = sdk.url.removeprefix(sdk.scheme + "://").partition(":")

    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is not StatusCode.ERROR
    assert dict(span.attributes) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "az.ai.inference",
        "gen_ai.request.model": "mock",
        "gen_ai.request.max_tokens": 9,
        "gen_ai.request.temperature": 1,
        "gen_ai.request.top_p": 0.5,
        "server.address": host,
        "server.port": int(port),
        "gen_ai.response.id": result.id,
        "gen_ai.response.model": "mock",
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 2,
        "gen_ai.response.finish_reasons": ("stop",),
    }
    assert events(span) == [("gen_ai.choice", {"finish_reason": "stop", "index": 0})]


@pytest.mark.parametrize("stream", [False, True])
def test_content_is_recorded_where_it_is_wanted(sdk, spans, stream):
    AIInferenceInstrumentor().instrument(enable_content_recording=True)
    result = sdk.chat().complete(messages=user("Hello there"), stream=stream)
    assert (joined(result) if stream else said(result)) == "Hello there"

    assert events(spans()["chat"]) == [
        ("gen_ai.user.message", {"role": "user", "content": "Hello there"}),
        ("gen_ai.choice", {"message": {"content": "Hello there"}, "finish_reason": "stop", "index": 0}),
    ]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("content", [False, True])
def test_tool_calls_are_recorded(sdk, spans, stream, content):
    AIInferenceInstrumentor().instrument(enable_content_recording=content)
    result = sdk.chat().complete(messages=ASK, tools=[WEATHER], tool_choice="required", stream=stream)
    if stream:
        list(result)
    span = spans()["chat"]
    (choice,) = [content for name, content in events(span) if name == "gen_ai.choice"]
    (call,) = choice["message"]["tool_calls"]

    assert span.attributes["gen_ai.response.finish_reasons"] == ("tool_calls",)
    assert (choice["finish_reason"], call["type"]) == ("tool_calls", "function")
    assert call["id"].startswith("call_")
    if content:
        assert (call["function"]["name"], json.loads(call["function"]["arguments"])) == ("get_weather", {"city": "", "days": 1, "unit": "C"})
    else:
        assert "get_weather" not in json.dumps(choice)


@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_is_an_error_of_the_span(sdk, spans, stream):
    with pytest.raises(HttpResponseError):
        sdk.chat().complete(messages=user("Hello"), temperature=9, stream=stream)
    span = spans()["chat"]

    assert span.status.status_code is StatusCode.ERROR
    assert "temperature" in span.status.description
    assert span.attributes["error.type"] == "azure.core.exceptions.HttpResponseError"


def test_a_stream_that_is_cut_is_never_a_success(sdk, spans):
    with pytest.raises(HttpResponseError):
        list(sdk.chat("/deployments/mock-cut").complete(messages=user("a b c d e"), stream=True))

    assert all("gen_ai.response.finish_reasons" not in span.attributes for span in spans().values())


def test_other_operations_have_spans_too(sdk, spans):
    sdk.embeddings().embed(input=["Hello"])
    sdk.chat().get_model_info()

    assert {"EmbeddingsClient.embed", "ChatCompletionsClient.get_model_info"} <= set(spans())


@pytest.mark.parametrize(("word", "recorded"), [("true", True), ("True", True), ("false", False), ("", False)])
def test_the_environment_may_say_that_content_is_recorded(spans, monkeypatch, word, recorded):
    monkeypatch.setenv("AZURE_TRACING_GEN_AI_CONTENT_RECORDING_ENABLED", word)
    AIInferenceInstrumentor().instrument()

    assert AIInferenceInstrumentor().is_content_recording_enabled() is recorded


def test_spans_of_the_network_are_named_as_the_caller_likes(sdk, spans):
    client = sdk.embeddings(network_span_namer=lambda request: f"{request.method} to Ingot", tracing_attributes={"mine": "yes"})
    client.embed(input=["Hello"])
    span = spans()["POST to Ingot"]

    assert span.attributes["mine"] == "yes"
    assert span.attributes["http.response.status_code" if "http.response.status_code" in span.attributes else "http.status_code"] == 200


def test_a_request_carries_its_trace(sdk, spans):
    sent = Sent()
    with trace.get_tracer("test").start_as_current_span("mine") as mine:
        sdk.chat().complete(messages=user("Hello"), raw_request_hook=sent)
    span = spans()["chat"]

    assert span.context.trace_id == mine.context.trace_id
    assert f"{mine.context.trace_id:032x}" in sent.requests[0].headers["traceparent"]
