"""Ending by signal: the first one asks, the second one does not."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

from footspan.delivery.signal import Signal

if TYPE_CHECKING:
    from types import FrameType

    from typing_extensions import Self


class Stop:
    """The first signal asks the process to end; the second ends it as if there were no handler."""

    def __init__(self) -> None:
        self._signal = Signal()
        self._before: dict[int, Any] = {}
        self.asked = False

    def __enter__(self) -> Self:
        """Listen to the signals that end a process."""
        for name in ("SIGTERM", "SIGINT", "SIGHUP"):
            number = getattr(signal, name, None)
            # What is ignored, as a shell and nohup have it, stays ignored.
            if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        for number in self._before:
            signal.signal(number, signal.SIG_DFL)
        self._signal.give()

    def wait(self, seconds: float) -> bool:
        """Wait at most so long; whether the process is to end."""
        if not self.asked:
            self._signal.wait(seconds)
        return self.asked
