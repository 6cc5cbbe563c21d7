"""What the clients of chats, of embeddings and of images have in common."""

import pytest
from azure.core.rest import HttpRequest

from answers import VERSION, Sent

MODELS = {"chat": "mock", "embeddings": "mock-embedding", "images": "mock-image-embedding"}


@pytest.fixture(params=MODELS)
def client(request, sdk):
    """Each of the three, of the deployment that suits it."""
    sent = Sent()
    made = getattr(sdk, request.param)(f"/deployments/{MODELS[request.param]}", raw_request_hook=sent)
    made.wanted, made.sent = MODELS[request.param], sent
    return made


def test_a_client_knows_its_model_and_shows_it(client):
    assert client.wanted not in str(client)
    assert client.get_model_info() is client.get_model_info()
    assert len(client.sent.requests) == 1
    assert f"'model_name': '{client.wanted}'" in str(client)


def test_a_client_is_a_context_manager_and_may_be_closed_again(client):
    with client:
        assert client.get_model_info().model_name == client.wanted
    client.close()


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_sends_requests_of_the_callers(client, stream):
    response = client.send_request(HttpRequest("GET", "{endpoint}/info" + VERSION), stream=stream)
    response.read()

    assert (response.status_code, response.json()["model_name"]) == (200, client.wanted)
    response.close()
