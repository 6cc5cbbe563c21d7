"""The endpoints that the tests call, each started once."""

import os
from pathlib import Path

import pytest
import requests

import ingot
import openai_sdk
import sdk as flavours
import surface

surface.watch()

KEY = "key-of-the-tests"
LIMITED_KEY = "limited-key-of-the-tests"

FAULTY = """
models:
  good: {provider: mock}
  waits: {provider: mock, mock: {fault: {status: 429, retry_after: 1s, every: 2}}}
  always: {provider: mock, mock: {fault: {status: 429, retry_after: 1s}}}
  refuses: {provider: mock, mock: {fault: {status: 429, every: 2}}}
  broken-500: {provider: mock, mock: {fault: {status: 500}}}
  broken-502: {provider: mock, mock: {fault: {status: 502}}}
  broken-503: {provider: mock, mock: {fault: {status: 503}}}
  broken-504: {provider: mock, mock: {fault: {status: 504}}}
  broken-403: {provider: mock, mock: {fault: {status: 403}}}
  broken-422: {provider: mock, mock: {fault: {status: 422}}}
  breaks: {provider: mock, mock: {fault: {error: 3}}}
  stalls: {provider: mock, mock: {fault: {stall: 3}}}
  hasty: {provider: mock, mock: {fault: {status: 429, retry_after: 20ms, every: 2}}}
  limited: {provider: mock, mock: {fault: {status: 429, retry_after: 20ms}}}
  slow: {provider: mock, mock: {behaviour: count, tokens_per_second: 50}}
  calls: {provider: mock, mock: {tool_choice_auto: call}}
  embeds: {provider: mock, mock: {behaviour: embedding, dimensions: 12}}
  openai/gpt-4o-mini: {provider: mock}
  "Phi+4:beta@2": {provider: mock}
info: {spelling: service}
"""

KEEPING = """
keys:
  - {name: one, key: "${INGOT_KEY}"}
  - {name: other, key: another-key-of-the-tests}
models:
  mock: {provider: mock}
  slow: {provider: mock, mock: {behaviour: count, tokens_per_second: 50}}
responses: {store: on}
"""

# Both deployments of smollm2 share one engine, of one slot. In alone nobody waits for it.
ENGINE = """
models:
  smollm2: {local: smollm2, threads: 1, slots: 1, context: 2048, keep_alive: forever}
  minilm: {local: minilm, threads: 1, keep_alive: forever}
  alone: {local: smollm2, threads: 1, slots: 1, context: 2048, queue: 0, keep_alive: forever}
"""


def pytest_collection_modifyitems(items):
    """What looks back on the other tests comes last."""
    items.sort(key=lambda item: item.path.name == "test_surface.py")


# What no log may hold: keys, and words of the tests' prompts.
SECRETS = (KEY, LIMITED_KEY, "Hello", "capital of France", "weather")


def serve(folder, *arguments, **environment):
    server = ingot.Ingot(folder, "--tls", "auto", "--log", "debug", *arguments, environment={"INGOT_KEY": KEY, **environment})
    yield server
    status, log = server.stop(), server.log.read_text()
    assert status == 0, log
    assert "panic" not in log
    assert [line for line in log.splitlines() if any(secret in line for secret in SECRETS)] == []


@pytest.fixture(scope="session")
def mock_server(tmp_path_factory):
    """`ingot serve --mock` in a data folder of its own."""
    yield from serve(tmp_path_factory.mktemp("mock"), "--mock", INGOT_LIMITED_KEY=LIMITED_KEY)


@pytest.fixture(scope="session")
def faulty_server(tmp_path_factory):
    """Mock models with the faults of FAULTY."""
    folder = tmp_path_factory.mktemp("faulty")
    (folder / "ingot.yaml").write_text(FAULTY)
    yield from serve(folder, "--config", folder / "ingot.yaml")


@pytest.fixture(scope="session")
def keeping_server(tmp_path_factory):
    """Two callers whose responses are kept."""
    folder = tmp_path_factory.mktemp("keeping")
    (folder / "ingot.yaml").write_text(KEEPING)
    yield from serve(folder, "--config", folder / "ingot.yaml")


@pytest.fixture(scope="session")
def engine_server(tmp_path_factory):
    """smollm2 and minilm on the real engine, which are in the data folder INGOT_HOME."""
    folder = tmp_path_factory.mktemp("engine")
    (folder / "ingot.yaml").write_text(ENGINE)
    (folder / "home").mkdir(0o700)
    for part in "engine", "models":
        (folder / "home" / part).symlink_to(Path(os.environ["INGOT_HOME"], part))
    yield from serve(folder, "--config", folder / "ingot.yaml")


SCHEMES = ["http", "https"]


@pytest.fixture(scope="session", params=SCHEMES)
def scheme(request):
    """With TLS and without, on the same port."""
    return request.param


@pytest.fixture
def mock_url(mock_server, scheme):
    return mock_server.at(scheme)


@pytest.fixture
def faulty_url(faulty_server, scheme):
    return faulty_server.at(scheme)


@pytest.fixture
def engine_url(engine_server):
    return engine_server.at("http")


def flavour(request, server, scheme):
    made = {"sync": flavours.Sync, "async": flavours.Async}[request.param](server, scheme, KEY)
    yield made
    made.close()


@pytest.fixture(params=["sync", "async"])
def sdk(request, mock_server, scheme):
    """Clients of `ingot serve --mock`, in both flavours."""
    yield from flavour(request, mock_server, scheme)


@pytest.fixture(params=["sync", "async"])
def faulty(request, faulty_server, scheme):
    """Clients of the faulty models, in both flavours."""
    yield from flavour(request, faulty_server, scheme)


@pytest.fixture(params=["sync", "async"])
def engine(request, engine_server):
    """Clients of the real engine: the asynchronous flavour over TLS, the other without."""
    yield from flavour(request, engine_server, SCHEMES[-1] if request.param == "async" else SCHEMES[0])


def openai_clients(request, server):
    """Asynchronous ones over TLS, the others without."""
    flavour, door = request.param
    made = {"sync": openai_sdk.Sync, "async": openai_sdk.Async}[flavour](server, SCHEMES[flavour == "async"], door, KEY)
    yield made
    made.close()


EVERY = [(flavour, door) for door in openai_sdk.DOORS for flavour in ("sync", "async")]
V1 = [case for case in EVERY if case[1] != "azure"]
names = {"ids": " ".join}


@pytest.fixture(params=EVERY, **names)
def oai(request, mock_server):
    """Clients of the openai SDK at every door of OpenAI's and Azure OpenAI's, with mock models."""
    yield from openai_clients(request, mock_server)


@pytest.fixture(params=V1, **names)
def oai_v1(request, mock_server):
    """The same at OpenAI's own doors."""
    yield from openai_clients(request, mock_server)


@pytest.fixture(params=EVERY, **names)
def faulty_oai(request, faulty_server):
    """The same with the faulty models."""
    yield from openai_clients(request, faulty_server)


@pytest.fixture(params=V1, **names)
def keeping_oai(request, keeping_server):
    """The same where responses are kept."""
    yield from openai_clients(request, keeping_server)


@pytest.fixture(params=EVERY, **names)
def engine_oai(request, engine_server):
    """The same with the real engine."""
    yield from openai_clients(request, engine_server)


@pytest.fixture(scope="session")
def http(tmp_path_factory, mock_server, faulty_server, engine_server):
    """A session with the key that trusts every endpoint, for what no SDK has."""
    bundle = tmp_path_factory.mktemp("trust") / "bundle.pem"
    bundle.write_text("".join(server.ca.read_text() for server in (mock_server, faulty_server, engine_server)))
    with requests.Session() as session:
        session.headers["api-key"] = KEY
        session.trust_env = False
        session.verify = str(bundle)
        yield session
