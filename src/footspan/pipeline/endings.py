"""The end of a process: its pipelines within one time, and SIGTERM.

At SIGTERM what waits is delivered before the process ends where the settings ask for it. Nothing is lost without this:
events are on disk, and the next process of the service delivers them. It is for services whose last process may be gone
for long. Programs that end by Python's own exit, servers with a handler of their own among them, deliver there anyway.
"""

from __future__ import annotations

import _thread
import signal
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard, _platform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from footspan.pipeline.build import Pipeline

SERVERS: Final = frozenset({"billiard", "celery", "gunicorn", "hypercorn", "uvicorn"})
"""Packages whose handlers let the work under way finish and end by Python's exit, which delivers; to hold them up
before that would only delay it."""


_SLICE: Final = 0.1


def shut_down_all(pipelines: list[Pipeline]) -> None:
    """Shut pipelines down one after the other, within the longest ``exit_timeout`` among them.

    Each gets an even share of what is left, so that one that hangs leaves time for the others, and none gets more than
    its own ``exit_timeout``.
    """
    if not pipelines:
        return
    deadline = time.monotonic() + max(pipeline.settings.exit_timeout for pipeline in pipelines)
    for share, pipeline in _shares(pipelines, deadline):
        with _guard.guard("shutdown"):
            pipeline.shutdown(min(pipeline.settings.exit_timeout, share))


def flush_all(pipelines: list[Pipeline], seconds: float) -> None:
    """Flush pipelines one after the other, within a time, as :func:`shut_down_all` does."""
    for share, pipeline in _shares(pipelines, time.monotonic() + seconds):
        with _guard.guard("flush"):
            pipeline.flush(share)


def _shares(pipelines: list[Pipeline], deadline: float) -> Iterator[tuple[float, Pipeline]]:
    for index, pipeline in enumerate(pipelines):
        yield max(0.0, deadline - time.monotonic()) / (len(pipelines) - index), pipeline


class Sigterm:
    """The handler: flush, then whatever was to happen before it was installed.

    It may interrupt the main thread anywhere, in code of ours that holds a lock too. So the flush runs in a thread of
    its own, and the handler waits for that a bounded time and touches nothing else of ours.

    Args:
        flush: Delivers, in the seconds it is given.
    """

    def __init__(self, flush: Callable[[float], object]) -> None:
        self._flush = flush
        self._former: Any = None
        self._seconds = 0.0
        self._busy = False

    def arm(self, seconds: float) -> None:
        """Install the handler, unless it is not ours to do: in another thread than the main one, or under a server.

        Args:
            seconds: How long a flush may take.
        """
        former = signal.getsignal(signal.SIGTERM)
        if former == self._handle:
            self._seconds = seconds
            return
        if threading.current_thread() is not threading.main_thread():
            _guard.warn_once(
                "sigterm", "footspan: flush_on_sigterm has no effect: only the main thread can install a handler"
            )
            return
        module = getattr(former, "__module__", None) or ""
        # ``None`` was not installed from Python, so we could not call it.
        if former is None or module.partition(".")[0] in SERVERS:
            return
        self._former, self._seconds = former, seconds
        signal.signal(signal.SIGTERM, self._handle)

    def disarm(self) -> None:
        """Put back what was there before. Under a handler that was installed later ours stays, and only passes on."""
        self._seconds = 0.0
        if signal.getsignal(signal.SIGTERM) == self._handle and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, self._former)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        # A second signal while we flush is impatience.
        if self._seconds and not self._busy and not _platform.in_multiprocessing_child():
            self._busy = True
            try:
                with _guard.guard("flush at SIGTERM"):
                    self._flush_elsewhere(self._seconds)
            finally:
                self._busy = False
        self._pass_on(number, frame)

    def _flush_elsewhere(self, seconds: float) -> None:
        if not _platform.threads_run():
            return
        done = _thread.allocate_lock()
        done.acquire()

        def work() -> None:
            try:
                with _guard.guard("flush at SIGTERM"):
                    self._flush(seconds)
            finally:
                done.release()

        # Not ``Thread.start``, which waits for locks and for the thread.
        _thread.start_new_thread(work, ())
        deadline = time.monotonic() + seconds + 0.1
        # In slices: a second signal that comes right before a wait begins does not cut that wait short.
        while (left := deadline - time.monotonic()) > 0 and not done.acquire(timeout=min(left, _SLICE)):
            pass

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        if callable(self._former):
            self._former(number, frame)
        elif self._former == signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)  # so that whoever waits for us learns what we died of
            # Only the first process of a container comes here: the kernel spares it the default action.
            signal.signal(number, self._handle)
