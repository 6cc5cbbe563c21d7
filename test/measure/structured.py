"""Structured output: each schema of schemas/ again and again, at a temperature at which a small model talks nonsense."""

import json
from decimal import Decimal
from pathlib import Path

from jsonschema.validators import validator_for

from row import Row

SCHEMAS = Path(__file__).parent / "schemas"
QUICK = ["formats", "merged", "order", "payment", "unicode"]
TEMPERATURE = 1.5
MAX_TOKENS = 256


def measure(endpoint, quick, only):
    for file in sorted(SCHEMAS.glob("*.json")):
        if only and file.stem != only or quick and not only and file.stem not in QUICK:
            continue
        row = Row(file.stem)
        judge = judge_of(file.read_text())
        for seed in range(2 if quick else 10):
            row.count(endpoint.ask(question(file, seed), stream=seed % 2 == 1), judge)
        yield row


def question(file, seed):
    schema = json.loads(file.read_text())
    return {
        "messages": [{"role": "user", "content": f"Write JSON. {schema['description']}"}],
        "response_format": {"type": "json_schema", "json_schema": {"name": file.stem, "schema": schema, "strict": True}},
        "temperature": TEMPERATURE,
        "seed": seed,
        "max_tokens": MAX_TOKENS,
    }


def judge_of(text):
    """Compares numbers as they are written: 0.3 is three times 0.1."""
    schema = json.loads(text, parse_float=Decimal)
    kind = validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema, format_checker=kind.FORMAT_CHECKER)
    invents = "patternProperties" in text or "propertyNames" in text
    pairs = dict if invents else without_doubles

    def judge(answer):
        if answer.finish != "stop":
            return f"finish {answer.finish!r}"
        try:
            value = json.loads(answer.content, parse_float=Decimal, object_pairs_hook=pairs)
        except ValueError as wrong:
            return f"not JSON: {wrong}"
        return "; ".join(f"{error.json_path}: {error.message}" for error in validator.iter_errors(value))

    return judge


def without_doubles(pairs):
    """The members of an object, none twice. Nothing keeps a model from repeating a name that it invents."""
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError(f"a member is there twice: {[name for name, _ in pairs]}")
    return members
