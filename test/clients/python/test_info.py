"""/info, and load_client, which builds on it."""

import pytest
from azure.ai.inference.models import UserMessage
from azure.core.exceptions import ResourceNotFoundError

import sdk as flavours

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
