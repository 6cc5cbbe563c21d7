"""/info, and load_client, which builds on it."""

import pytest
from azure.ai.inference.models import UserMessage
from azure.core.exceptions import ResourceNotFoundError

import sdk as flavours
from answers import Sent

CHAT, EMBEDDINGS = "ChatCompletionsClient", "EmbeddingsClient"


@pytest.mark.parametrize(
    ("base", "deployment", "kind", "name", "type_"),
    [
        ("", None, CHAT, "mock", "chat_completion"),
        ("/models", None, CHAT, "mock", "chat_completion"),
        ("/deployments/mock-reasoning", None, CHAT, "mock-reasoning", "chat_completion"),
        ("/deployments/mock-embedding", None, EMBEDDINGS, "mock-embedding", "embeddings"),
        ("", "mock-embedding", EMBEDDINGS, "mock-embedding", "embeddings"),
        ("/models", "mock-long", CHAT, "mock-long", "chat_completion"),
    ],
)
def test_load_client_builds_the_right_client(sdk, base, deployment, kind, name, type_):
    headers = {"azureml-model-deployment": deployment} if deployment else {}
    client = sdk.load(base, headers=headers)

    assert flavours.kind(client) == kind
    info = client.get_model_info()
    assert dict(info) == {"model_name": name, "model_type": type_, "model_provider_name": "Ingot"}
    if kind == CHAT:
        assert client.complete(messages=[UserMessage(content="Hello")], max_tokens=1).model == name
    else:
        assert client.embed(input=["Hello"]).model == name


def test_a_client_asks_once(sdk):
    """Whoever loaded a client knows its model; any other asks at the first need and remembers."""
    sent = Sent()
    client = sdk.chat(raw_request_hook=sent)
    first, second = client.get_model_info(), client.get_model_info()
    loaded = sdk.load(raw_request_hook=sent)
    third = loaded.get_model_info()

    assert first is second
    assert (first.model_name, third.model_name) == ("mock", "mock")
    assert [r.url.removeprefix(sdk.url) for r in sent.requests] == ["/info?api-version=2024-05-01-preview"] * 2
    assert "'model_name': 'mock'" in str(client)


def test_what_was_not_found_is_asked_again(sdk):
    sent = Sent()
    client = sdk.embeddings("/deployments/nobody", raw_request_hook=sent)
    for _ in range(2):
        with pytest.raises(ResourceNotFoundError) as refused:
            client.get_model_info()
        assert "`/info` route not supported" in refused.value.message
        assert refused.value.error.code == "DeploymentNotFound"
        assert "nobody" in refused.value.error.message

    assert len(sent.requests) == 2


@pytest.mark.parametrize(("deployment", "kind", "spelled"), [("good", CHAT, "chat-completion"), ("embeds", EMBEDDINGS, "embedding")])
def test_the_services_spelling_is_loaded_too(faulty, deployment, kind, spelled):
    client = faulty.load(f"/deployments/{deployment}")

    assert flavours.kind(client) == kind
    assert client.get_model_info().model_type == spelled


def test_a_loaded_client_has_the_options_it_was_given(sdk):
    client = sdk.load("/models", max_tokens=1, headers={"azureml-model-deployment": "mock-long"}, api_version="2025-04-01")
    sent = Sent()

    assert client.complete(messages=[UserMessage("go")], raw_request_hook=sent).choices[0].message.content == "1"
    assert sent.requests[0].url.endswith("api-version=2025-04-01")


def test_load_client_says_that_a_deployment_is_not_there(sdk):
    with pytest.raises(ResourceNotFoundError):
        sdk.load("/deployments/nobody")


def test_the_header_selects_on_every_operation(sdk):
    headers = {"azureml-model-deployment": "mock-long"}
    for base in "", "/models":
        chat = sdk.chat(base, headers=headers).complete(messages=[UserMessage(content="go")], max_tokens=3)
        assert (chat.model, chat.choices[0].message.content) == ("mock-long", "1 2 3")
    embedded = sdk.embeddings("/models", headers={"azureml-model-deployment": "mock-embedding"}).embed(input=["a"], model="mock")
    assert embedded.model == "mock-embedding"


def test_a_model_may_be_named_in_the_query(mock_url, http):
    assert http.get(mock_url + "/models/info?model=mock-embedding&api-version=2025-04-01").json()["model_type"] == "embeddings"
    refused = http.get(mock_url + "/models/info?model=nobody")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "unknown_model")


NAMES = {"openai/gpt-4o-mini": "openai%2Fgpt-4o-mini", "Phi+4:beta@2": "Phi%2B4%3Abeta%402"}


@pytest.mark.parametrize(("name", "escaped"), NAMES.items())
def test_a_deployment_may_have_any_name(faulty, name, escaped):
    question = {"messages": [UserMessage("Hello")]}
    at_path = faulty.chat(f"/deployments/{escaped}")

    assert at_path.complete(**question).model == name
    assert at_path.get_model_info().model_name == name
    assert faulty.chat("/models", model=name).complete(**question).model == name
    assert faulty.chat("/models").complete(**question, model=name.upper()).model == name
    # The SDK puts parameters into the address as they are.
    assert faulty.chat("/models").get_model_info(params={"model": escaped}).model_name == name


def test_a_deployment_with_a_slash_is_named_by_header_too(faulty):
    client = faulty.load("/models", headers={"azureml-model-deployment": "openai/gpt-4o-mini"})

    assert client.complete(messages=[UserMessage("Hello")]).model == "openai/gpt-4o-mini"
