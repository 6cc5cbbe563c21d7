"""Limits of requests and of tokens, as each SDK is told of them at each door."""

import openai
import pytest
from azure.core.exceptions import HttpResponseError

import openai_sdk
import sdk as flavours
from answers import joined, user
from conftest import SCHEMES, serve
from test_openai_chat import HELLO

# A minute of each key is enough for one test only, so that each has its own.
DOORS = ["", "/models", "/inference", "/openai/deployments/mock", *openai_sdk.DOORS]
CONFIG = "keys:\n" + "".join(
    f"  - {{name: {kind}-{n}, key: {kind}-{n}-key-of-the-tests, {kind}_per_minute: {limit}}}\n"
    for kind, limit in (("requests", 2), ("tokens", 60))
    for n in range(2 * len(DOORS))
)
CONFIG += "models:\n  mock: {provider: mock}\n  shared: {provider: mock, requests_per_minute: 1}\n"


@pytest.fixture(scope="module")
def limited_server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("limited")
    (folder / "ingot.yaml").write_text(CONFIG)
    yield from serve(folder, "--config", folder / "ingot.yaml")


@pytest.fixture(params=[(n, door) for n, door in enumerate(DOORS)], ids=lambda case: case[1] or "/")
def ask(request, limited_server):
    """Asks at a door with a key of its own and returns the headers of the answer or the refusal, and its class."""
    n, door = request.param
    made = []

    def ask(kind, stream, max_tokens=10, **options):
        key = f"{kind}-{2 * n + stream}-key-of-the-tests"
        if door in openai_sdk.DOORS:
            made.append(openai_sdk.Sync(limited_server, SCHEMES[stream], door, key))
            call = made[-1].client(**options).chat.completions.with_raw_response.create
            try:
                raw = call(model="mock", messages=HELLO, max_tokens=max_tokens, stream=stream)
            except openai.RateLimitError as refused:
                return refused.response.headers, refused
            if stream:
                list(raw.parse())
            return raw.headers, None
        made.append(flavours.Sync(limited_server, SCHEMES[stream], key))
        seen = []
        client = made[-1].chat(door, model="mock", retry_total=0, **options)
        try:
            result = client.complete(messages=user("Hello there, world"), max_tokens=max_tokens, stream=stream, raw_response_hook=seen.append)
        except HttpResponseError as refused:
            return refused.response.headers, refused
        if stream:
            joined(result)
        return seen[-1].http_response.headers, None

    yield ask
    for clients in made:
        clients.close()


streams = pytest.mark.parametrize("stream", [False, True])


@streams
def test_requests_are_counted_down_to_a_refusal(ask, stream):
    left = []
    for _ in range(2):
        headers, refused = ask("requests", stream)
        assert refused is None
        assert headers["x-ratelimit-limit-requests"] == "2"
        left.append(headers["x-ratelimit-remaining-requests"])
    headers, refused = ask("requests", stream)

    assert left == ["1", "0"]
    assert refused.status_code == 429
    assert headers["x-ratelimit-remaining-requests"] == "0"
    assert 1 <= int(headers["retry-after"]) <= 60
    assert int(headers["retry-after-ms"]) <= 60_000
    if isinstance(refused, openai.RateLimitError):
        assert refused.type in ("requests", "rate_limit_error")  # Azure OpenAI's is always the latter


@streams
def test_tokens_are_reserved_and_settled(ask, stream):
    first, refused = ask("tokens", stream)
    assert refused is None
    assert first["x-ratelimit-limit-tokens"] == "60"
    # Seven of the prompt and four of the answer were used; what had been reserved for a longer one was given back.
    second, refused = ask("tokens", stream)
    assert refused is None
    assert int(second["x-ratelimit-remaining-tokens"]) < int(first["x-ratelimit-remaining-tokens"])
    headers, refused = ask("tokens", stream, max_tokens=45)
    assert refused.status_code == 429
    assert int(headers["retry-after"]) >= 1
    if isinstance(refused, openai.RateLimitError):
        assert refused.type in ("tokens", "rate_limit_error")
    assert ask("tokens", stream)[1] is None


def test_more_than_the_limit_has_at_all_is_no_matter_of_waiting(ask):
    headers, refused = ask("tokens", False, max_tokens=1000)

    assert refused.status_code == 429
    assert headers["x-should-retry"] == "false"
    assert "retry-after" not in headers


def test_a_limit_of_a_model_is_for_all_callers(limited_server):
    made = [flavours.Sync(limited_server, "http", f"requests-{2 * n}-key-of-the-tests") for n in (0, 1)]
    first, second = (m.chat("/deployments/shared", retry_total=0) for m in made)
    refusals = 0
    for client in first, second:
        try:
            client.complete(messages=user("Hi"))
        except HttpResponseError as refused:
            assert refused.status_code == 429
            refusals += 1
    for m in made:
        m.close()

    assert refusals >= 1
