"""Token credentials, over TLS as the SDKs demand, with a local authority in place of Microsoft Entra ID."""

import http.server
import json
import subprocess
import threading
import time
import urllib.parse
from pathlib import Path

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

import examples
import ingot
import openai_sdk
import sdk as flavours
from answers import joined, said, user

ROOT = Path(__file__).resolve().parents[3]
TENANT, USER, STRANGER = (f"11111111-2222-4333-8444-00000000000{n}" for n in range(3))
HELLO = user("Hello")
CONFIGURATION = """
keys: [{{name: other, key: another-key-of-the-tests}}]
entra:
  tenants: [{TENANT}]
  audiences: ["api://ingot"]
  first_party: on
  authority: {authority}
  allow: {{objects: [{USER}]}}
models:
  chat: {{provider: mock}}
  embeds: {{provider: mock, mock: {{behaviour: embedding, dimensions: 12}}}}
"""


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """The address of an authority that gives everybody tokens."""
    binary = tmp_path_factory.mktemp("authority") / "authority"
    subprocess.run(["go", "build", "-o", binary, "./test/entra"], cwd=ROOT, check=True, timeout=300)
    process = subprocess.Popen([binary], stdout=subprocess.PIPE, text=True)
    yield process.stdout.readline().strip()
    process.terminate()
    process.wait(10)
    process.stdout.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory, authority):
    folder = tmp_path_factory.mktemp("entra")
    (folder / "ingot.yaml").write_text(CONFIGURATION.format(TENANT=TENANT, USER=USER, authority=authority))
    server = ingot.Ingot(folder, "--tls", "auto", "--log", "debug", "--config", folder / "ingot.yaml")
    yield server
    status, log = server.stop(), server.log.read_text()
    assert status == 0, log
    assert f"caller=entra:{TENANT}/{USER}" in log
    assert "eyJ" not in log, "a token is in the log"


class Asking:
    """A credential that asks the authority for a token of the scope, as DefaultAzureCredential asks Entra ID."""

    def __init__(self, authority, **claims):
        self.scopes, self._authority, self._claims = [], authority, {"tid": TENANT, "oid": USER, "version": "1.0", **claims}

    def token(self, scope):
        claims = {"aud": scope.removesuffix("/.default"), **self._claims}
        answer = requests.get(self._authority + "/token", params=claims, timeout=10)
        answer.raise_for_status()
        return answer.text

    def get_token(self, *scopes, **options):
        self.scopes.append(scopes)
        return AccessToken(self.token(scopes[0]), int(time.time()) + 3600)


class AsyncAsking(flavours.AsyncToken):
    """The same for asynchronous clients."""

    def __init__(self, *arguments, **claims):
        self._asking = Asking(*arguments, **claims)
        self.scopes = self._asking.scopes

    async def get_token(self, *scopes, **options):
        return self._asking.get_token(*scopes)


@pytest.fixture(params=["sync", "async"])
def sdk(request, server):
    made = {"sync": flavours.Sync, "async": flavours.Async}[request.param](server, "https", None)
    yield made
    made.close()


@pytest.fixture
def credential(sdk, authority):
    """Makes credentials that suit the clients."""
    made = AsyncAsking if isinstance(sdk, flavours.Async) else Asking
    return lambda **claims: made(authority, **claims)


def test_the_token_that_clients_ask_for_by_themselves_admits(sdk, credential):
    who = credential()
    client = sdk.chat(credential=who)

    assert said(client.complete(messages=HELLO)) == "Hello"
    assert joined(list(client.complete(messages=HELLO, stream=True))) == "Hello"
    assert set(who.scopes) == {("https://ml.azure.com/.default",)}
    assert len(sdk.embeddings(credential=credential()).embed(input=["Hello"], model="embeds").data[0].embedding) == 12
    assert said(sdk.load(credential=credential()).complete(messages=HELLO)) == "Hello"


@pytest.mark.parametrize("scope", ["api://ingot/.default", "https://cognitiveservices.azure.com/.default", "https://ai.azure.com/.default"])
def test_so_do_tokens_of_the_scopes_that_callers_name(sdk, credential, scope):
    for version in "1.0", "2.0":
        who = credential(version=version)
        assert said(sdk.chat("/models", credential=who, credential_scopes=[scope]).complete(messages=HELLO, model="chat")) == "Hello"
        assert who.scopes == [(scope,)]


@pytest.mark.parametrize("claims", [{"expires_in": "-900"}, {"tid": STRANGER}, {"aud": "https://graph.microsoft.com"}], ids=lambda claims: next(iter(claims)))
def test_a_token_that_is_not_valid_is_refused(sdk, credential, claims):
    with pytest.raises(ClientAuthenticationError) as refused:
        sdk.chat(credential=credential(**claims)).complete(messages=HELLO)

    assert refused.value.status_code == 401
    assert "auth token validation failed" in refused.value.message.lower()
    assert refused.value.response.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize("base, status", [("", 403), ("/models", 401)])
def test_whoever_may_not_call_is_told_so(sdk, credential, base, status):
    with pytest.raises(HttpResponseError) as refused:
        sdk.chat(base, credential=credential(oid=STRANGER)).complete(messages=HELLO, model="chat")

    assert (refused.value.status_code, refused.value.error.code) == (status, "PermissionDenied")


@pytest.mark.parametrize("flavour", ["sync", "async"])
@pytest.mark.parametrize("door", openai_sdk.DOORS)
def test_the_openai_sdk_comes_with_tokens_too(server, authority, flavour, door):
    made = {"sync": openai_sdk.Sync, "async": openai_sdk.Async}[flavour](server, "https", door, "unused")
    token = Asking(authority).token("https://cognitiveservices.azure.com/.default")
    options = {"key": token}
    if door == "azure":
        options = {"azure_ad_token_provider": lambda: token, "api_key": None}
    answer = made.client(**options).chat.completions.create(model="chat", messages=[{"role": "user", "content": "Hello"}])
    made.close()

    assert answer.choices[0].message.content == "Hello"


@pytest.fixture
def identity(authority):
    """The address of a managed identity as App Service has it, and what it was asked for."""
    asked, credential = [], Asking(authority)

    class Identity(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
            asked.append((self.headers["X-IDENTITY-HEADER"], query["resource"][0]))
            token = {"access_token": credential.token(query["resource"][0]), "expires_on": str(int(time.time()) + 3600), "token_type": "Bearer"}
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(token).encode())

        def log_message(self, *details):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Identity) as listening:
        threading.Thread(target=listening.serve_forever).start()
        yield f"http://127.0.0.1:{listening.server_port}/token", asked
        listening.shutdown()


def test_the_sample_comes_with_a_managed_identity(server, identity):
    address, asked = identity
    trust = {"INGOT_ENDPOINT": server.at("https"), "REQUESTS_CA_BUNDLE": str(server.ca)}
    said = examples.run("entra", IDENTITY_ENDPOINT=address, IDENTITY_HEADER="secret", **trust)

    assert said == "What is the capital of France?\n"
    assert asked == [("secret", "https://ml.azure.com")]
