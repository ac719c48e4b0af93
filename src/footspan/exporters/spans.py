"""Destinations as OpenTelemetry span exporters: spans as they are to OTLP, spans that mean something as events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from footspan import conventions as c
from footspan._guard import guard, warn_once
from footspan.config import PageViewSettings
from footspan.config.policy import DEFAULT
from footspan.exporters.lines import SpanLines, event_line
from footspan.exporters.sender import Sender
from footspan.patterns import matcher
from footspan.privacy.epochs import tokens_for
from footspan.processors.page_views import REQUEST_HEADERS, RESPONSE_HEADERS, shows_answer
from footspan.processors.redaction import Redactor
from footspan.processors.span_events import SpanRule
from footspan.processors.spans import redacted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from footspan.config.policy import Policy
    from footspan.destinations.base import Destination
    from footspan.otlp_json import LogLine


class _SpanExporter(SpanExporter):
    """What both kinds share; a subclass says what lines a span becomes."""

    def __init__(self, destination: Destination, *, timeout: float | None, redact: bool, policy: Policy) -> None:
        self._sender = Sender(destination, timeout)
        self._redactor = Redactor(self._sender.count, policy, pseudonymiser=tokens_for(destination)) if redact else None

    @property
    def destination(self) -> Any:
        """Where spans go."""
        return self._sender.destination

    @destination.setter
    def destination(self, destination: Destination) -> None:
        self._sender.destination = destination

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Deliver some spans. Never raises.

        Returns:
            ``SUCCESS`` only when every span was taken, or refused for its own sake; see :meth:`status`.
        """
        sender, done = self._sender, False
        if sender.clock.stopped:
            sender.count("failed", len(spans))
            return SpanExportResult.FAILURE
        with guard("exporter.spans"), sender.clock.export() as end:
            done = sender.deliver(self._lines(spans), end)
        return SpanExportResult.SUCCESS if done else SpanExportResult.FAILURE

    def _lines(self, spans: Sequence[ReadableSpan]) -> list[LogLine]:
        if self._sender.off:
            self._sender.count("passed_over", len(spans))
            return []
        make = self._maker()
        # Cleaning comes first and inside the same wall: a span that cannot be cleaned does not leave as it is.
        return self._sender.made(
            lambda span: make(span if self._redactor is None else redacted(span, self._redactor)), spans
        )

    def _maker(self) -> Callable[[ReadableSpan], LogLine | None]:
        """What makes the spans of one export into lines; ``None`` for one that is nothing to this destination."""
        raise NotImplementedError

    def status(self) -> dict[str, Any]:
        """Spans so far: ``delivered``, ``failed``, ``passed_over``, and ``refused`` by reason."""
        return self._sender.status()

    def shutdown(self) -> None:
        """End what is under way and close the connections. Doing it again changes nothing."""
        self._sender.clock.stop()
        with guard("exporter.shutdown"):
            self._sender.destination.close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Wait for exports under way; whether all had ended in time. Nothing else waits here."""
        return self._sender.clock.idle(timeout_millis / 1000)

    @property
    def deadline(self) -> float | None:
        """A moment of the monotonic clock after which nothing is tried any more; ``None`` for none.

        Setting it ends an ``export`` under way, as it does for log records.
        """
        return self._sender.clock.deadline

    @deadline.setter
    def deadline(self, value: float | None) -> None:
        self._sender.clock.deadline = value


class OtlpJsonSpanExporter(_SpanExporter):
    """Spans to an ``otlp`` destination, in the encoding and by the rules of its events.

    Args:
        destination: Whose traces endpoint is used; connections are the exporter's own.
        timeout: Seconds that one ``export`` may take, all tries together; by default the destination's own.
        redact: Whether spans are redacted here. Off only where a processor has cleaned them before.
        policy: The privacy policy that they are held to.
    """

    def __init__(
        self,
        destination: Destination,
        *,
        timeout: float | None = None,
        redact: bool = True,
        policy: Policy = DEFAULT,
    ) -> None:
        if destination.type == "otlp":
            from footspan.destinations.otlp_spans import OtlpSpanDestination  # noqa: PLC0415 - only these need it

            destination = OtlpSpanDestination(destination.settings)
        super().__init__(destination, timeout=timeout, redact=redact, policy=policy)

    def _maker(self) -> Callable[[ReadableSpan], LogLine | None]:
        return SpanLines().line_of


class DestinationSpanExporter(_SpanExporter):
    """Spans to a destination of events, by :mod:`footspan.processors.span_events`; most spans are none and pass by.

    Args:
        destination: Where the events go; it is closed by ``shutdown``. Its option ``spans`` names the spans, besides
            page views, that become events.
        timeout: Seconds that one ``export`` may take, all tries together; by default the destination's own.
        redact: Whether spans are redacted here. Off only where a processor has cleaned them before.
        policy: The privacy policy that they are held to.
        page_views: Whether server spans become page views, and which paths are no pages.

    Attributes:
        carried: Gives the ids of the destinations that get page views in another way, from a processor of footspan's on
            the same provider; for those they are passed over here.
        carried_spans: The same for what the option ``spans`` makes into events.
    """

    def __init__(
        self,
        destination: Destination,
        *,
        timeout: float | None = None,
        redact: bool = True,
        policy: Policy = DEFAULT,
        page_views: PageViewSettings | None = None,
    ) -> None:
        super().__init__(destination, timeout=timeout, redact=redact, policy=policy)
        patterns = destination.settings.options.get("spans")
        self._page_views = page_views or PageViewSettings()
        self._rule = SpanRule(self._page_views, None if patterns is None else tuple(patterns))
        self.carried: Callable[[], Collection[str]] = tuple
        self.carried_spans: Callable[[], Collection[str]] = tuple

    def _maker(self) -> Callable[[ReadableSpan], LogLine | None]:
        here = self._sender.destination.id
        pages_carried, spans_carried = here in self.carried(), here in self.carried_spans()

        def make(span: ReadableSpan) -> LogLine | None:
            event = self._rule.event_of(span)
            if event is None:
                if self._page_views.enabled and not shows_answer(span):
                    _say_what_to_capture()
                return None
            page = event.name == c.EVENT_PAGE_VIEW
            if pages_carried if page else spans_carried:
                return None
            line = event_line(event, span)
            return None if page and not self._wants(line) else line

        return make

    def _wants(self, line: LogLine) -> bool:
        patterns = self._sender.destination.settings.events
        return patterns is None or matcher(patterns)(line.name, line.category)


def _say_what_to_capture() -> None:
    warn_once(
        "exporter.page_views.capture",
        "footspan: server spans do not say what was answered, so none of them becomes a page view. Set "
        "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE=%s and "
        "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_REQUEST=%s",
        ",".join(RESPONSE_HEADERS),
        ",".join(REQUEST_HEADERS),
    )
