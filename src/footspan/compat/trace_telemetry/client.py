"""``TelemetryClient``: the calls. None of them raises or waits for the network but ``flush``, which waits for it."""

from __future__ import annotations

import threading
import time
import weakref
from operator import is_
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard, _platform
from footspan.compat.trace_telemetry import options as reading
from footspan.compat.trace_telemetry.content import (
    Content,
    content_of,
    data_of,
    exception_content,
    plain_properties,
)
from footspan.compat.trace_telemetry.roads import Road
from footspan.compat.trace_telemetry.takeover import Takeover
from footspan.tracking.values import epoch_ns

if TYPE_CHECKING:
    from footspan.compat.trace_telemetry.options import Chosen, TelemetryOptions
    from footspan.destinations.trace_telemetry.wire import Wire
    from footspan.pipeline import Pipeline

_PATIENCE: Final = 30.0
"""Seconds that ``flush`` waits for another thread or process that is delivering."""

_STOP_WITHIN: Final = 2.0
"""Seconds that ``stop`` waits for a request under way."""

_GIVEN: Final = object()


class TelemetryClient:
    """Records events and delivers them, between ``start`` and ``stop`` and by ``flush``.

    An event is on disk when ``track`` returns. What is not delivered waits there, also beyond the process.

    Args:
        options: What is in force; see :class:`TelemetryOptions`.

    Raises:
        ConfigurationError: A setting of the process (environment or file) cannot be used.
    """

    def __init__(self, options: TelemetryOptions | None = None) -> None:
        self._options: Any = reading.TelemetryOptions() if options is None else options
        self._path = reading.queue_path(self._options)
        self._lock = _guard.QuietLock()
        self._given: tuple[Any, ...] | None = None  # the options of `_chosen`, as they stood
        self._chosen: Chosen | None = None
        self._road: Road | None = None
        self._said: Wire | None = None
        self._takeover = Takeover(self._path)
        self._ended: threading.Event | None = None  # set when `stop` is called; there while started
        self._ticker: threading.Thread | None = None
        self._watched: weakref.WeakSet[Pipeline] = weakref.WeakSet()
        _platform.on_fork(self._forked)
        self._ready()
        self._take_over()

    # -- delivery ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Deliver what waits every ``flush_interval_seconds``, the first time after one of them."""
        with _guard.guard("start"), self._lock:
            if self._ended is None:
                self._ended = threading.Event()
            self._tick_on()

    def stop(self) -> None:
        """Deliver no more by itself; a request under way is finished. What waits stays until ``start`` or ``flush``."""
        with _guard.guard("stop"):
            self._halt(_STOP_WITHIN)

    def flush(self) -> None:
        """Send what waits, in batches of ``batch_size``, and return at the first request that fails. Never raises."""
        with _guard.guard("flush"):
            self._deliver(patience=_PATIENCE)

    # -- events --------------------------------------------------------------------------------------------------------

    def track(
        self,
        name: Any,
        data: Any = None,
        property_value: Any = None,
        *,
        property_name: Any = _GIVEN,
        timestamp: Any = None,
    ) -> None:
        """Record an event: ``track(name)``, ``track(name, data)`` or ``track(name, property_name, property_value)``.

        Args:
            name: Its name.
            data: Any JSON value; or a property's name, where its value is given.
            property_value: The property's value; where it is ``None``, the property's name is the data.
            property_name: ``data`` by its other name.
            timestamp: When it happened (an aware ``datetime`` or seconds since the epoch), if not now.
        """
        with _guard.guard("track"):
            given = data_of(data if property_name is _GIVEN else property_name, property_value)
            road = self._ready()
            said = self._said
            plain = None if said else plain_properties(name, given)
            if timestamp is not None or plain is None or not road.client.track(name, plain):
                content = content_of(name, given, said) if plain is None else Content(name, plain)
                self._emit(road, content, time_ns=None if timestamp is None else epoch_ns(timestamp))
            self._tick_in_child()

    def track_exception(self, exc: BaseException, event_name: str = "exception", extra_data: Any = None) -> None:
        """Record an exception: message, stack trace, type, and the message of its cause.

        Args:
            exc: The exception; nothing is recorded for ``None``.
            event_name: The event's name.
            extra_data: More data; a mapping's keys win, anything else stands under ``extra``.
        """
        with _guard.guard("track"):
            if exc is not None:
                road = self._ready()
                self._emit(road, exception_content(event_name, exc, extra_data, self._said), error=True)
                self._tick_in_child()

    @property
    def queued_count(self) -> int:
        """How many events wait, of every process that shares the queue."""
        with _guard.guard("status"):
            return self._ready().waiting
        return 0

    @staticmethod
    def _emit(road: Road, content: Content, *, time_ns: int | None = None, error: bool = False) -> None:
        road.client.emit(content.name, content.attributes, time_ns=time_ns, body=content.body, error=error)

    # -- roads ---------------------------------------------------------------------------------------------------------

    def _ready(self) -> Road:
        """The way of the options in force."""
        given, known, road = reading.given(self._options), self._given, self._road
        if road is not None and given and known and all(map(is_, given, known)):
            return road
        chosen = reading.chosen(self._options)
        if road is None or chosen != self._chosen:
            with self._lock:
                road = Road(self._path, chosen)
                self._chosen, self._road, self._said = chosen, road, _untold(road, chosen)
                self._say_what_is_blank(chosen)
        self._given = given
        return road

    def _say_what_is_blank(self, chosen: Chosen) -> None:
        if not chosen.endpoint or chosen.batch <= 0:
            _guard.warn_once(
                f"trace_telemetry sends nothing {self._path}",
                "footspan: %s: events wait in %s.d until a client of this queue_path has one",
                "endpoint_url is blank" if not chosen.endpoint else "batch_size is less than 1",
                self._path,
            )

    def _deliver(self, *, patience: float = 0.0, ended: threading.Event | None = None) -> None:
        road = self._ready()
        self._take_over()
        road.deliver(
            patience=patience,
            when_due=ended is not None,
            stopped=(lambda: False) if ended is None else ended.is_set,
        )

    def _take_over(self) -> None:
        """Drain the other SDK's queue file, where there is one."""
        with _guard.guard("taking over a queue file"):
            pipeline = self._ready().pipeline
            if pipeline is not None:
                self._takeover.run(pipeline)

    # -- the timer -----------------------------------------------------------------------------------------------------

    def _tick_on(self) -> None:
        from footspan.delivery.threads import started  # noqa: PLC0415 - loaded with the pipeline

        ended = self._ended
        if self._ticker is not None or ended is None or _platform.in_multiprocessing_child():
            return
        self._await_end()
        thread = threading.Thread(target=self._tick, args=(ended,), name="footspan-trace-telemetry", daemon=True)
        if started(thread):
            self._ticker = thread

    def _tick_in_child(self) -> None:
        """Go on in a forked child, where the thread is not."""
        if self._ended is not None and self._ticker is None:
            with self._lock:
                self._tick_on()

    def _tick(self, ended: threading.Event) -> None:
        while not ended.wait(reading.interval(self._options)):
            with _guard.guard("delivery"):
                self._deliver(ended=ended)

    def _halt(self, seconds: float) -> None:
        with self._lock:
            ended, self._ended = self._ended, None
            ticker, self._ticker = self._ticker, None
        if ended is not None:
            ended.set()
        if ticker is not None and ticker is not threading.current_thread():
            ticker.join(max(0.0, seconds))

    def _await_end(self) -> None:
        """Have a request that is under way at the end of the process finished, so that its events do not go twice."""
        pipeline = self._ready().pipeline
        if pipeline is not None and pipeline not in self._watched:
            self._watched.add(pipeline)
            mine = weakref.ref(self)

            def end(deadline: float) -> None:
                client = mine()
                if client is not None:
                    client._at_end(deadline)  # noqa: SLF001 - its own

            pipeline.on_stop(end)

    def _at_end(self, deadline: float) -> None:
        running = self._ended is not None
        self._halt(deadline - time.monotonic())
        pipeline = self._ready().pipeline
        if running and pipeline is not None and not pipeline.spool.durable:
            self._deliver()  # what is in memory ends with the process

    def _forked(self) -> None:
        """In a child: the thread stayed with the parent. The first event starts another."""
        self._lock = _guard.QuietLock()
        self._ticker = None
        if self._ended is not None:
            self._ended = threading.Event()


def _untold(road: Road, chosen: Chosen) -> Wire | None:
    """What each event must tell of its client because the pipeline's resource tells it otherwise."""
    pipeline = road.pipeline
    service = None if pipeline is None else pipeline.settings.service
    if service is None or (service.name, service.version or "") == (chosen.name, chosen.version):
        return None
    return {"app": chosen.name, "version": chosen.version}
