"""TLS as a caller meets it who has done what `ingot trust` says, and as one who has not."""

import json
import os
import socket
import ssl
import subprocess
import sys

import certifi
import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

import sdk as flavours
from answers import joined, said, user
from conftest import KEY

CALLER = """
import asyncio, sys
from azure.ai.inference import ChatCompletionsClient
from azure.ai.inference.aio import ChatCompletionsClient as AsyncChatCompletionsClient
from azure.core.credentials import AzureKeyCredential

endpoint, key = sys.argv[1:]

async def later():
    async with AsyncChatCompletionsClient(endpoint, AzureKeyCredential(key)) as client:
        return await client.complete(messages=[{"role": "user", "content": "async"}])

with ChatCompletionsClient(endpoint, AzureKeyCredential(key)) as client:
    for answer in client.complete(messages=[{"role": "user", "content": "sync"}]), asyncio.run(later()):
        print(answer.choices[0].message.content)
"""
VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")


@pytest.fixture
def trust(mock_server):
    """What `ingot trust --json` says in the endpoint's data folder."""
    environment = {**os.environ, "INGOT_HOME": str(mock_server.ca.parent.parent)}
    return json.loads(subprocess.run([os.environ["INGOT_BIN"], "trust", "--json"], env=environment, check=True, capture_output=True, timeout=30).stdout)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_caller_who_trusts_the_bundle_is_answered(mock_server, trust, host):
    endpoint = mock_server.at("https").replace("127.0.0.1", host)
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    environment |= {"REQUESTS_CA_BUNDLE": trust["bundle"], "SSL_CERT_FILE": trust["bundle"]}
    ran = subprocess.run([sys.executable, "-c", CALLER, endpoint, KEY], env=environment, capture_output=True, text=True, timeout=60)

    assert (ran.stdout.split(), ran.returncode) == (["sync", "async"], 0), ran.stderr
    assert trust["ca"] == str(mock_server.ca)


@pytest.fixture(params=["sync", "async"])
def stranger(request, mock_server):
    """Clients over TLS that trust what the world trusts."""
    made = {"sync": flavours.Sync, "async": flavours.Async}[request.param](mock_server, "https", KEY)
    yield made
    made.close()


def test_a_caller_who_trusts_nobody_here_sends_nothing(stranger):
    with pytest.raises((ServiceRequestError, ServiceResponseError), match="(?i)certificate"):
        stranger.chat(connection_verify=certifi.where(), retry_total=0).complete(messages=user("Hello"))
    assert said(stranger.chat().complete(messages=user("Hello"))) == "Hello"


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_caller_who_checks_nothing_is_answered(stranger):
    assert joined(stranger.chat(connection_verify=False).complete(messages=user("Hello"), stream=True)) == "Hello"


@pytest.mark.parametrize(("offered", "spoken"), [(["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1"), ([], None)])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_versions_and_protocols(mock_server, version, offered, spoken):
    assert shake(mock_server, version, offered) == (version.name.replace("_", "."), spoken)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_older_versions_are_refused(mock_server):
    with pytest.raises(ssl.SSLError):
        shake(mock_server, ssl.TLSVersion.TLSv1_1, [])


def shake(server, version, offered):
    context = ssl.create_default_context(cafile=str(server.ca))
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    if offered:
        context.set_alpn_protocols(offered)
    host, _, port = server.address.partition(":")
    with socket.create_connection((host, int(port)), 10) as plain, context.wrap_socket(plain, server_hostname="localhost") as secure:
        return secure.version(), secure.selected_alpn_protocol()
