#!/usr/bin/env python3
"""Makes README's table of doors and doc/reference/clients.md of what the suites did in the last run, and compares or (--update)
writes them.

The suites leave lists of [client, address, operation] in the folder INGOT_TEST_DOORS: what was seen working; with a fourth
element, the reason, what was tried and does not work. A client is its package, its version, and its language in parentheses.
"""

import json
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
README, CLIENTS = ROOT / "README.md", ROOT / "doc/reference/clients.md"
BEGIN, END = "<!-- doors: written by the runs of `make test` -->\n", "<!-- /doors -->\n"

OPERATIONS = [
    ("chat/completions", "chat"),
    ("chat/completions, streamed", "streamed"),
    ("chat/completions with images", "with images"),
    ("chat/completions with tools", "with tools"),
    ("chat/completions with a schema", "with a schema"),
    ("completions", "texts"),
    ("embeddings", "embeddings"),
    ("images/embeddings", "image embeddings"),
    ("responses", "responses"),
    ("info", "info"),
    ("models", "models"),
    ("catalog/models", "catalogue"),
]
# Of each address its letter in doc/reference/clients.md.
ADDRESSES = {
    "": "R",
    "/models": "M",
    "/deployments/{name}": "D",
    "/inference": "I",
    "/orgs/{org}/inference": "G",
    "/openai": "Z",
    "/openai/deployments/{name}": "A",
    "/v1": "V",
    "/openai/v1": "O",
    "/inference/v1": "W",
}
# Those that README shows, with their letters there.
SHOWN = {
    "azure-ai-inference (Python)": "A",
    "@azure-rest/ai-inference (JavaScript)": "a",
    "azure-ai-inference (Java)": "J",
    "ingot/client (Go)": "G",
    "openai (Python)": "O",
    "openai (JavaScript)": "o",
    "openai-go (Go)": "g",
    "openai-java (Java)": "j",
    "curl (plain HTTP)": "h",
}
LANGUAGES = ["Python", "JavaScript", "Java", "Go", ".NET", "plain HTTP"]
AZURE = "`/openai` is not given: clients of Azure OpenAI take the root and append it."
NOTES = {".NET": "There is no runtime of .NET in the tests: the requests that its SDK sends are sent byte for byte, and the answers are read by the rules of its parser."}


def split(client):
    """Package, version and language of a client."""
    name, _, language = client.rpartition(" (")
    package, _, version = name.partition(" ")
    return package, version, language.rstrip(")")


def short(client):
    package, _, language = split(client)
    return f"{package} ({language})"


def doors(done):
    """README's table."""
    clients = sorted({c for c, _, _ in done if short(c) in SHOWN}, key=lambda c: list(SHOWN).index(short(c)))
    lines = ["| Address given to the client | " + " | ".join(title for _, title in OPERATIONS) + " |", "|---" * (len(OPERATIONS) + 1) + "|"]
    for address in ADDRESSES:
        cells = ["".join(SHOWN[short(c)] for c in clients if (c, address, operation) in done) or "–" for operation, _ in OPERATIONS]
        lines.append(f"| `{address or '/'}` | " + " | ".join(cells) + " |")
    legend = ", ".join(f"**{SHOWN[short(c)]}** {c}" for c in clients)
    return "\n" + "\n".join(lines) + f"\n\nWho did it in the tests of this version: {legend}. {AZURE}\n\n"


def page(done, failed):
    """doc/reference/clients.md."""
    lines = [
        "# Clients",
        "",
        "What each client did in the tests of this version, written by them (`make test` fails where it is not so any more). A letter is an",
        "address given to the client at which the operation worked. A letter that is missing was not tried, unless the lists below the",
        "tables say why it does not work; – is no letter at all. Every client is the newest that Python 3.11 or Node 20 admits on the day",
        "its lock was made.",
        "",
        ", ".join(f"**{letter}** `{address or '/'}`" for address, letter in ADDRESSES.items()) + f". {AZURE}",
    ]
    for language in LANGUAGES:
        clients = sorted({c for c, _, _ in done if split(c)[2] == language} | {c for c, *_ in failed if split(c)[2] == language}, key=str.lower)
        if not clients:
            continue
        lines += ["", f"## {language[0].upper()}{language[1:]}", ""]
        if language in NOTES:
            lines += [NOTES[language], ""]
        lines += ["| Client | Version | " + " | ".join(title for _, title in OPERATIONS) + " |", "|---" * (len(OPERATIONS) + 2) + "|"]
        for client in clients:
            package, version, _ = split(client)
            cells = ["".join(letter for address, letter in ADDRESSES.items() if (client, address, operation) in done) or "–" for operation, _ in OPERATIONS]
            lines.append(f"| {package} | {version} | " + " | ".join(cells) + " |")
        whys = {}
        for client, address, operation, why in sorted(failed, key=lambda f: (f[0].lower(), list(ADDRESSES).index(f[1]), f[2:])):
            if split(client)[2] == language:
                whys.setdefault((client, dict(OPERATIONS)[operation], why.rstrip(".")), []).append(f"`{address or '/'}`")
        if whys:
            lines += ["", "What does not work:", ""]
            lines += [f"- {split(client)[0]}, {title} at {', '.join(addresses)}: {why}." for (client, title, why), addresses in whys.items()]
    return "\n".join(lines) + "\n"


def read():
    """What worked and what did not."""
    done, failed = set(), set()
    for file in sorted(Path(os.environ["INGOT_TEST_DOORS"]).glob("*.json")):
        for run in json.loads(file.read_text()):
            client, address, operation, *why = run
            if address not in ADDRESSES or operation not in dict(OPERATIONS) or split(client)[2] not in LANGUAGES or len(why) > 1:
                sys.exit(f"table.py: {file.name} has {run}, for which there is no row or column")
            if why:
                failed.add((client, address, operation, *why))
            else:
                done.add((client, address, operation))
    both = {(c, a, o) for c, a, o, _ in failed} & done
    if both:
        sys.exit(f"table.py: said to work and not to: {sorted(both)}")
    missing = sorted(set(SHOWN) - {short(c) for c, _, _ in done})
    if missing:
        sys.exit(f"table.py: nothing was done by {', '.join(missing)}")
    return done, failed


def main():
    done, failed = read()
    text = README.read_text()
    head, begun, rest = text.partition(BEGIN)
    before, ended, tail = rest.partition(END)
    if not begun or not ended:
        sys.exit(f"table.py: README.md lacks the marks {BEGIN.strip()} and {END.strip()}")
    table, clients = doors(done), page(done, failed)
    if sys.argv[1:] == ["--update"]:
        README.write_text(head + begun + table + ended + tail)
        CLIENTS.write_text(clients)
        return
    for name, made, is_there in (("README.md's table of doors", table, before), (CLIENTS.name, clients, CLIENTS.read_text() if CLIENTS.exists() else "")):
        if made != is_there:
            sys.exit(f"table.py: {name} is out of date: `{Path(__file__).name} --update` writes it. Now it is:\n{made}")


if __name__ == "__main__":
    main()
