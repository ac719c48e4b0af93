"""What OpenTrace's answers mean. A 200 may say that it is no success.

=============================================  =========================================================================
answer                                         reading
=============================================  =========================================================================
200 ``{"status": "success"}``                  delivered
200 ``{"status": "error"}``, the event's text  the event's fault: refused, ``opentrace_error``
200 ``{"status": "error"}`` otherwise          its storage is in trouble: again, ``opentrace_error``; an event that it
                                               fails on time and again is refused
200 with nothing of the kind                   delivered
200 with a page                                no OpenTrace there: park, ``not_opentrace``
200 that is broken JSON                        nobody knows: ambiguous, ``unreadable_answer``
422, 400, 413                                  the event's fault: refused
500                                            again; an event that it fails on time and again is refused
502, 503, 429                                  again
504, no answer in time, connection reset       nobody knows: ambiguous; ``drop`` unless the settings say otherwise
3xx, 401, 403, 404, 405                        park
=============================================  =========================================================================

Whoever waits in vain for an answer must not send again by itself: the server stores slowly, and knows no event again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from footspan.destinations.base import Outcome, Verdict
from footspan.destinations.status import outcome_of
from footspan.otlp_json.text import loads

if TYPE_CHECKING:
    from footspan.destinations.base import Answer

ERROR: Final = "opentrace_error"
FAILED: Final = Outcome(Verdict.RETRY, ERROR)
"""Its storage did not take the event."""
REFUSED: Final = Outcome(Verdict.REFUSED, ERROR)
BROKEN: Final = Outcome(Verdict.RETRY, "http_500")
"""It failed before it came to its storage."""

_OK, _SERVER_ERROR, _BAD_GATEWAY = 200, 500, 502
_EVENTS_FAULT: Final = (
    "none value in non-nullable column",
    "object of type",
    "codec can't encode",
    "expecting ",
    "not json serializable",
    "object has no attribute",
)
"""What the errors say that the server has with an event's own content."""


def read(answer: Answer) -> Outcome:
    """Read the answer to one event."""
    if answer.status in (_SERVER_ERROR, _BAD_GATEWAY):
        # The server catches what its storage does; what it fails on before, or nobody answers behind a proxy.
        return replace(outcome_of(answer), verdict=Verdict.RETRY)
    if answer.status != _OK:
        return outcome_of(answer)
    body: Any = None
    start = answer.body.lstrip()[:1]
    if start == b"<":
        return Outcome(Verdict.PARK, "not_opentrace")
    if start in (b"{", b"["):  # other texts say nothing, as the old client has it
        try:
            body = loads(answer.body)
        except ValueError:
            return Outcome(Verdict.AMBIGUOUS, "unreadable_answer")
    if isinstance(body, dict) and body.get("status") == "error":
        message = str(body.get("message", "")).lower()
        return REFUSED if any(mark in message for mark in _EVENTS_FAULT) else FAILED
    return Outcome(Verdict.DELIVERED)
