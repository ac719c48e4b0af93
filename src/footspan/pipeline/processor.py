"""``FootspanLogProcessor``: where OpenTelemetry's log records enter our road.

Events go to the pipeline of the processor's slot; plain log records are redacted and passed on. The slot may be given
another pipeline (new settings), which a provider's processors cannot.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from opentelemetry.sdk._logs import LogRecordProcessor
from opentelemetry.sdk.resources import Resource

from footspan import _guard, emit
from footspan import conventions as c
from footspan.emit import Draft
from footspan.processors.spans import clean_resource, clean_scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from footspan.pipeline.build import Pipeline
    from footspan.pipeline.quick import QuickRoad


class Slot:
    """Where a processor finds its pipeline, and trackers the quick road to it.

    Attributes:
        emitter: What leads here; ``None``: whatever leads to the process's logger provider.
        quick: The quick road, while it is open; see :mod:`footspan.pipeline.quick`.
        try_again: When to see again whether it can be opened (``time.monotonic()`` seconds).
    """

    __slots__ = ("_pipeline", "emitter", "quick", "try_again")

    def __init__(self) -> None:
        self.emitter: emit.Emitter | None = None
        self._pipeline: Pipeline | None = None
        self.close_road()

    @property
    def pipeline(self) -> Pipeline | None:
        """Where events go; another one has a road of its own."""
        return self._pipeline

    @pipeline.setter
    def pipeline(self, pipeline: Pipeline | None) -> None:
        self._pipeline = pipeline
        self.close_road()

    def close_road(self) -> None:
        """Have every event take the ordinary road until the quick one is opened again."""
        self.quick: QuickRoad | None = None
        self.try_again = 0.0


class FootspanLogProcessor(LogRecordProcessor):
    """Takes every log record of a provider.

    Args:
        slot: Where to find the pipeline.
        plain_logs: Where plain log records go after redaction, if anywhere.
    """

    takes_light_records = True

    def __init__(self, slot: Slot, plain_logs: LogRecordProcessor | None = None) -> None:
        self._slot = slot
        self.plain_logs = plain_logs

    def on_emit(self, log_record: Any) -> None:
        """Take a record; never raises into the caller of ``emit``."""
        with _guard.guard("event"):
            pipeline = self._slot.pipeline
            if pipeline is None:
                return
            record = log_record.log_record
            if type(record) is Draft:
                pipeline.process(record, log_record.resource, log_record.instrumentation_scope)
                return
            self._clean_origin(pipeline, log_record)
            if record.event_name:
                self._ordinary(pipeline, log_record)
            else:
                self._plain(pipeline, log_record)

    @staticmethod
    def _clean_origin(pipeline: Pipeline, log_record: Any) -> None:
        """Where a record comes from, cleaned for every processor after this one."""
        resource, scope = log_record.resource, log_record.instrumentation_scope
        log_record.resource, log_record.instrumentation_scope = Resource({}), None  # fails closed
        with _guard.guard("redaction"):
            log_record.instrumentation_scope = clean_scope(scope, pipeline.redactor)
            log_record.resource = clean_resource(resource or Resource({}), pipeline.redactor)

    @staticmethod
    def _ordinary(pipeline: Pipeline, log_record: Any) -> None:
        """An event through the full SDK path: processors after this one see it redacted as well."""
        record = log_record.log_record
        now = time.time_ns()
        attributes = dict(record.attributes or {})
        attributes.setdefault(c.LOG_RECORD_UID, emit.new_uid(now))
        severity = record.severity_number
        draft = Draft(
            record.event_name,
            record.timestamp or record.observed_timestamp or now,
            record.observed_timestamp or now,
            attributes,
            record.body,
            severity.value if severity is not None else 0,
            record.severity_text or "",
            record.trace_id or 0,
            record.span_id or 0,
            int(record.trace_flags or 0),
        )
        kept = False
        try:
            kept = pipeline.process(draft, log_record.resource, log_record.instrumentation_scope)
        finally:
            # Processors after this one see the record too: clean if it was kept, and cleaned or emptied if it was not.
            if not kept:
                _clean_dropped(pipeline, draft)
            _write_back(record, draft.attributes)
            record.body = draft.body
            record.event_name = draft.name
            if record.severity_text:
                record.severity_text = draft.severity_text

    def _plain(self, pipeline: Pipeline, log_record: Any) -> None:
        """A plain log record: cleaned in place, for every processor after this one."""
        record = log_record.log_record
        attributes, body, severity = record.attributes or {}, record.body, record.severity_text
        clean: dict[str, Any] = {}
        record.body = record.severity_text = None  # fails closed, as an event does
        try:
            clean, _ = pipeline.redactor.mapping(attributes)
            if body is not None:
                record.body = pipeline.redactor.mapping({"body": body})[0]["body"]
            if severity:
                record.severity_text = pipeline.redactor.text(severity)
        finally:
            _write_back(record, clean)
        if self.plain_logs is not None:
            self.plain_logs.on_emit(log_record)

    def enabled(self, **_: Any) -> bool:
        """Whether a record would be taken."""
        return self._slot.pipeline is not None

    def shutdown(self) -> None:
        """Deliver within ``exit_timeout``, then stop."""
        pipeline = self._slot.pipeline
        if pipeline is not None:
            pipeline.shutdown()
        if self.plain_logs is not None:
            self.plain_logs.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Whether everything was delivered within the time."""
        pipeline = self._slot.pipeline
        if pipeline is None:
            return True
        return not any(pipeline.flush(timeout_millis / 1000).values())


def _clean_dropped(pipeline: Pipeline, draft: Draft) -> None:
    try:
        pipeline.redactor(draft)
    except Exception as error:  # noqa: BLE001 - fails closed: what cannot be cleaned is not shown
        _guard.report("redaction", error)
        draft.attributes, draft.body = {}, None


def _write_back(record: Any, attributes: Mapping[str, Any]) -> None:
    """Put clean attributes into a record in place: other processors hold on to the same mapping."""
    held = record.attributes
    if held is None:
        return
    for key in [key for key in held if key not in attributes]:
        del held[key]
    for key, value in attributes.items():
        if held.get(key) != value:
            held[key] = value
