"""Holds the binary to its own OpenAPI document: validates it, then has schemathesis try each operation with all kinds of requests.

The server has the models of `ingot serve --mock` and keeps responses. Every operation is tried with values that its schemas
allow and that they do not, with other methods and without a key; each answer must have a status, a type, headers and a body that
the document names, and none may be a fault of the server.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import requests
from openapi_spec_validator import validate

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "clients" / "python"))
import ingot  # noqa: E402

KEY = "key-of-the-tests"
CHECKS = ",".join(
    """not_a_server_error status_code_conformance content_type_conformance
    response_headers_conformance response_schema_conformance ignored_auth
    unsupported_method allow_header_conformance""".split()
)

CONFIG = f"""
models:
  mock: {{provider: mock}}
  mock-embedding: {{provider: mock, mock: {{behaviour: embedding}}}}
  mock-image-embedding: {{provider: mock, mock: {{behaviour: image-embedding}}}}
keys: [{{name: test, key: {KEY}, requests_per_minute: 1000000, tokens_per_minute: 1000000000}}]
responses: {{store: on}}
endpoint: {{traffic: {{mock: 100}}}}
"""

# Which mock deployment does what a path ends with.
MODELS = {"images/embeddings": "mock-image-embedding", "embeddings": "mock-embedding"}

# What would keep nearly every request from being answered: names that are not there, and members that exclude each other.
NAMES_OF_DEPLOYMENTS = {"azureml-model-deployment", "x-ms-model-mesh-model-name", "model"}
EXCLUSIVE = {"max_completion_tokens", "functions", "function_call", "tool_choice", "stream_options", "previous_response_id", "background"}

# What would only cost time.
AIMED = {
    "extra-parameters": {"enum": ["drop"]},
    "max_tokens": {"maximum": 64},
    "dimensions": {"maximum": 1024},
    "n": {"maximum": 3},
    "best_of": {"minimum": 3, "maximum": 3},
}
IMAGE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


def model_for(path):
    return next((model for end, model in MODELS.items() if path.endswith(end)), "mock")


def name_of(reference):
    return reference.get("$ref", "").rpartition("/")[2]


def aimed(document, keep):
    """The document with deployments and responses (keep makes one) that are there and values that cost little, or few requests would come far."""
    document = json.loads(json.dumps(document))
    components = document["components"]
    for path, methods in document["paths"].items():
        for operation in methods.values():
            operation["parameters"] = [p for p in operation.get("parameters", ()) if name_of(p) not in NAMES_OF_DEPLOYMENTS]
            for parameter in operation["parameters"]:
                if parameter.get("in") == "path" and parameter["name"] != "org":
                    parameter["schema"] = {"enum": [keep(), keep()] if parameter["name"] == "response_id" else [model_for(path)]}
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            members = components["schemas"].get(name_of(body), {}).get("properties", {})
            for member in members.keys() & EXCLUSIVE:
                del members[member]
            for member in members.keys() & AIMED.keys():
                members[member].update(AIMED[member])
            if "model" in members:
                members["model"] = {"enum": [model_for(path)]}
    components["parameters"] = {name: p for name, p in components["parameters"].items() if name not in NAMES_OF_DEPLOYMENTS}
    components["parameters"]["extra-parameters"]["schema"] = AIMED["extra-parameters"]
    pictures = components["schemas"]["ImageEmbeddingRequest"]["properties"]["input"]["items"]["properties"]
    pictures["image"] = {"enum": [IMAGE]}
    return document


def fetch(server, path):
    answer = requests.get(server.at("http") + path, headers={"api-key": KEY}, timeout=10)
    answer.raise_for_status()
    return answer.json()


def kept(server):
    """The id of a response that is kept."""
    asked = {"model": "mock", "input": "Hello", "store": True, "background": True}
    answer = requests.post(server.at("http") + "/v1/responses", json=asked, headers={"api-key": KEY}, timeout=10)
    answer.raise_for_status()
    return answer.json()["id"]


def main():
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "ingot.yaml")
        config.write_text(CONFIG)
        server = ingot.Ingot(Path(folder), "--config", config)
        try:
            document = fetch(server, "/openapi.json")
            validate(document)
            if fetch(server, "/swagger.json") != document:
                sys.exit("contract: /swagger.json is another document than /openapi.json")
            return attack(server, document, Path(folder))
        finally:
            status, log = server.stop(), server.log.read_text()
            if status != 0 or "panic" in log or "internal error" in log:
                sys.exit(f"contract: the server ended with {status} and said:\n{log[-4000:]}")


def attack(server, document, folder):
    """Runs schemathesis with EXAMPLES random requests for each operation beside the systematic ones, the same each time."""
    document = aimed(document, lambda: kept(server))
    file = folder / "openapi.json"
    file.write_text(json.dumps(document))
    command = [Path(sys.executable).with_name("schemathesis"), "run", file, "--url", server.at("http"), "--header", f"api-key: {KEY}"]
    command += ["--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--max-examples", os.environ.get("EXAMPLES", "10")]
    # One worker: two that read source code at a time make Python 3.11 fail now and then (CPython issue 106905).
    command += ["--seed", "8", "--workers", "1", "--generation-database", "none", "--request-timeout", "20", "--suppress-health-check", "all"]
    command += ["--warnings", "off", "--continue-on-failure", "--no-shrink", "--report", "ndjson", "--report-ndjson-path", folder / "report.ndjson"]
    failed = subprocess.run([*command, *sys.argv[1:]], cwd=folder, check=False, timeout=300).returncode
    return silent(document, folder / "report.ndjson") or failed


def silent(document, report):
    """Tells how each operation answered; those that never did what they are for were not tested."""
    answers = defaultdict(Counter)
    for line in report.read_text().splitlines():
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for interaction in recorder.get("interactions", {}).values():
            answers[recorder["label"]][(interaction["response"] or {}).get("status_code", 0)] += 1
    rc = 0
    for path, methods in sorted(document["paths"].items()):
        for method in methods:
            operation = f"{method.upper()} {path}"
            seen = answers[operation]
            print(f"{operation}: " + ", ".join(f"{count} x {status}" for status, count in sorted(seen.items())))
            if seen[200] == 0:
                print(f"contract: no request to {operation} was answered with 200", file=sys.stderr)
                rc = 1
    return rc


if __name__ == "__main__":
    sys.exit(main())
