"""Spans and plain logs on their way to the spool's lanes, in place of OpenTelemetry's batch processors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk._logs import LogRecordProcessor
from opentelemetry.sdk.trace import SpanProcessor

from footspan import _guard
from footspan.delivery.lanes import LOGS, SPANS
from footspan.exporters import line_of
from footspan.otlp_json import encode_spans

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk.trace import ReadableSpan

    from footspan.config import DestinationSettings
    from footspan.pipeline import Pipeline


class SpoolSpanProcessor(SpanProcessor):
    """Keeps each ended span in the spool before ``on_end`` returns. Stands behind redaction.

    Args:
        pipeline: Gives the pipeline in force.
        destinations: Settings of the ``otlp`` destinations that get spans.
    """

    def __init__(self, pipeline: Callable[[], Pipeline], destinations: Sequence[DestinationSettings]) -> None:
        self._pipeline = pipeline
        self._destinations = tuple(destinations)

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span. Never raises."""
        with _guard.guard("span"):
            line = encode_spans((span,))
            if b'"spans":[' in line:  # one that cannot be encoded was reported, and leaves nothing
                self._pipeline().lane(SPANS, self._destinations).append(line + b"\n")

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
