"""Records, spans and destinations for tests of exporters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanKind

from destinations.making import settings
from footspan.destinations import Destination, Outcome, Verdict, build_destination
from footspan.destinations.otlp import OtlpDestination

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.otlp_json import LogLine

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PAGE: dict[str, Any] = {
    "http.request.method": "GET",
    "http.route": "/tea",
    "url.path": "/tea",
    "url.query": "email=jane@canary.example",
    "client.address": "203.0.113.7",
    "http.response.status_code": 200,
    "http.request.header.host": ["shop.example"],
    "http.response.header.content_type": ["text/html; charset=utf-8"],
    "user_agent.original": FIREFOX,
}
"""A server span's attributes that make it a page view."""


class Scripted(Destination):
    """A destination that answers what it is told to, and remembers what it was given."""

    type: ClassVar[str] = "scripted"
    default_max_items: ClassVar[int] = 4

    def __init__(self, *outcomes: Outcome, on_ambiguous: str | None = None) -> None:
        super().__init__(settings("scripted", on_ambiguous=on_ambiguous))
        self.outcomes = list(outcomes)
        self.sent: list[list[str]] = []
        self.closed = False

    def send(self, events: Sequence[LogLine], timeout: float) -> Outcome:
        """The next outcome, then delivered."""
        assert timeout > 0
        self.sent.append([event.name for event in events])
        return self.outcomes.pop(0) if self.outcomes else Outcome(Verdict.DELIVERED)

    def close(self) -> None:
        """Remember it."""
        self.closed = True


def record(name: str = "a", **fields: Any) -> ReadableLogRecord:
    """One SDK record."""
    return ReadableLogRecord(
        log_record=LogRecord(timestamp=1_767_225_600_000_000_000, event_name=name, **fields),
        resource=Resource({"service.name": "shop"}),
        instrumentation_scope=InstrumentationScope("tests", "1.0"),
    )


def records(count: int) -> list[ReadableLogRecord]:
    """Records named by their number."""
    return [record(str(number)) for number in range(count)]


def otlp(endpoint: str, **options: Any) -> OtlpDestination:
    """An OTLP destination."""
    destination = build_destination(settings("otlp", endpoint=endpoint, **options))
    assert isinstance(destination, OtlpDestination)
    return destination


def span(name: str = "work", attributes: dict[str, Any] | None = None, **how: Any) -> ReadableSpan:
    """One ended span."""
    tracer = TracerProvider(resource=Resource({"service.name": "shop"})).get_tracer("tests", "1.0")
    made: Any = tracer.start_span(name, kind=how.pop("kind", SpanKind.INTERNAL), attributes=attributes, **how)
    made.end()
    return made  # type: ignore[no-any-return] # an SDK span


def page(**attributes: Any) -> ReadableSpan:
    """A server span of a page that somebody looked at."""
    return span("GET /tea", {**PAGE, **attributes}, kind=SpanKind.SERVER)
