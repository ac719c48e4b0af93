"""The one guard: telemetry never raises into the host, and says each kind of failure once.

What is logged is the kind of work and the exception's class. Its message stays out, because an exception raised while
handling somebody's data tends to quote that data.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

logger = logging.getLogger("footspan")

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
