"""What a policy removes for one destination besides: the last thing that happens to an event before its request.

What is stored is what the policy as a whole allows. A destination's own rules see that, so that they can only remove
more. Destinations without such rules cost one look at their settings for each request.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Final

from footspan._guard import report
from footspan.destinations.base import Outcome, Verdict
from footspan.otlp_json.span_lines import SPAN_ROOT, SpanLine

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.destinations.base import Destination
    from footspan.otlp_json import LogLine
    from footspan.processors.redaction import Redactor

FAILED: Final = "redaction_failed"
"""Why an event was not sent that its destination's rules could not be applied to."""

_redactors: weakref.WeakKeyDictionary[Destination, Redactor] = weakref.WeakKeyDictionary()


def send(destination: Destination, events: Sequence[LogLine], timeout: float) -> Outcome:
    """Have a destination send some events under its own rules.

    Args:
        destination: Where they go.
        events: As :meth:`Destination.send` takes them. Outcomes are of these, in their order.
        timeout: Seconds this may take.
    """
    redactor = redactor_of(destination)
    if redactor is None:
        return destination.send(events, timeout)
    ready = {index: line for index, event in enumerate(events) if (line := _attempt(event, redactor)) is not None}
    left_out = {index: Outcome(Verdict.REFUSED, FAILED) for index in range(len(events)) if index not in ready}
    if not ready:
        return Outcome(Verdict.DELIVERED, items=left_out)
    outcome = destination.send(list(ready.values()), timeout)
    if not left_out:
        return outcome
    places = list(ready)
    items = {places[index]: item for index, item in outcome.items.items()}
    return Outcome(outcome.verdict, outcome.reason, outcome.retry_after, {**left_out, **items})


def tightened(destination: Destination, event: LogLine) -> LogLine | None:
    """An event as a destination may have it; ``None`` if its rules could not be applied."""
    redactor = redactor_of(destination)
    return event if redactor is None else _attempt(event, redactor)


def redactor_of(destination: Destination) -> Redactor | None:
    """What holds events to a destination's own rules; ``None`` where it has none."""
    policy = getattr(getattr(destination, "settings", None), "privacy", None)
    if policy is None:
        return None
    redactor = _redactors.get(destination)
    if redactor is None or redactor.policy is not policy:
        from footspan.processors.redaction import Redactor  # noqa: PLC0415 - few destinations have rules

        redactor = _redactors[destination] = Redactor(None, policy)
    return redactor


def _attempt(event: LogLine, redactor: Redactor) -> LogLine | None:
    try:
        return _tightened(event, redactor)
    except Exception as error:  # noqa: BLE001 - fails closed: what cannot be examined does not leave
        report("tightening", error)
        return None


def _tightened(event: LogLine, redactor: Redactor) -> LogLine:
    from footspan.processors.foreign import cleaned  # noqa: PLC0415 - as above

    if event.line.startswith(SPAN_ROOT):
        return SpanLine(_span(event.line, redactor))
    [line] = cleaned(event.line, redactor)
    return line


def _span(line: bytes, redactor: Redactor) -> bytes:
    """A stored span, each place of it that holds data held to the rules."""
    from footspan.otlp_json.text import dumps, loads  # noqa: PLC0415 - as above

    root: Any = loads(line)
    for group in root["resourceSpans"]:
        _attributes(group.get("resource"), redactor)
        for scoped in group["scopeSpans"]:
            _attributes(scoped.get("scope"), redactor)
            for span in scoped["spans"]:
                for holder in (span, *span.get("events", ())):
                    if holder.get("name"):
                        holder["name"] = redactor.text(holder["name"])
                for holder in (span, *span.get("events", ()), *span.get("links", ())):
                    _attributes(holder, redactor)
                status = span.get("status") or {}
                if status.get("message"):
                    status["message"] = redactor.text(status["message"])
    return dumps(root)


def _attributes(holder: Any, redactor: Redactor) -> None:
    from footspan.otlp_json.parse import attributes_of  # noqa: PLC0415 - as above
    from footspan.otlp_json.text import loads  # noqa: PLC0415 - the same
    from footspan.otlp_json.values import attributes_json  # noqa: PLC0415 - the same

    if isinstance(holder, dict) and holder.get("attributes"):
        clean, touched = redactor.mapping(attributes_of(holder))
        if touched:
            holder["attributes"] = loads(attributes_json(clean))
