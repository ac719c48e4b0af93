"""Spans and plain logs on their way to the spool's lanes, in place of OpenTelemetry's batch processors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk._logs import LogRecordProcessor
from opentelemetry.sdk.trace import SpanProcessor

from footspan import _guard
from footspan.delivery.lanes import LOGS, SPANS
from footspan.exporters import line_of
from footspan.otlp_json.span_lines import span_line_of
from footspan.otlp_json.spans import encode_span, encode_span_suffix

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from footspan.config import DestinationSettings
    from footspan.pipeline import Pipeline


_MOST_SUFFIXES: Final = 4096


class SpoolSpanProcessor(SpanProcessor):
    """Keeps each ended span in the spool before ``on_end`` returns. Stands behind redaction.

    Args:
        pipeline: Gives the pipeline in force.
        destinations: Settings of the ``otlp`` destinations that get spans.
    """

    def __init__(self, pipeline: Callable[[], Pipeline], destinations: Sequence[DestinationSettings]) -> None:
        self._pipeline = pipeline
        self._destinations = tuple(destinations)
        self._suffixes: dict[tuple[int, int], tuple[Any, Any, bytes]] = {}

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span. Never raises."""
        with _guard.guard("span"):
            line = span_line_of(encode_span(span), self._suffix(span.resource, span.instrumentation_scope))
            self._pipeline().lane(SPANS, self._destinations).append(line)

    def _suffix(self, resource: Any, scope: Any) -> bytes:
        """The line's cached end. The objects are kept with it, so that their ids cannot come to mean others."""
        key = (id(resource), id(scope))
        known = self._suffixes.get(key)
        if known is None:
            if len(self._suffixes) >= _MOST_SUFFIXES:
                self._suffixes.clear()
            known = self._suffixes[key] = (resource, scope, encode_span_suffix(resource, scope))
        return known[2]

    def shutdown(self) -> None:
        """Nothing is held here: the pipeline delivers, and ends, by itself."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Whether every span was delivered within the time."""
        lane = self._pipeline().lane(SPANS, self._destinations)
        return not any(lane.courier.flush(timeout_millis / 1000).values())


class SpoolLogProcessor(LogRecordProcessor):
    """The same for plain log records, which our own processor has cleaned before."""

    def __init__(self, pipeline: Callable[[], Pipeline], destinations: Sequence[DestinationSettings]) -> None:
        self._pipeline = pipeline
        self._destinations = tuple(destinations)

    def on_emit(self, log_record: Any) -> None:
        """Keep a record. Never raises."""
        with _guard.guard("log record"):
            self._pipeline().lane(LOGS, self._destinations).append(line_of(log_record).line + b"\n")

    def shutdown(self) -> None:
        """Nothing is held here."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Whether every record was delivered within the time."""
        lane = self._pipeline().lane(LOGS, self._destinations)
        return not any(lane.courier.flush(timeout_millis / 1000).values())
