"""Starts the real binary for a test and ends it by its process id."""

import os
import re
import subprocess
import threading

ADDRESS = re.compile(r" serves https?://(\S+)")


class Ingot:
    """A running `ingot serve` on a port that the kernel chose, in a data folder of its own.

    Its log goes to a file, which a failed start quotes. With `--tls auto`, ca is the authority that callers are to trust.
    """

    def __init__(self, folder, *arguments, environment=(), limit=60):
        self.log = folder / "ingot.log"
        self.ca = folder / "home" / "tls" / "ca.pem"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [os.environ["INGOT_BIN"], "serve", "--listen", "127.0.0.1:0", *map(str, arguments)],
                env={**os.environ, "INGOT_HOME": str(folder / "home"), **dict(environment)},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.address = self._address(limit)

    def at(self, scheme):
        """The endpoint as callers with or without TLS write it."""
        return f"{scheme}://{self.address}"

    def _address(self, limit):
        timer = threading.Timer(limit, self._process.kill)
        timer.start()
        line = self._process.stdout.readline()
        timer.cancel()
        if not (found := ADDRESS.search(line)):
            self._process.kill()
            self._process.wait()
            raise RuntimeError(f"ingot did not start within {limit} s: {line}{self.log.read_text()}")
        return found[1]

    def stop(self):
        """Ends it as an operator does and returns its exit status."""
        self._process.terminate()
        try:
            return self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            self._process.stdout.close()
