"""A web app served by a real server under ``opentelemetry-instrument``, with environment variables only."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from typing_extensions import Self

START_LIMIT = 40.0
"""Seconds a server may take to say where it listens; a start under auto-instrumentation is a second of CPU."""
STOP_LIMIT = 20.0
"""Seconds a server may take to end after a signal, before it is killed."""

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

_LISTENS = re.compile(r"(?:Running on|Listening at:) (http://127\.0\.0\.1:\d+)")
_SETTINGS = ("FOOTSPAN_", "OTEL_", "TELEMETRY_", "PYTEST_")


class Served:
    """A server process; a context manager that stops it.

    Args:
        command: What to run, without ``opentelemetry-instrument``.
        folder: Its working directory; its output is kept there too.
        env: Its settings. No other setting of this process reaches it.
        instrument: Whether to run it under ``opentelemetry-instrument``.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, env: Mapping[str, str], *, instrument: bool = True
    ) -> None:
        tools = Path(sys.executable).parent
        self.command = [str(tools / command[0]), *command[1:]]
        if instrument:
            self.command.insert(0, str(tools / "opentelemetry-instrument"))
        self.folder = folder
        self.output = folder / "output.txt"
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(_SETTINGS)}
        self.env = {
            **inherited,
            "PATH": f"{tools}{os.pathsep}{inherited.get('PATH', '')}",
            "PYTHONUNBUFFERED": "1",
            "XDG_STATE_HOME": str(folder / "state"),
            **env,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it listens."""
        with self.output.open("ab") as output:
            self.process = subprocess.Popen(
                self.command, cwd=self.folder, env=self.env, stdout=output, stderr=output, stdin=subprocess.DEVNULL
            )
        deadline = time.monotonic() + START_LIMIT
        while not (found := _LISTENS.search(self.said())):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise AssertionError(f"the server does not listen\n{self.said()}")
            time.sleep(0.05)
        self.url = found.group(1)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End it by a signal; returns its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(STOP_LIMIT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"the server did not end within {STOP_LIMIT} s\n{self.said()}") from None

    def said(self) -> str:
        """Everything it has printed."""
        return self.output.read_text("utf-8", "replace") if self.output.exists() else ""

    def get(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> tuple[int, bytes]:
        """Ask it for something; returns status and body.

        Args:
            path: Path and query.
            headers: Request headers; a browser's user agent is sent unless they hold one.
            method: The request's method.
        """
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=20)
        try:
            connection.request(method, path, headers={"User-Agent": FIREFOX, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def umami_variables(server: Any) -> dict[str, str]:
    """What an operator sets to have events in Umami."""
    return {"FOOTSPAN_DESTINATIONS_UMAMI_URL": server.url, "FOOTSPAN_DESTINATIONS_UMAMI_WEBSITE": server.website}
