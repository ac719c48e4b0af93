"""The one guard: telemetry never raises into the host, and says each kind of failure once.

What is logged is the kind of work and the exception's class. Its message stays out, because an exception raised while
handling somebody's data tends to quote that data.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

logger = logging.getLogger("footspan")
_here = threading.local()


def _may_be_said(record: logging.LogRecord) -> bool:
    """Keep a record back while its thread has a lock of ours; see :class:`QuietLock`."""
    if not getattr(_here, "locks", 0):
        return True
    kept: list[logging.LogRecord] = getattr(_here, "kept", [])
    _here.kept = [*kept, record]
    return False


logger.addFilter(_may_be_said)


class QuietLock:
    """A re-entrant lock. What its owner logs is said once the lock is free again.

    A log handler holds a lock of its own while it works. Where it tracks, whoever logged under ours would wait for it,
    and it for us.
    """

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.RLock()

    def acquire(self, *, blocking: bool = True) -> bool:
        """Take it; whether that was possible."""
        if not self._lock.acquire(blocking):
            return False
        _here.locks = getattr(_here, "locks", 0) + 1
        return True

    def release(self) -> None:
        """Give it back, and say what was kept back if it was the last one."""
        self._lock.release()
        _here.locks -= 1
        kept: list[logging.LogRecord] = getattr(_here, "kept", [])
        if kept and not _here.locks:
            _here.kept = []
            for record in kept:
                logger.handle(record)

    def __enter__(self) -> None:
        """Take it."""
        self.acquire()

    def __exit__(self, *_: object) -> None:
        """Give it back."""
        self.release()


_reported: set[tuple[str, str]] = set()
_reraise = False


def reraise_in_tests(enabled: bool) -> None:  # noqa: FBT001 - a switch that tests flip
    """Make guarded failures surface, so that a test suite cannot pass over a bug."""
    global _reraise  # noqa: PLW0603 - one switch for the whole process
    _reraise = enabled


def reset() -> None:
    """Forget which failures were reported."""
    _reported.clear()


def warn_once(kind: str, message: str, *args: object) -> None:
    """Log a warning the first time this ``kind`` comes up; ``message`` and ``args`` must hold no payload."""
    if (kind, "") not in _reported:
        _reported.add((kind, ""))
        logger.warning(message, *args)


def report(kind: str, error: BaseException) -> None:
    """Log an internal failure once per kind of work and class of exception, without its message."""
    key = (kind, type(error).__name__)
    if key not in _reported:
        _reported.add(key)
        logger.warning("footspan: %s failed with %s; further ones of this kind are not logged", kind, key[1])


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
        if not isinstance(error, Exception):
            return False
        report(self._kind, error)
        return not _reraise
