"""The root with the manners of a managed online endpoint, as the inference SDK meets them."""

from collections import Counter

import pytest
import requests
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

import sdk as flavours
from answers import said, user
from conftest import KEY, serve

CONFIG = """
models:
  blue: {provider: mock}
  green: {provider: mock}
  broken: {provider: mock, mock: {fault: {status: 502}}}
endpoint: {name: colours, traffic: {blue: 75, green: 25}, mirror: {green: 10}}
"""


@pytest.fixture(scope="module")
def managed_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("managed")
    (folder / "ingot.yaml").write_text(CONFIG)
    yield from serve(folder, "--config", folder / "ingot.yaml")


@pytest.fixture(params=["sync", "async"])
def managed(request, managed_server):
    made = {"sync": flavours.Sync, "async": flavours.Async}[request.param](managed_server, "https", KEY)
    yield made
    made.close()


def test_traffic_is_split(managed):
    client, seen = managed.chat(), []
    for _ in range(200):
        assert said(client.complete(messages=user("Hi"), raw_response_hook=lambda r: seen.append(r.http_response.headers))) == "Hi"
    counts = Counter(headers["azureml-model-deployment"] for headers in seen)

    assert {headers["azureml-model-group"] for headers in seen} == {"colours"}
    assert set(counts) == {"blue", "green"}
    assert 110 <= counts["blue"] <= 185  # five standard deviations from 150


def test_a_header_chooses(managed):
    seen = []
    client = managed.chat(headers={"azureml-model-deployment": "green"})
    for _ in range(20):
        client.complete(messages=user("Hi"), raw_response_hook=lambda r: seen.append(r.http_response.headers["azureml-model-deployment"]))

    assert seen == ["green"] * 20
    with pytest.raises(ResourceNotFoundError):
        managed.chat(headers={"azureml-model-deployment": "red"}).complete(messages=user("Hi"))


def test_a_model_that_fails_is_a_failed_dependency(managed):
    with pytest.raises(HttpResponseError) as failed:
        managed.chat(headers={"azureml-model-deployment": "broken"}, retry_total=0).complete(messages=user("Hi"))

    assert failed.value.status_code == 424
    assert failed.value.error.code
    assert failed.value.response.headers["ms-azureml-model-error-statuscode"] == "502"
    assert failed.value.response.headers["ms-azureml-model-error-reason"]


def test_score_takes_the_form_of_managed_endpoints(managed_server):
    def score(body):
        return requests.post(managed_server.at("http") + "/score", json=body, headers={"Authorization": f"Bearer {KEY}"}, timeout=10)

    messages = [{"role": "user", "content": "What is this?"}]
    answer = score({"input_data": {"input_string": messages, "parameters": {"max_new_tokens": 3, "temperature": 0.5}}})
    assert (answer.status_code, answer.json()) == (200, {"output": "What is this"})
    assert score({"data": [1, 2]}).status_code == 422
