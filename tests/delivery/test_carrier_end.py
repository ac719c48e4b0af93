"""A carrier at the end of its process: what it still does, and for how long."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from delivery.doubles import ScriptedDestination, carrier_of, events, line
from footspan.delivery.carrier import Carrier
from footspan.destinations.base import Outcome, Verdict

if TYPE_CHECKING:
    from footspan.spool.base import Batch

DELIVERED = Outcome(Verdict.DELIVERED)


def test_stop_delivers_what_waits_then_gives_the_destination_up() -> None:
    """The end of a process is no reason to leave a batch behind."""
    feed = events(7)
    carrier = carrier_of(lambda _: DELIVERED, feed, max_items=2)
    carrier.finish_here(time.monotonic() + 2.0)

    assert feed.left == []
    assert feed.closed


def test_stop_ends_although_others_go_on_writing() -> None:
    """On a busy machine there is always one more event; an ending process leaves those that came later to others."""
    feed = events(5)

    def script(_: list[str]) -> Outcome:
        feed.left.append(line("later"))
        return DELIVERED

    began = time.monotonic()
    carrier_of(script, feed, max_items=2).finish_here(began + 30.0)

    assert time.monotonic() - began < 5.0
    assert feed.closed


def test_stop_cuts_requests_to_the_time_that_is_left() -> None:
    """A request at exit may not take longer than the exit."""
    feed = events(1)
    carrier = carrier_of(lambda _: DELIVERED, feed)
    carrier.finish_here(time.monotonic() + 0.5)

    assert 0 < carrier.destination.timeouts[0] <= 0.5  # type: ignore[attr-defined]


def test_stop_gives_up_after_one_failure_where_the_spool_keeps_the_rest() -> None:
    """An unreachable destination costs an ending process one request."""
    feed = events(1)
    carrier = carrier_of(lambda _: Outcome(Verdict.RETRY, "connection_refused"), feed)
    began = time.monotonic()
    carrier.finish_here(began + 5.0)

    assert time.monotonic() - began < 1.0
    assert len(carrier.destination.requests) == 1  # type: ignore[attr-defined]
    assert feed.closed


def test_stop_keeps_trying_where_nothing_else_would_keep_the_events() -> None:
    """In memory the end of the process is the end of the events, so the whole time is used."""
    feed = events(1)
    answers = [Outcome(Verdict.RETRY, "http_503")]
    destination = ScriptedDestination(lambda _: answers.pop() if answers else DELIVERED)
    Carrier(destination, feed, durable=False).finish_here(time.monotonic() + 5.0)

    assert feed.left == []


def test_stop_between_the_taking_and_the_sending_begins_no_request() -> None:
    """A request without time for its answer would leave its events' fate unknown, and have them sent twice."""
    feed = events(2)
    carrier = carrier_of(lambda _: DELIVERED, feed)
    take = feed.take

    def stopped(max_items: int, max_bytes: int) -> Batch | None:
        batch = take(max_items, max_bytes)
        carrier.stop(time.monotonic())
        return batch

    feed.take = stopped  # type: ignore[method-assign]
    carrier.turn()

    assert carrier.destination.requests == []  # type: ignore[attr-defined]
    assert len(feed.left) == 2
