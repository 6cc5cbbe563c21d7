"""The endpoints that the tests call, each started once."""

import os

import pytest
import requests

import ingot
import sdk as flavours

KEY = "key-of-the-tests"
LIMITED_KEY = "limited-key-of-the-tests"

FAULTY = """
models:
  good: {provider: mock}
  waits: {provider: mock, mock: {fault: {status: 429, retry_after: 1s, every: 2}}}
  refuses: {provider: mock, mock: {fault: {status: 429, every: 2}}}
  breaks: {provider: mock, mock: {fault: {error: 3}}}
  embeds: {provider: mock, mock: {behaviour: embedding, dimensions: 12}}
"""

# Both deployments of smollm2 share one engine, of one slot. In alone nobody waits for it.
ENGINE = """
models:
  smollm2: {local: smollm2, threads: 1, slots: 1, context: 2048, keep_alive: forever}
  minilm: {local: minilm, threads: 1, keep_alive: forever}
  alone: {local: smollm2, threads: 1, slots: 1, context: 2048, queue: 0, keep_alive: forever}
"""


def serve(folder, *arguments, **environment):
    server = ingot.Ingot(folder, *arguments, environment={"INGOT_KEY": KEY, **environment})
    yield server.url
    assert server.stop() == 0, server.log.read_text()


@pytest.fixture(scope="session")
def mock_url(tmp_path_factory):
    """`ingot serve --mock` in a data folder of its own."""
    folder = tmp_path_factory.mktemp("mock")
    yield from serve(folder, "--mock", INGOT_HOME=str(folder / "home"), INGOT_LIMITED_KEY=LIMITED_KEY)


@pytest.fixture(scope="session")
def faulty_url(tmp_path_factory):
    """Mock models with the faults of FAULTY."""
    folder = tmp_path_factory.mktemp("faulty")
    (folder / "ingot.yaml").write_text(FAULTY)
    yield from serve(folder, "--config", folder / "ingot.yaml", INGOT_HOME=str(folder / "home"))


@pytest.fixture(scope="session")
def engine_url(tmp_path_factory):
    """smollm2 and minilm on the real engine, from the data folder INGOT_HOME."""
    folder = tmp_path_factory.mktemp("engine")
    (folder / "ingot.yaml").write_text(ENGINE)
    yield from serve(folder, "--config", folder / "ingot.yaml", INGOT_HOME=os.environ["INGOT_HOME"])


def flavour(request, url):
    made = {"sync": flavours.Sync, "async": flavours.Async}[request.param](url, KEY)
    yield made
    made.close()


@pytest.fixture(params=["sync", "async"])
def sdk(request, mock_url):
    """Clients of `ingot serve --mock`, in both flavours."""
    yield from flavour(request, mock_url)


@pytest.fixture(params=["sync", "async"])
def faulty(request, faulty_url):
    """Clients of the faulty models, in both flavours."""
    yield from flavour(request, faulty_url)


@pytest.fixture(params=["sync", "async"])
def engine(request, engine_url):
    """Clients of the real engine, in both flavours."""
    yield from flavour(request, engine_url)


@pytest.fixture(scope="session")
def http():
    """Plain HTTP with the key, for what no SDK has."""
    with requests.Session() as session:
        session.headers["api-key"] = KEY
        yield session
