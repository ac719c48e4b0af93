"""A gateway on a free port of loopback, on a thread of the test, and requests to it."""

from __future__ import annotations

import http.client
import json
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from footspan.config import load_settings
from footspan.gateway import Limits, create_app
from footspan.gateway.server import listen, server_of, url_of
from footspan.pipeline import Pipeline
from programs import until

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

JSON = "application/json"
PROTOBUF = "application/x-protobuf"
TIME = 1_700_000_000_000_000_000

START_LIMIT = 10.0
STOP_LIMIT = 15.0


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Gateway:
    """A running gateway; a context manager that stops it, and its pipeline after it.

    Args:
        limits: Its limits.
        **overrides: Its settings, as the arguments of ``footspan.init``.
    """

    def __init__(self, limits: Limits | None = None, **overrides: Any) -> None:
        self.pipeline = Pipeline(load_settings(overrides={"service_name": "gateway", **overrides}))
        self._listening = listen("127.0.0.1", 0)
        self.url = url_of(self._listening)
        self.port = int(self.url.rpartition(":")[2])
        self._server = server_of(create_app(self.pipeline, limits))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listening]})

    def __enter__(self) -> Self:
        self._thread.start()
        assert until(lambda: self._server.started, START_LIMIT)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(STOP_LIMIT)
        self._listening.close()
        self.pipeline.close()
        assert not self._thread.is_alive()

    def counters(self) -> dict[str, int]:
        """The spool's counters."""
        found: Any = self.pipeline.spool.status()["counters"]
        return dict(found)

    def post(self, body: bytes, media_type: str | None = JSON, **headers: str) -> Answer:
        """Post to ``/v1/logs``; underscores in the names of headers stand for hyphens."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if media_type is not None:
            given["Content-Type"] = media_type
        return self.ask("POST", "/v1/logs", body, given)

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """Any request, on a connection of its own; a body that is no bytes is sent in chunks."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            chunked = body is not None and not isinstance(body, bytes)
            connection.request(method, path, body, dict(headers or {}), encode_chunked=chunked)
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()


def record(name: str | None = "order.placed", uid: str | None = None, **members: Any) -> dict[str, Any]:
    """One log record as OTLP JSON; ``attributes`` are given as a dict of texts."""
    attributes = dict(members.pop("attributes", {}))
    if uid is not None:
        attributes["log.record.uid"] = uid
    pairs = [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()]
    found = {"timeUnixNano": str(TIME), "attributes": pairs, **members}
    return found if name is None else {**found, "eventName": name}


def request(*records: Mapping[str, Any], resource: Mapping[str, str] | None = None) -> bytes:
    """A request with these records, as OTLP JSON."""
    pairs = [{"key": key, "value": {"stringValue": value}} for key, value in (resource or {}).items()]
    scoped = {"scope": {"name": "their.library", "version": "7"}, "logRecords": list(records)}
    return json.dumps({"resourceLogs": [{"resource": {"attributes": pairs}, "scopeLogs": [scoped]}]}).encode()
