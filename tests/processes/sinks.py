"""An OTLP receiver that is a process of its own, and what arrived there, request by request."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

TESTS = Path(__file__).resolve().parents[1]


class SinkProcess:
    """A context manager that runs ``python -m servers.otlp``.

    Args:
        latency: Seconds that every request takes, so that a sender's death finds some of them under way.
    """

    def __init__(self, latency: float = 0.0) -> None:
        self._command = [sys.executable, "-m", "servers.otlp", "--with-parent", "--latency", str(latency)]
        self.url = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(self._command, cwd=TESTS, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.url = json.loads(self._process.stdout.readline())["url"]
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.communicate(timeout=20)

    @property
    def env(self) -> dict[str, str]:
        """Settings of a service that sends here, without compression so that requests can be read."""
        return {
            "FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": self.url,
            "FOOTSPAN_DESTINATIONS_OTLP_COMPRESSION": "none",
            "OTEL_SERVICE_NAME": "shop",
        }

    def fault(self, **command: Any) -> None:
        """Have it misbehave; see ``tests/servers/README.md``."""
        self._ask("faults", json.dumps(command).encode())

    def batches(self) -> list[list[str]]:
        """The uids of each request that was stored, in order of arrival."""
        return [uids_of(json.loads(each["body"])) for each in self._ask("requests") if each["status"] in (200, None)]

    def uids(self) -> list[str]:
        """The uids of everything stored, in order of arrival."""
        return [record["uid"] for record in self._ask("rows")["logs"]]

    def _ask(self, what: str, body: bytes | None = None) -> Any:
        with urllib.request.urlopen(f"{self.url}/_test/{what}", body, timeout=60) as answer:
            data = answer.read()
        return json.loads(data) if body is None else None


def uids_of(request: dict[str, Any]) -> list[str]:
    """The uids in an OTLP JSON request, which stand first in each record."""
    return [
        record["attributes"][0]["value"]["stringValue"]
        for resource in request["resourceLogs"]
        for scope in resource["scopeLogs"]
        for record in scope["logRecords"]
    ]
