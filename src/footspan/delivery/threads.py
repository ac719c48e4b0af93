"""Threads, where the host lets them run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from footspan import _guard, _platform

if TYPE_CHECKING:
    import threading


def started(thread: threading.Thread) -> bool:
    """Start a thread; whether the host lets it run."""
    reason = "the host runs no threads"
    if _platform.threads_run():
        try:
            thread.start()
        except RuntimeError as error:  # the system has no thread left, or the interpreter is going down
            reason = type(error).__name__
        else:
            return True
    _guard.warn_once(
        "threads",
        "footspan: no thread can be started here (%s): events are kept, and delivered by flush(), at exit or by "
        "another process",
        reason,
    )
    return False
