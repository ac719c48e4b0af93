"""Every status and every fault: whose it is, and what becomes of the events."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.adapters import ADAPTERS
from conformance.carrying import carry
from conformance.conftest import proved
from conformance.faults import TIMEOUT, Blame, Fate
from conformance.umami import BATCH_EXCEPTIONS, UmamiBatches
from destinations.making import line

if TYPE_CHECKING:
    from conformance.adapter import Adapter

EVERY = [pytest.param(adapter, fault, id=f"{adapter.name}-{fault}") for adapter in ADAPTERS for fault in adapter.faults]
PATIENT = 8.0


def timeout_for(fault: str) -> float:
    """Short only where it has to run out."""
    return TIMEOUT if fault == "no answer in time" else PATIENT


@pytest.mark.parametrize(("adapter", "fault"), EVERY)
def test_one_event(adapter: Adapter, fault: str) -> None:
    """The fault strikes once: the event is delivered, now or later, or kept, or given up with a reason."""
    expected = proved(adapter).faults[fault]
    with adapter.running() as server, adapter.failing(server, fault) as settings:
        destination = adapter.build(server, timeout=timeout_for(fault), **settings)
        if fault == "connection refused":  # for good: that it comes back is for the test below
            outcome = destination.send([line()], timeout_for(fault))
            assert outcome.verdict is expected.blame.value
            destination.close()
            return
        carried = carry(destination, [line()])
        destination.close()
    first = carried.outcomes[0]
    assert Blame(first.verdict) is expected.blame
    assert first.reason or expected.blame is Blame.NONE
    assert first.retry_after == expected.retry_after
    assert carried.fate is expected.fate
    assert carried.delivered == (expected.fate not in (Fate.PARKED, Fate.REJECTED))
    assert all(carried.rejected)


@pytest.mark.parametrize(("adapter", "fault"), EVERY)
def test_several_events(adapter: Adapter, fault: str) -> None:
    """In one request where the destination allows it: nothing is lost, and nothing refused that was not looked at."""
    expected = proved(adapter).faults[fault]
    if type(adapter) is UmamiBatches:
        expected = BATCH_EXCEPTIONS.get(fault, expected)
    events = [line(f"event.{number}") for number in range(4)]
    with adapter.running() as server, adapter.failing(server, fault) as settings:
        destination = adapter.build(server, timeout=timeout_for(fault), **settings)
        if fault == "connection refused":
            assert destination.send(events[: destination.max_items], PATIENT).verdict is expected.blame.value
            destination.close()
            return
        together = destination.max_items > 1
        carried = carry(destination, events)
        destination.close()
    assert Blame(carried.outcomes[0].verdict) is expected.blame
    if expected.fate is Fate.PARKED:
        assert (carried.parked, carried.delivered, carried.rejected) == (True, 0, [])
    else:
        # A request that is refused once is cut until each event was asked for by itself.
        lost = 1 if expected.fate is Fate.REJECTED and not together else 0
        assert carried.delivered == len(events) - lost
        assert len(carried.rejected) == lost


AMBIGUOUS = [
    pytest.param(adapter, fault, id=f"{adapter.name}-{fault}")
    for adapter in ADAPTERS
    for fault, expected in adapter.faults.items()
    if expected.fate is Fate.AMBIGUOUS
]


@pytest.mark.parametrize(("adapter", "fault"), AMBIGUOUS)
def test_what_must_not_arrive_twice_is_sent_once(adapter: Adapter, fault: str) -> None:
    """With `on_ambiguous: drop`, whoever is to blame."""
    with proved(adapter).running() as server, adapter.failing(server, fault) as settings:
        destination = adapter.build(server, timeout=timeout_for(fault), on_ambiguous="drop", **settings)
        carried = carry(destination, [line()])
        destination.close()
        assert adapter.requests(server) == 1
    assert (carried.delivered, carried.rejected) == (0, ["ambiguous"])
