"""What a destination may not have though others do: the last thing that happens to an event before its request.

An event whose purpose nobody agreed to is held to what that means here, then to what the policy removes besides.

What is stored is what the policy as a whole allows. A destination's own rules see that, so that they can only remove
more. Destinations without such rules cost one look at their settings for each request.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c
from footspan._guard import report
from footspan.destinations.base import Outcome, Verdict
from footspan.otlp_json.bulk import CONSENT_MARK, holds
from footspan.otlp_json.rewrite import rewritten
from footspan.otlp_json.span_lines import SPAN_ROOT, SpanLine

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from footspan.config.consent import ConsentRules
    from footspan.config.policy import Policy
    from footspan.destinations.base import Destination
    from footspan.otlp_json import LogLine
    from footspan.processors.redaction import Redactor

    _Kept: TypeAlias = weakref.WeakKeyDictionary[Destination, tuple[Policy, Redactor]]

NO_CONSENT: Final = "no_consent"
FAILED: Final = "redaction_failed"
"""Why an event was not sent that its destination's rules could not be applied to."""

_own: _Kept = weakref.WeakKeyDictionary()
_strict: _Kept = weakref.WeakKeyDictionary()


def send(destination: Destination, events: Sequence[LogLine], timeout: float) -> Outcome:
    """Have a destination send some events under its own rules.

    Args:
        destination: Where they go.
        events: As :meth:`Destination.send` takes them. Outcomes are of these, in their order.
        timeout: Seconds this may take.
    """
    if redactor_of(destination) is None and not holds(events, CONSENT_MARK):
        return destination.send(events, timeout)
    found = {index: allowed(destination, event) for index, event in enumerate(events)}
    ready = {index: line for index, line in found.items() if not isinstance(line, str)}
    left_out = {index: Outcome(Verdict.REFUSED, why) for index, why in found.items() if isinstance(why, str)}
    if not ready:
        return Outcome(Verdict.DELIVERED, items=left_out)
    outcome = destination.send(list(ready.values()), timeout)
    if not left_out:
        return outcome
    places = list(ready)
    items = {places[index]: item for index, item in outcome.items.items()}
    return Outcome(outcome.verdict, outcome.reason, outcome.retry_after, {**left_out, **items})


def tightened(destination: Destination, event: LogLine) -> LogLine | None:
    """An event as a destination may have it; ``None`` if it may not, or its rules could not be applied."""
    found = allowed(destination, event)
    return None if isinstance(found, str) else found


def allowed(destination: Destination, event: LogLine) -> LogLine | str:
    """An event as a destination may have it; the reason where it may not."""
    try:
        if CONSENT_MARK in event.line:
            found = _agreed(destination, event)
            if found is None:
                return NO_CONSENT
            event = found
        redactor = redactor_of(destination)
        return event if redactor is None else _tightened(event, redactor)
    except Exception as error:  # noqa: BLE001 - fails closed: what cannot be examined does not leave
        report("tightening", error)
        return FAILED


def _agreed(destination: Destination, event: LogLine) -> LogLine | None:
    """An event that bears consent, as far as the destination gets it for that; ``None``: it does not."""
    from footspan.processors.campaign_traces import without_campaign  # noqa: PLC0415 - few events bear consent
    from footspan.processors.consent import agrees_to_marketing, pseudonymous, refused_purpose  # noqa: PLC0415

    settings = getattr(destination, "settings", None)
    rules: ConsentRules | None = getattr(settings, "consent", None)
    attributes = event.event.attributes
    purpose = refused_purpose(attributes)
    without = {} if rules is None else rules.without
    action = "send" if purpose is None else without.get(purpose, "drop")
    if action == "drop":
        return None
    if rules is None or c.CONSENT not in attributes:
        return event
    if rules.campaigns and not agrees_to_marketing(attributes) and without.get("marketing") != "send":
        kept = without_campaign(attributes)
        gone = [name for name in attributes if name not in kept]
        changed = {name: value for name, value in kept.items() if value != attributes[name]}
        if gone or changed:
            event = rewritten(event, changed, without=gone)
    if action == "pseudonymise":
        event = _tightened(event, _redactor(destination, _strict, pseudonymous, rules.policy))
    return event


def redactor_of(destination: Destination) -> Redactor | None:
    """What holds events to a destination's own rules; ``None`` where it has none."""
    policy = getattr(getattr(destination, "settings", None), "privacy", None)
    return None if policy is None else _redactor(destination, _own, None, policy)


def _redactor(
    destination: Destination, kept: _Kept, made_of: Callable[[Policy], Policy] | None, policy: Policy
) -> Redactor:
    """A destination's redactor of a policy, or of one made of it; made once."""
    known = kept.get(destination)
    if known is None or known[0] is not policy:
        from footspan.privacy.epochs import tokens_for  # noqa: PLC0415 - few destinations have rules
        from footspan.processors.redaction import Redactor  # noqa: PLC0415 - the same

        tokens = tokens_for(destination)
        redactor = Redactor(None, policy if made_of is None else made_of(policy), pseudonymiser=tokens)
        known = kept[destination] = (policy, redactor)
    return known[1]


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
