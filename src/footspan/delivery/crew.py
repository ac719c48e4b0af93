"""The carriers of this process: which destinations they hold, and how they come to hold them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from footspan import _guard
from footspan.delivery.carrier import Carrier

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping, Sequence

    from footspan.delivery.live import Live
    from footspan.delivery.standing import Turn
    from footspan.destinations.base import Destination
    from footspan.spool.base import Spool, Target

YIELD_WITHIN: Final = 30.0
"""Seconds that a batch which was begun may take until a carrier that yields gives its destination up."""


class Crew:
    """At most one carrier for each destination. Its courier lets one thread at a time change it.

    Args:
        spool: Where events wait.
        turn: Whose turn it is.
        by_hand: The carriers that are driven without a thread.
        resting: Called before each look for events: from then on a carrier must be woken for a new one.
        durable: Whether what is left over outlives this process.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        spool: Spool,
        turn: Turn,
        *,
        by_hand: Container[Carrier],
        resting: Callable[[], None],
        durable: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spool = spool
        self._turn = turn
        self._by_hand = by_hand
        self._resting = resting
        self._durable = durable
        self._clock = clock
        self._carriers: dict[str, Carrier] = {}

    def __iter__(self) -> Iterator[Carrier]:
        """Those there are now, whoever adds one meanwhile."""
        return iter(list(self._carriers.values()))

    def __contains__(self, key: str) -> bool:
        """Whether there is one for a destination."""
        return key in self._carriers

    def __len__(self) -> int:
        """How many there are."""
        return len(self._carriers)

    def live(self) -> dict[str, Live]:
        """What they are doing, by destination id."""
        return {key: carrier.live for key, carrier in list(self._carriers.items()) if carrier.carrying}

    def claim(
        self,
        destinations: Mapping[str, Destination],
        targets: Mapping[str, Target],
        *,
        hurry_until: float,
        threads: bool = True,
    ) -> list[Carrier]:
        """Try the lock of every destination that is ours to carry, and give up the others.

        Args:
            destinations: By id.
            targets: The same as the spool knows them.
            hurry_until: Until when (clock seconds) somebody waits.
            threads: Whether to start a thread for each.

        Returns:
            Carriers that hold a destination and have no thread.
        """
        threadless: list[Carrier] = []
        for key, destination in destinations.items():
            carrier = self._carriers.get(key)
            try:
                mine = self._turn.mine(targets[key])
                if carrier is not None and (carrier.alive or carrier in threadless or carrier in self._by_hand):
                    if not mine:
                        carrier.leave(self._clock() + YIELD_WITHIN)
                    continue
                if carrier is not None:
                    carrier.feed.close()
                    del self._carriers[key]
                feed = self._spool.feed(targets[key]) if mine else None
            except Exception as error:  # noqa: BLE001 - the other destinations must not suffer
                _guard.report("taking a destination over", error)
                continue
            if feed is None:
                continue
            carrier = Carrier(destination, feed, resting=self._resting, durable=self._durable, clock=self._clock)
            if hurry_until > self._clock():
                carrier.hurry(hurry_until)
            self._carriers[key] = carrier
            if not threads or not carrier.start():
                threadless.append(carrier)
        return threadless


def finish(
    carriers: Sequence[Carrier], threadless: Sequence[Carrier], deadline: float, clock: Callable[[], float]
) -> None:
    """Deliver what can be delivered until ``deadline`` (clock seconds), and give every destination up.

    Args:
        carriers: All of them.
        threadless: Those whose work the calling thread does.
        deadline: For all together.
        clock: Monotonic seconds.
    """
    threaded = [carrier for carrier in carriers if carrier not in threadless]
    for carrier in threaded:
        carrier.stop(deadline)
    for index, carrier in enumerate(threadless):
        # A fair share for each, so that one that hangs leaves time for the others.
        share = (deadline - clock()) / (len(threadless) - index)
        carrier.finish_here(clock() + share)
    for carrier in threaded:
        carrier.join(deadline - clock())


def leave(carriers: Sequence[Carrier], deadline: float, clock: Callable[[], float]) -> None:
    """Give every destination up as soon as the batch under way is through, and wait for that until ``deadline``."""
    for carrier in carriers:
        carrier.leave(deadline)
    for carrier in carriers:
        carrier.join(deadline - clock())


def anew(destination: Destination) -> Destination:
    """The same destination without the parent's connections and locks, which may be held for ever."""
    try:
        return type(destination)(destination.settings)
    except Exception as error:  # noqa: BLE001 - a certificate file is gone, for example
        _guard.report("a destination after a fork", error)
        return destination
