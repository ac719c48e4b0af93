"""The figures: what became of every event, put together for people and programs."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from footspan.delivery.live import Live
    from footspan.spool.base import Spool

UNATTENDED: Final = "unattended"
"""The state of a destination that nobody carries for."""


class Goal:
    """What was waiting at one moment, and how much of it still is.

    Carriers deliver in the order of time, so whatever a destination dealt with since that moment was, as far as there
    was anything, of what waited then; events that come in meanwhile do not count.

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


def shape(ledger: Mapping[str, Any], configured: Container[str], live: Mapping[str, Live]) -> dict[str, Any]:
    """A spool's ledger, its destinations by name, with what their carriers are doing.

    Args:
        ledger: What the spool says; destinations by id.
        configured: The ids of the destinations in this process's settings. Others have events from other settings.
        live: The carriers of this process, by destination id.

    Returns:
        The same, where each destination also has ``id``, ``configured``, ``here`` (whether this process carries for
        it), ``state``, ``reason``, ``since`` and ``next_try``. A name that two destinations have is followed by the id
        for the one that is not configured.
    """
    destinations: dict[str, Any] = {}
    entries = sorted(ledger["destinations"].items(), key=lambda item: item[0] not in configured)
    for key, entry in entries:
        name = entry["name"] if entry["name"] not in destinations else f"{entry['name']} ({key})"
        carrier = live.get(key)
        destinations[name] = {
            "id": key,
            **entry,
            "configured": key in configured,
            "here": carrier is not None,
            **(_elsewhere(entry["carrier"]) if carrier is None else _here(carrier)),
        }
    return {**ledger, "destinations": destinations}


def _here(live: Live) -> dict[str, Any]:
    return {
        "state": live.state,
        "reason": live.reason,
        "since": _rfc3339(live.since),
        "next_try": None if live.next_try is None else _rfc3339(live.next_try),
    }


def _elsewhere(carrier: Mapping[str, Any]) -> dict[str, Any]:
    held = bool(carrier.get("held"))
    return {
        "state": carrier.get("state", "") if held else UNATTENDED,
        "reason": carrier.get("reason", "") if held else "",
        "since": carrier.get("since"),
        "next_try": None,
    }


def _rfc3339(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
