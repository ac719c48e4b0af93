"""Carrying in the calling thread, where the host lets no thread start: in ``flush``, and for as long as that lasts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from footspan import _otel
from footspan.delivery.pauses import HURRIED, Wait

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from footspan.delivery.carrier import Carrier

LOOK_AGAIN: Final = 0.05
"""Seconds between two looks at what is due."""


class ByHand:
    """Carriers without a thread, driven in turn by whoever waits for them.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: dict[Carrier, float] = {}
        # When destinations that asked for time may be asked again, by id: their carriers are gone by then.
        self._asked: dict[str, float] = {}

    def __contains__(self, carrier: object) -> bool:
        """Whether a carrier is driven from here."""
        return carrier in self._due

    def take(self, carriers: Iterable[Carrier], deadline: float) -> None:
        """Drive these, too; none of their requests lasts beyond ``deadline`` (clock seconds)."""
        for carrier in carriers:
            carrier.stop(deadline)
            self._due[carrier] = max(self._asked.get(carrier.destination.id, 0.0), self._clock() + carrier.asked_for())

    def turn(self) -> None:
        """One turn of each carrier that is due; a short rest if none is."""
        due = [carrier for carrier, moment in self._due.items() if moment <= self._clock()]
        with _otel.suppressed():
            for carrier in due:
                pause = carrier.turn()
                if pause.kind is Wait.ASKED:
                    self._asked[carrier.destination.id] = self._clock() + pause.seconds
                self._due[carrier] = self._clock() + min(pause.seconds, HURRIED.get(pause.kind, pause.seconds))
        if not due:
            time.sleep(LOOK_AGAIN)

    def give_up(self) -> None:
        """Give every destination back: without a thread nobody would say that we live."""
        while self._due:
            carrier, _ = self._due.popitem()
            carrier.finish_here(self._clock())
