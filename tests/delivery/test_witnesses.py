"""Bad events one after another never hold up the good ones behind them for ever."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from delivery.doubles import ListFeed, ScriptedDestination, batch_of, carrier_of, line, names
from footspan.delivery.dispatch import Dispatch
from footspan.destinations.base import Outcome, Verdict

if TYPE_CHECKING:
    from footspan.delivery.carrier import Carrier

FINE = Outcome(Verdict.DELIVERED)
BAD = Outcome(Verdict.REFUSED, "http_400")


def refuse_the_bad(requested: list[str]) -> Outcome:
    """What any server does."""
    return BAD if any(name.startswith("bad") for name in requested) else FINE


def turns(carrier: Carrier, most: int = 300) -> None:
    """As many turns as a patient test makes."""
    for _ in range(most):
        carrier.turn()


@pytest.mark.parametrize("bad", [3, 4, 10])
def test_requests_of_one_event_each_find_a_witness(bad: int) -> None:
    """In a batch of one event there is none, so that while there is doubt a batch has more."""
    feed = ListFeed([line(f"bad{number}") for number in range(bad)] + [line("good")])
    turns(carrier_of(refuse_the_bad, feed, max_items=1))

    assert "good" not in names(feed.left)
    assert all(name.startswith("bad") for name, _ in feed.rejected)


def test_an_unknown_fate_that_became_known_does_not_keep_the_rest_from_being_cut_anew() -> None:
    """Else the last event of such a batch, if it is the third bad one in a row, would be asked for ever."""
    answers = iter([Outcome(Verdict.AMBIGUOUS, "read_timeout")])
    feed = ListFeed([line("first"), *(line(f"bad{number}") for number in range(3))])

    def script(requested: list[str]) -> Outcome:
        return next(answers, refuse_the_bad(requested))

    carrier = carrier_of(script, feed, max_items=4)
    turns(carrier)
    assert [event.name for event in feed.left] == ["bad2"]  # the destination or the event? nobody can tell yet
    feed.left.append(line("good"))
    turns(carrier)
    assert feed.left == []


def test_each_lane_is_asked_in_turn() -> None:
    """The only event of one lane must not be the only one that is asked."""
    destination = ScriptedDestination(refuse_the_bad, max_items=1)
    destination.concurrency = 2
    dispatch = Dispatch(
        destination,
        time_left=lambda: float("inf"),
        accepted=lambda: None,
        answered=lambda: None,
        beat=lambda: None,
        clock=time.monotonic,
    )
    dispatch.record.refused = 2
    convoy = dispatch.convoy(batch_of(["bad", "good"]))
    assert [names(lane.left()) for lane in convoy.lanes] == [["bad"], ["good"]]
    try:
        for _ in range(3):
            dispatch.ship(convoy)
    finally:
        dispatch.close()

    assert ["good"] in destination.requests
    assert convoy.delivered == 1
