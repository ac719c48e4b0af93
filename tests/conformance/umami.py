"""Umami, by batches and by single requests."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar

from conformance.adapter import HttpAdapter
from conformance.cases import LONG_NAME
from conformance.faults import AMBIGUOUS, OTHERWISE, REJECTED
from servers.umami import UmamiServer
from test_servers.replay import cases, plain_body, replay

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.faults import Expected


def _event(name: str, user: str | None = None, path: str = "", /, **data: Any) -> dict[str, Any]:
    return {"name": name, "user": user, "path": path, "data": data}


def _any(data: dict[str, Any]) -> dict[str, Any]:
    """Names that no keyword can have."""
    return data


_ERROR: dict[str, Any] = {"error_type": "ValueError", "error_message": "no such thing", "stack_trace": "Traceback\n  x"}


class UmamiBatches(HttpAdapter):
    """Several events share a request; one alone is sent alone, as everywhere."""

    name: ClassVar[str] = "umami"
    type: ClassVar[str] = "umami"
    looks: ClassVar[Mapping[str, Any]] = {
        "custom": _event("cart.opened", "u1", items=3.0, price=9.99, express=True, coupon="A"),
        "nothing": _event("ping"),
        "page view": _event("", "u1", "/cart"),
        "identify": {"identify": "u1", "data": {"plan": "pro"}},
        "exception": _event("exception", **_ERROR),
        "text body": _event("note", a=1.0, body="what was said"),
        "mapping body": _event("note", a=1.0, **_any({"b.c": 2.0})),
        "unicode": _event("café.geöffnet", größe="日本 🧀 \u2028", nul="ab"),
        "nested": _event("order", **_any({"order.id": 7.0, "order.lines": '[{"sku":"a"},{"sku":"b"}]'})),
        "limits": _event(
            f"{LONG_NAME[:41]}~{sha256(LONG_NAME.encode()).hexdigest()[:8]}",
            event_name=LONG_NAME,
            text="x" * 500,
            huge="1000000000000000000",
            tiny=0.0,
            list='["' + "y" * 400 + '"]',
        ),
        "foreign": _event("order.placed", "u9", count=3.0, ratio=0.5, **_any({"who.age": 41.0})),
    }
    # Umami stores an event before it fails with a 500, and knows none again: never sent twice by itself.
    exceptions: ClassVar[Mapping[str, Expected]] = {"500": REJECTED}

    def prove(self) -> None:
        """The recordings of the real server: what it took, refused, took for a bot's."""
        for case in cases("send_ok", "send_invalid", "batch"):
            with case.server() as server:
                reply = replay(server, case)
            assert reply.status == case.recorded["response"]["status"], case.name
            body = case.recorded["response"]["body"]
            if isinstance(body, dict) and "__text__" not in body:
                assert plain_body(body) == plain_body(reply.json()), case.name

    @contextmanager
    def running(self) -> Iterator[UmamiServer]:
        """Umami 3.1."""
        with UmamiServer() as server:
            yield server

    def options(self, server: UmamiServer) -> dict[str, Any]:
        """The website."""
        return {"website": server.website}

    def seen(self, server: UmamiServer) -> list[Any]:
        """Events and page views with their data and whose they are, then users' own data."""
        found: list[Any] = []
        for row in server.rows["website_event"]:
            session = server.session_of(row) or {}
            assert datetime.fromisoformat(str(row["created_at"])).timestamp() == 1_767_225_600
            data = server.data_of(row["event_id"])
            found.append(_event(row.get("event_name", ""), session.get("distinct_id"), row["url_path"], **data))
        users: dict[str, dict[str, Any]] = {}
        for row in server.rows["session_data"]:
            users.setdefault(row["distinct_id"], {})[row["data_key"]] = row["string_value"]
        return found + [{"identify": user, "data": data} for user, data in users.items()]

    def names(self, server: UmamiServer) -> list[str]:
        """Of custom events."""
        return [row["event_name"] for row in server.events()]


class UmamiSingles(UmamiBatches):
    """A server without batches, before it is known to have none."""

    name: ClassVar[str] = "umami-singles"

    @contextmanager
    def running(self) -> Iterator[UmamiServer]:
        """The hosted one answers a batch with 405."""
        with UmamiServer() as server:
            server.faults.no_batch(405)
            yield server

    def build(self, server: UmamiServer, **more: Any) -> Any:
        """A destination that knows already."""
        destination: Any = super().build(server, **more)
        destination.batches = False
        destination.max_items = 1
        return destination


BATCH_EXCEPTIONS: Mapping[str, Expected] = {"404": OTHERWISE, "405": OTHERWISE, "500": AMBIGUOUS}
"""What the answer to a whole batch means otherwise: there may be no batches; nobody knows what a 500 was about."""
