"""A Dash-Tracker endpoint."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from conformance.adapter import HttpAdapter
from conformance.cases import LONG_NAME
from conformance.faults import DELIVERED
from servers.dash_tracker import KEY, DashTrackerServer
from test_servers.test_dash_tracker_recordings import EVENTS, replay_event

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.faults import Expected

_PAGE: dict[str, str] = {
    "base_url": "https://shop.example/cart",
    "url": "https://shop.example/cart?x=1",
    "url_root": "https://shop.example/",
    "path": "/cart",
    "full_path": "/cart?x=1",
    "endpoint": "/cart",
    "method": "GET",
}


def _event(event: str, user: str = "anonymous", page: Mapping[str, str] | None = None, /, **data: Any) -> Any:
    place = page or dict.fromkeys(_PAGE, "")
    return {
        "name": event,
        "data": {
            "app_name": "shop",
            "ip": "",
            "user_agent": "",
            "referrer": None,
            **place,
            "user_id": user,
            "email": "anonymous",
            "full_name": "anonymous",
            **data,
        },
    }


class DashTracker(HttpAdapter):
    """One event a request, with the fields of the document in each."""

    name: ClassVar[str] = "dash-tracker"
    type: ClassVar[str] = "dash_tracker"
    looks: ClassVar[Mapping[str, Any]] = {
        "custom": _event("cart.opened", "u1", items=3, price=9.99, express=True, coupon="A"),
        "nothing": _event("ping"),
        "page view": _event("page_view", "u1", _PAGE, title="Cart"),
        "identify": _event("identify", "u1", plan="pro"),
        "exception": _event(
            "exception", error_type="ValueError", error_message="no such thing", stack_trace="Traceback\n  x"
        ),
        "text body": _event("note", a=1, body="what was said"),
        "mapping body": _event("note", a=1, b={"c": 2}),
        "unicode": _event("café.geöffnet", größe="日本 🧀 \u2028", nul="a\0b"),
        "nested": _event("order", order={"id": 7, "lines": [{"sku": "a"}, {"sku": "b"}]}, none={}),
        "limits": _event(LONG_NAME, text="x" * 600, huge=10**18, tiny=0.00001, list=["y" * 400, "z" * 400]),
        "foreign": _event("order.placed", "u9", app_name="", count=3, ratio=0.5, who={"age": 41}),
    }
    # Its client looks at the status alone.
    exceptions: ClassVar[Mapping[str, Expected]] = {"broken JSON": DELIVERED}

    def prove(self) -> None:
        """Every event that was recorded is one to the stand-in."""
        for name in EVENTS:
            replay_event(name)

    @contextmanager
    def running(self) -> Iterator[DashTrackerServer]:
        """One that asks for a key."""
        with DashTrackerServer(key=KEY) as server:
            yield server

    def settings(self, server: DashTrackerServer, **more: Any) -> Any:
        """The endpoint's whole address, and the key."""
        return super().settings(server, **{"address": server.endpoint, "api_key": KEY, **more})

    def seen(self, server: DashTrackerServer) -> list[Any]:
        """The events, their time looked at."""
        found = []
        for event in server.events:
            assert event["timestamp"] == "2026-01-01T00:00:00.123456+00:00", json.dumps(event)
            found.append({"name": event["event"], "data": event["data"]})
        return found
