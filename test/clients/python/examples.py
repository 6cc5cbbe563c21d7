"""Runs the samples of examples/python as their readers do."""

import os
import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[3] / "examples" / "python"


def run(name, *arguments, **environment):
    """What a sample prints, given variables; what it complains about fails the test. Those of the caller do not reach it."""
    ran = start(name, *arguments, **environment)
    assert (ran.returncode, ran.stderr) == (0, "")
    return ran.stdout


def start(name, *arguments, **environment):
    """The finished process of a sample."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("INGOT_")}
    return subprocess.run([sys.executable, FOLDER / f"{name}.py", *arguments], env={**inherited, **environment}, capture_output=True, text=True, timeout=120)
