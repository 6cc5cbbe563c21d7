"""Every way in which the SDK takes a request, and what it makes of it on the wire."""

import io
import json

import pytest
from azure.ai.inference.models import (
    AssistantMessage,
    AudioContentItem,
    ChatCompletionsNamedToolChoice,
    ChatCompletionsNamedToolChoiceFunction,
    ChatCompletionsToolCall,
    ChatCompletionsToolChoicePreset,
    ChatCompletionsToolDefinition,
    ChatRequestMessage,
    DeveloperMessage,
    FunctionCall,
    FunctionDefinition,
    ImageContentItem,
    ImageDetailLevel,
    ImageUrl,
    InputAudio,
    JsonSchemaFormat,
    SystemMessage,
    TextContentItem,
    ToolMessage,
    UserMessage,
)
from azure.core.exceptions import HttpResponseError

from answers import Sent, joined, said, user

BODY = {"messages": [{"role": "user", "content": "Hello there"}]}
CLOCK = ChatCompletionsToolDefinition(function=FunctionDefinition(name="get_time", description="Tells the time."))
CITY = JsonSchemaFormat(name="city", schema={"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}, strict=True)

# Each parameter of complete, with what the body holds for it. All together the mock obeys them.
PARAMETERS = {
    "frequency_penalty": (-1.5, -1.5),
    "presence_penalty": (2, 2),
    "temperature": (0.5, 0.5),
    "top_p": (0.25, 0.25),
    "max_tokens": (50, 50),
    "response_format": ("json_object", {"type": "json_object"}),
    "stop": (["never", "said"], ["never", "said"]),
    "tools": ([CLOCK], [{"type": "function", "function": {"name": "get_time", "description": "Tells the time."}}]),
    "tool_choice": (ChatCompletionsToolChoicePreset.NONE, "none"),
    "seed": (-(2**53) - 1, -(2**53) - 1),
    "model": ("mock", "mock"),
}
GIVEN = {name: given for name, (given, _) in PARAMETERS.items()}
WANTED = {name: wanted for name, (_, wanted) in PARAMETERS.items()}


@pytest.mark.parametrize("at", ["client", "call", "both"])
def test_every_parameter_at_the_client_and_at_the_call(sdk, at):
    sent, other = Sent(), {"max_tokens": 1, "temperature": 2, "model": "nobody", "stop": ["{"], "tool_choice": "required"}
    client = sdk.chat("/models", **{"client": GIVEN, "call": {}, "both": {**GIVEN, **other}}[at])
    result = client.complete(messages=user("Hello there"), raw_request_hook=sent, **({} if at == "client" else GIVEN))

    assert sent.body() == {"messages": BODY["messages"], **WANTED}
    assert "extra-parameters" not in sent.requests[0].headers
    assert said(result) == "{}"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    "form",
    [
        lambda body, folder: body,
        lambda body, folder: json.dumps(body).encode(),
        lambda body, folder: io.BytesIO(json.dumps(body).encode()),
        lambda body, folder: file(body, folder),
    ],
    ids=["dict", "bytes", "memory", "file"],
)
def test_a_body_may_be_given_whole(sdk, tmp_path, form, stream):
    # Of a body in bytes the SDK cannot see that it asks for a stream.
    body = form({**BODY, "stream": stream, "max_tokens": 1}, tmp_path)
    result = sdk.chat().complete(body, stream=stream, content_type="application/json; charset=UTF-8")

    assert (joined(result) if stream else said(result)) == "Hello"


def file(body, folder):
    path = folder / "body.json"
    path.write_text(json.dumps(body))
    return path.open("rb")


def test_a_dict_asks_for_a_stream_by_itself(sdk):
    assert joined(sdk.chat().complete({**BODY, "stream": True})) == "Hello there"


def test_a_body_given_whole_meets_none_of_the_clients_defaults(sdk):
    sent = Sent()
    result = sdk.chat(max_tokens=1, model_extras={"n": 2}).complete(BODY, raw_request_hook=sent)

    assert sent.body() == BODY
    assert said(result) == "Hello there"


CALL = ChatCompletionsToolCall(id="call_1", function=FunctionCall(name="get_time", arguments="{}"))
CONVERSATIONS = {
    "positional": [
        SystemMessage("Be brief."),
        DeveloperMessage("Be kind."),
        UserMessage("What time is it?"),
        AssistantMessage("Let me see.", tool_calls=[CALL]),
        ToolMessage("noon", tool_call_id="call_1"),
        UserMessage([TextContentItem(text="And "), TextContentItem(text="now?")]),
    ],
    "keywords": [
        SystemMessage(content="Be brief."),
        DeveloperMessage(content="Be kind."),
        UserMessage(content="What time is it?"),
        AssistantMessage(content="Let me see.", tool_calls=[CALL]),
        ToolMessage(content="noon", tool_call_id="call_1"),
        UserMessage(content=[TextContentItem({"type": "text", "text": "And "}), {"type": "text", "text": "now?"}]),
    ],
    "mappings": [
        SystemMessage({"role": "system", "content": "Be brief."}),
        DeveloperMessage({"role": "developer", "content": "Be kind."}),
        ChatRequestMessage({"role": "user", "content": "What time is it?"}),
        AssistantMessage({"role": "assistant", "content": "Let me see.", "tool_calls": [CALL.as_dict()]}),
        ToolMessage({"role": "tool", "content": "noon", "tool_call_id": "call_1"}),
        UserMessage({"role": "user", "content": [{"type": "text", "text": "And "}, {"type": "text", "text": "now?"}]}),
    ],
}
CONVERSATIONS["dicts"] = [message.as_dict() for message in CONVERSATIONS["positional"]]
CONVERSATIONS["both"] = [*CONVERSATIONS["dicts"][:3], *CONVERSATIONS["keywords"][3:]]


@pytest.mark.parametrize("messages", CONVERSATIONS.values(), ids=CONVERSATIONS)
def test_every_spelling_of_a_conversation_is_the_same(sdk, messages):
    sent = Sent()
    result = sdk.chat().complete(messages=messages, tools=[CLOCK], raw_request_hook=sent)

    assert sent.body()["messages"] == CONVERSATIONS["dicts"]
    assert said(result) == "And now?"
    # Three for each message; 3 + 3 + 5 + 4 + 1 + 4 for the texts, 5 for the call: "get", "_", "time", "{", "}".
    assert result.usage.prompt_tokens == 6 * 3 + 20 + 5


def test_a_call_without_content_and_a_result_without_content(sdk):
    messages = [UserMessage("Ring."), AssistantMessage(tool_calls=[CALL]), ToolMessage(tool_call_id="call_1")]
    sent = Sent()
    result = sdk.chat().complete(messages=messages, raw_request_hook=sent)

    assert [set(m) for m in sent.body()["messages"][1:]] == [{"role", "tool_calls"}, {"role", "tool_call_id"}]
    assert said(result) == "Ring."


@pytest.mark.parametrize(
    ("choice", "wanted", "called"),
    [
        (ChatCompletionsToolChoicePreset.AUTO, "auto", False),
        (ChatCompletionsToolChoicePreset.NONE, "none", False),
        (ChatCompletionsToolChoicePreset.REQUIRED, "required", True),
        ("required", "required", True),
        (
            ChatCompletionsNamedToolChoice(function=ChatCompletionsNamedToolChoiceFunction(name="get_time")),
            {"type": "function", "function": {"name": "get_time"}},
            True,
        ),
        ({"type": "function", "function": {"name": "get_time"}}, {"type": "function", "function": {"name": "get_time"}}, True),
    ],
)
def test_every_spelling_of_a_tool_choice(sdk, choice, wanted, called):
    sent = Sent()
    result = sdk.chat().complete(messages=user("Hi"), tools=[CLOCK], tool_choice=choice, raw_request_hook=sent)

    assert sent.body()["tool_choice"] == wanted
    assert result.choices[0].finish_reason == ("tool_calls" if called else "stop")


@pytest.mark.parametrize(
    ("response_format", "wanted", "answer"),
    [
        ("text", {"type": "text"}, "Hi"),
        ("json_object", {"type": "json_object"}, "{}"),
        (CITY, {"type": "json_schema", "json_schema": CITY.as_dict()}, '{"n":0}'),
        (
            JsonSchemaFormat({"name": "any", "schema": {"enum": ["only"]}, "description": "One."}),
            {"type": "json_schema", "json_schema": {"name": "any", "schema": {"enum": ["only"]}, "description": "One."}},
            '"only"',
        ),
    ],
)
@pytest.mark.parametrize("at", ["client", "call"])
def test_every_spelling_of_a_response_format(sdk, at, response_format, wanted, answer):
    sent, options = Sent(), {"response_format": response_format}
    client = sdk.chat(**(options if at == "client" else {}))
    result = client.complete(messages=user("Hi"), raw_request_hook=sent, **(options if at == "call" else {}))

    assert sent.body()["response_format"] == wanted
    assert said(result) == answer


def test_extras_ask_to_be_passed_through(sdk):
    sent, client = Sent(), sdk.chat(model_extras={"n": 2, "user": "somebody"})
    at_client = client.complete(messages=user("Hi"), raw_request_hook=sent)
    at_call = client.complete(messages=user("Hi"), model_extras={"n": 3}, raw_request_hook=sent)
    none = sdk.chat().complete(messages=user("Hi"), model_extras={}, raw_request_hook=sent)

    assert [len(r.choices) for r in (at_client, at_call, none)] == [2, 3, 1]
    assert [r.headers.get("extra-parameters") for r in sent.requests] == ["pass-through", "pass-through", None]
    assert json.loads(sent.requests[1].content) == {"messages": [{"content": "Hi", "role": "user"}], "n": 3}


@pytest.mark.parametrize(("word", "choices", "dropped"), [("pass-through", 2, None), ("drop", 1, "n"), ("DROP", 1, "n")])
def test_the_header_may_be_given_by_hand(sdk, word, choices, dropped):
    seen = []
    result = sdk.chat().complete({**BODY, "n": 2}, headers={"extra-parameters": word}, raw_response_hook=lambda r: seen.append(r.http_response.headers))

    assert len(result.choices) == choices
    assert seen[0].get("x-ingot-dropped") == dropped


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    return str(path)


@pytest.mark.parametrize(
    ("make", "code", "says"),
    [
        (lambda path: ImageContentItem(image_url=ImageUrl.load(image_file=path, image_format="png", detail=ImageDetailLevel.HIGH)), "Invalid input", "PNG"),
        (lambda path: ImageContentItem(image_url=ImageUrl(url="https://127.0.0.1/a.png")), "Invalid input", "address"),
        (lambda path: AudioContentItem(input_audio=InputAudio.load(audio_file=path, audio_format="mp3")), "parameter_not_supported", "audio"),
    ],
    ids=["file", "address", "audio"],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_part_that_cannot_be_read_is_refused_by_name(sdk, picture, make, code, says, stream):
    messages = [SystemMessage("Look."), UserMessage([TextContentItem(text="What is this?"), make(picture)])]
    with pytest.raises(HttpResponseError) as refused:
        sdk.chat().complete(messages=messages, stream=stream)

    error = refused.value
    assert (error.status_code, error.error.code) == (422, code)
    assert says in error.message
    assert error.response.json()["detail"][0]["loc"][:5] == ["body", "messages", 1, "content", 1]


def test_the_requests_of_the_contracts_example_are_read(sdk):
    """The example of doc/protocol.md §1.4, with the picture left out."""
    sent = Sent()
    result = sdk.chat("/models").complete(
        messages=[
            SystemMessage("Be brief."),
            UserMessage([TextContentItem(text="What is this?")]),
            AssistantMessage(tool_calls=[ChatCompletionsToolCall(id="c1", function=FunctionCall(name="look", arguments="{}"))]),
            ToolMessage("62", tool_call_id="c1"),
        ],
        max_tokens=64,
        stop=["END"],
        seed=5,
        tools=[ChatCompletionsToolDefinition(function=FunctionDefinition(name="look"))],
        tool_choice=ChatCompletionsNamedToolChoice(function=ChatCompletionsNamedToolChoiceFunction(name="look")),
        model="mock",
        model_extras={"n": 1},
        raw_request_hook=sent,
    )

    (request,) = sent.requests
    assert request.url.endswith("/models/chat/completions?api-version=2024-05-01-preview")
    assert request.headers["api-key"] == sdk.key
    assert request.headers["Authorization"] == f"Bearer {sdk.key}"
    assert request.headers["Accept"] == "application/json"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["extra-parameters"] == "pass-through"
    assert request.headers["x-ms-client-request-id"]
    assert request.headers["User-Agent"].startswith("azsdk-python-ai-inference/1.0.0b9 Python/")
    assert json.dumps(sent.body()["messages"][2]["tool_calls"]) in request.content
    assert result.choices[0].finish_reason == "tool_calls"
