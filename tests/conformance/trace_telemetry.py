"""A TraceTelemetry endpoint."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from conformance.adapter import HttpAdapter
from conformance.cases import LONG_NAME
from conformance.faults import DELIVERED
from servers.trace_telemetry import TraceTelemetryServer
from test_servers.test_trace_telemetry_recordings import CASES, test_a_recorded_request_is_taken

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.faults import Expected
    from footspan.config import DestinationSettings

_KEY = "secret-key"


def _event(name: str, data: Any = None, application: str = "shop") -> dict[str, Any]:
    return {"name": name, "data": data, "application": application}


class TraceTelemetry(HttpAdapter):
    """Several events share a request, one request at a time."""

    name: ClassVar[str] = "trace-telemetry"
    type: ClassVar[str] = "trace_telemetry"
    looks: ClassVar[Mapping[str, Any]] = {
        "custom": _event("cart.opened", {"user_id": "u1", "items": 3, "price": 9.99, "express": True, "coupon": "A"}),
        "nothing": _event("ping"),
        "page view": _event("page_view", {"url": "https://shop.example/cart?x=1", "title": "Cart", "user_id": "u1"}),
        "identify": _event("identify", {"user_id": "u1", "plan": "pro"}),
        "exception": _event(
            "exception", {"message": "no such thing", "stackTrace": "Traceback\n  x", "exceptionType": "ValueError"}
        ),
        "text body": _event("note", {"body": "what was said", "a": 1}),
        "mapping body": _event("note", {"b": {"c": 2}, "a": 1}),
        "unicode": _event(
            "caf\u00e9.ge\u00f6ffnet", {"gr\u00f6\u00dfe": "\u65e5\u672c \U0001f9c0 \u2028", "nul": "a\0b"}
        ),
        "nested": _event("order", {"order": {"id": 7, "lines": [{"sku": "a"}, {"sku": "b"}]}, "none": {}}),
        "limits": _event(
            LONG_NAME, {"text": "x" * 600, "huge": 10**18, "tiny": 0.00001, "list": ["y" * 400, "z" * 400]}
        ),
        "foreign": _event("order.placed", {"user_id": "u9", "count": 3, "ratio": 0.5, "who": {"age": 41}}, ""),
    }
    # Any 2xx takes the events, whatever its body says, unless that is a page of a network in between.
    exceptions: ClassVar[Mapping[str, Expected]] = {"broken JSON": DELIVERED}

    def prove(self) -> None:
        """The recordings of the real client."""
        for name in CASES:
            test_a_recorded_request_is_taken(name)

    @contextmanager
    def running(self) -> Iterator[TraceTelemetryServer]:
        """An endpoint with a key."""
        with TraceTelemetryServer(api_key=_KEY) as server:
            yield server
        assert server.problems == []

    def options(self, server: TraceTelemetryServer) -> dict[str, Any]:
        """The key."""
        return {"api_key": server.api_key}

    def settings(self, server: TraceTelemetryServer, **more: Any) -> DestinationSettings:
        """Settings that lead to the whole address, used as it stands."""
        return super().settings(server, **{"address": server.endpoint, **more})

    def seen(self, server: TraceTelemetryServer) -> list[Any]:
        """Names and data, and whose they are."""
        assert {event["timestampUtc"] for event in server.received} <= {"2026-01-01T00:00:00.123456Z"}
        return [_event(event["name"], event["data"], event["applicationName"]) for event in server.received]
