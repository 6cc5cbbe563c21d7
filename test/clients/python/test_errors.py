"""What goes wrong reaches the caller as the SDK's exceptions, with code, message and details."""

import time

import pytest
from azure.ai.inference.models import ImageContentItem, ImageUrl, UserMessage
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError

from answers import Sent
from conftest import LIMITED_KEY

HELLO = [UserMessage(content="Hello")]
both = pytest.mark.parametrize("stream", [False, True])


def refusal(client, kind=HttpResponseError, **options):
    with pytest.raises(kind) as caught:
        client.complete(**{"messages": HELLO, **options})
    assert caught.value.response.headers["x-ms-error-code"] == caught.value.error.code
    assert caught.value.response.headers["x-request-id"]
    return caught.value


@both
@pytest.mark.parametrize("base", ["", "/models", "/deployments/mock", "/deployments/nobody", "/inference"])
def test_a_wrong_key_is_an_authentication_error(sdk, base, stream):
    error = refusal(sdk.chat(base, key="wrong"), ClientAuthenticationError, stream=stream)

    assert error.status_code == 401
    assert "auth token validation failed" in error.message.lower()
    assert error.response.headers["WWW-Authenticate"] == "Bearer"


@both
def test_every_field_of_an_exception_is_filled(sdk, stream):
    error = refusal(sdk.chat(), temperature=8.976, stream=stream)

    assert (error.status_code, error.reason, error.model) == (422, "Unprocessable Entity", None)
    assert str(error).startswith(f"(Invalid input) {error.error.message}\nCode: Invalid input\nMessage: ")
    assert "Exception Details:\t(less_than_equal) Input should be less than or equal to 2" in str(error)
    assert error.error.target == "temperature"
    assert error.error.innererror in (None, {})
    assert error.response.headers["Content-Type"].startswith("application/json")
    assert error.response.headers["x-ms-client-request-id"] == error.response.request.headers["x-ms-client-request-id"]
    assert error.continuation_token is None
    # The reference's own samples read these.
    flat = error.response.json()
    assert (flat["status"], flat["code"], flat["message"]) == (422, "Invalid input", flat["error"]["message"])
    assert [d["loc"] for d in flat["detail"]] == [["body", "temperature"]]


@both
@pytest.mark.parametrize(
    ("break_it", "status"),
    [
        ({"key": "wrong"}, 401),
        ({"base": "/deployments/nobody"}, 404),
        ({"base": "/v9"}, 404),
        ({"model": "nobody", "base": "/models"}, 400),
        ({"top_p": -1}, 422),
    ],
)
def test_no_error_that_a_repetition_cannot_cure_asks_for_one(sdk, stream, break_it, status):
    sent = Sent()
    error = refusal(sdk.chat(**break_it), stream=stream, raw_request_hook=sent)

    assert error.status_code == status
    assert len(sent.requests) == 1
    assert "Retry-After" not in error.response.headers


def test_one_right_key_of_two_suffices(sdk):
    client = sdk.chat(key="wrong", headers={"api-key": sdk.key})

    assert client.complete(messages=HELLO).choices[0].message.content == "Hello"


@pytest.mark.parametrize("authorization", ["Bearer {}", "bearer {}", "{}"])
def test_every_spelling_of_authorization_is_read(mock_url, http, authorization):
    headers = {"api-key": None, "Authorization": authorization.format(http.headers["api-key"])}
    assert http.get(mock_url + "/info", headers=headers).status_code == 200


@both
def test_an_unknown_deployment_is_not_found(sdk, stream):
    for client in sdk.chat("/deployments/nobody"), sdk.chat("/models", headers={"azureml-model-deployment": "nobody"}):
        error = refusal(client, ResourceNotFoundError, stream=stream)

        assert error.status_code == 404
        assert error.error.code == "DeploymentNotFound"
        assert "nobody" in error.message


@both
def test_an_unknown_model_has_its_code(sdk, stream):
    error = refusal(sdk.chat("/models"), model="nobody", stream=stream)

    assert (error.status_code, error.error.code) == (400, "unknown_model")
    assert error.error.message.startswith("Unknown model: nobody")


def test_the_root_ignores_an_unknown_model(sdk):
    assert sdk.chat().complete(messages=HELLO, model="nobody").choices[0].message.content == "Hello"


@pytest.mark.parametrize("address", ["/models/chat/completions", "/v9"])
def test_a_wrong_address_is_not_found(sdk, address):
    error = refusal(sdk.chat(address), ResourceNotFoundError)

    assert error.error.code == "404"
    assert error.error.message.startswith("Resource not found")


@both
@pytest.mark.parametrize(
    ("options", "code", "member"),
    [
        ({"temperature": 8.976}, "less_than_equal", "temperature"),
        ({"top_p": 9.876}, "less_than_equal", "top_p"),
        ({"presence_penalty": 4.567}, "less_than_equal", "presence_penalty"),
        ({"frequency_penalty": -4.567}, "greater_than_equal", "frequency_penalty"),
        ({"max_tokens": -1}, "greater_than_equal", "max_tokens"),
        ({"messages": []}, "too_short", "messages"),
        ({"model_extras": {"foo": "bar"}}, "extra_forbidden", "foo"),
        ({"model_extras": {"max_completion_tokens": 5}, "max_tokens": 5}, None, "max"),
    ],
)
def test_a_value_out_of_range_is_named(sdk, stream, options, code, member):
    error = refusal(sdk.chat(), stream=stream, **options)

    assert (error.status_code, error.error.code) == (422, "Invalid input")
    assert member in error.error.target
    assert member in error.error.message
    (detail,) = error.error.details
    assert detail.code == (code or detail.code)
    (flat,) = error.response.json()["detail"]
    assert set(flat) == {"type", "loc", "msg", "input"}
    assert flat["loc"][0] == "body"
    assert member in flat["loc"][1]
    assert (flat["type"], flat["msg"]) == (detail.code, detail.message)


def test_the_offending_value_comes_back(sdk):
    error = refusal(sdk.chat(), temperature=8.976)

    assert error.response.json()["detail"][0]["input"] == 8.976


def test_an_unknown_member_is_refused_unless_the_header_says_more(sdk):
    body = {"messages": [{"role": "user", "content": "Hello"}], "n": 2}
    sentence = (
        "Extra parameters ['n'] are not allowed when extra-parameters is not set or set to be 'error'. "
        "Set extra-parameters to 'pass-through' to pass to the model."
    )
    for headers in {}, {"extra-parameters": "error"}:
        with pytest.raises(HttpResponseError) as refused:
            sdk.chat().complete(body, headers=headers)

        assert refused.value.status_code == 400
        assert refused.value.error.code == "extra_parameters_not_allowed"
        assert refused.value.error.message == sentence
        assert refused.value.response.json()["detail"] == sentence


def test_an_unknown_word_in_the_header_is_refused(sdk):
    with pytest.raises(HttpResponseError) as refused:
        sdk.chat().complete({"messages": [{"role": "user", "content": "Hello"}]}, headers={"extra-parameters": "ignore"})

    assert refused.value.status_code == 400
    expected = "Unexpected EXTRA_PARAMETERS option ignore, expected options are ['error', 'drop', 'pass-through']"
    assert refused.value.response.json()["detail"] == expected


def test_a_part_that_the_model_cannot_read_is_named(engine):
    image = ImageContentItem(image_url=ImageUrl(url="data:image/png;base64,AA=="))
    error = refusal(engine.chat(), messages=[UserMessage(content=[image])])

    assert (error.status_code, error.error.code) == (422, "parameter_not_supported")
    assert error.response.json()["detail"][0]["loc"][:5] == ["body", "messages", 0, "content", 0]


@both
def test_a_filtered_prompt_has_its_inner_error(sdk, stream):
    error = refusal(sdk.chat(), messages=[UserMessage(content="please mock:filter this")], stream=stream)

    assert (error.status_code, error.error.code) == (400, "content_filter")
    assert error.error.innererror["code"] == "ResponsibleAIPolicyViolation"
    assert error.response.json()["error"]["param"] == "prompt"


def test_a_prompt_beyond_the_context_is_refused_with_both_numbers(sdk):
    error = refusal(sdk.chat(), messages=[UserMessage(content="a " * 132_000)])

    assert (error.status_code, error.error.code) == (400, "context_length_exceeded")
    assert "131072" in error.error.message
    assert any(word in error.error.message for word in ("132003", "132004"))


# The asynchronous transport may drop what arrived just before the connection broke.
PIECES = ["", "a", "a b", "a b c"]


def broken(client):
    said = ""
    with pytest.raises(HttpResponseError):
        for update in client.complete(messages=[UserMessage(content="a b c d e")], stream=True):
            said += update.choices[0].delta.content
    return said


@both
def test_a_stream_that_is_cut_raises(sdk, stream):
    client = sdk.chat("/deployments/mock-cut")
    if not stream:
        assert client.complete(messages=[UserMessage(content="a b c d e")]).choices[0].message.content == "a b c d e"
        return
    assert broken(client) in PIECES


def test_an_error_in_mid_stream_raises(faulty):
    assert broken(faulty.chat("/deployments/breaks")) in PIECES


def test_retry_after_is_honoured(faulty):
    client = faulty.chat("/deployments/waits")
    waits = []
    for _ in range(2):
        start = time.monotonic()
        assert client.complete(messages=HELLO).choices[0].message.content == "Hello"
        waits.append(time.monotonic() - start)
        if max(waits) >= 1:
            break

    assert 1 <= max(waits) < 3


def test_without_retry_after_the_first_refusal_is_final(faulty):
    client = faulty.chat("/deployments/refuses")
    client.complete(messages=HELLO)
    error = refusal(client)

    assert (error.status_code, error.error.code) == (429, "429")
    assert "Retry-After" not in error.response.headers


def test_the_sixth_request_of_the_limited_key_in_a_minute_waits(mock_server, http):
    """Whether it comes over TLS or not."""
    body, headers = {"messages": [{"role": "user", "content": "Hello"}]}, {"api-key": LIMITED_KEY}
    answers = [http.post(mock_server.at(("http", "https")[n % 2]) + "/chat/completions", json=body, headers=headers, timeout=10) for n in range(6)]

    assert [a.status_code for a in answers] == [200] * 5 + [429]
    refused = answers[5]
    seconds = int(refused.headers["Retry-After"])
    assert 1 <= seconds <= 60
    assert (seconds - 1) * 1000 < int(refused.headers["retry-after-ms"]) <= seconds * 1000
    error = refused.json()["error"]
    assert (error["code"], error["status"], refused.headers["x-ms-error-code"]) == ("429", 429, "429")


@pytest.mark.parametrize(
    ("path", "request_", "status", "code"),
    [
        ("/chat/completions", {"data": "{"}, 400, "invalid_json"),
        ("/chat/completions", {"data": "a=b", "headers": {"Content-Type": "multipart/form-data"}}, 415, "UnsupportedMediaType"),
        ("/nothing", {"data": "{}"}, 404, "404"),
        ("/info", {"data": "{}"}, 405, "MethodNotAllowed"),
    ],
)
def test_requests_that_no_sdk_sends(mock_url, http, path, request_, status, code):
    answer = http.post(mock_url + path, **request_)

    assert answer.status_code == status
    assert answer.json()["error"]["code"] == code
    assert answer.headers["x-ms-error-code"] == code
    if status == 405:
        assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"


@both
def test_a_body_that_is_too_large_is_refused_and_not_reset(sdk, stream):
    """The caller reads the refusal only when all is sent."""
    client = sdk.chat(retry_total=0)
    error = refusal(client, messages=[UserMessage("a" * (33 << 20))], stream=stream)

    assert (error.status_code, error.error.code) == (413, "RequestEntityTooLarge")
    assert client.complete(messages=HELLO).choices[0].message.content == "Hello"


def test_more_texts_than_a_deployment_takes_are_refused(sdk):
    with pytest.raises(HttpResponseError, match="2048") as refused:
        sdk.embeddings().embed(input=["a"] * 2049)

    assert (refused.value.status_code, refused.value.error.target) == (422, "input")


@pytest.mark.parametrize("version", ["2024", "v1", "2024-05-01-previe"])
def test_what_is_no_api_version_is_refused_as_unknown(sdk, version):
    error = refusal(sdk.chat(api_version=version), ResourceNotFoundError)

    assert error.error.code == "404"
    assert version in error.message
