"""The figures: what became of every event, put together for people and programs."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from footspan.delivery.live import Live

UNATTENDED: Final = "unattended"
"""The state of a destination that nobody carries for."""


def shape(ledger: Mapping[str, Any], configured: Container[str], live: Mapping[str, Live]) -> dict[str, Any]:
    """A spool's ledger, its destinations by name, with what their carriers are doing.

    Args:
        ledger: What the spool says; destinations by id.
        configured: The ids of the destinations in this process's settings. Others have events from other settings.
        live: The carriers of this process, by destination id.

    Returns:
        The same, where each destination also has ``id``, ``configured``, ``here`` (whether this process carries for
        it), ``state``, ``reason``, ``since``, ``next_try`` and ``oldest_age`` (seconds since the oldest waiting event
        happened; ``None`` where none waits). A name that two destinations have is followed by the id
        for the one that is not configured.
    """
    destinations: dict[str, Any] = {}
    entries = sorted(ledger["destinations"].items(), key=lambda item: item[0] not in configured)
    for key, entry in entries:
        name = entry["name"] if entry["name"] not in destinations else f"{entry['name']} ({key})"
        carrier = live.get(key)
        destinations[name] = {
            "id": key,
            **_aged(entry),
            "configured": key in configured,
            "here": carrier is not None,
            **(_elsewhere(entry["carrier"]) if carrier is None else _here(carrier)),
        }
    return {**ledger, "destinations": destinations}


def _aged(entry: Mapping[str, Any]) -> dict[str, Any]:
    oldest = entry.get("oldest")
    age = None if oldest is None else max(0.0, time.time() - oldest)
    return {**{key: value for key, value in entry.items() if key != "oldest"}, "oldest_age": age}


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
