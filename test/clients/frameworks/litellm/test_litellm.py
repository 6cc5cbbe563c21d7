"""LiteLLM as a client: its providers azure_ai, azure and openai."""

import litellm
import pytest
from pydantic import BaseModel

from conftest import named

PACKAGE = "litellm"
HELLO = [{"role": "user", "content": "Hello there"}]
VERSION = "2024-10-21"

AZURE_AI = [("azure_ai", a) for a in ("", "/models", "/inference", "/deployments/{name}", "/openai/deployments/{name}")]
OPENAI = [("openai", a) for a in ("/v1", "/openai/v1", "/inference", "/inference/v1")]
AZURE = [("azure", "/openai")]


def title(case):
    return f"{case[0]} at {case[1] or '/'}"


@pytest.fixture(params=AZURE_AI + OPENAI + AZURE, ids=title)
def door(request):
    """A provider's name and the address."""
    return request.param


@pytest.fixture
def call(door, url, key, ask):
    """Calls a function of litellm, or its asynchronous twin."""

    async def call(function, model, key=key, **options):
        place = {"api_base": url, "api_version": VERSION} if door in AZURE else {"api_base": url + named(door[1], model)}
        return await ask(litellm, function, model=f"{door[0]}/{model}", api_key=key, num_retries=0, max_retries=0, **place, **options)

    return call


class Mass(BaseModel):
    """A mass."""

    grams: float
    label: str


WEIGH = {
    "type": "function",
    "function": {
        "name": "weigh",
        "description": "Weighs a thing.",
        "parameters": {"type": "object", "properties": {"thing": {"type": "string"}}, "required": ["thing"]},
    },
}


async def test_a_chat_is_answered_with_its_usage(call, door, note):
    answer = await call("completion", "mock", messages=HELLO)

    assert answer.choices[0].message.content == "Hello there"
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (5, 2)
    note(PACKAGE, door[1], "chat/completions")


async def test_a_chat_is_streamed_with_its_usage(call, door, note):
    chunks = await call("completion", "mock", messages=HELLO, stream=True, stream_options={"include_usage": True})

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "Hello there"
    usage = [chunk.usage for chunk in chunks if getattr(chunk, "usage", None)]
    assert (usage[-1].prompt_tokens, usage[-1].completion_tokens) == (5, 2)
    note(PACKAGE, door[1], "chat/completions, streamed")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_tool_is_called_and_its_result_told(call, door, note, stream):
    said = [{"role": "user", "content": "Weigh it"}]
    answer = await call("completion", "calls", messages=said, tools=[WEIGH], stream=stream)
    if stream:
        answer = litellm.stream_chunk_builder(answer)
    [made] = answer.choices[0].message.tool_calls
    assert (made.function.name, made.function.arguments) == ("weigh", '{"thing":""}')
    assert answer.choices[0].finish_reason == "tool_calls"

    result = {"role": "tool", "tool_call_id": made.id, "content": "7 grams"}
    last = await call("completion", "calls", messages=[*said, answer.choices[0].message, result], tools=[WEIGH])
    assert last.choices[0].message.content == "Weigh it"
    note(PACKAGE, door[1], "chat/completions with tools")


async def test_an_answer_fills_a_model_of_pydantic(call, door, note):
    answer = await call("completion", "mock", messages=HELLO, response_format=Mass)

    assert Mass.model_validate_json(answer.choices[0].message.content) == Mass(grams=0, label="")
    note(PACKAGE, door[1], "chat/completions with a schema")


async def test_a_picture_is_shown(call, door, note):
    red = "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP8z4AdMOEQH6QSAM1BAQ/oQeJvAAAAAElFTkSuQmCC"
    content = [{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64," + red}}]
    answer = await call("completion", "mock", messages=[{"role": "user", "content": content}])

    assert answer.choices[0].message.content == "What is this?"
    assert answer.usage.prompt_tokens > 7
    note(PACKAGE, door[1], "chat/completions with images")


async def test_thoughts_are_told_from_the_answer(call):
    answer = await call("completion", "mock-reasoning", messages=HELLO)

    assert answer.choices[0].message.content == "Hello there"
    assert answer.choices[0].message.reasoning_content == "The answer is what was said."


async def test_texts_are_embedded(call, door, note):
    answer = await call("embedding", "mock-embedding", input=["Hello", "there"])

    assert [len(d["embedding"]) for d in answer.data] == [384, 384]
    assert answer.usage.prompt_tokens == 2
    note(PACKAGE, door[1], "embeddings")


@pytest.mark.parametrize("door", OPENAI, ids=title)
async def test_a_text_is_completed(call, door, note):
    answer = await call("text_completion", "mock", prompt="Hello there")

    assert answer.choices[0].text == "Hello there"
    note(PACKAGE, door[1], "completions")


@pytest.mark.parametrize("door", OPENAI[:2] + OPENAI[3:] + AZURE, ids=title)
async def test_the_responses_api_answers(call, door, note):
    answer = await call("responses", "mock", input="Hello there")

    assert answer.output[-1].content[0].text == "Hello there"
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (5, 2)
    note(PACKAGE, door[1], "responses")


async def test_a_wrong_key_is_an_error_of_authentication(call):
    with pytest.raises(litellm.AuthenticationError) as refused:
        await call("completion", "mock", key="wrong", messages=HELLO)
    assert refused.value.status_code == 401


async def test_a_model_that_does_not_chat_is_not_found(call):
    with pytest.raises(litellm.NotFoundError) as refused:
        await call("completion", "mock-embedding", messages=HELLO)
    assert refused.value.status_code == 404
    assert "mock-embedding" in str(refused.value)


async def test_a_value_out_of_range_is_told(call):
    # Whatever calls itself an invalid request is a BadRequestError, also where the endpoint answers with 422.
    with pytest.raises(litellm.BadRequestError) as refused:
        await call("completion", "mock", messages=HELLO, temperature=9)
    assert "less than or equal to 2" in str(refused.value)


@pytest.mark.parametrize("door", AZURE_AI[:4], ids=title)
async def test_the_contract_of_a_version_is_kept(call):
    answer = await call("completion", "mock", messages=HELLO, api_version="2024-05-01-preview")
    assert answer.choices[0].message.content == "Hello there"

    chunks = await call("completion", "mock", messages=HELLO, api_version="2024-05-01-preview", stream=True)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Hello there"
