"""The console, whose server is standard error."""

from __future__ import annotations

import io
import json
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from conformance.adapter import Adapter
from conformance.cases import LONG_NAME
from conformance.faults import PARKED
from destinations.making import settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from conformance.faults import Expected
    from footspan.config import DestinationSettings


class Console(Adapter):
    """One JSON object a line."""

    name: ClassVar[str] = "console"
    looks: ClassVar[Mapping[str, Any]] = {
        "custom": ("cart.opened", {"user_id": "u1", "items": 3, "price": 9.99, "express": True, "coupon": "A"}),
        "nothing": ("ping", {}),
        "page view": (
            "footspan.page_view",
            {"url": "https://shop.example/cart?x=1", "title": "Cart", "user_id": "u1"},
        ),
        "identify": ("footspan.identify", {"user_id": "u1", "plan": "pro"}),
        "exception": (
            "exception",
            {"error_type": "ValueError", "error_message": "no such thing", "stack_trace": "Traceback\n  x"},
        ),
        "text body": ("note", {"a": 1, "body": "what was said"}),
        "mapping body": ("note", {"a": 1, "body": {"b": {"c": 2}}}),
        "unicode": ("café.geöffnet", {"größe": "日本 🧀 \u2028", "nul": "a\0b"}),
        "nested": ("order", {"order": {"id": 7, "lines": [{"sku": "a"}, {"sku": "b"}]}, "none": {}}),
        "limits": (
            LONG_NAME,
            {"text": "x" * 600, "huge": 10**18, "tiny": 0.00001, "list": ["y" * 400, "z" * 400]},
        ),
        "foreign": ("order.placed", {"user_id": "u9", "count": 3, "ratio": 0.5, "who": {"age": 41}}),
    }

    @property
    def faults(self) -> Mapping[str, Expected]:
        """A stream can be closed; nothing else happens to it."""
        return {"closed": PARKED}

    def prove(self) -> None:
        """A stream of the standard library's needs no proof."""

    @contextmanager
    def running(self) -> Iterator[io.StringIO]:
        """A stream in place of standard error."""
        before, stream = sys.stderr, io.StringIO()
        sys.stderr = stream
        try:
            yield stream
        finally:
            sys.stderr = before

    @contextmanager
    def failing(self, server: io.StringIO, fault: str) -> Iterator[dict[str, Any]]:
        """The stream is closed."""
        assert fault == "closed"
        server.close()
        yield {}

    def settings(self, server: io.StringIO, **more: Any) -> DestinationSettings:
        """For programs."""
        del server
        return settings("console", **{"format": "json", **more})

    def seen(self, server: io.StringIO) -> list[Any]:
        """Names and properties."""
        lines = [json.loads(line) for line in server.getvalue().split("\n") if line]
        assert all(line["time"].startswith("2026-01-01T00:00:00.") for line in lines)
        return [(line["name"], line["properties"]) for line in lines]

    def names(self, server: io.StringIO) -> list[str]:
        """The names of what arrived."""
        return [name for name, _ in self.seen(server)]

    def requests(self, server: io.StringIO) -> int:
        """Writes are not counted apart: 1 when there was any."""
        return int(server.closed or bool(server.getvalue()))
