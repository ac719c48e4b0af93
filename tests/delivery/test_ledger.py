"""The figures as people and programs get them."""

from __future__ import annotations

from typing import Any

from footspan.delivery import ledger
from footspan.delivery.live import Live


def entry(name: str, **figures: Any) -> dict[str, Any]:
    """A destination's entry as a spool gives it."""
    return {"name": name, "type": "otlp", "accepted": 0, "waiting": 0, "carrier": {"held": False}, **figures}


def test_nobody_carries_is_a_state() -> None:
    """A heartbeat that was left behind says nothing once the lock is free."""
    spool = {"destinations": {"a": entry("umami", carrier={"held": False, "state": "sending", "reason": "x"})}}
    shaped = ledger.shape(spool, {"a"}, {})["destinations"]["umami"]

    assert (shaped["state"], shaped["reason"], shaped["here"]) == ("unattended", "", False)


def test_another_processs_carrier_is_read_from_its_heartbeat() -> None:
    """State and reason of whoever holds the lock."""
    spool = {"destinations": {"a": entry("umami", carrier={"held": True, "state": "parked", "reason": "http_401"})}}
    shaped = ledger.shape(spool, {"a"}, {})["destinations"]["umami"]

    assert (shaped["state"], shaped["reason"], shaped["here"]) == ("parked", "http_401", False)


def test_our_own_carrier_speaks_for_itself() -> None:
    """With the time of the next try, which only the carrier knows."""
    live = Live("umami")
    live.parked("http_404", 30.0)
    shaped = ledger.shape({"destinations": {"a": entry("umami")}}, {"a"}, {"a": live})["destinations"]["umami"]

    assert (shaped["state"], shaped["reason"], shaped["here"]) == ("parked", "http_404", True)
    assert shaped["next_try"] > shaped["since"]
    assert shaped["next_try"].endswith("Z")


def test_a_name_that_moved_to_another_address_keeps_its_old_figures_apart() -> None:
    """The configured one has the name; what an older one left behind is listed with its id."""
    spool = {"counters": {"unrouted": 2}, "destinations": {"umami-1": entry("umami"), "umami-2": entry("umami")}}
    shaped = ledger.shape(spool, {"umami-2"}, {})

    assert shaped["destinations"]["umami"]["id"] == "umami-2"
    assert shaped["destinations"]["umami (umami-1)"]["configured"] is False
    assert shaped["counters"] == {"unrouted": 2}
