"""What people hand over, read: times, exceptions, mappings, and what stands where it does not belong."""

from __future__ import annotations

import datetime as dt
import os
import traceback
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard

if TYPE_CHECKING:
    from types import TracebackType

_NANOSECONDS: Final = 1_000_000_000
_LATEST_SECOND: Final = 1 << 34  # the year 2514: larger epoch numbers are milliseconds by mistake
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
_HERE: Final = os.path.dirname(__file__) + os.sep  # noqa: PTH120 - compared with the names of code objects, as text


def epoch_ns(timestamp: Any) -> int | None:
    """An event's time in nanoseconds since the epoch.

    Args:
        timestamp: An aware ``datetime``, or seconds since the epoch.

    Returns:
        ``None`` for what is neither: a naive ``datetime``, a text, a number of milliseconds, a time before 1970 or
        after 2514.
    """
    if isinstance(timestamp, dt.datetime):
        return _of_datetime(timestamp)
    if isinstance(timestamp, bool) or not isinstance(timestamp, (int, float)):
        return None
    if not 0 < timestamp < _LATEST_SECOND:  # false for NaN as well
        return None
    return int(timestamp * _NANOSECONDS)


def _of_datetime(moment: dt.datetime) -> int | None:
    try:
        if moment.utcoffset() is None:  # naive, whether it has a ``tzinfo`` or not
            return None
        since = moment - _EPOCH
    except Exception:  # noqa: BLE001 - a time zone of the host's own making
        return None
    seconds = since.days * 86_400 + since.seconds
    nanoseconds = seconds * _NANOSECONDS + since.microseconds * 1000
    return nanoseconds if nanoseconds > 0 and seconds < _LATEST_SECOND else None


def pairs(data: Any) -> dict[str, Any] | None:
    """A mapping's pairs, as a new dictionary; ``None`` for what is no mapping, or one that cannot be read."""
    if not hasattr(data, "items"):
        return None
    try:
        return dict(data)
    except Exception:  # noqa: BLE001 - a mapping of the host's own making
        return None


def misplaced(call: str, arguments: tuple[Any, ...], properties: dict[str, Any]) -> dict[str, Any]:
    """The properties of a call that was given more by position than it takes.

    Other products' calls take a mapping there, so it is a slip that everybody makes once, often in a branch that no
    test runs. The event is worth keeping, and an exception in the host is no way to say it.

    Args:
        call: The call's name.
        arguments: What was given too much.
        properties: The properties given by name; they win over a mapping's.
    """
    fix = "track_event(name, mapping)" if call == "track" else f"{call}(…, **mapping)"
    _guard.warn_once(
        f"misplaced in {call}",
        "footspan: %s() takes properties by name, and got %d more by position: they were kept; write %s",
        call,
        len(arguments),
        fix,
    )
    found: dict[str, Any] = {}
    rest = []
    for each in arguments:
        held = pairs(each)
        if held is not None:
            found.update(held)
        elif each is not None:
            rest.append(each)
    if rest:
        found["extra"] = rest[0] if len(rest) == 1 else rest
    return {**found, **properties}


def exception_properties(exc: BaseException) -> dict[str, Any]:
    """What an exception says of itself, under the names people use (``error_type``, ``stack_trace``, …)."""
    return {"error_type": type(exc).__name__, "error_message": _text_of(exc), "stack_trace": _stack_of(exc)}


def _stack_of(exc: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(type(exc), exc, _without_ours(exc.__traceback__)))
    except Exception:  # noqa: BLE001 - no exception, such as its class or a text, or one that cannot be shown
        return ""


def _without_ours(trace_back: TracebackType | None) -> TracebackType | None:
    """A traceback from where the host's code begins: a decorator's frame says nothing to anybody."""
    first = trace_back
    while first is not None and first.tb_frame.f_code.co_filename.startswith(_HERE):
        first = first.tb_next
    return first or trace_back


def _text_of(exc: BaseException) -> str:
    try:
        return str(exc)
    except Exception:  # noqa: BLE001 - an exception that cannot say what it is
        return ""
