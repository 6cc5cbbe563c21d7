"""What goes wrong reaches callers of the openai SDK as its classes, with code and member, and is repeated where that helps."""

import httpx2
import openai
import pytest

from test_openai_chat import HELLO, joined

both = pytest.mark.parametrize("stream", [False, True])


def refusal(client, kind, **members):
    with pytest.raises(kind) as caught:
        client.chat.completions.create(**{"model": "mock", "messages": HELLO, **members})
    error = caught.value
    assert error.request_id
    assert isinstance(error.body, dict)
    assert error.message
    return error


@both
def test_a_wrong_key(oai, stream):
    error = refusal(oai.client(key="wrong"), openai.AuthenticationError, stream=stream)

    assert error.status_code == 401
    assert error.response.headers["www-authenticate"].startswith("Bearer")
    if oai.door == "v1":
        assert error.code == "invalid_api_key"


@both
def test_a_model_that_is_not_there(oai, stream):
    error = refusal(oai.client(), openai.NotFoundError, model="nobody", stream=stream)

    assert error.code == {"v1": "model_not_found", "openai-v1": "DeploymentNotFound", "azure": "DeploymentNotFound"}[oai.door]
    assert "nobody" in error.message


@both
@pytest.mark.parametrize(
    ("members", "param", "code"),
    [
        ({"extra_body": {"foo": 1}}, "foo", "unknown_parameter"),
        ({"temperature": 2.5}, "temperature", None),
        ({"messages": []}, "messages", None),
        ({"extra_body": {"data_sources": []}}, "data_sources", "unsupported_parameter"),
        ({"max_tokens": 1, "max_completion_tokens": 1}, None, "invalid_parameter_combination"),
        ({"logit_bias": {"5": 101}}, "logit_bias", None),
        ({"n": 0}, "n", None),
        ({"top_logprobs": 2}, "top_logprobs", None),
        ({"extra_body": {"stop": ["a", "b", "c", "d", "e"]}}, "stop", None),
    ],
)
def test_what_cannot_be_done_is_named(oai, members, param, code, stream):
    error = refusal(oai.client(), openai.BadRequestError, stream=stream, **members)

    assert error.type == "invalid_request_error"
    if code:
        assert error.code == code
    if param:
        assert (error.param or "").startswith(param)
        assert param in error.message


def test_options_of_a_stream_need_a_stream(oai):
    error = refusal(oai.client(), openai.BadRequestError, stream_options={"include_usage": True})

    assert error.param == "stream_options"


def test_a_filtered_prompt(oai):
    error = refusal(oai.client(), openai.BadRequestError, messages=[{"role": "user", "content": "mock:filter"}])

    assert error.code == "content_filter"
    assert error.body["innererror"]["code"] == "ResponsibleAIPolicyViolation"


@pytest.mark.parametrize(
    ("model", "status", "kind"),
    [
        ("limited", 429, openai.RateLimitError),
        ("broken-500", 500, openai.InternalServerError),
        ("broken-502", 502, openai.InternalServerError),
        ("broken-503", 503, openai.InternalServerError),
        ("broken-504", 504, openai.InternalServerError),
        ("broken-403", 403, openai.PermissionDeniedError),
    ],
)
def test_a_failing_model_is_told_by_its_class(faulty_oai, model, status, kind):
    assert refusal(faulty_oai.client(), kind, model=model).status_code == status


def test_retries_are_counted_and_wait_as_they_are_told(faulty_oai):
    client = faulty_oai.client(max_retries=2)
    error = refusal(client, openai.RateLimitError, model="limited")

    assert len(faulty_oai.sent) == 3
    assert [r.headers["x-stainless-retry-count"] for r in faulty_oai.sent] == ["0", "1", "2"]
    assert (error.response.headers["retry-after"], error.response.headers["retry-after-ms"]) == ("1", "20")


def test_a_retry_comes_to_an_answer(faulty_oai):
    client = faulty_oai.client(max_retries=1)
    answers = [client.chat.completions.create(model="hasty", messages=HELLO).choices[0].message.content for _ in range(2)]

    assert answers == ["Hello there, world"] * 2
    assert len(faulty_oai.sent) >= 3


@pytest.mark.parametrize("members", [{"temperature": 3}, {"model": "nobody"}, {"extra_body": {"foo": 1}}])
def test_what_a_repetition_cannot_cure_is_asked_once(oai, members):
    refusal(oai.client(max_retries=2), openai.APIStatusError, **members)

    assert len(oai.sent) == 1


def test_an_error_in_the_middle_of_a_stream_is_raised(faulty_oai):
    received = []
    with pytest.raises(openai.APIError) as broken:
        for chunk in faulty_oai.client().chat.completions.create(model="breaks", messages=HELLO, stream=True):
            received.append(chunk)

    assert joined(received) in ("Hello", "Hello there", "Hello there,")
    assert broken.value.code
    assert not any(c.choices[0].finish_reason for c in received)


def test_a_stream_that_is_cut_is_no_answer(oai):
    received = []
    with pytest.raises((openai.APIError, httpx2.HTTPError)):
        for chunk in oai.client().chat.completions.create(model="mock-cut", messages=HELLO, stream=True):
            received.append(chunk)

    assert not any(c.choices[0].finish_reason for c in received)


def test_silence_ends_by_the_callers_patience(faulty_oai):
    with pytest.raises(openai.APITimeoutError):
        faulty_oai.client().chat.completions.create(model="stalls", messages=HELLO, timeout=0.3)


@pytest.mark.parametrize("path", ["/dance", "/chat/completions/chat/completions"])
def test_a_path_that_is_not_served_says_so(oai_v1, path):
    with pytest.raises(openai.NotFoundError) as refused:
        oai_v1.client().post(path, body={}, cast_to=object)

    assert refused.value.message


def test_limits_are_told_with_each_answer(oai):
    """The key of the mock's limited caller has requests a minute."""
    from conftest import LIMITED_KEY

    raw = oai.client(key=LIMITED_KEY).chat.completions.with_raw_response
    try:
        headers = raw.create(model="mock", messages=HELLO).headers
    except openai.RateLimitError as spent:
        headers = spent.response.headers
        assert headers["retry-after"]

    assert headers["x-ratelimit-limit-requests"] == "5"
    assert 0 <= int(headers["x-ratelimit-remaining-requests"]) < 5
