"""The one way to emit an event: a log record with an event name, an id and a time, through an OpenTelemetry logger."""

from __future__ import annotations

import os
import time
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar

from footspan import _otel, _platform
from footspan import conventions as c
from footspan._version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.context import Context

SCOPE_NAME = "footspan"

SEVERITY_INFO = 9
SEVERITY_ERROR = 17
_SEVERITY_TEXT = {1: "TRACE", 5: "DEBUG", 9: "INFO", 13: "WARN", 17: "ERROR", 21: "FATAL"}


def severity_text(number: int) -> str:
    """The short name of OpenTelemetry's severity ``number``; empty for those in between."""
    return _SEVERITY_TEXT.get(number, "")


class Draft:
    """An event on its way to the spool, still changeable: what processors work on.

    Attributes:
        name: The event name.
        time_ns: When it happened (nanoseconds since the epoch).
        observed_ns: When it was seen (nanoseconds since the epoch).
        attributes: Attribute name to any Python value.
        body: The record's body.
        severity_number: OpenTelemetry's 1 to 24; 0 when unset.
        severity_text: The severity's text; derived from the number when empty.
        trace_id: The trace it happened in; 0 for none.
        span_id: The span it happened in; 0 for none.
        flags: W3C trace flags.
    """

    __slots__ = (
        "attributes",
        "body",
        "flags",
        "name",
        "observed_ns",
        "severity_number",
        "severity_text",
        "span_id",
        "time_ns",
        "trace_id",
    )

    exception: ClassVar[None] = None  # `Logger.emit` looks for one on the record it is handed

    def __init__(  # noqa: PLR0913, PLR0917 - the fields of a log record
        self,
        name: str,
        time_ns: int,
        observed_ns: int,
        attributes: dict[str, Any],
        body: Any = None,
        severity_number: int = SEVERITY_INFO,
        severity_text: str = "",
        trace_id: int = 0,
        span_id: int = 0,
        flags: int = 0,
    ) -> None:
        self.name = name
        self.time_ns = time_ns
        self.observed_ns = observed_ns
        self.attributes = attributes
        self.body = body
        self.severity_number = severity_number
        self.severity_text = severity_text or _SEVERITY_TEXT.get(severity_number, "")
        self.trace_id = trace_id
        self.span_id = span_id
        self.flags = flags


class _Uids:
    """UUIDv7 (RFC 9562 §5.7) of one process: sorted by time, those of one millisecond by order of making.

    26 bits are drawn once, the other 48 are a counter from a random start (§6.2, method 1): two processes would have to
    draw the same and count to the same number within the same millisecond.
    """

    __slots__ = ("__weakref__", "_count", "_drawn", "_stamp")

    def __init__(self) -> None:
        self.draw()
        _platform.on_fork(self.draw)

    def draw(self) -> None:
        """Begin anew, as a forked child must."""
        bits = int.from_bytes(os.urandom(10), "big")
        self._drawn = f"7{bits >> 48 & 0xFFF:03x}-{0x8000 | bits >> 60 & 0x3FFF:04x}-"
        # From half of the range up, so that the counter always has its twelve digits and never comes to their end.
        self._count = count(1 << 47 | bits & (1 << 46) - 1).__next__
        self._stamp = (-1, "")

    def new(self, time_ns: int) -> str:
        """See :func:`new_uid`."""
        if not _mark[0]:
            _platform.after_fork()
        stamp = self._stamp
        milliseconds = time_ns // 1_000_000
        if stamp[0] != milliseconds:
            text = f"{milliseconds & 0xFFFF_FFFF_FFFF:012x}"
            stamp = self._stamp = (milliseconds, f"{text[:8]}-{text[8:]}-{self._drawn}")
        return f"{stamp[1]}{self._count():x}"


_mark = _platform.fork_mark
_uids = _Uids()
new_uid: Callable[[int], str] = _uids.new
"""A UUIDv7 for an event.

Args:
    time_ns: The time it carries (nanoseconds since the epoch); outside 48 bits of milliseconds it is cut.
"""


class Emitter:
    """A logger of one scope, with the short way in while every processor behind it is ours.

    Args:
        logger: An OpenTelemetry logger; the process's, under the scope ``footspan``, when not given.
    """

    def __init__(self, logger: _otel.Logger | None = None) -> None:
        self._logger = logger
        self._seen: tuple[Any, ...] | None = None
        self._light: type[Any] | None = None

    @property
    def logger(self) -> _otel.Logger:
        """The logger behind this emitter."""
        if self._logger is None:
            self._logger = _otel.get_logger_provider().get_logger(SCOPE_NAME, __version__)
        return self._logger

    def emit(
        self,
        name: str,
        attributes: Mapping[str, Any],
        *,
        time_ns: int | None = None,
        severity_number: int = SEVERITY_INFO,
        body: Any = None,
        context: Context | None = None,
    ) -> str:
        """Emit one event.

        Args:
            name: The event name.
            attributes: Its attributes, already under their conventional names.
            time_ns: When it happened (nanoseconds since the epoch); now when not given.
            severity_number: OpenTelemetry's 1 to 24.
            body: The record's body.
            context: The OpenTelemetry context it happened in; the current one when not given.

        Returns:
            The event's id (``log.record.uid``).
        """
        now = time.time_ns()
        happened = now if time_ns is None else time_ns
        given = attributes.get(c.LOG_RECORD_UID)
        uid = given if isinstance(given, str) and given else new_uid(now)
        bearing = {c.LOG_RECORD_UID: uid, **attributes}
        if given is not None:  # in which case it may be no id: a number, an empty text
            bearing[c.LOG_RECORD_UID] = uid
        logger = self.logger
        light = self._light_type(logger)
        if light is None:
            self._emit_ordinary(logger, name, bearing, happened, severity_number, body, context)
            return uid
        trace_id, span_id, flags = _otel.current_span_ids(context)
        draft = Draft(
            name,
            happened,
            now,
            bearing,
            body,
            severity_number,
            trace_id=trace_id,
            span_id=span_id,
            flags=flags,
        )
        logger.emit(light(draft, logger.resource, logger.instrumentation_scope))  # type: ignore[attr-defined] # an SDK logger
        return uid

    def _light_type(self, logger: _otel.Logger) -> type[Any] | None:
        """The light record's class while every processor says that it takes light records, else ``None``."""
        processors = _otel.processors_of(logger)
        if processors is not self._seen:
            ours = bool(processors) and all(getattr(p, "takes_light_records", False) for p in processors)
            self._light = _otel.light_record_type() if ours else None
            self._seen = processors
        return self._light

    @staticmethod
    def _emit_ordinary(
        logger: _otel.Logger,
        name: str,
        attributes: dict[str, Any],
        time_ns: int,
        severity_number: int,
        body: Any,
        context: Context | None,
    ) -> None:
        """Through processors that are not ours: they get what the SDK can digest, cleaned first.

        The SDK raises in the caller on cycles and loses whole batches on what it cannot encode, so every value is made
        plain before it gets there.
        """
        from footspan.otlp_json import plain  # noqa: PLC0415 - only this path needs it

        logger.emit(
            timestamp=time_ns if 0 < time_ns < 1 << 64 else time.time_ns(),
            context=context,
            severity_number=_otel.SeverityNumber(severity_number),
            severity_text=_SEVERITY_TEXT.get(severity_number),
            body=None if body is None else plain(body),
            attributes={str(key): plain(value) for key, value in attributes.items()},
            event_name=str(plain(name)),
        )


_default = Emitter()


def emit_event(
    name: str,
    attributes: Mapping[str, Any],
    *,
    time_ns: int | None = None,
    severity_number: int = SEVERITY_INFO,
    body: Any = None,
    context: Context | None = None,
    emitter: Emitter | None = None,
) -> str:
    """Emit one event through the process's logger provider; see :meth:`Emitter.emit`."""
    return (emitter or _default).emit(
        name, attributes, time_ns=time_ns, severity_number=severity_number, body=body, context=context
    )


def default_logger() -> _otel.Logger:
    """The logger that :func:`emit_event` uses."""
    return _default.logger


def reset() -> None:
    """Forget the process's logger, so that a new provider is seen."""
    global _default  # noqa: PLW0603 - the one default emitter
    _default = Emitter()
