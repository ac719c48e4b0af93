"""Recordings of TraceTelemetry's Python client, and what ours sends for the same calls, made comparable.

A recording has every request that a call caused. Ids, times, ports, versions and paths in stack traces were replaced by
words in braces; so they are in what ours sends, and the machine's name, system and address besides.
"""

from __future__ import annotations

import builtins
import datetime as dt
import decimal
import functools
import io
import json
import os
import re
import time
import uuid
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from footspan.compat.trace_telemetry import TelemetryClient, TelemetryOptions
from footspan.delivery.replay_feed import Selection
from footspan.delivery.replay_ndjson import waiting_in, write_queue
from footspan.delivery.replay_source import open_source
from footspan.spool.base import Target
from servers.trace_telemetry import TraceTelemetryServer

if TYPE_CHECKING:
    from collections.abc import Iterator

GOLDEN: Final = Path(__file__).parents[2] / "golden" / "tracetelemetry"
_PLACE: Final = re.compile(r'File "[^"]*", line (?:\d+|\{N\})')
_ABOUT: Final = {"machineName": "{HOSTNAME}", "osDescription": "{PLATFORM}", "ipAddress": "192.0.2.10"}


@functools.cache
def recording(name: str) -> dict[str, Any]:
    """A recorded case."""
    found: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return found


def names() -> list[str]:
    """Every recorded case."""
    return sorted(path.stem for path in GOLDEN.glob("*.json"))


def recorded_bodies(name: str) -> list[list[dict[str, Any]]]:
    """The events of each POST."""
    case = recording(name)
    requests = [*(case.get("preceding_requests") or ()), *([case["request"]] if case.get("request") else ())]
    return [[comparable(each) for each in one["body_json"]] for one in requests if one["method"] == "POST"]


def comparable(event: dict[str, Any]) -> dict[str, Any]:
    """An event with what a run alone decides replaced, its keys in their order."""
    shown: dict[str, Any] = {**event, "id": "{ID}", "timestampUtc": "{TIMESTAMP}", **_ABOUT}
    data = shown["data"]
    if isinstance(data, dict) and "stackTrace" in data:
        shown["data"] = {**data, "stackTrace": _PLACE.sub("File", data["stackTrace"])}
    return shown


class Place:
    """A server, a folder, and a client of them, under the names that recorded calls use.

    Attributes:
        server: The endpoint.
        folder: Where the queue is.
        client: The client.
        names: What a call finds.
    """

    def __init__(self, server: TraceTelemetryServer, folder: Path, options: str) -> None:
        self.server = server
        self.folder = folder
        self.queue = folder / "queue" / "telemetry-queue.ndjson"
        self.names: dict[str, Any] = {
            "__name__": "__main__",
            "TelemetryClient": TelemetryClient,
            "TelemetryOptions": TelemetryOptions,
            "URL": server.endpoint,
            "QP": str(self.queue),
            "datetime": dt,
            "decimal": decimal,
            "os": os,
            "time": time,
            "uuid": uuid,
        }
        self.queue.parent.mkdir(parents=True, exist_ok=True)
        built = eval(f"TelemetryOptions({options})", self.names)
        built.queue_path = str(self.queue)
        self.client = self.names["client"] = TelemetryClient(built)

    def run(self, call: str) -> None:
        """Run a call as it stands."""
        names = {"open": self._open} if "open(QP" in call else {}
        exec(compile(call, "<string>", "exec"), self.names | names, self.names)

    def _open(self, path: str, *args: Any, **options: Any) -> Any:
        """What calls read of the queue is what the way back would write."""
        if path != str(self.queue):
            return builtins.open(path, *args, **options)  # noqa: PTH123 - as the call has it
        if "w" in args:
            return SimpleNamespace(write=self.queue.write_text)  # the calls leave their files open
        return io.StringIO("".join(self.queue_lines))

    @property
    def queue_lines(self) -> list[str]:
        """The events that wait, as lines of the other SDK's queue file."""
        lines: list[bytes] = []
        source = open_source(Path(f"{self.queue}.d"))
        source = waiting_in(source, Path(f"{self.queue}.d", "queue"))
        write_queue(source, Selection(Target("n", "n", "trace_telemetry")), lines.append)
        return [line.decode() for line in lines]

    @property
    def bodies(self) -> list[list[dict[str, Any]]]:
        """The events of each request that arrived."""
        return [[comparable(each) for each in request.json()] for request in self.server.requests]

    @property
    def sent(self) -> list[dict[str, Any]]:
        """Every event that arrived."""
        return [event for body in self.bodies for event in body]


@contextmanager
def place(folder: Path, options: str = "endpoint_url=URL, api_key='k'") -> Iterator[Place]:
    """A server that takes the key the options name, and a client of it."""
    key = re.search(r"api_key='([^']*)'", options)
    with TraceTelemetryServer(api_key=key[1] if key else "") as server:
        found = Place(server, folder, options)
        yield found
        found.client.stop()
