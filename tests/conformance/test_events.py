"""Every kind of event, and everything it may hold, arrives everywhere as that destination shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.cases import EVENTS
from footspan.destinations.base import Outcome, Verdict

if TYPE_CHECKING:
    from conformance.adapter import Adapter


def test_every_kind_has_a_look(adapter: Adapter) -> None:
    """A new kind of event is looked at everywhere."""
    assert set(adapter.looks) == set(EVENTS)


@pytest.mark.parametrize("kind", EVENTS)
def test_one_event(adapter: Adapter, kind: str) -> None:
    """Alone."""
    with adapter.running() as server:
        destination = adapter.build(server)
        assert destination.send([EVENTS[kind]], 10.0) == Outcome(Verdict.DELIVERED)
        destination.close()
        assert adapter.seen(server) == [adapter.looks[kind]]


def test_all_of_them_together(adapter: Adapter) -> None:
    """In as few requests as the destination allows; nobody spoils another."""
    with adapter.running() as server:
        destination = adapter.build(server)
        events = list(EVENTS.values())
        size = min(destination.max_items, len(events))
        for first in range(0, len(events), size):
            assert destination.send(events[first : first + size], 10.0) == Outcome(Verdict.DELIVERED)
        destination.close()
        seen = adapter.seen(server)
    # Only their order is the destination's own affair.
    for kind in EVENTS:
        assert adapter.looks[kind] in seen, kind
    assert len(seen) == len(EVENTS)


def test_what_is_compared_is_what_was_written() -> None:
    """Where a look is the event itself, it is read by our parser: here by hand."""
    foreign, unicode, limits = (EVENTS[kind].event for kind in ("foreign", "unicode", "limits"))
    assert foreign.attributes == {"user.id": "u9", "count": 3, "ratio": 0.5, "who": {"age": 41}}
    assert (foreign.name, foreign.severity_number, foreign.uid) == ("order.placed", 9, "")
    assert unicode.attributes["größe"] == "日本 🧀 \u2028"
    assert unicode.attributes["nul"] == "a\0b"
    assert limits.attributes["huge"] == 10**18
    assert EVENTS["nested"].event.attributes["order"] == {"id": 7, "lines": [{"sku": "a"}, {"sku": "b"}]}
    assert EVENTS["mapping body"].event.body == {"b": {"c": 2}}
