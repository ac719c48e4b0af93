"""The one guard: telemetry never raises into the host, and says each kind of failure once.

What is logged is the kind of work and the exception's class. Its message stays out, because an exception raised while
handling somebody's data tends to quote that data.
"""

from __future__ import annotations

import logging
import threading
import weakref
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

logger = logging.getLogger("footspan")
_here = threading.local()

_PLACES = 8
"""Places that are told of a failure."""

_locks: dict[int, weakref.ref[Any]] = {}
"""Every lock of ours, by identity. Changed by single steps, so that no thread needs a lock to look at it."""


def _has_lock() -> bool:
    """Whether this thread has a lock of ours."""
    locks = [reference() for reference in list(_locks.values())]
    return any(lock is not None and lock._is_owned() for lock in locks)  # noqa: SLF001 - as `threading.Condition` asks


def _may_be_said(record: logging.LogRecord) -> bool:
    """Keep a record back while its thread has a lock of ours; see :func:`QuietLock`."""
    if _has_lock():
        kept: list[logging.LogRecord] = getattr(_here, "kept", [])
        _here.kept = [*kept, record]
        return False
    say_kept()
    return True


logger.addFilter(_may_be_said)


def say_kept() -> None:
    """Say what this thread kept back, if it has no lock of ours any more; for who lets one go."""
    kept: list[logging.LogRecord] = getattr(_here, "kept", [])
    if kept and not _has_lock():
        _here.kept = []
        for record in kept:
            logger.handle(record)


def QuietLock() -> threading.RLock:  # noqa: N802 - stands for the class, like `threading.RLock` itself
    """A re-entrant lock. What its owner logs is said once the lock is free again.

    A log handler holds a lock of its own while it works. Where it tracks, whoever logged under ours would wait for it,
    and it for us. It is said by :func:`say_kept`, by the next guard that ends and before what the thread logs next.

    It is the very lock of the standard library, or gevent's: an exception that a signal handler raises (a time limit,
    Ctrl-C) must not find it taken and nobody obliged to give it back, as between two lines of a lock written in Python.
    """
    lock = threading.RLock()
    key = id(lock)
    _locks[key] = weakref.ref(lock, lambda _: _locks.pop(key, None))
    return lock


_reported: set[tuple[str, str]] = set()
_reraise = False
_verbose: logging.Handler | None = None


def reraise_in_tests(enabled: bool) -> None:  # noqa: FBT001 - a switch that tests flip
    """Make guarded failures surface, so that a test suite cannot pass over a bug."""
    global _reraise  # noqa: PLW0603 - one switch for the whole process
    _reraise = enabled


def reset() -> None:
    """Forget which failures were reported and what this thread has yet to say, and be quiet."""
    _reported.clear()
    _here.kept = []
    be_verbose(False)


def be_verbose(enabled: bool) -> None:  # noqa: FBT001 - as a setting says
    """Have every failure logged, with the places it came by, and whatever else helps who looks for a mistake.

    It goes to the handlers that the host has; where there is none, to standard error.
    """
    global _verbose  # noqa: PLW0603 - one switch for the whole process
    if enabled and _verbose is None:
        _verbose = logging.NullHandler() if logger.hasHandlers() else logging.StreamHandler()
        logger.addHandler(_verbose)
        logger.setLevel(logging.DEBUG)
    elif not enabled and _verbose is not None:
        logger.removeHandler(_verbose)
        logger.setLevel(logging.NOTSET)
        _verbose = None


def warn_once(kind: str, message: str, *args: object) -> None:
    """Log a warning the first time this ``kind`` comes up; ``message`` and ``args`` must hold no payload."""
    if (kind, "") not in _reported:
        _reported.add((kind, ""))
        logger.warning(message, *args)


def report(kind: str, error: BaseException) -> None:
    """Log an internal failure once per kind of work and class of exception, without its message."""
    key = (kind, type(error).__name__)
    if _verbose is not None:
        logger.debug("footspan: %s failed with %s at %s", kind, key[1], _places(error))
    if key not in _reported:
        _reported.add(key)
        logger.warning("footspan: %s failed with %s; further ones of this kind are not logged", kind, key[1])


def _places(error: BaseException) -> str:
    """Where an exception came by, the last place first; no value and no line of source."""
    import traceback  # noqa: PLC0415 - only who looks for a mistake needs it

    frames = traceback.extract_tb(error.__traceback__, limit=-_PLACES)
    return " < ".join(f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in reversed(frames))


class guard:  # noqa: N801 - reads as the statement it is
    """Run a block that must not raise into the host.

    Args:
        kind: A constant that names the work, such as ``"track"``.
    """

    __slots__ = ("_kind",)

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_back: TracebackType | None
    ) -> bool:
        """Swallow what is an ``Exception``; ``KeyboardInterrupt`` and its like pass."""
        if getattr(_here, "kept", None):
            say_kept()
        if not isinstance(error, Exception):
            return False
        report(self._kind, error)
        return not _reraise
