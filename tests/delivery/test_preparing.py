"""What comes before a request takes time, in which nothing is under way: who is killed there has sent nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from delivery.doubles import ListFeed, ScriptedDestination, events, line
from footspan import _guard
from footspan.delivery.carrier import Carrier
from footspan.delivery.fanout import window
from footspan.delivery.limits import Limits
from footspan.delivery.retry import Backoff
from footspan.destinations.base import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable


class Slow(ScriptedDestination):
    """Takes its time before its first request."""

    def __init__(self, preparing: Callable[[], None], script: Callable[[list[str]], Outcome]) -> None:
        super().__init__(script)
        self.preparing = preparing

    def prepare(self) -> None:
        self.preparing()


def test_nothing_is_journaled_before_all_is_ready_to_send() -> None:
    """A successor of who dies there sends the events, whatever becomes of those in doubt."""
    feed = events(2)
    seen: list[list[str]] = []
    destination = Slow(lambda: seen.append(list(feed.journal)), lambda _: Outcome(Verdict.DELIVERED))
    Carrier(destination, feed).turn()

    assert seen == [[]]
    assert feed.journal == ["sending", "done"]


def test_time_that_is_over_when_all_is_ready_leaves_the_events_alone() -> None:
    """They are nobody's doubt; the next process sends them."""
    now = [1000.0]
    feed = events(2)

    def preparing() -> None:
        now[0] += 60.0

    destination = Slow(preparing, lambda _: Outcome(Verdict.DELIVERED))
    carrier = Carrier(destination, feed, clock=lambda: now[0], backoff=Backoff(lambda: now[0], lambda low, _: low))
    carrier._deadline = now[0] + 1.0
    carrier.turn()

    assert destination.requests == []
    assert feed.journal == []


def test_a_failure_to_get_ready_stops_no_event() -> None:
    """The request itself finds out what is wrong."""

    def preparing() -> None:
        raise RuntimeError

    _guard.reraise_in_tests(False)
    feed = ListFeed([line("e")])
    destination = Slow(preparing, lambda _: Outcome(Verdict.DELIVERED))
    Carrier(destination, feed).turn()

    assert destination.requests == [["e"]]


@pytest.mark.parametrize(("on_ambiguous", "events_at_once"), [("retry", 8), ("drop", 2)])
def test_events_that_are_not_sent_again_do_not_wait_behind_others(on_ambiguous: str, events_at_once: int) -> None:
    """Of a batch under way all are in doubt when its carrier dies, so where that costs them each has a request."""
    destination = ScriptedDestination(on_ambiguous=on_ambiguous, max_items=1)
    destination.concurrency = 2

    assert window(destination, Limits(destination))[0] == events_at_once
