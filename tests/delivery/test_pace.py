"""A rate that somebody set: it decides when a request leaves, never what an answer means."""

from __future__ import annotations

import pytest

from delivery.doubles import ScriptedDestination, events, line
from footspan.delivery.carrier import Carrier
from footspan.delivery.dispatch import Dispatch
from footspan.delivery.pace import Pace
from footspan.destinations.base import Outcome, Verdict
from footspan.spool.base import Batch


def test_the_pace_is_kept() -> None:
    """So many a second on average, in batches of a quarter of a second."""
    now = [0.0]
    pace = Pace(100.0, lambda: now[0])
    sent = 0
    while sent < 500:
        count = pace.room(512)
        assert count <= 25
        pace.spend(count)
        sent += count
        now[0] += pace.wait()

    assert now[0] == pytest.approx(5.0)
    assert Pace(None).room(512) == 512
    assert Pace(0.5).room(512) == 1


def test_requests_are_as_small_as_the_rate_asks_and_batches_are_not_when_a_witness_is_needed() -> None:
    """After two refusals of single events enough is taken that another event can answer for the third."""
    feed = events(10)
    bad = {"e0", "e1", "e2"}
    destination = ScriptedDestination(
        lambda request: Outcome(Verdict.REFUSED, "http_400") if bad & set(request) else Outcome(Verdict.DELIVERED)
    )
    carrier = Carrier(destination, feed, pace=Pace(2.0, lambda: 0.0), clock=lambda: 0.0)
    for _ in range(12):
        carrier.turn()

    assert [len(request) for request in destination.requests] == [1] * 10
    assert [name for name, _ in feed.rejected] == ["e0", "e1", "e2"]
    assert feed.left == []


def test_lanes_keep_the_pace_together() -> None:
    """Several requests at once are no way around it."""
    now = [0.0]
    destination = ScriptedDestination(max_items=1)
    destination.concurrency = 3
    dispatch = Dispatch(
        destination,
        time_left=lambda: float("inf"),
        accepted=lambda: None,
        answered=lambda: None,
        beat=lambda: None,
        clock=lambda: now[0],
        pace=Pace(1.0, lambda: now[0]),
    )
    convoy = dispatch.convoy(Batch([line(f"e{number}") for number in range(6)], []))
    try:
        for second in range(6):
            now[0] = float(second)
            dispatch.ship(convoy)
            dispatch.ship(convoy)  # too early
            assert len(destination.requests) == second + 1
    finally:
        dispatch.close()
    assert convoy.finished
