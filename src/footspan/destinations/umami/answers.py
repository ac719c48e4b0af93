"""What Umami's answers mean. A 200 is not a success.

=====================================  =================================================================================
answer                                 reading
=====================================  =================================================================================
200 with a token or a session          delivered
200 ``{"beep": "boop"}`` or ``{}``     the event was dropped as a bot's: refused, ``bot``
200 with a page                        no Umami there: park, ``not_umami``
200 that is broken JSON                nobody knows: ambiguous, ``unreadable_answer``
400, 403 ``Website not found``         park, ``unknown_website``
400 that names the website's field     park, ``invalid_website``
400 otherwise                          the event's fault: refused, ``http_400``
403, the event names an address        Umami was told to ignore that visitor: refused, ``ignored_ip``
403 otherwise                          Umami ignores this machine, or wants a login: park, ``http_403``
500 of a single event                  refused, ``umami_500_partial``
401, 404, 405, 3xx                     park
=====================================  =================================================================================

A 500 comes after the event's row was written more often than before, and there is no key by which Umami would know an
event again. So it is never sent again by itself: it is refused, and kept among the rejected ones with that reason. When
every event of a batch (of three or more) failed that way it is the server that is in trouble, its database or its geo
database; then the outcome is ambiguous and ``on_ambiguous`` decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from footspan.destinations.base import Answer, Outcome, Verdict
from footspan.destinations.status import outcome_of
from footspan.otlp_json.text import loads

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from footspan.destinations.umami.payload import Item

BOT: Final = Outcome(Verdict.REFUSED, "bot")
IGNORED: Final = Outcome(Verdict.REFUSED, "ignored_ip")
PARTIAL: Final = Outcome(Verdict.REFUSED, "umami_500_partial")
UNKNOWN_WEBSITE: Final = Outcome(Verdict.PARK, "unknown_website")
UNREADABLE: Final = Outcome(Verdict.AMBIGUOUS, "unreadable_answer")

TROUBLE: Final = 3
"""Events of one batch that all failed with a 500 at which the server is suspected instead of the events."""

_DELIVERED: Final = Outcome(Verdict.DELIVERED)
_OK, _BAD_REQUEST, _FORBIDDEN, _SERVER_ERROR = 200, 400, 403, 500
_WORDS: Final = 4_096
_MISSING: Final = object()


def read_single(answer: Answer, item: Item) -> Outcome:
    """Read the answer to one event."""
    if answer.status == _OK:
        return _success(answer)
    if answer.status in (_BAD_REQUEST, _FORBIDDEN, _SERVER_ERROR):
        if b"website not found" in answer.body[:_WORDS].lower():
            return UNKNOWN_WEBSITE  # before 2.16 a 403, and plain text
        return item_error(answer.status, _error(_json(answer)), item)
    return outcome_of(answer)


def read_batch(answer: Answer, items: Sequence[Item], *, tells_bots: bool) -> Outcome:
    """Read the answer to a batch.

    Args:
        answer: What came back, its status 200.
        items: What was sent, in that order.
        tells_bots: Whether this server is known to leave the token out only when every event was a bot's.

    Returns:
        An outcome with one item for each event that was not stored.
    """
    body = _json(answer)
    if not isinstance(body, dict) or not isinstance(body.get("processed"), int):
        return _no_umami(answer) if body is _MISSING or not isinstance(body, dict) else UNREADABLE
    errors: dict[int, Outcome] = {}
    for detail in body.get("details") or ():
        index = detail.get("index") if isinstance(detail, dict) else None
        if isinstance(index, int) and 0 <= index < len(items):
            error = _error(detail.get("response"))
            status = error.get("status")
            errors[index] = item_error(status if isinstance(status, int) else _SERVER_ERROR, error, items[index])
    stored = len(items) - len(errors)
    if body["processed"] < stored:
        return UNREADABLE  # failures that are not named: nobody knows which
    if not stored:
        return _all_failed(errors)
    if tells_bots and not body.get("cache"):
        return Outcome(Verdict.DELIVERED, items={**dict.fromkeys(range(len(items)), BOT), **errors})
    return Outcome(Verdict.DELIVERED, items=errors)


def item_error(status: int, error: Mapping[str, Any], item: Item) -> Outcome:
    """Read the error of one event.

    Args:
        status: The error's own status; inside a batch the answer's is 200.
        error: The object under ``error``, or empty.
        item: The event as it was sent.
    """
    if status == _SERVER_ERROR:
        return PARTIAL
    if status == _FORBIDDEN and "ip" in item.body["payload"]:
        return IGNORED
    if status == _BAD_REQUEST:
        if "website not found" in str(error.get("message", "")).lower():
            return UNKNOWN_WEBSITE
        fields = _at(_at(_at(error, "properties"), "payload"), "properties")
        if "website" in fields:
            return Outcome(Verdict.PARK, "invalid_website")
    return outcome_of(Answer(status))


def has_token_key(answer: Answer) -> bool:
    """Whether a batch answer speaks of a token at all, as servers from 3.0.3 on do."""
    body = _json(answer)
    return isinstance(body, dict) and "cache" in body


# -- parts -------------------------------------------------------------------------------------------------------------


def _success(answer: Answer) -> Outcome:
    body = _json(answer)
    if isinstance(body, str) and body:
        return _DELIVERED  # servers before 2.16 answer with the bare token
    if isinstance(body, dict):
        if "beep" in body or not body:
            return BOT
        if "cache" in body or "sessionId" in body:
            return _DELIVERED
        return Outcome(Verdict.PARK, "not_umami")
    return _no_umami(answer)


def _no_umami(answer: Answer) -> Outcome:
    """Broken JSON may follow a stored event; anything else is no answer of Umami's."""
    if "json" in answer.headers.get("content-type", "") or answer.body.lstrip()[:1] in (b"{", b"["):
        return UNREADABLE
    return Outcome(Verdict.PARK, "not_umami")


def _all_failed(errors: Mapping[int, Outcome]) -> Outcome:
    """Nothing of a batch was stored: one reason that they share counts for the whole."""
    first = errors[min(errors)]
    if all(error == first for error in errors.values()):
        if first.verdict is not Verdict.REFUSED:
            return first
        if first is PARTIAL and len(errors) >= TROUBLE:
            return Outcome(Verdict.AMBIGUOUS, "umami_500")
    return Outcome(Verdict.REFUSED, first.reason, items=errors)


def _json(answer: Answer) -> Any:
    try:
        return loads(answer.body)
    except ValueError:
        return _MISSING


def _error(body: Any) -> Mapping[str, Any]:
    return _at(body, "error")


def _at(body: Any, key: str) -> Mapping[str, Any]:
    value = body.get(key) if isinstance(body, dict) else None
    return value if isinstance(value, dict) else {}
