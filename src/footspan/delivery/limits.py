"""How much one request may carry: what the settings say, and less where a destination refused that as too large."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from footspan.destinations.base import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from footspan.destinations.base import Destination, Outcome
    from footspan.otlp_json import LogLine

TOO_LARGE: Final = frozenset({"http_413", "grpc_resource_exhausted"})
"""The reasons by which a destination refuses a request for its size."""

GROW_AFTER: Final = 32
"""Large requests in a row to be taken before a larger one is tried; twice as many after each that was refused."""

GROW_AFTER_LONGEST: Final = 4096

GROWTH: Final = 1.25

LEAST_BYTES: Final = 1
"""A limit so small still lets one event through."""


def too_large(outcome: Outcome) -> bool:
    """Whether a request was refused as a whole for its size."""
    return outcome.verdict is Verdict.REFUSED and outcome.reason in TOO_LARGE


def size_of(events: Sequence[LogLine]) -> int:
    """Bytes of some stored lines, newlines included.

    A sequence that knows its ``size`` is believed, so that a batch delivered whole costs nothing for each event.
    """
    known = getattr(events, "size", None)
    return known if isinstance(known, int) else sum(len(event.line) + 1 for event in events)


def redacted_in(events: Sequence[LogLine]) -> int:
    """Values of some events that were redacted; a sequence that knows its ``redacted`` is believed."""
    known = getattr(events, "redacted", None)
    return known if isinstance(known, int) else sum(event.redacted for event in events)


def fitting(events: Sequence[LogLine], max_items: int, max_bytes: int) -> int:
    """How many of the first events one request may carry; never less than one."""
    if len(events) <= max_items and size_of(events) <= max_bytes:
        return len(events)
    size = 0
    for index, event in enumerate(events[: max(1, max_items)]):
        size += len(event.line) + 1
        if size > max_bytes and index:
            return index
    return min(len(events), max(1, max_items))


class Limits:
    """The limits of one destination's requests as they stand now.

    A refused size halves the limit in bytes, down to what the destination has been seen to take. It grows again slowly,
    because each try beyond what a server takes is a whole body sent in vain.

    Args:
        destination: Whose limits from the settings are the upper ones.
        room: How many of so many events a request may have at the pace that is to be kept.
    """

    def __init__(self, destination: Destination, room: Callable[[int], int] = int) -> None:
        self._destination = destination
        self._room = room
        self._bytes: int | None = None
        self._taken = 0
        self._streak = 0
        self._patience = GROW_AFTER

    @property
    def items(self) -> int:
        """Events one request may carry."""
        return self._room(self._destination.max_items)

    @property
    def bytes(self) -> int:
        """Bytes of stored lines one request may carry."""
        upper = self._destination.max_bytes
        return upper if self._bytes is None else min(self._bytes, upper)

    def refused(self, size: int) -> None:
        """Note that a request of so many bytes, with more than one event, was too large."""
        if size > self.bytes and self._bytes is not None:
            return  # it left before the limit was lowered, beside the one that lowered it
        proven = self._taken if self._taken < size else 0
        self._bytes = max(LEAST_BYTES, size // 2, proven)
        self._taken = proven
        self._streak = 0
        if proven:
            # Beyond what it takes: rarer from now on. Where it takes nothing, the way down says nothing of the way up.
            self._patience = min(GROW_AFTER_LONGEST, self._patience * 2)

    def accepted(self, events: Sequence[LogLine]) -> None:
        """Note that a request was taken whole."""
        if self._bytes is None:
            return
        size = size_of(events)
        self._taken = max(self._taken, size)
        if size * 2 < self._bytes:
            return  # a small request says nothing about large ones
        self._streak += 1
        if self._streak < self._patience:
            return
        self._streak = 0
        self._bytes = int(self._bytes * GROWTH) + 1
        if self._bytes >= self._destination.max_bytes:
            self._bytes = None
            self._patience = GROW_AFTER
