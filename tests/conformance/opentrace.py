"""OpenTrace: one event a request."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Final

from conformance.adapter import HttpAdapter
from conformance.cases import LONG_NAME
from conformance.faults import RETRIED
from footspan.destinations.opentrace.payloads import user_hash
from servers.opentrace import PROJECT, OpenTraceServer
from test_servers import test_opentrace_recordings as recordings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.faults import Expected

NOBODY: Final = "service:shop"
"""Whose session it is that is nobody's."""


def _event(name: str, session: str = NOBODY, url: str = "server-side", /, **payload: Any) -> dict[str, Any]:
    return {"name": name, "session": session, "url": url, "payload": payload}


class OpenTrace(HttpAdapter):
    """Stored rows, as the server's own reports read them."""

    name: ClassVar[str] = "opentrace"
    type: ClassVar[str] = "opentrace"
    looks: ClassVar[Mapping[str, Any]] = {
        "custom": _event("cart.opened", user_hash("u1"), items=3, price=9.99, express=True, coupon="A"),
        "nothing": _event("ping"),
        "page view": _event("page_view", user_hash("u1"), "https://shop.example/cart?x=1", title="Cart"),
        "identify": _event("identify", user_hash("u1"), plan="pro"),
        "exception": _event(
            "exception", error_type="ValueError", error_message="no such thing", stack_trace="Traceback\n  x"
        ),
        "text body": _event("note", a=1, body="what was said"),
        "mapping body": _event("note", a=1, b={"c": 2}),
        "unicode": _event("café.geöffnet", größe="日本 🧀 \u2028", nul="a\0b"),
        "nested": _event("order", order={"id": 7, "lines": [{"sku": "a"}, {"sku": "b"}]}, none={}),
        "limits": _event(LONG_NAME, text="x" * 600, huge=10**18, tiny=0.00001, list=["y" * 400, "z" * 400]),
        "foreign": _event("order.placed", user_hash("u9"), count=3, ratio=0.5, who={"age": 41}),
    }
    # What fails on the way to its storage has stored nothing, and behind a proxy nobody was there.
    exceptions: ClassVar[Mapping[str, Expected]] = {"500": RETRIED, "502": RETRIED}

    def prove(self) -> None:
        """The recordings of the real server."""
        for name in recordings.CASES:
            recordings.test_recording(name)

    @contextmanager
    def running(self) -> Iterator[OpenTraceServer]:
        """An OpenTrace server."""
        with OpenTraceServer() as server:
            yield server

    def options(self, server: OpenTraceServer) -> dict[str, Any]:
        """The project; and that it is sent again what may have arrived, as the other destinations have it."""
        del server
        return {"project_id": PROJECT, "on_ambiguous": "retry"}

    def seen(self, server: OpenTraceServer) -> list[Any]:
        """Rows of this project."""
        assert {row["resource_id"] for row in server.rows} == {PROJECT}
        return [
            _event(row["event_type"], row["session_id"], row["url"], **json.loads(row["payload"]))
            for row in server.rows
        ]
