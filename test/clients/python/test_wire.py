"""What no SDK has or shows: text completions, and the bytes of a stream."""

import json

import pytest
import requests

from answers import VERSION, frames, post


@pytest.mark.parametrize("base", ["", "/models", "/deployments/mock"])
def test_completions_answer_each_prompt(mock_url, http, base):
    answer = post(http, mock_url, base, "/completions", prompt=["Once upon a time", "The end"], max_tokens=3, model="mock")

    assert answer.status_code == 200
    body = answer.json()
    assert (body["object"], body["model"]) == ("text_completion", "mock")
    assert body["choices"] == [
        {"index": 0, "text": "Once upon a", "finish_reason": "length", "logprobs": None},
        {"index": 1, "text": "The end", "finish_reason": "stop", "logprobs": None},
    ]
    assert body["usage"] == {"prompt_tokens": 6, "completion_tokens": 5, "total_tokens": 11}


def test_completions_stop_after_256_tokens_unless_told_otherwise(mock_url, http):
    answer = post(http, mock_url, "/deployments/mock-long", "/completions", prompt="go").json()

    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 256


def test_completions_stream_in_the_same_shape(mock_url, http):
    answer = post(http, mock_url, "", "/completions", prompt="one two", stop=" three", seed=1, stream=True)
    *chunks, done = frames(answer.text)
    chunks = [json.loads(chunk) for chunk in chunks]

    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert done == "[DONE]"
    assert {c["object"] for c in chunks} == {"text_completion"}
    assert "".join(c["choices"][0]["text"] for c in chunks) == "one two"
    assert [c["choices"][0]["finish_reason"] for c in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert chunks[-1]["usage"] == {"prompt_tokens": 2, "completion_tokens": 2, "total_tokens": 4}


def test_completions_refuse_members_of_other_contracts(mock_url, http):
    answer = post(http, mock_url, "", "/completions", prompt="a", echo=True)

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "extra_parameters_not_allowed")


def test_a_stream_is_framed_as_every_client_reads_it(mock_url, http):
    answer = post(http, mock_url, "", "/chat/completions", messages=[{"role": "user", "content": "Hi there"}], stream=True)
    *chunks, done = frames(answer.text)

    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert (answer.headers["Cache-Control"], answer.headers["X-Accel-Buffering"]) == ("no-cache", "no")
    assert done == "[DONE]"
    assert [json.loads(c)["choices"][0]["delta"] for c in chunks] == [
        {"role": "assistant", "content": ""},
        {"content": "Hi"},
        {"content": " there"},
        {"content": ""},
    ]


@pytest.mark.parametrize(("deployment", "error"), [("mock-cut", False), ("breaks", True)])
def test_a_stream_that_broke_never_says_done(mock_url, faulty_url, http, deployment, error):
    url = faulty_url if error else mock_url
    body = {"messages": [{"role": "user", "content": "a b c d e"}], "stream": True}
    answer = http.post(f"{url}/deployments/{deployment}/chat/completions{VERSION}", json=body, stream=True, timeout=60)
    text = ""
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        for piece in answer.iter_content(None):
            text += piece.decode()
    last = json.loads(frames(text)[-1])

    assert answer.status_code == 200
    assert "[DONE]" not in text
    if error:
        assert last["error"]["code"] == "BackendError"
        assert last["error"]["type"] == "server_error"
    else:
        assert last["choices"][0]["delta"] == {"content": " c"}
