"""Keys that come and go while a client talks."""

import json
import os
import subprocess
import time

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

from answers import said, user

HELLO = user("Hello")


@pytest.fixture
def keys(faulty_server):
    """Runs `ingot keys` in the endpoint's data folder."""
    environment = {**os.environ, "INGOT_HOME": str(faulty_server.ca.parent.parent)}

    def run(*arguments):
        ran = subprocess.run([os.environ["INGOT_BIN"], "keys", *arguments], env=environment, check=True, capture_output=True, text=True, timeout=30)
        return ran.stdout

    return run


def admits(client, wanted):
    """Waits until the key of client is admitted or not, as wanted: the endpoint learns of a key by a file."""
    start = time.monotonic()
    while time.monotonic() - start < 10:
        try:
            admitted = said(client.complete(messages=HELLO)) == "Hello"
        except ClientAuthenticationError:
            admitted = False
        if admitted == wanted:
            return True
        time.sleep(0.05)
    return False


def test_a_key_admits_from_its_making_to_its_end(faulty, keys):
    name = type(faulty).__name__.lower() + "-" + faulty.scheme
    key = json.loads(keys("create", name, "--json"))["key"]
    client = faulty.chat("/deployments/good", key=key)
    assert admits(client, True)

    stream = faulty.chat("/deployments/slow", key=key).complete(messages=user("go"), stream=True, max_tokens=30)
    next(stream)
    keys("revoke", name)
    assert admits(client, False)
    assert list(stream)[-1].choices[0].finish_reason == "length", "an answer that has begun goes on"


def test_a_key_may_have_a_limit_of_its_own(faulty, keys):
    name = f"limited-{type(faulty).__name__.lower()}-{faulty.scheme}"
    key = json.loads(keys("create", name, "--requests-per-minute", "2", "--json"))["key"]
    client = faulty.chat("/deployments/good", key=key, retry_total=0)
    assert admits(client, True)
    client.complete(messages=HELLO)
    with pytest.raises(HttpResponseError) as refused:
        client.complete(messages=HELLO)

    assert refused.value.status_code == 429
    assert 1 <= int(refused.value.response.headers["Retry-After"]) <= 60
    assert said(faulty.chat("/deployments/good").complete(messages=HELLO)) == "Hello"
