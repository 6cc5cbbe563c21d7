#!/usr/bin/env python3
"""Makes README's table of doors and operations of what the suites did in the last run, and compares or (--update) writes it.

The suites leave lists of [client, address, operation] in the folder INGOT_TEST_DOORS.
"""

import json
import os
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent.parent / "README.md"
BEGIN, END = "<!-- doors: written by the runs of `make test` -->\n", "<!-- /doors -->\n"

COLUMNS = [
    ("chat/completions", "chat"),
    ("chat/completions, streamed", "streamed"),
    ("chat/completions with images", "with images"),
    ("completions", "texts"),
    ("embeddings", "embeddings"),
    ("images/embeddings", "image embeddings"),
    ("responses", "responses"),
    ("info", "info"),
    ("models", "models"),
    ("catalog/models", "catalogue"),
]
ROWS = ["", "/models", "/deployments/{name}", "/inference", "/orgs/{org}/inference", "/openai", "/openai/deployments/{name}", "/v1", "/openai/v1", "/inference/v1"]
LETTERS = {"azure-ai-inference": "A", "@azure-rest/ai-inference": "a", "openai (Python)": "O", "openai (JavaScript)": "o", "plain HTTP": "h"}


def letter(client):
    """The letter of a client, which is called by package, version and language."""
    package, *_, language = client.split(" ")
    return LETTERS.get(client) or LETTERS.get(package) or LETTERS[f"{package} {language}"]


def table(runs):
    clients = sorted({client for client, _, _ in runs}, key=lambda client: "AaOoh".index(letter(client)))
    unknown = {(address, operation) for _, address, operation in runs if address not in ROWS or operation not in dict(COLUMNS)}
    if unknown:
        sys.exit(f"table.py: no row or column for {sorted(unknown)}")
    lines = ["| Address given to the client | " + " | ".join(title for _, title in COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for address in ROWS:
        cells = ["".join(letter(c) for c in clients if (c, address, operation) in runs) or "–" for operation, _ in COLUMNS]
        lines.append(f"| `{address or '/'}` | " + " | ".join(cells) + " |")
    legend = ", ".join(f"**{letter(client)}** {client}" for client in clients)
    return "\n".join(lines) + f"\n\nWho did it in the tests of this version: {legend}.\n"


def main():
    files = sorted(Path(os.environ["INGOT_TEST_DOORS"]).glob("*.json"))
    runs = {tuple(run) for file in files for run in json.loads(file.read_text())}
    text = README.read_text()
    head, begun, rest = text.partition(BEGIN)
    before, ended, tail = rest.partition(END)
    if not begun or not ended:
        sys.exit(f"table.py: README.md lacks the marks {BEGIN.strip()} and {END.strip()}")
    made = "\n" + table(runs) + "\n"
    if sys.argv[1:] == ["--update"]:
        README.write_text(head + begun + made + ended + tail)
    elif made != before:
        sys.exit(f"table.py: README's table of doors is out of date: `{Path(__file__).name} --update` writes it. Now it is:\n{made}")


if __name__ == "__main__":
    main()
