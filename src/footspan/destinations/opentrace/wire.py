"""What an old OpenTrace client's event bears besides its conventional attributes.

An event of any OpenTelemetry SDK is read by convention. What cannot be told from convention, because only the old
client's body knows it, stands in one attribute, ``footspan.wire`` = ``{"opentrace": {...}}``, under these names, every
one of them optional:

================  ======================================================================================================
name              meaning
================  ======================================================================================================
``endpoint``      ``event`` or ``collect``: which of the two requests it is
``project``       text: this call's own project, in place of the destination's ``project_id``
``session``       text or number: exactly this, and nothing of the context, is the session. ``None``, or no such name
                  on an event with ``parity`` that was not given ``session.id``: no session (``null`` on ``event``, no
                  ``sid`` on ``collect``)
``parity``        ``True``: the body is written as the old client wrote it, with what the call gave and nothing else
``name``          the event's name as the call gave it, where an event cannot bear it (a number, an empty text)
``given``         the names of the attributes that this call gave, in order: payload keys, and under their conventional
                  names session, campaign fields, start code, click ids, ``url``, ``ref``, ``lang`` and ``res``. What is
                  not among them came from the context. Without it, every attribute counts as given
``payload``       the payload verbatim, where attributes cannot carry it. With ``order``, only those of its entries
``order``         the payload's keys, in their order: those that ``payload`` lacks are attributes
``integers``      paths (lists of keys and indexes) of the integers in the payload that 64 bits do not hold: in an event
                  they are their digits as text, in the body they are numbers again
``resolved``      set on the way out: what the campaign server said of the start code (``utm_source``, …)
================  ======================================================================================================

The rest is conventional: the start code is ``footspan.campaign.start_code`` (text only), the campaign fields are
``footspan.utm.*``, the click ids ``footspan.click_id.*``, all as the call gave them, ``None`` left out. ``session.id``
stands beside ``session`` as its text, so that a session's events stay in order. Keys of a payload are text as JSON
writes them (``true``, ``null``, ``1.5``). A payload that is no mapping is the record's body.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c

if TYPE_CHECKING:
    from collections.abc import Mapping

SEED: Final = "opentrace"
"""The key inside ``footspan.wire``."""

EVENT: Final = "event"
COLLECT: Final = "collect"

ENDPOINT: Final = "endpoint"
PROJECT: Final = "project"
SESSION: Final = "session"
PARITY: Final = "parity"
NAME: Final = "name"
GIVEN: Final = "given"
PAYLOAD: Final = "payload"
ORDER: Final = "order"
INTEGERS: Final = "integers"
RESOLVED: Final = "resolved"


def wire_of(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an event says for OpenTrace alone; empty for events of anybody else."""
    wire = attributes.get(c.WIRE)
    found = wire.get(SEED) if isinstance(wire, dict) else None
    return found if isinstance(found, dict) else {}
