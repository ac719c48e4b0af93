"""Our figures as OpenTelemetry metrics, for who wants them beside the metrics of the service.

Many processes share a spool, so each figure has one reporter. **Counters** tell what *this process* did: appended,
delivered, refused, evicted, dropped; the sum over all processes is the whole. **Gauges** tell the state of the spool
that all share; they come from the process that delivers to the destination, or from everybody while nobody does: take
the largest, never the sum.

Only OpenTelemetry's API is used here; without a meter provider the instruments do nothing.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard, _platform
from footspan import conventions as c
from footspan._version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from opentelemetry.metrics import CallbackOptions, Observation

    from footspan.pipeline.build import Pipeline
    from footspan.spool.base import Spool

    Attributes = tuple[tuple[str, str], ...]
    Figures = dict[str, dict[Attributes, float]]

COUNTERS: Final = {
    c.METRIC_EVENTS_ACCEPTED: "Events that this process stored.",
    c.METRIC_EVENTS_DELIVERED: "Events that this process delivered.",
    c.METRIC_EVENTS_REFUSED: "Events that a destination will never take, or whose fate nobody knows.",
    c.METRIC_EVENTS_EVICTED: "Events that this process deleted undelivered, to keep max_age or max_bytes.",
    c.METRIC_EVENTS_DROPPED: "Events that this process did not store.",
}
GAUGES: Final = {
    c.METRIC_SPOOL_WAITING: ("{event}", "Events, spans or plain logs that wait for a destination."),
    c.METRIC_SPOOL_SIZE: ("By", "Size of what the spool holds."),
    c.METRIC_DELIVERY_OLDEST_AGE: ("s", "Age of the oldest event that waits for a destination."),
}

_FRESH: Final = 0.5
"""Seconds within which the instruments of one collection share one look at the spool."""


class Appended:
    """How many events a pipeline appended: its spool's ``append`` counts from now on.

    Args:
        spool: The pipeline's.
    """

    def __init__(self, spool: Spool) -> None:
        append: Callable[[bytes], None] = spool.append
        self._start()

        def counted(line: bytes) -> None:
            append(line)
            with self._lock:
                self.events += 1

        vars(spool)["append"] = counted
        _platform.on_fork(self._start)

    def _start(self) -> None:
        self._lock = threading.RLock()  # a signal handler may track
        self.events = 0


def read(pipeline: Pipeline) -> Figures:
    """What this process has to say of itself and of the spool, by instrument and attributes."""
    figures: Figures = {name: {} for name in (*COUNTERS, *GAUGES)}
    figures[c.METRIC_EVENTS_ACCEPTED][()] = pipeline.appended.events if pipeline.appended else 0
    for share in pipeline.spool.shares():
        where = (c.DESTINATION_NAME, share.name)
        _add(figures[c.METRIC_EVENTS_DELIVERED], (where,), share.delivered)
        for reason, count in share.refused.items():
            _add(figures[c.METRIC_EVENTS_REFUSED], (where, (c.REASON, reason)), count)
        for reason, count in share.evicted.items():
            _add(figures[c.METRIC_EVENTS_EVICTED], (where, (c.REASON, reason)), count)
    for reason, count in pipeline.spool.dropped().items():
        _add(figures[c.METRIC_EVENTS_DROPPED], ((c.REASON, reason),), count)
    status = pipeline.status()
    for lane, ledger in {"events": status, **status.get("lanes", {})}.items():
        _look(figures, lane, ledger)
    return figures


def _look(figures: Figures, lane: str, ledger: Mapping[str, Any]) -> None:
    """The gauges of one lane, as far as they are ours to tell."""
    entries = {
        name: entry for name, entry in ledger["destinations"].items() if entry["here"] or not entry["carrier"]["held"]
    }
    for name, entry in entries.items():
        key = ((c.DESTINATION_NAME, name), (c.LANE, lane))
        figures[c.METRIC_SPOOL_WAITING][key] = entry["waiting"]
        figures[c.METRIC_DELIVERY_OLDEST_AGE][key] = entry["oldest_age"] or 0.0
    if entries or not ledger["destinations"]:
        figures[c.METRIC_SPOOL_SIZE][((c.LANE, lane),)] = ledger["bytes"]


def _add(series: dict[Attributes, float], key: Attributes, count: float) -> None:
    series[key] = series.get(key, 0) + count


class Report:
    """The process's instruments, whatever pipeline is in force.

    Args:
        pipeline: Gives the pipeline in force.
    """

    def __init__(self, pipeline: Callable[[], Pipeline | None]) -> None:
        self._pipeline = pipeline
        self._installed = False
        self._start()
        _platform.on_fork(self._start)

    def _start(self) -> None:
        self._lock = _guard.QuietLock()
        self._past: Figures = {name: {} for name in COUNTERS}
        self._figures: Figures = {}
        self._read_at = 0.0

    def install(self) -> None:
        """Make the instruments, once. A meter provider that is set later finds them."""
        if self._installed:
            return
        self._installed = True
        from opentelemetry.metrics import get_meter  # noqa: PLC0415 - only who asked for metrics pays for it

        meter = get_meter("footspan", __version__)
        for name, text in COUNTERS.items():
            meter.create_observable_counter(name, [self._observer(name)], unit="{event}", description=text)
        for name, (unit, text) in GAUGES.items():
            meter.create_observable_gauge(name, [self._observer(name)], unit=unit, description=text)

    def retire(self, pipeline: Pipeline) -> None:
        """Keep the counts of a pipeline that another one follows: a counter never goes back."""
        if not pipeline.settings.metrics:
            return
        with _guard.guard("metrics"), self._lock:
            self._figures = {}
            for name, series in read(pipeline).items():
                for key, count in series.items() if name in self._past else ():
                    _add(self._past[name], key, count)

    def reset(self) -> None:
        """Forget everything; for tests."""
        self._installed = False
        self._start()

    def _observer(self, name: str) -> Callable[[CallbackOptions], Iterable[Observation]]:
        from opentelemetry.metrics import Observation  # noqa: PLC0415 - loaded with the meter

        def observe(_: CallbackOptions) -> Iterable[Observation]:
            with _guard.guard("metrics"):
                return [Observation(count, dict(key)) for key, count in self._series(name).items()]
            return []

        return observe

    def _series(self, name: str) -> dict[Attributes, float]:
        pipeline = self._pipeline()
        if pipeline is None or not pipeline.settings.metrics:
            return {}
        with self._lock:
            if not self._figures or time.monotonic() - self._read_at > _FRESH:
                self._figures = read(pipeline)
                self._read_at = time.monotonic()
            series = dict(self._figures[name])
            for key, count in self._past.get(name, {}).items():
                _add(series, key, count)
        return series
