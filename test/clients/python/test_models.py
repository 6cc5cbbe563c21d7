"""The SDK's models: what the endpoint takes and gives keeps its form as a dict and back, and every word of its enumerations has a use."""

import enum
import json

import pytest
from azure.ai.inference import models
from azure.ai.inference.models import (
    AssistantMessage,
    AudioContentFormat,
    AudioContentItem,
    ChatCompletionsToolChoicePreset,
    ChatRequestMessage,
    ChatRole,
    CompletionsFinishReason,
    ContentItem,
    DeveloperMessage,
    EmbeddingEncodingFormat,
    EmbeddingInputType,
    ImageContentItem,
    ImageDetailLevel,
    ImageEmbeddingInput,
    ImageUrl,
    InputAudio,
    JsonSchemaFormat,
    ModelType,
    SystemMessage,
    TextContentItem,
    ToolMessage,
    UserMessage,
)
from azure.core.exceptions import HttpResponseError

from answers import said, user
from pictures import RED, data_url
from test_tools import ASK, CLOCK, WEATHER, named

PUBLIC = [getattr(models, name) for name in models.__all__]


def asked(call):
    """Models of requests, which are sent as they are and as their dicts."""
    seen = [TextContentItem(text="What is this?"), ImageContentItem(image_url=ImageUrl(url=data_url(RED), detail=ImageDetailLevel.LOW))]
    return [
        SystemMessage("Be brief."),
        DeveloperMessage("Be kind."),
        ChatRequestMessage({"role": "user", "content": "Hi"}),
        AssistantMessage("Let me see.", tool_calls=[call]),
        ToolMessage("noon", tool_call_id=call.id),
        UserMessage([*seen, ContentItem({"type": "text", "text": "And why?"})]),
    ]


def parts(thing):
    """A model and all that it is made of."""
    if isinstance(thing, list):
        return [part for item in thing for part in parts(item)]
    if not hasattr(thing, "as_dict"):
        return []
    return [thing, *(part for name in thing for part in parts(getattr(thing, name, None)))]


def test_every_model_keeps_its_form(sdk):
    chat = sdk.chat()
    options = {"messages": ASK, "tools": [WEATHER, CLOCK], "tool_choice": named("get_weather")}
    call = chat.complete(**options).choices[0].message.tool_calls[0]
    messages, picture = asked(call), ImageEmbeddingInput(image=data_url(RED), text="red")
    schema = JsonSchemaFormat(name="n", description="A number.", schema={"type": "integer"}, strict=True)
    again = [type(message)(message.as_dict()) for message in messages]
    assert said(chat.complete(messages=messages)) == said(chat.complete(messages=again)) == "What is this?And why?"

    sent = [*messages, picture, schema, options["tools"], options["tool_choice"], AudioContentItem(input_audio=InputAudio(data="AAAA", format="wav"))]
    received = [
        chat.complete(**options),
        list(chat.complete(**options, stream=True)),
        chat.complete(messages=user("Hi"), response_format=schema),
        sdk.embeddings(dimensions=4).embed(input=["Hi"]),
        sdk.images(dimensions=4).embed(input=[picture]),
        chat.get_model_info(),
    ]
    found = parts([*sent, *received])
    for model in found:
        text = json.dumps(model.as_dict())
        same = type(model)(json.loads(text))
        assert (same, json.dumps(same.as_dict())) == (model, text)
    assert {type(model) for model in found} == {model for model in PUBLIC if hasattr(model, "as_dict")}


def hear(sdk, audio_format):
    sound = AudioContentItem(input_audio=InputAudio(data="AAAA", format=audio_format))
    with pytest.raises(HttpResponseError, match="(?i)audio") as refused:
        sdk.chat().complete(messages=[UserMessage([sound])])
    assert refused.value.status_code == 422


def end(sdk, reason):
    ways = {
        CompletionsFinishReason.STOPPED: {},
        CompletionsFinishReason.TOKEN_LIMIT_REACHED: {"max_tokens": 1},
        CompletionsFinishReason.CONTENT_FILTERED: {"messages": user("say this mock:censor and that")},
        CompletionsFinishReason.TOOL_CALLS: {"tools": [CLOCK], "tool_choice": "required"},
    }
    assert sdk.chat().complete(**{"messages": user("one two"), **ways[reason]}).choices[0].finish_reason is reason


def speak(sdk, role):
    call = {"id": "call_1", "type": "function", "function": {"name": "get_time", "arguments": "{}"}}
    before = [{"role": "assistant", "tool_calls": [call]}] if role is ChatRole.TOOL else []
    more = {"tool_call_id": "call_1"} if role is ChatRole.TOOL else {}
    assert said(sdk.chat().complete(messages=[UserMessage("Hi"), *before, {"role": role, "content": "Hello", **more}])) in ("Hi", "Hello")


def choose(sdk, preset):
    answer = sdk.chat().complete(messages=ASK, tools=[CLOCK], tool_choice=preset).choices[0]
    assert bool(answer.message.tool_calls) == (preset is ChatCompletionsToolChoicePreset.REQUIRED)


def encode(sdk, encoding):
    assert len(sdk.embeddings(dimensions=8).embed(input=["Hi"], encoding_format=encoding).data) == 1


def embed(sdk, input_type):
    assert len(sdk.embeddings(dimensions=8).embed(input=["Hi"], input_type=input_type).data) == 1


def look(sdk, detail):
    picture = ImageContentItem(image_url=ImageUrl(url=data_url(RED), detail=detail))
    assert said(sdk.chat().complete(messages=[UserMessage([picture, TextContentItem(text="Look.")])])) == "Look."


def inform(sdk, kind):
    """Three of the six are what the endpoint says; what the others do has no route here."""
    here = {ModelType.CHAT_COMPLETION: "mock", ModelType.EMBEDDINGS: "mock-embedding", ModelType.IMAGE_EMBEDDINGS: "mock-image-embedding"}
    if kind in here:
        assert sdk.chat(f"/deployments/{here[kind]}").get_model_info().model_type is kind
    else:
        assert kind in (ModelType.IMAGE_GENERATION, ModelType.TEXT_GENERATION, ModelType.AUDIO_GENERATION)


USES = {
    AudioContentFormat: hear,
    ChatCompletionsToolChoicePreset: choose,
    ChatRole: speak,
    CompletionsFinishReason: end,
    EmbeddingEncodingFormat: encode,
    EmbeddingInputType: embed,
    ImageDetailLevel: look,
    ModelType: inform,
}


@pytest.mark.parametrize("word", [word for public in PUBLIC if issubclass(public, enum.Enum) for word in public], ids=str)
def test_every_word_of_an_enumeration_has_a_use(sdk, word):
    USES[type(word)](sdk, word)
