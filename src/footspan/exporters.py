"""Destinations as standard OpenTelemetry exporters, without a spool.

OpenTelemetry's batch processors hold what waits in memory, try once and forget a batch that failed. So an exporter has
to do its own trying again, inside a time of its own, and to say honestly whether everything arrived.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from footspan import conventions as c
from footspan._guard import guard
from footspan.destinations.base import Outcome, Verdict
from footspan.emit import new_uid
from footspan.otlp_json import LogLine, encode_line, encode_record, encode_spans, encode_suffix
from footspan.otlp_json.records import NO_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk.trace import ReadableSpan

    from footspan.destinations.base import Destination
    from footspan.destinations.otlp import OtlpDestination

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 5.0
AGAIN_LIMIT: Final = 16
"""Times in a row that a destination may ask for another request at once."""

_LEAST_SECONDS: Final = 0.01
_TOO_LARGE: Final = frozenset({"http_413", "grpc_resource_exhausted"})


class _Clock:
    """The time one export has, and a pause that ends early when the exporter is told to stop."""

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self._deadline: float | None = None
        self._stopped = False
        self._pid = 0
        self._changed = threading.Condition()

    def start(self) -> float:
        """Begin an export; returns the latest moment it may take, by the monotonic clock."""
        if self._pid != os.getpid():
            # A forked child may have inherited the lock in another thread's hands.
            self._pid, self._changed = os.getpid(), threading.Condition()
        return time.monotonic() + self.timeout

    @property
    def deadline(self) -> float | None:
        return self._deadline

    @deadline.setter
    def deadline(self, value: float | None) -> None:
        self._deadline = value
        self._wake()

    @property
    def stopped(self) -> bool:
        """Whether the exporter was shut down."""
        return self._stopped

    def stop(self) -> None:
        """End what is under way."""
        self._stopped = True
        self._wake()

    def left(self, end: float) -> float:
        """Seconds left of an export that may take until ``end``; 0 once the exporter is shut down."""
        if self._stopped:
            return 0.0
        return (end if self._deadline is None else min(end, self._deadline)) - time.monotonic()

    def pause(self, seconds: float, end: float) -> bool:
        """Wait; whether there is time left for another try."""
        if seconds >= self.left(end):
            return False
        until = time.monotonic() + seconds
        self.wait_until(lambda: time.monotonic() >= until, min(until, end))
        return self.left(end) > _LEAST_SECONDS

    def wait_until(self, done: Callable[[], bool], end: float) -> None:
        """Wait until ``done`` holds after a wake-up, or the end, the deadline, or the shutdown."""
        with self._changed:
            while not done() and (left := self.left(end)) > 0:
                self._changed.wait(left)

    def call(self, request: Callable[[], Outcome], end: float) -> Outcome | None:
        """Make a request in a thread of its own, so that waiting for its answer can be given up; ``None`` if it was."""
        answers: list[Outcome | None] = []

        def run() -> None:
            answer: Outcome | None = None
            try:
                with guard("exporter.send"):
                    answer = request()
            finally:
                answers.append(answer)
                self._wake()

        try:
            threading.Thread(target=run, name="footspan-export", daemon=True).start()
        except RuntimeError:
            # The interpreter is ending and starts no more threads; the request's own time bounds it all the same.
            run()
        self.wait_until(lambda: bool(answers), end)
        return answers[0] if answers else None

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()


class DestinationLogExporter(LogRecordExporter):
    """Any destination as a log record exporter.

    Args:
        destination: Where records go; it is closed by ``shutdown``.
        timeout: Seconds that one ``export`` may take, all tries together; by default the destination's own.
    """

    def __init__(self, destination: Destination, *, timeout: float | None = None) -> None:
        self.destination = destination
        self._clock = _Clock(destination.timeout if timeout is None else timeout)

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Deliver some records; ``SUCCESS`` only when the destination took every one."""
        if self._clock.stopped:
            return LogRecordExportResult.FAILURE
        end = self._clock.start()
        lost = len(batch)
        with guard("exporter.logs"):
            lost = self._deliver([line_of(record) for record in batch], end)
        return LogRecordExportResult.FAILURE if lost else LogRecordExportResult.SUCCESS

    def shutdown(self) -> None:
        """End what is under way and close the connections."""
        self._clock.stop()
        with guard("exporter.shutdown"):
            self.destination.close()

    def force_flush(self, timeout_millis: int = 10_000) -> bool:  # noqa: ARG002 - nothing is held back here
        """Nothing waits here."""
        return True

    @property
    def deadline(self) -> float | None:
        """A moment of the monotonic clock after which nothing is tried any more; ``None`` for none.

        Setting it ends an ``export`` under way once that moment has come, even one that waits for an answer: a process
        that ends must not wait for a destination that is dead.
        """
        return self._clock.deadline

    @deadline.setter
    def deadline(self, value: float | None) -> None:
        self._clock.deadline = value

    def _deliver(self, lines: list[LogLine], end: float) -> int:
        """Send lines in cuts; returns how many the destination did not take."""
        runs: deque[list[LogLine]] = deque([lines] if lines else [])
        lost = 0
        again = 0
        pause = FIRST_PAUSE
        while runs:
            left = self._clock.left(end)
            if left <= _LEAST_SECONDS:
                break
            cut = self._cut(runs)
            outcome = self._clock.call(partial(self.destination.send, cut, left), end)
            if outcome is None:
                return lost + len(cut) + sum(map(len, runs))
            refused, waiting, gravest = _sort(cut, outcome, self.destination)
            lost += refused
            if not waiting:
                again, pause = 0, FIRST_PAUSE
                continue
            if gravest.verdict is Verdict.REFUSED:
                half = (len(waiting) + 1) // 2
                runs.extendleft(part for part in (waiting[half:], waiting[:half]) if part)
                continue
            runs.appendleft(waiting)
            again += 1
            if gravest.verdict is Verdict.AGAIN and again <= AGAIN_LIMIT:
                continue
            seconds = pause * random.uniform(0.8, 1.2) if gravest.retry_after is None else gravest.retry_after  # noqa: S311 - spreading tries is no secret
            pause = min(2 * pause, LONGEST_PAUSE)
            if gravest.verdict is Verdict.PARK or not self._clock.pause(seconds, end):
                break
        return lost + sum(map(len, runs))

    def _cut(self, runs: deque[list[LogLine]]) -> list[LogLine]:
        """Take as many of the first run's lines as one request carries."""
        run = runs.popleft()
        size = count = 0
        for line in run[: max(1, self.destination.max_items)]:
            size += len(line.line) + 1
            if count and size > self.destination.max_bytes:
                break
            count += 1
        if count < len(run):
            runs.appendleft(run[count:])
        return run[:count]


def _sort(lines: list[LogLine], outcome: Outcome, destination: Destination) -> tuple[int, list[LogLine], Outcome]:
    """How many lines are lost, which go again, and the outcome that decides how."""
    lost = 0
    waiting: list[LogLine] = []
    gravest = Outcome(Verdict.DELIVERED)
    for index, line in enumerate(lines):
        fate = outcome.items.get(index, outcome)
        whole = index not in outcome.items and len(lines) > 1
        if fate.verdict is Verdict.DELIVERED:
            continue
        gone = fate.verdict is Verdict.AMBIGUOUS and destination.on_ambiguous_for(line) == "drop"
        if gone or (fate.verdict is Verdict.REFUSED and not whole):
            lost += 1
            continue
        waiting.append(line)
        # A pause counts for all; only where nothing asks for one is a refused request cut at once.
        if gravest.verdict in (Verdict.DELIVERED, Verdict.REFUSED) or fate.verdict is Verdict.PARK:
            gravest = fate
    return lost, waiting, gravest


class OtlpJsonSpanExporter(SpanExporter):
    """Spans to an ``otlp`` destination, in the encoding and by the rules of its events.

    Args:
        destination: Whose traces endpoint and session are used; its owner closes it.
        timeout: Seconds that one ``export`` may take, all tries together; by default the destination's own.
    """

    def __init__(self, destination: OtlpDestination, *, timeout: float | None = None) -> None:
        self.destination = destination
        self._clock = _Clock(destination.timeout if timeout is None else timeout)

    @property
    def deadline(self) -> float | None:
        """A moment of the monotonic clock after which nothing is tried any more; ``None`` for none.

        Setting it ends an ``export`` under way, as it does for log records.
        """
        return self._clock.deadline

    @deadline.setter
    def deadline(self, value: float | None) -> None:
        self._clock.deadline = value

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Deliver some spans; ``SUCCESS`` only when the backend took every one."""
        if self._clock.stopped:
            return SpanExportResult.FAILURE
        end = self._clock.start()
        delivered = False
        with guard("exporter.spans"):
            delivered = not spans or self._deliver(spans, end)
        return SpanExportResult.SUCCESS if delivered else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """End what is under way."""
        self._clock.stop()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:  # noqa: ARG002 - nothing is held back here
        """Nothing waits here."""
        return True

    def _deliver(self, spans: Sequence[ReadableSpan], end: float) -> bool:
        body = encode_spans(spans)
        pause = FIRST_PAUSE
        while self._clock.left(end) > _LEAST_SECONDS:
            left = self._clock.left(end)
            outcome = self._clock.call(partial(self.destination.send_spans, body, left), end)
            if outcome is None or outcome.verdict in (Verdict.DELIVERED, Verdict.PARK):
                return outcome is not None and outcome.verdict is Verdict.DELIVERED
            if outcome.verdict is Verdict.REFUSED:
                if outcome.reason not in _TOO_LARGE or len(spans) == 1:
                    return False
                half = len(spans) // 2
                first = self._deliver(spans[:half], end)
                return self._deliver(spans[half:], end) and first
            if outcome.verdict is Verdict.AMBIGUOUS and self.destination.on_ambiguous == "drop":
                return False
            seconds = pause * random.uniform(0.8, 1.2) if outcome.retry_after is None else outcome.retry_after  # noqa: S311 - spreading tries is no secret
            pause = min(2 * pause, LONGEST_PAUSE)
            if not self._clock.pause(seconds, end):
                return False
        return False


def line_of(record: ReadableLogRecord) -> LogLine:
    """An SDK log record as a stored line; one without ``log.record.uid`` gets one."""
    log = record.log_record
    attributes: dict[str, Any] = dict(log.attributes or {})
    if not attributes.get(c.LOG_RECORD_UID):
        attributes[c.LOG_RECORD_UID] = new_uid(log.timestamp or log.observed_timestamp or time.time_ns())
    severity = log.severity_number
    encoded = encode_record(
        name=log.event_name or NO_NAME,
        time_ns=log.timestamp or 0,
        observed_ns=log.observed_timestamp or 0,
        attributes=attributes,
        body=log.body,
        severity_number=severity.value if severity is not None else 0,
        severity_text=log.severity_text or "",
        trace_id=log.trace_id or 0,
        span_id=log.span_id or 0,
        flags=int(log.trace_flags or 0),
        dropped=record.dropped_attributes,
    )
    scope = record.instrumentation_scope
    resource = record.resource
    suffix = encode_suffix(
        resource.attributes,
        scope.name if scope else "",
        (scope.version if scope else "") or "",
        scope.attributes if scope else None,
        resource.schema_url or "",
        (scope.schema_url if scope else "") or "",
    )
    return LogLine(encode_line(encoded, suffix).rstrip(b"\n"))
