"""What an operator should know of a destination's state, and do about it."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

STALLED: Final = "stalled"
"""Its carrier holds the destination and does not move: stopped, or wedged."""

RECENT: Final = 3600.0
"""Seconds for which an eviction counts as one that goes on."""

_CAUSES: Final = {
    "http_401": "it does not accept the key",
    "http_403": "it does not accept the key",
    "http_404": "nothing is at that address",
    "http_405": "that address takes something else",
    "dns": "its host name is not known",
    "tls": "its certificate is not trusted, or not there",
    "not_otlp": "what answers there is no OTLP backend",
    "web_page": "what answers there shows a web page, such as a network's sign-in page",
    "invalid_request": "its address or a header cannot be used",
}


def state_of(entry: Mapping[str, Any]) -> str:
    """A destination's state in a word: the ledger's, or ``stalled``."""
    return STALLED if entry["carrier"].get("stalled") else str(entry["state"])


def trouble(entry: Mapping[str, Any]) -> str:
    """What is wrong with a destination and what to do, as a sentence; empty where nothing is.

    Args:
        entry: Its entry in the ledger, as ``footspan.status()`` gives it.
    """
    state, reason = state_of(entry), entry["reason"] or "no reason given"
    if state == STALLED:
        carrier = entry["carrier"]
        pid = carrier.get("pid")
        return (
            f"process {pid} on {carrier.get('host')} holds it and has not moved for {carrier['beat_age']:.0f} s: it is "
            f"stopped or stuck. Continue it (kill -CONT {pid}) or end it: another process then takes over."
        )
    if state == "parked":
        cause = _CAUSES.get(entry["reason"], "it refuses everything")
        return (
            f"parked ({reason}): {cause}. Check its address and its key in the settings, and the server's log. "
            "Events are kept, and it is probed at least once a minute."
        )
    if state == "waiting":
        return f"not reachable ({reason}): is the server up? Events are kept and sent as soon as it answers."
    if state == "unattended" and entry["waiting"]:
        return "nobody delivers to it: start the service, or run `footspan deliver`. Events are kept meanwhile."
    return ""


def evicting(ledger: Mapping[str, Any], now: float) -> str:
    """What is to be said of events that were given up lately; empty where none were.

    Args:
        ledger: A spool's ledger.
        now: Seconds since the epoch.
    """
    last = ledger.get("last_eviction")
    if not last or not any(last["destinations"].values()):
        return ""
    when = datetime.strptime(last["time"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc).timestamp()
    if now - when > RECENT:
        return ""
    key = str(last["reason"])
    return (
        f"undelivered events were deleted at {last['time']} ({key}): mend the destination that is behind, "
        f"or raise spool.{key}."
    )
