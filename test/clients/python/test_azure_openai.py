"""The inference SDK at a deployment of Azure OpenAI: its answers and its errors are that door's."""

import re

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError

from answers import joined, said, usage, user
from test_tools import ASK, CLOCK

BASE = "/openai/deployments/mock"


def test_a_completion_is_that_doors(sdk):
    result = sdk.chat(BASE, api_version="2024-06-01").complete(messages=user("Hello there, world"), model="ignored")

    assert re.fullmatch(r"chatcmpl-[0-9A-Za-z]+", result.id)
    assert (said(result), result.model, usage(result.usage)) == ("Hello there, world", "mock", (7, 4, 11))


def test_a_stream_has_usage_only_where_it_is_asked_for(sdk):
    client = sdk.chat(BASE)
    updates = list(client.complete(messages=user("Hello there"), stream=True))
    asked = list(client.complete(messages=user("Hello there"), stream=True, model_extras={"stream_options": {"include_usage": True}}))

    assert joined(updates) == joined(asked) == "Hello there"
    assert [u.usage for u in updates] == [None] * len(updates)
    assert updates[-1].choices[0].finish_reason == "stop"
    assert usage(asked[-1].usage) == (5, 2, 7)


def test_a_tool_is_called(sdk):
    result = sdk.chat(BASE).complete(messages=ASK, tools=[CLOCK], tool_choice="required")

    assert result.choices[0].finish_reason == "tool_calls"
    assert result.choices[0].message.tool_calls[0].function.name == "get_time"


def test_embeddings_have_no_id(sdk):
    result = sdk.embeddings("/openai/deployments/mock-embedding").embed(input=["Hello", "there"], dimensions=8)

    assert [len(d.embedding) for d in result.data] == [8, 8]
    assert "id" not in result
    assert dict(result.usage) == {"prompt_tokens": 2, "total_tokens": 2}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("options", "kind", "status", "code"),
    [
        ({"key": "wrong"}, ClientAuthenticationError, 401, None),
        ({"base": "/openai/deployments/nobody"}, ResourceNotFoundError, 404, "DeploymentNotFound"),
        ({"temperature": 3}, HttpResponseError, 400, None),
        ({"body": {"foo": 1}}, HttpResponseError, 400, "unknown_parameter"),
    ],
)
def test_errors_are_that_doors(sdk, options, kind, status, code, stream):
    options = {"base": BASE, **options}
    client = sdk.chat(options.pop("base"), key=options.pop("key", None))
    if body := options.pop("body", None):
        call = {"body": {"messages": [{"role": "user", "content": "Hi"}], "stream": stream, **body}}
    else:
        call = {"messages": user("Hi"), "stream": stream, **options}
    with pytest.raises(kind) as refused:
        client.complete(**call)

    assert refused.value.status_code == status
    assert refused.value.error is not None
    assert "detail" not in refused.value.response.json()
    if code:
        assert refused.value.error.code == refused.value.response.headers["x-ms-error-code"] == code


def test_info_is_not_there(sdk):
    with pytest.raises(ResourceNotFoundError) as refused:
        sdk.chat(BASE).get_model_info()

    assert refused.value.error.code == "404"
    assert refused.value.error.message.startswith("Resource not found")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("extensions/chat/completions", {"messages": [{"role": "user", "content": "Hi"}]}),
        ("images/embeddings", {"input": "Hi"}),
    ],
)
def test_what_that_door_never_had_is_not_found(mock_server, http, path, body):
    answer = http.post(mock_server.at("http") + f"{BASE}/{path}?api-version=2024-10-21", json=body)

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "404")


def test_a_deployment_may_have_a_slash_in_its_name(faulty_server, http):
    for name in "openai/gpt-4o-mini", "openai%2Fgpt-4o-mini", "Phi+4:beta@2", "Phi%2B4%3Abeta%402":
        address = faulty_server.at("http") + f"/openai/deployments/{name}/chat/completions?api-version=2024-10-21"
        answer = http.post(address, json={"messages": [{"role": "user", "content": "Hi"}]})
        assert answer.json()["choices"][0]["message"]["content"] == "Hi", name
