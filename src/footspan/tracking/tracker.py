"""``Tracker``: the calls people write."""

from __future__ import annotations

import atexit
import datetime as dt
import time
import traceback
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard, _otel, _platform
from footspan import conventions as c
from footspan.emit import SEVERITY_ERROR, SEVERITY_INFO, emit_event
from footspan.processors.context import to_attributes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context import Context

    from footspan.config import Settings
    from footspan.pipeline import Pipeline, Slot

_NANOSECONDS: Final = 1_000_000_000
_LATEST_SECOND: Final = 1 << 34  # the year 2514: larger epoch numbers are milliseconds by mistake
_UNSET: Final = object()


class Tracker:
    """Turns calls into events. No method raises or waits for the network.

    The module's functions are the methods of one default tracker, which starts the process's pipeline from environment
    and file at its first call.
    """

    def __init__(self) -> None:
        self._slot: Slot | None = None
        self._off = False

    # -- life --------------------------------------------------------------------------------------------------------

    def init(self, *, service_name: str | None = None, config: str | None = None, **settings: Any) -> None:
        """Start with these settings. Calling it again with the same ones changes nothing.

        Args:
            service_name: The service's name.
            config: Path of a YAML file; else ``FOOTSPAN_CONFIG``, else ``footspan.yaml`` in the working directory.
            **settings: Any setting by its name in the file: ``spool={"directory": …}``, ``destinations={…}``, …

        Raises:
            ConfigurationError: A setting cannot be used; the text names the key, what was found and the fix.
        """
        from footspan.config.load import load_settings  # noqa: PLC0415 - loaded when a process starts tracking

        overrides = dict(settings)
        if service_name is not None:
            overrides["service_name"] = service_name
        loaded = load_settings(config=config, overrides=overrides)
        with _otel.loadable_at_exit():
            self._start(loaded)

    def _start(self, settings: Settings) -> None:
        with _platform.importing():
            from footspan import pipeline  # noqa: PLC0415 - loads the SDK, so not before it is needed

        self._off = pipeline.start(settings) is None
        self._slot = pipeline.default_slot()

    def _ready(self) -> bool:
        """Whether events go anywhere; starts the process's pipeline at the first call."""
        slot = self._slot
        if slot is not None and slot.pipeline is not None:
            return True
        return not self._off and self._start_quietly()

    def _start_quietly(self) -> bool:
        """Start from environment and file. A bad configuration must not stop the host at its first event."""
        with _platform.importing():
            from footspan.config import ConfigurationError  # noqa: PLC0415 - loaded when a process starts tracking
            from footspan.config.load import load_settings  # noqa: PLC0415 - the same

        try:
            with _otel.loadable_at_exit():  # the first event may be one that tells of the end
                with _platform.importing():
                    from footspan import pipeline  # noqa: PLC0415 - see _start

                if pipeline.get_pipeline() is None:
                    self._start(load_settings())
                else:  # started by auto-instrumentation
                    self._slot = pipeline.default_slot()
        except ConfigurationError as error:
            self._off = True
            _guard.logger.error("footspan is off: %s", error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the host goes on
            self._off = True
            _guard.report("start", error)
        return not self._off

    def flush(self, timeout: float = 5.0) -> dict[str, int]:
        """Wait until every destination has what was tracked so far.

        Args:
            timeout: Seconds to wait at the most.

        Returns:
            Events still waiting, by destination name; empty when nothing was started.
        """
        pipeline = _running()
        if pipeline is not None:
            with _guard.guard("flush"):
                return pipeline.flush(timeout)
        return {}

    def status(self) -> Mapping[str, Any]:
        """What became of every event, per destination; see ``docs/delivery.md``. Empty when nothing was started."""
        pipeline = _running()
        if pipeline is not None:
            with _guard.guard("status"):
                return pipeline.status()
        return {}

    def shutdown(self, timeout: float | None = None) -> None:
        """Deliver what can be delivered in time, then stop delivering here. What remains waits on disk.

        Args:
            timeout: Seconds to spend; the setting ``exit_timeout`` when not given.
        """
        pipeline = _running()
        if pipeline is not None:
            with _guard.guard("shutdown"):
                pipeline.shutdown(timeout)

    def switch_off(self) -> None:
        """Record nothing in this process, until ``init`` is called."""
        self._off = True

    def forget(self) -> None:
        """Forget that this tracker was started or found to be off; for tests."""
        self._slot, self._off = None, False

    # -- calls -------------------------------------------------------------------------------------------------------

    def track(self, event_name: Any = _UNSET, /, **properties: Any) -> str:
        """Record one event. It is on disk when this returns.

        Args:
            event_name: Its name, such as ``checkout.completed``; may be given as ``event_name=`` too.
            **properties: Its properties, nested values allowed. ``user_id``, ``session_id``, ``request_id``, ``email``,
                ``full_name``, ``utm_*`` and click ids become the standard attributes, ``category`` sets the category,
                ``timestamp`` (an aware ``datetime`` or epoch seconds) the event's time; every other keyword keeps its
                name.

        Returns:
            The event's id (``log.record.uid``); empty when tracking is off.
        """
        if self._off:
            return ""
        slot = self._slot
        if slot is not None and (road := slot.quick) is not None:
            uid = road(event_name, properties)
            if uid:
                return uid
        with _guard.guard("track"):
            if event_name is _UNSET:
                event_name = properties.pop("event_name", "")
            return self._emit(event_name, properties, c.ALIASES)
        return ""

    def track_event(self, event_name: str, properties: Mapping[str, Any] | None = None) -> str:
        """``track`` with the properties in a mapping, whose keys need not be identifiers.

        Args:
            event_name: The event's name.
            properties: Its properties. What is no mapping becomes the record's body.

        Returns:
            The event's id; empty when tracking is off.
        """
        with _guard.guard("track"):
            pairs = {} if properties is None else _pairs(properties)
            if pairs is None:
                return self._emit(event_name, {}, c.ALIASES, body=properties)
            return self._emit(event_name, pairs, c.ALIASES)
        return ""

    def page_view(self, url: str | None = None, **properties: Any) -> str:
        """Record that somebody saw a page.

        Args:
            url: The page's address, whole or from the path on.
            **properties: ``title``, ``referrer``, ``hostname``, ``path``, ``query``, ``ip``, ``user_agent``,
                ``language``, ``screen``, ``tag``, and any others.

        Returns:
            The event's id; empty when tracking is off.
        """
        with _guard.guard("track"):
            if url is not None:
                properties["url"] = url
            return self._emit(c.EVENT_PAGE_VIEW, properties, c.REQUEST_ALIASES)
        return ""

    def identify(self, user_id: Any, /, **traits: Any) -> str:
        """Say what is known of a user.

        Args:
            user_id: The user's id.
            **traits: What is known: ``plan="pro"``, ``email``, ``full_name``, …

        Returns:
            The event's id; empty when tracking is off.
        """
        with _guard.guard("track"):
            return self._emit(c.EVENT_IDENTIFY, {**traits, "user_id": user_id}, c.ALIASES)
        return ""

    def track_exception(self, exc: BaseException, event_name: str = c.EVENT_EXCEPTION, extra_data: Any = None) -> str:
        """Record an exception with its stack trace.

        Args:
            exc: The exception.
            event_name: The event's name.
            extra_data: More properties; what is no mapping is kept under ``extra``.

        Returns:
            The event's id; empty when tracking is off.
        """
        with _guard.guard("track"):
            extra = {} if extra_data is None else _pairs(extra_data)
            if extra is None:
                extra = {"extra": extra_data}
            return self._emit(
                event_name, {"category": "error", **exception_properties(exc), **extra}, c.MEASUREMENT_ALIASES
            )
        return ""

    def _emit(
        self,
        name: Any,
        properties: dict[str, Any],
        aliases: Mapping[str, str],
        *,
        body: Any = None,
        error: bool = False,
        context: Context | None = None,
    ) -> str:
        if not self._ready():
            return ""
        slot = self._slot
        if slot is not None and slot.quick is None:
            _open_road(slot)
        time_ns: int | None = None
        if "timestamp" in properties:
            time_ns = epoch_ns(properties["timestamp"])
            if time_ns is None:
                _count("invalid_time")
            else:
                del properties["timestamp"]
        attributes = to_attributes(properties, aliases)
        category = attributes.get(c.CATEGORY)
        if category is None and isinstance(name, str):
            category = c.category_of(name)
        severity = SEVERITY_ERROR if error or category == "error" else SEVERITY_INFO
        return emit_event(name, attributes, time_ns=time_ns, severity_number=severity, body=body, context=context)


def _open_road(slot: Slot) -> None:
    with _platform.importing():
        from footspan.pipeline.quick import open_road  # noqa: PLC0415 - the pipeline is loaded by now

    open_road(slot)


def exception_properties(exc: BaseException) -> dict[str, Any]:
    """What an exception says of itself, under the names people use (``error_type``, ``stack_trace``, …)."""
    return {
        "error_type": type(exc).__name__,
        "error_message": _text_of(exc),
        "stack_trace": _stack_of(exc),
    }


def _pairs(data: Any) -> dict[str, Any] | None:
    """A mapping's pairs, as a new dictionary; ``None`` for what is no mapping, or one that cannot be read."""
    if not hasattr(data, "items"):
        return None
    try:
        return dict(data)
    except Exception:  # noqa: BLE001 - a mapping of the host's own making
        return None


def _stack_of(exc: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(type(exc), exc, exc.__traceback__))
    except Exception:  # noqa: BLE001 - no exception, such as its class or a text, or one that cannot be shown
        return ""


def _text_of(exc: BaseException) -> str:
    try:
        return str(exc)
    except Exception:  # noqa: BLE001 - an exception that cannot say what it is
        return ""


def epoch_ns(timestamp: Any) -> int | None:
    """An event's time in nanoseconds since the epoch.

    Args:
        timestamp: An aware ``datetime``, or seconds since the epoch.

    Returns:
        ``None`` for what is neither: a naive ``datetime``, a text, a number of milliseconds, a time before 1970.
    """
    if isinstance(timestamp, dt.datetime):
        if timestamp.tzinfo is None:
            return None
        since = timestamp - dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
        nanoseconds = (since.days * 86_400 + since.seconds) * _NANOSECONDS + since.microseconds * 1000
        return nanoseconds if nanoseconds > 0 else None
    if isinstance(timestamp, bool) or not isinstance(timestamp, (int, float)):
        return None
    if not 0 < timestamp < _LATEST_SECOND:  # false for NaN as well
        return None
    return int(timestamp * _NANOSECONDS)


def _running() -> Pipeline | None:
    """The process's pipeline if one was started, without loading what starting would need."""
    import sys  # noqa: PLC0415 - one dictionary look-up, on rare calls

    state = sys.modules.get("footspan.pipeline.state")
    return None if state is None else state.get_pipeline()


def _count(name: str) -> None:
    pipeline = _running()
    if pipeline is not None:
        pipeline.spool.count(name)


default_tracker = Tracker()

# A pipeline that starts in a function at exit comes too late to ask for its own end; this one was asked for in time.
# One that started earlier has been shut down by then, and shutting it down twice does nothing.
atexit.register(default_tracker.shutdown)


def now_ms(start: float) -> int:
    """Whole milliseconds since ``start``, a reading of ``time.perf_counter()``."""
    return int((time.perf_counter() - start) * 1000)
