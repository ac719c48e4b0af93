"""The last step before a destination gets events: what cannot be known when an event is recorded, and what must stay.

A start code becomes the campaign it stands for. What the privacy policy removes for the destination alone is removed
last (:mod:`footspan.destinations.tightening`). What only one old client's wire format needs is taken out where stored
lines leave as they are. Events that have neither, as nearly all, cost one search for each.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c
from footspan._guard import guard
from footspan.destinations import tightening
from footspan.otlp_json.bulk import CODE_MARK, WIRE_MARK, holds
from footspan.otlp_json.rewrite import rewritten

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from footspan.destinations.base import Destination, Outcome
    from footspan.otlp_json import LogLine

LEAST_SECONDS: Final = 0.05

_SOURCE: Final = "footspan.utm.source"


def prepare(destination: Destination, events: Sequence[LogLine], timeout: float) -> None:
    """Do of the way of some events what comes before any request of theirs: what a start code stands for is asked here.

    Args:
        destination: Where they go.
        events: Those that go next.
        timeout: Seconds this may take.
    """
    with guard("preparing a destination"):
        destination.prepare()
        if holds(events, CODE_MARK):
            _campaigns(destination, events, timeout)


def send(destination: Destination, events: Sequence[LogLine], timeout: float) -> Outcome:
    """Have a destination send some events: what everybody calls who has a destination and events.

    Args:
        destination: Where they go.
        events: As :meth:`Destination.send` takes them. Outcomes are of these, in their order.
        timeout: Seconds this may take.
    """
    passes_on = getattr(destination, "passes_on", False)
    has_code = holds(events, CODE_MARK)
    if not has_code and not (passes_on and holds(events, WIRE_MARK)):
        return tightening.send(destination, events, timeout)
    began = time.monotonic()
    ready: Sequence[LogLine] = events
    with guard("preparing events"):
        found = _campaigns(destination, events, timeout)
        ready = [_with_campaign(event, each) if each else event for event, each in zip(events, found, strict=True)]
        ready = [_without_wire(each) for each in ready] if passes_on else ready
    return tightening.send(destination, ready, max(LEAST_SECONDS, timeout - (time.monotonic() - began)))


def _campaigns(destination: Destination, events: Sequence[LogLine], timeout: float) -> list[Mapping[str, Any]]:
    """For each event the campaign that its start code stands for; empty where it has none, or nobody knows it."""
    from footspan.destinations import campaigns  # noqa: PLC0415 - few events have start codes

    servers, budget = campaigns.servers_for(destination)
    budget = min(budget, timeout / 2)
    deadline = time.monotonic() + budget
    codes = [_code(event) if servers and CODE_MARK in event.line else "" for event in events]
    return [campaigns.asked.look_up(code, servers, deadline, budget) if code else {} for code in codes]


def _code(event: LogLine) -> str:
    """The start code to look up: none where the event says itself where its visitor came from."""
    from footspan.destinations.campaigns import MAX_CODE  # noqa: PLC0415 - as above

    attributes = event.event.attributes
    code = attributes.get(c.CAMPAIGN_START_CODE)
    if not isinstance(code, str) or not code or len(code) > MAX_CODE:
        return ""
    return "" if _says(attributes, _SOURCE) else code


def _says(attributes: Mapping[str, Any], name: str) -> bool:
    """Whether an event itself says something. An old client's event may have it from the context, which is no word."""
    given = _given(attributes)
    return bool(attributes.get(name)) and (given is None or name in given)


def _given(attributes: Mapping[str, Any]) -> list[Any] | None:
    """The names that an old client's call gave; ``None`` for everybody else's event."""
    from footspan.destinations.opentrace import wire as w  # noqa: PLC0415 - as above

    given = w.wire_of(attributes).get(w.GIVEN)
    return given if isinstance(given, list) else None


def _with_campaign(event: LogLine, found: Mapping[str, Any]) -> LogLine:
    from footspan.destinations.campaigns import FIELDS  # noqa: PLC0415 - as above
    from footspan.destinations.opentrace import wire as w  # noqa: PLC0415 - as above

    attributes = event.event.attributes
    added: dict[str, Any] = {
        attribute: str(found[field])
        for field, attribute in FIELDS.items()
        if found.get(field) not in (None, "") and not _says(attributes, attribute)
    }
    own = w.wire_of(attributes)
    if own:
        added[c.WIRE] = {**attributes[c.WIRE], w.SEED: {**own, w.RESOLVED: dict(found)}}
    return rewritten(event, added) if added else event


def _without_wire(event: LogLine) -> LogLine:
    return rewritten(event, without=(c.WIRE,)) if WIRE_MARK in event.line else event
