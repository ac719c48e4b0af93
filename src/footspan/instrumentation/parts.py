"""The processors a pipeline puts into OpenTelemetry's providers, and how they get into providers made by others."""

from __future__ import annotations

import time
import weakref
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk._logs import LogRecordProcessor
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor

from footspan import _guard, _otel, emit
from footspan.destinations.otlp import OtlpDestination
from footspan.exporters import DestinationLogExporter, OtlpJsonSpanExporter
from footspan.instrumentation.lanes import SpoolLogProcessor, SpoolSpanProcessor
from footspan.pipeline import FootspanLogProcessor, clean_spans, default_redactor, default_slot, start
from footspan.pipeline.aside import carried_by, ours, step_aside
from footspan.pipeline.beside import make_provider
from footspan.processors.page_views import PageViewSpanProcessor
from footspan.processors.span_context import ContextSpanProcessor
from footspan.processors.span_events import SpanEventProcessor
from footspan.processors.spans import RecordServerSpans, RedactingSpanProcessor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

    from footspan.config import DestinationSettings
    from footspan.pipeline import Pipeline

_SHARE_OF_EXIT: Final = 0.25
"""What each batch processor gets of the time there is at exit; the rest is for the events."""


class Parts:
    """What a pipeline adds to OpenTelemetry, and keeps there when ``init()`` exchanges the pipeline.

    Args:
        pipeline: The process's pipeline.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._page_views = pipeline.settings.page_views
        self._spooled = pipeline.settings.spool.spans

    def log_processor(self, plain_logs_to: Sequence[DestinationSettings] = ()) -> FootspanLogProcessor:
        """The processor that takes events to the spool; it must stand first, since it cleans for those behind it.

        Args:
            plain_logs_to: ``otlp`` destinations that get plain log records as well.

        Raises:
            ConfigurationError: One of them cannot be used.
        """
        if plain_logs_to and self._spooled:
            self._pipeline.lane("logs", plain_logs_to)
            return FootspanLogProcessor(default_slot(), SpoolLogProcessor(self._in_force, plain_logs_to))
        exporters = [DestinationLogExporter(OtlpDestination(each), redact=False) for each in plain_logs_to]
        plain = [BatchLogRecordProcessor(exporter) for exporter in exporters]
        for batch, exporter in zip(plain, exporters, strict=True):
            self._end_with_pipeline(batch, exporter)
        return FootspanLogProcessor(default_slot(), _Several(plain) if plain else None)

    def span_processors(self, spans_to: Sequence[DestinationSettings] = ()) -> list[SpanProcessor]:
        """Ids, page views, events out of spans, and what takes spans to ``otlp`` destinations.

        That is the spool, or a batch processor for each.

        Raises:
            ConfigurationError: One of the destinations cannot be used.
        """
        processors: list[SpanProcessor] = []
        purposes = self._pipeline.settings.privacy.purposes
        if self._pipeline.settings.context.spans:
            processors.append(ContextSpanProcessor())
        if self._page_views.enabled:
            processors.append(PageViewSpanProcessor(self._page_views, purposes=purposes))
        wanting = [each for each in self._pipeline.settings.destinations if each.enabled and each.options.get("spans")]
        if wanting:
            processors.append(SpanEventProcessor(self._page_views, wanting, purposes=purposes))
        if spans_to and self._spooled:
            self._pipeline.lane("spans", spans_to)
            processors.append(self.redacting(SpoolSpanProcessor(self._in_force, spans_to)))
            return processors
        for each in spans_to:
            exporter = OtlpJsonSpanExporter(OtlpDestination(each), redact=False)
            batch = BatchSpanProcessor(exporter)
            self._end_with_pipeline(batch, exporter)
            processors.append(self.redacting(batch))
        return processors

    def redacting(self, processor: SpanProcessor) -> RedactingSpanProcessor:
        """A span processor that exports, given clean copies only."""
        return RedactingSpanProcessor(processor, default_redactor())

    def record_server_spans(self, provider: TracerProvider) -> None:
        """Have page views at any sampling rate: for every tracer that the provider makes from now on."""
        if self._page_views.enabled and not isinstance(provider.sampler, RecordServerSpans):
            provider.sampler = RecordServerSpans(provider.sampler)

    def join_own(self, provider: TracerProvider) -> None:
        """Complete a tracer provider that was made with our processors."""
        _joined.add(provider)
        self.record_server_spans(provider)
        clean_spans(provider)

    def attach(self, spans_to: Sequence[DestinationSettings]) -> None:
        """Join providers that somebody else has made; what they export leaves redacted from now on.

        Without a logger provider one is made, for the events; without a tracer provider there are no spans to join.

        Args:
            spans_to: ``otlp`` destinations that get spans, unless the provider exports spans already.

        Raises:
            ConfigurationError: One of them cannot be used.
        """
        tracer_provider = _otel.sdk_tracer_provider()
        logger_provider = _otel.sdk_logger_provider()
        if logger_provider is None and tracer_provider is not None:
            # What happens in a process comes from the same place, whichever signal tells of it.
            _otel.install_logger_provider(make_provider(self._pipeline.settings, tracer_provider.resource))
        elif logger_provider is not None and not _has(FootspanLogProcessor, _otel.processors_of(logger_provider)):
            _otel.prepend_log_processor(logger_provider, self.log_processor())
            step_aside(logger_provider, default_slot())
        start(self._pipeline.settings)
        emit.reset()
        if tracer_provider is not None and tracer_provider not in _joined:
            _joined.add(tracer_provider)
            self.record_server_spans(tracer_provider)
            _otel.change_span_processors(tracer_provider, partial(self._before, spans_to))
            self._one_way(tracer_provider)

    def _before(self, spans_to: Sequence[DestinationSettings], there: tuple[Any, ...]) -> tuple[Any, ...]:
        """Our span processors before those that a provider has."""
        exports = any(
            isinstance(getattr(each, "wrapped", each), BatchSpanProcessor | SimpleSpanProcessor) for each in there
        )
        return (*self.span_processors(() if exports else spans_to), *there)

    def _one_way(self, tracer_provider: TracerProvider) -> None:
        """Have span exporters of ours pass over what leaves as an event already."""
        slot = default_slot()
        spooled = carried_by(slot)

        def page_views() -> set[str]:
            """Where the page views arrive that we emit: by the spool, or by log exporters beside it."""
            provider = _otel.sdk_logger_provider()
            return {*spooled(), *(each.destination.id for each in ours(provider, "DestinationLogExporter"))}

        for exporter in ours(tracer_provider, "DestinationSpanExporter"):
            exporter.carried_spans = carried_by(slot, only_spans=True)
            if self._page_views.enabled:
                exporter.carried = page_views

    def _in_force(self) -> Pipeline:
        """The process's pipeline: ``init()`` may have put another in the place of the one we began with."""
        self._pipeline = default_slot().pipeline or self._pipeline
        return self._pipeline

    def _end_with_pipeline(self, batch: Any, exporter: DestinationLogExporter | OtlpJsonSpanExporter) -> None:
        _exporters.add(exporter)
        self._pipeline.on_stop(partial(self._stop, batch, exporter, self._pipeline))

    def _stop(
        self,
        batch: Any,
        exporter: DestinationLogExporter | OtlpJsonSpanExporter,
        stopping: Pipeline,
        deadline: float,
    ) -> None:
        """Export what waits, for a share of the time there is, then stop; unless the pipeline was only exchanged."""
        current = self._in_force()
        if current is not stopping:
            current.on_stop(partial(self._stop, batch, exporter, current))
            return
        share = max(0.0, deadline - time.monotonic()) * _SHARE_OF_EXIT
        exporter.deadline = time.monotonic() + share
        with _guard.guard("exit of a batch processor"):
            _otel.shut_down_batch(batch, share)


class _Several(LogRecordProcessor):
    """Log record processors as one."""

    def __init__(self, processors: Sequence[LogRecordProcessor]) -> None:
        self._processors = processors

    def on_emit(self, log_record: Any) -> None:
        for processor in self._processors:
            processor.on_emit(log_record)

    def shutdown(self) -> None:
        for processor in self._processors:
            processor.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        flushed = [processor.force_flush(timeout_millis) for processor in self._processors]
        return all(flushed)


def _has(kinds: Any, processors: Sequence[object]) -> bool:
    return any(isinstance(each, kinds) for each in processors)


_exporters: weakref.WeakSet[Any] = weakref.WeakSet()
_joined: weakref.WeakSet[Any] = weakref.WeakSet()
"""Tracer providers that have our processors."""


def _after_fork() -> None:
    """A forked child must not use its parent's connections, nor locks that another thread may hold for ever."""
    for exporter in list(_exporters):
        with _guard.guard("an exporter after a fork"):
            exporter.destination = type(exporter.destination)(exporter.destination.settings)


_otel.on_fork_in_child(_after_fork)
