"""The time that one export has."""

from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from footspan import _platform
from footspan._guard import guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from footspan.destinations.base import Outcome

LEAST_SECONDS: Final = 0.01
"""With less time left nothing more is tried."""


class Clock:
    """The time each export has, and pauses that end early when the exporter is told to stop.

    Args:
        timeout: Seconds that one export may take.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self._deadline: float | None = None
        self._stopped = False
        self._running = 0
        self._changed = threading.Condition()
        _platform.on_fork(self._forked)

    def _forked(self) -> None:
        """The lock may be in the hands of a thread that the child does not have, as may an export under way."""
        self._changed = threading.Condition()
        self._running = 0

    @contextmanager
    def export(self) -> Iterator[float]:
        """Run an export; gives the latest moment it may take, by the monotonic clock."""
        with self._changed:
            self._running += 1
        try:
            yield time.monotonic() + self.timeout
        finally:
            with self._changed:
                self._running = max(0, self._running - 1)
                self._changed.notify_all()

    def idle(self, seconds: float) -> bool:
        """Wait until no export is under way; whether that was so in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running, max(0.0, seconds))

    @property
    def deadline(self) -> float | None:
        """A moment after which nothing is tried any more, whatever time an export has."""
        return self._deadline

    @deadline.setter
    def deadline(self, value: float | None) -> None:
        self._deadline = value
        self._wake()

    @property
    def stopped(self) -> bool:
        """Whether the exporter was shut down."""
        return self._stopped

    def stop(self) -> None:
        """End what is under way."""
        self._stopped = True
        self._wake()

    def left(self, end: float) -> float:
        """Seconds left of an export that may take until ``end``; 0 once the exporter is shut down."""
        if self._stopped:
            return 0.0
        return (end if self._deadline is None else min(end, self._deadline)) - time.monotonic()

    def pause(self, seconds: float, end: float) -> bool:
        """Wait; whether there is time left for another try."""
        if seconds >= self.left(end):
            return False
        until = time.monotonic() + seconds
        self.wait_until(lambda: time.monotonic() >= until, min(until, end))
        return self.left(end) > LEAST_SECONDS

    def wait_until(self, done: Callable[[], bool], end: float) -> None:
        """Wait until ``done`` holds after a wake-up, or the end, the deadline, or the shutdown."""
        with self._changed:
            while not done() and (left := self.left(end)) > 0:
                self._changed.wait(left)

    def call(self, request: Callable[[], Outcome], end: float) -> Outcome | None:
        """Make a request in a thread of its own, so that waiting for its answer can be given up; ``None`` if it was."""
        answers: list[Outcome | None] = []

        def run() -> None:
            answer: Outcome | None = None
            try:
                with guard("exporter.send"):
                    answer = request()
            finally:
                answers.append(answer)
                self._wake()

        try:
            threading.Thread(target=run, name="footspan-export", daemon=True).start()
        except RuntimeError:
            # The interpreter is ending and starts no more threads; the request's own time bounds it all the same.
            run()
        self.wait_until(lambda: bool(answers), end)
        return answers[0] if answers else None

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
