"""Asks for many answers that a grammar has to make right, and counts those that are.

Each part is a module with `measure(endpoint, quick, only)`, which yields a Row for every question it has asked often
enough. `--quick` is what `make test` runs; `--only NAME` asks one question of a part.
"""

import argparse
import sys
import time

import structured
import tools
from endpoint import Endpoint

PARTS = {"schemas": structured, "tools": tools}


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all if none is named")
    arguments.add_argument("--quick", action="store_true", help="a few questions only")
    arguments.add_argument("--only", metavar="NAME", help="this question only")
    options = arguments.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        arguments.error(f"no part is named {', '.join(sorted(unknown))}")

    failed = False
    with Endpoint() as endpoint:
        for part in options.parts or PARTS:
            failed |= report(part, PARTS[part].measure(endpoint, options.quick, options.only))
    sys.exit(1 if failed else 0)


def report(part, rows):
    """Prints a part's table as its rows come, then what was wrong. Says whether anything was."""
    start, total, faults = time.monotonic(), [0] * 5, []
    print(f"\n{part:<16}{'answers':>9}{'complete':>10}{'valid':>7}{'cut':>5}{'tokens':>8}")
    for row in rows:
        numbers = [row.answers, row.complete, row.valid, row.cut, row.tokens]
        total = [a + b for a, b in zip(total, numbers)]
        faults += [f"{part}: {row.name}: {fault}" for fault in row.faults]
        line(row.name, numbers)
    line("all", total)
    print(f"{time.monotonic() - start:.0f} s")
    for fault in faults:
        print(fault, file=sys.stderr)
    if not total[1]:
        print(f"{part}: no answer was complete", file=sys.stderr)
    return bool(faults) or not total[1]


def line(name, numbers):
    answers, complete, valid, cut, tokens = numbers
    print(f"{name:<16}{answers:>9}{complete:>10}{valid:>7}{cut:>5}{tokens:>8}")


if __name__ == "__main__":
    main()
