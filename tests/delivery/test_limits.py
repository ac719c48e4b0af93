"""Requests that are too large: cut to a lower limit, which is remembered and grows again slowly."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from delivery.doubles import ScriptedDestination, batch_of, carrier_of, events, line
from footspan.delivery.blame import Record, Shipment
from footspan.delivery.limits import GROW_AFTER, Limits, size_of
from footspan.delivery.moves import Step
from footspan.destinations.base import Outcome, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

DELIVERED = Outcome(Verdict.DELIVERED)
TOO_LARGE = Outcome(Verdict.REFUSED, "http_413")


def takes(most: int) -> Callable[[list[str]], Outcome]:
    """A server that takes so many events in one request."""
    return lambda request: TOO_LARGE if len(request) > most else DELIVERED


def requests(carrier: object) -> list[int]:
    """How many events each request had."""
    return [len(request) for request in carrier.destination.requests]  # type: ignore[attr-defined]


def test_a_request_refused_for_its_size_is_cut_without_blame_and_the_limit_is_remembered() -> None:
    """Nobody is rejected, order is kept, and following batches are small from the start."""
    feed = events(400)
    carrier = carrier_of(takes(30), feed, max_items=100)
    for _ in range(60):
        carrier.turn()

    assert feed.left == []
    assert feed.rejected == []
    sent = [name for request in carrier.destination.requests if len(request) <= 30 for name in request]  # type: ignore[attr-defined]
    assert sent == [f"e{number}" for number in range(400)]
    assert sum(count > 30 for count in requests(carrier)) == 2  # 100, then about 50, then none


@pytest.mark.parametrize("reason", ["http_413", "grpc_resource_exhausted"])
def test_every_way_of_saying_too_large_is_understood(reason: str) -> None:
    """Over HTTP and over gRPC."""
    feed = events(8)
    carrier = carrier_of(lambda request: Outcome(Verdict.REFUSED, reason) if len(request) > 5 else DELIVERED, feed)
    for _ in range(10):
        carrier.turn()

    assert feed.rejected == []
    assert requests(carrier)[0] == 8
    assert all(count <= 5 for count in requests(carrier)[1:])


def test_an_event_that_is_too_large_by_itself_is_refused_with_the_reason() -> None:
    """And its neighbours are not; the limit stays what ordinary events need."""
    feed = events(20)
    feed.left.insert(7, line("huge" + "x" * 230))
    carrier = carrier_of(lambda request: TOO_LARGE if sum(len(name) for name in request) > 200 else DELIVERED, feed)
    for _ in range(40):
        carrier.turn()

    assert [(name[:4], reason) for name, reason in feed.rejected] == [("huge", "http_413")]
    assert sum(tally.delivered for tally in feed.tallies) == 20


def test_too_large_beside_finished_items_cuts_the_rest_only() -> None:
    """An answer may finish some events and find the rest too large."""
    shipment = Shipment(batch_of([f"e{number}" for number in range(9)]), lambda _: "retry", Record())
    shipment.next(100, 1 << 20)
    move = shipment.apply(
        Outcome(Verdict.REFUSED, "http_413", items={0: DELIVERED, 4: Outcome(Verdict.REFUSED, "bot")})
    )

    assert move.step is Step.GO_ON
    assert [event.name for event in shipment.next(100, 1 << 20)] == ["e1", "e2", "e3", "e5", "e6", "e7", "e8"]
    assert shipment.rejected[0][1] == "bot"


def test_a_server_that_finds_everything_too_large_is_not_asked_for_ever() -> None:
    """Without a lower limit the same request would go round; it pauses instead."""
    shipment = Shipment(batch_of(["a", "b"]), lambda _: "retry", Record())
    steps = []
    for _ in range(20):
        shipment.next(100, 1 << 20)
        steps.append(shipment.apply(TOO_LARGE).step)

    assert Step.PAUSE in steps


def test_the_limit_grows_again_after_many_large_requests_and_each_failure_takes_longer() -> None:
    """A try beyond what a server takes is a body sent in vain, so it is rare, and rarer each time."""
    size = size_of([line("e")])
    destination = ScriptedDestination(max_items=10_000)
    destination.max_bytes = 1000 * size
    limits = Limits(destination)
    limits.refused(100 * size)
    assert limits.bytes == 50 * size

    tries = []
    taken = 0
    for _ in range(2000):
        count = limits.bytes // size
        if count > 80:
            tries.append(taken)
            limits.refused(count * size)
        else:
            taken += 1
            limits.accepted([line("e")] * count)
    assert tries[0] > 2 * GROW_AFTER
    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert gaps == sorted(gaps)
    assert 40 * size <= limits.bytes <= 101 * size


def test_a_time_in_which_everything_is_too_large_is_got_over() -> None:
    """A proxy that refused whatever it was given for a while must not leave requests of one event for hours."""
    size = size_of([line("e")])
    destination = ScriptedDestination(max_items=10_000)
    destination.max_bytes = 1000 * size
    limits = Limits(destination)
    while limits.bytes > size:
        limits.refused(limits.bytes)
    requests = 0
    while limits.bytes < destination.max_bytes // 2:
        limits.accepted([line("e")] * max(1, limits.bytes // size))
        requests += 1
        assert requests < 100 * GROW_AFTER


def test_small_requests_prove_nothing_about_large_ones() -> None:
    """A trickle does not raise the limit."""
    destination = ScriptedDestination()
    limits = Limits(destination)
    limits.refused(100_000)
    for _ in range(1000):
        limits.accepted([line("e")])

    assert limits.bytes == 50_000


def test_a_limit_that_reached_the_settings_is_forgotten() -> None:
    """A server that was changed is used as before."""
    destination = ScriptedDestination()
    limits = Limits(destination)
    limits.refused(destination.max_bytes)
    filler = [line("x" * 1000)]
    while limits.bytes < destination.max_bytes:
        limits.accepted(filler * (limits.bytes // size_of(filler)))

    assert limits._bytes is None
