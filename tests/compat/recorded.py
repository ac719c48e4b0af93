"""Recordings of the telemetry module, and what ours sends for the same calls, made comparable.

A recording has what the module's own client sent to Umami for a call. What it printed has been left out of the files.
Taken out before the two are compared is what the module made up for every event alike, which Umami then showed as one
visitor on one page: the app's name as host, the page ``/``, a screen, a language, the environment, and ``null`` for
what nobody said. Its ``category`` is a word of a table of its own that the document does not have, so a category is
compared only where the call names one. What Umami has a field for stands in that field: user, host and referrer.
"""

from __future__ import annotations

import functools
import json
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import footspan
from footspan.compat import telemetry as module
from servers.umami import UmamiServer

if TYPE_CHECKING:
    from collections.abc import Iterator

GOLDEN: Final = Path(__file__).parents[1] / "golden" / "telemetry-module"
WEBSITE: Final = "11111111-2222-4333-8444-555555555555"
_MADE_UP: Final = {"website": None, "hostname": "default", "url": "/", "screen": "1920x1080", "language": "en-US"}
_MOVED: Final = {"user_id": "id", "hostname": "hostname", "referrer": "referrer"}


@functools.cache
def recording(name: str) -> dict[str, Any]:
    """A recorded case."""
    found: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return found


def expected(name: str) -> list[dict[str, Any]]:
    """What the module sent to Umami, without what it made up."""
    case = recording(name)
    requests = [*(case.get("preceding_requests") or ()), *([case["request"]] if case.get("request") else ())]
    return [_stripped(request["body_json"]["payload"], "category=" in case["call"]) for request in requests]


def _stripped(payload: dict[str, Any], category: bool) -> dict[str, Any]:
    fields = {key: value for key, value in payload.items() if not (key in _MADE_UP and _MADE_UP[key] in {None, value})}
    data = {key: value for key, value in payload.get("data", {}).items() if value is not None and key != "environment"}
    if not category:
        data.pop("category", None)
    for key, field in _MOVED.items():
        if key in data:
            fields[field] = data.pop(key)
    return {**fields, "data": _comparable(data)}


def _comparable(data: dict[str, Any]) -> dict[str, Any]:
    """Data with the run's own values replaced: how long it took, and where files lie."""
    shown = dict(data)
    if "duration_ms" in shown:
        assert shown["duration_ms"] == "{DURATION}" or type(shown["duration_ms"]) is int
        shown["duration_ms"] = "{DURATION}"
    if "stack_trace" in shown:
        lines = shown["stack_trace"].splitlines()
        shown["stack_trace"] = [lines[0], lines[-1]]
    return shown


class Site:
    """Our calls on their way to a Umami.

    Attributes:
        umami: The server.
        names: What the recorded calls find.
    """

    def __init__(self, umami: UmamiServer) -> None:
        self.umami = umami
        telemetry = module.Telemetry.get_instance()
        names = {name: getattr(module, name) for name in module.__all__}
        self.names: dict[str, Any] = {
            **names,
            "__name__": "app.services",
            "telemetry": telemetry,
            "threading": threading,
        }

    def run(self, call: str) -> Any:
        """Run a call as it stands; what it leaves as ``result``."""
        exec(call, self.names)
        return self.names.get("result")

    def sent(self) -> list[dict[str, Any]]:
        """The payloads that arrived, without ids and times."""
        assert footspan.flush(20) == {"umami": 0}
        found = []
        for request in self.umami.requests:
            body = request.json()
            for item in body if isinstance(body, list) else [body]:
                payload = dict(item["payload"])
                assert payload.pop("website") == WEBSITE
                assert type(payload.pop("timestamp")) is int
                found.append({**payload, "data": _comparable(payload.get("data", {}))})
        return found


@contextmanager
def site(**options: Any) -> Iterator[Site]:
    """A Umami that knows the recorded website, and the process's tracker sending to it."""
    with UmamiServer(websites=(WEBSITE,)) as umami:
        footspan.init(service_name="shop", destinations={"umami": {"url": umami.url, "website": WEBSITE, **options}})
        yield Site(umami)
        footspan.shutdown(0)
