"""Samples of GitHub Models' time: the endpoint's address changed, and nothing else."""

import pytest
from azure.ai.inference.models import SystemMessage, UserMessage
from azure.core.exceptions import ClientAuthenticationError

import openai_sdk
import sdk as flavours
from answers import joined, said, user
from conftest import SCHEMES, serve

# Of the form of a personal access token, and of nobody.
TOKEN = "ghp_" + "0123456789abcdefghijklmnopqrstuvwxyz"

CONFIG = """
github_tokens: on
aliases: github-models
models:
  mock: {provider: mock}
  mock-embedding: {provider: mock, mock: {behaviour: embedding}}
"""

CHAT = """openai/gpt-4o-mini openai/gpt-4o openai/gpt-4.1 openai/gpt-5 openai/o1-preview gpt-4o-mini gpt-4o gpt-5.1 mistral-ai/mistral-small-2503
mistral-ai/mistral-large Mistral-large mistral-large-2407 Phi-4 Phi-3.5-MoE-instruct Phi-3-mini-4k-instruct GPT-4O""".split()
EMBEDDING = ["text-embedding-3-small", "openai/text-embedding-3-large", "cohere-embed-v3-english"]


@pytest.fixture(scope="module")
def github_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("github")
    (folder / "ingot.yaml").write_text(CONFIG)
    yield from serve(folder, "--config", folder / "ingot.yaml")


@pytest.fixture(params=["sync", "async"])
def github(request, github_server):
    made = {"sync": flavours.Sync, "async": flavours.Async}[request.param](github_server, SCHEMES[1], TOKEN)
    yield made
    made.close()


@pytest.mark.parametrize("model", CHAT)
def test_the_names_of_that_time_are_answered(github, model):
    client = github.chat("/inference")
    messages = [SystemMessage(""), UserMessage("What is the capital of France?")]
    result = client.complete(messages=messages, model=model, temperature=1.0, max_tokens=1000, top_p=1.0)

    assert (said(result), result.model) == ("What is the capital of France?", "mock")
    assert joined(client.complete(messages=messages, model=model, stream=True)) == "What is the capital of France?"


@pytest.mark.parametrize("model", EMBEDDING)
def test_the_names_of_embedding_models_too(github, model):
    result = github.embeddings("/inference").embed(input=["first phrase", "second phrase"], model=model)

    assert (len(result.data), result.model) == (2, "mock-embedding")


@pytest.mark.parametrize("base", ["", "/inference", "/orgs/acme/inference"])
def test_at_every_address_of_that_time(github, base):
    assert said(github.chat(base, model="openai/gpt-4o").complete(messages=user("Hi"))) == "Hi"


def test_openai_samples_too(github_server):
    made = openai_sdk.Sync(github_server, SCHEMES[1], None, TOKEN)
    chat = made.client(base="/inference").chat.completions
    result = chat.create(model="openai/gpt-4o", messages=[{"role": "user", "content": "Hi"}], n=2, temperature=1)

    assert ([c.message.content for c in result.choices], result.model) == (["Hi", "Hi"], "mock")
    made.close()


def test_what_has_not_the_form_of_a_token_is_no_key(github):
    for key in TOKEN[:-1], "ghp_", "x" + TOKEN:
        with pytest.raises(ClientAuthenticationError):
            github.chat("/inference", key=key, model="openai/gpt-4o").complete(messages=user("Hi"))
