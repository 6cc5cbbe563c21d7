"""`ingot serve` with smollm2 on the real engine, and answers from it, whole or streamed."""

import json
import os
import re
import subprocess
import tempfile
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

KEY = "key-of-the-measurement"
CONFIG = """
models:
  smollm2: {local: smollm2, threads: 1, slots: 1, context: 2048, keep_alive: forever}
"""


@dataclass
class Answer:
    """What came, however it came. `error` says why there is no answer; `calls` are in the order of their indexes."""

    content: str = ""
    calls: list = field(default_factory=list)
    finish: str = ""
    tokens: int = 0
    error: str = ""


class Endpoint:
    """A server in a data folder of its own, until the end of a `with`."""

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="ingot-measure-")
        folder = Path(self._folder.name)
        (folder / "ingot.yaml").write_text(CONFIG)
        home = folder / "home"
        home.mkdir(0o700)
        for part in "engine", "models":
            (home / part).symlink_to(Path(os.environ["INGOT_HOME"], part))
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [os.environ["INGOT_BIN"], "serve", "--config", folder / "ingot.yaml", "--listen", "127.0.0.1:0"],
                env={**os.environ, "INGOT_HOME": str(home), "INGOT_KEY": KEY},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        line = self._process.stdout.readline()
        if not (found := re.search(r" serves (http://\S+)", line)):
            self._end()
            raise RuntimeError(f"ingot did not start: {line}{(folder / 'log').read_text()}")
        self.url = found[1]
        return self

    def __exit__(self, *_):
        self._end()
        self._folder.cleanup()

    def _end(self):
        self._process.terminate()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def ask(self, body, stream):
        """Asks for a chat through the contract's door."""
        request = urllib.request.Request(
            f"{self.url}/models/chat/completions?api-version=2024-05-01-preview",
            json.dumps({"model": "smollm2", **body, "stream": stream}).encode(),
            {"Content-Type": "application/json", "api-key": KEY, "extra-parameters": "pass-through"},
        )
        try:
            with urllib.request.urlopen(request, timeout=300) as response:
                return joined(response) if stream else whole(json.load(response))
        except urllib.error.HTTPError as refused:
            return Answer(error=f"{refused.code} {refused.read().decode()[:500]}")
        except OSError as broken:
            return Answer(error=f"connection: {broken}")


def whole(reply):
    choice = reply["choices"][0]
    message = choice["message"]
    calls = [call["function"] for call in message.get("tool_calls") or []]
    return Answer(message.get("content") or "", calls, choice["finish_reason"], reply["usage"]["completion_tokens"])


def joined(lines):
    """Puts a stream together. One that ends without [DONE] is an error."""
    answer, done = Answer(), False
    for line in lines:
        text = line.decode().rstrip("\r\n")
        if not text.startswith("data: "):
            continue
        if text == "data: [DONE]":
            done = True
            continue
        chunk = json.loads(text.removeprefix("data: "))
        if "error" in chunk:
            return Answer(error=json.dumps(chunk["error"]))
        if chunk.get("usage"):
            answer.tokens = chunk["usage"]["completion_tokens"]
        for choice in chunk["choices"]:
            delta = choice["delta"]
            answer.content += delta.get("content") or ""
            answer.finish = choice["finish_reason"] or answer.finish
            for call in delta.get("tool_calls") or []:
                while len(answer.calls) <= call["index"]:
                    answer.calls.append({"name": "", "arguments": ""})
                for name in "name", "arguments":
                    answer.calls[call["index"]][name] += call["function"].get(name) or ""
    return answer if done else Answer(error="the stream ended without [DONE]")
