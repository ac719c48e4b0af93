"""The figures as people and programs get them."""

from __future__ import annotations

from typing import Any

from footspan.delivery import ledger
from footspan.delivery.live import Live


def entry(name: str, **figures: Any) -> dict[str, Any]:
    """A destination's entry as a spool gives it."""
    return {"name": name, "type": "otlp", "accepted": 0, "waiting": 0, "carrier": {"held": False}, **figures}


class Figures:
    """A spool that says what it is told to say."""

    def __init__(self, **destinations: tuple[int, int]) -> None:
        self.destinations = destinations

    def waiting(self) -> dict[str, int]:
        return {key: waiting for key, (waiting, _) in self.destinations.items()}

    def status(self) -> dict[str, Any]:
        entries = {
            key: entry(key, waiting=waiting, accepted=accepted)
            for key, (waiting, accepted) in self.destinations.items()
        }
        return {"destinations": entries}


def test_a_goal_counts_down_to_what_waited_at_its_start() -> None:
    """Events that come in meanwhile neither prolong the wait nor count as waiting."""
    spool = Figures(a=(10, 100), b=(0, 50))
    goal = ledger.Goal(spool, {"a", "b"})  # type: ignore[arg-type]
    assert goal.left() == {"a": 10, "b": 0}
    spool.destinations = {"a": (25, 120), "b": (5, 55)}  # 5 delivered, 20 new ones; 5 new ones for b
    assert goal.left() == {"a": 5, "b": 0}
    spool.destinations = {"a": (500, 600), "b": (5, 55)}  # 5 more delivered
    assert goal.left() == {"a": 0, "b": 0}


def test_a_goal_leaves_other_settings_destinations_alone() -> None:
    """Events for a destination that this process does not know are nothing it could wait for."""
    goal = ledger.Goal(Figures(a=(1, 1), stranger=(9, 9)), {"a"})  # type: ignore[arg-type]

    assert goal.left() == {"a": 1}


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
