"""What the suites of all frameworks share: the endpoint, the note of what was seen, and a guard against dialling elsewhere."""

import atexit
import inspect
import ipaddress
import json
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import pytest

# Before any framework is imported: none of them is to report, trace or fetch lists.
os.environ.update(
    ANONYMIZED_TELEMETRY="False",
    DO_NOT_TRACK="1",
    HAYSTACK_TELEMETRY_ENABLED="False",
    HF_HUB_OFFLINE="1",
    LANGCHAIN_TRACING_V2="false",
    LANGSMITH_TRACING="false",
    LITELLM_LOCAL_MODEL_COST_MAP="True",
    LITELLM_TELEMETRY="False",
    NO_PROXY="*",
    OTEL_SDK_DISABLED="true",
    SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS="false",
)
for name in [name for name in os.environ if name.lower() in ("http_proxy", "https_proxy", "all_proxy")]:
    del os.environ[name]

sys.path.append(str(Path(__file__).parents[1] / "python"))
import ingot  # noqa: E402

# The authority is made before the endpoint, as some libraries read once and early what they are to trust.
folder = Path(tempfile.mkdtemp(prefix="ingot-frameworks-"))
atexit.register(shutil.rmtree, folder)
(folder / "home").mkdir(0o700)
subprocess.run([os.environ["INGOT_BIN"], "trust"], env={**os.environ, "INGOT_HOME": str(folder / "home")}, check=True, stdout=subprocess.DEVNULL)
os.environ["SSL_CERT_FILE"] = os.environ["REQUESTS_CA_BUNDLE"] = str(folder / "home" / "tls" / "bundle.pem")

KEY = "key-of-the-tests"
# The deployments of `ingot serve --mock`, one that calls tools unasked, and one that refuses with 422 where the door has it.
MODELS = """
models:
  mock: {provider: mock}
  mock-embedding: {provider: mock, mock: {behaviour: embedding}}
  mock-reasoning: {provider: mock, mock: {behaviour: reasoning}}
  calls: {provider: mock, mock: {tool_choice_auto: call}}
  refuses: {provider: mock, mock: {fault: {status: 422}}}
"""

elsewhere = []


def guard(event, arguments):
    """Refuses, below every library, connections and look-ups of names that are not this machine's."""
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else "localhost"
    elif event == "socket.getaddrinfo":
        host = arguments[0] or "localhost"
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if not here(host):
        elsewhere.append(host)
        raise ConnectionRefusedError(f"the tests dial nothing but this machine, not {host}")


def here(host):
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


sys.addaudithook(guard)


@pytest.fixture(autouse=True)
def dialled():
    """The hosts that were refused since the last test, of which there must be none at the end of this one."""
    yield elsewhere
    refused = [*elsewhere]
    elsewhere.clear()
    assert refused == []


@pytest.fixture(scope="session")
def server():
    """The endpoint, with mock models, on one port with TLS and without."""
    (folder / "ingot.yaml").write_text(MODELS)
    running = ingot.Ingot(folder, "--tls", "auto", "--config", folder / "ingot.yaml", environment={"INGOT_KEY": KEY})
    yield running
    status, log = running.stop(), running.log.read_text()
    assert status == 0, log
    assert "panic" not in log


@pytest.fixture(scope="session")
def url(server):
    return server.at("http")


@pytest.fixture(scope="session")
def secure_url(server):
    return server.at("https")


@pytest.fixture
def key():
    return KEY


@pytest.fixture(scope="session")
def rows():
    """What was seen in this run, kept in INGOT_TEST_DOORS under the name of the suite's folder."""
    seen = {}
    yield seen
    if place := os.environ.get("INGOT_TEST_DOORS"):
        made = sorted([*row, why] if why else [*row] for row, why in seen.items())
        Path(place, f"frameworks-{Path.cwd().name}.json").write_text(json.dumps(made, indent=1))


@pytest.fixture
def note(rows):
    """note(package, address, operation) after it was seen to work, or with why= after it was seen to fail for that reason."""

    def note(package, address, *operations, why=None):
        for operation in operations:
            row = (f"{package} {version(package)} (Python)", address, operation)
            assert rows.setdefault(row, why) == why, f"{row} both works and fails"

    return note


@pytest.fixture(params=["", "a"], ids=["sync", "async"])
def ask(request):
    """Awaits a method of an object, or the asynchronous one whose name has an a before it; streams become lists."""

    async def ask(owner, name, *arguments, **options):
        result = getattr(owner, request.param + name)(*arguments, **options)
        if inspect.isawaitable(result):
            result = await result
        if request.param and hasattr(result, "__anext__"):
            return [part async for part in result]
        return list(result) if hasattr(result, "__next__") else result

    return ask


def named(address, model):
    """The address with a deployment for its variable."""
    return address.replace("{name}", model)
