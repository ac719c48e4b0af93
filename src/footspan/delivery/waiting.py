"""Waiting for delivery: what a ``flush`` waits for, and whom it tells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from footspan import _guard

if TYPE_CHECKING:
    from collections.abc import Collection, Container, Iterable, Mapping

    from footspan.spool.base import Spool, Target


class Goal(Protocol):
    """What was waiting at one moment."""

    def left(self) -> dict[str, int]:
        """How many events of then each destination still lacks, by its id."""


def goal_of(spool: Spool, destinations: Collection[str]) -> Goal:
    """What is waiting in a spool now.

    Args:
        spool: Where they wait.
        destinations: The ids to look at.
    """
    make = getattr(spool, "goal", None)
    made: Goal = CountedGoal(spool, destinations) if make is None else make(destinations)
    return made


def hurry_others(spool: Spool, destinations: Iterable[str], seconds: float) -> None:
    """Tell those who carry for some destinations in other processes that somebody waits, for so long."""
    ask = getattr(spool, "hurry", None)  # in memory there are no others
    if ask is not None:
        ask(destinations, seconds)


def warn_of_unattended(spool: Spool, targets: Iterable[Target]) -> None:
    """Say of each destination that lacks events, once, if nobody carries for it and this process never will."""
    attended = getattr(spool, "attended", lambda _: True)
    for target in targets:
        if not attended(target.id):
            _guard.warn_once(
                f"unattended {target.id}",
                "footspan: nobody delivers to %s: events wait for a process that does (courier: external or a child "
                "process leaves that to others)",
                target.name,
            )


class CountedGoal:
    """What was waiting at one moment, and how much of it still is.

    For a spool in memory, whose carriers deliver in the order of arrival: whatever a destination dealt with since that
    moment was, as far as there was anything, of what waited then; events that come in meanwhile do not count.

    Args:
        spool: Where they wait.
        destinations: The ids to look at.
    """

    def __init__(self, spool: Spool, destinations: Container[str]) -> None:
        self._spool = spool
        waiting = spool.waiting()
        self._start = {key: count for key, count in waiting.items() if key in destinations}
        self._dealt_with = self._figures() if any(self._start.values()) else {}

    def left(self) -> dict[str, int]:
        """How many events of then each destination still lacks, by its id."""
        if not any(self._start.values()):
            return self._start
        now = self._figures()
        self._start = {key: self._lacking(key, count, now) for key, count in self._start.items()}
        self._dealt_with = now
        return self._start

    def _lacking(self, key: str, count: int, now: Mapping[str, tuple[int, int]]) -> int:
        waiting, dealt_with = now.get(key, (0, 0))
        return max(0, min(waiting, count - (dealt_with - self._dealt_with.get(key, (0, 0))[1])))

    def _figures(self) -> dict[str, tuple[int, int]]:
        """Events waiting and events dealt with, by destination id."""
        entries: Any = self._spool.status()["destinations"]
        return {key: (entry["waiting"], entry["accepted"] - entry["waiting"]) for key, entry in entries.items()}
