"""What a status code and a ``Retry-After`` mean where a destination's contract does not say more."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from footspan.destinations.base import FaultKind, Outcome, Verdict

if TYPE_CHECKING:
    from footspan.destinations.base import Answer

MAX_RETRY_AFTER: Final = 3600.0
"""Longest pause a destination may ask for, in seconds: a date far ahead must not silence it for ever."""

_VERDICTS: Final = {
    400: Verdict.REFUSED,
    408: Verdict.RETRY,  # the server gave up waiting for the request: it has not read it
    413: Verdict.REFUSED,
    422: Verdict.REFUSED,
    425: Verdict.RETRY,
    429: Verdict.RETRY,
    500: Verdict.AMBIGUOUS,
    501: Verdict.PARK,
    503: Verdict.RETRY,
    505: Verdict.PARK,
}

_FAULTS: Final = {
    FaultKind.REFUSED: Verdict.RETRY,
    FaultKind.CONNECT_TIMEOUT: Verdict.RETRY,
    FaultKind.DNS: Verdict.PARK,
    FaultKind.TLS: Verdict.PARK,
    FaultKind.INVALID: Verdict.PARK,
    FaultKind.PROTOCOL: Verdict.PARK,
    FaultKind.PROXY: Verdict.PARK,
    FaultKind.UNUSABLE: Verdict.PARK,
    FaultKind.READ_TIMEOUT: Verdict.AMBIGUOUS,
    FaultKind.RESET: Verdict.AMBIGUOUS,
}


def classify(status: int) -> Verdict:
    """Whose fault a status is.

    * 2xx: delivered, as far as the status says.
    * 400, 413, 422: the event's fault.
    * 408, 425, 429, 503: nothing was stored, again later.
    * 500, 502, 504 and other 5xx: nobody knows whether something was stored.
    * 3xx (redirects are not followed), every other 4xx, 501, 505: the destination's fault (address, key, method).

    Args:
        status: The status code of an HTTP answer.
    """
    known = _VERDICTS.get(status)
    if known is not None:
        return known
    if 200 <= status < 300:  # noqa: PLR2004 - status classes
        return Verdict.DELIVERED
    if 300 <= status < 500:  # noqa: PLR2004 - status classes
        return Verdict.PARK
    return Verdict.AMBIGUOUS


def outcome_of(answer: Answer) -> Outcome:
    """The shared reading of an answer: its status, and how long it asks to wait."""
    verdict = classify(answer.status)
    reason = "" if verdict is Verdict.DELIVERED else f"http_{answer.status}"
    retry_after = parse_retry_after(answer.headers.get("retry-after")) if verdict is Verdict.RETRY else None
    return Outcome(verdict, reason, retry_after)


def outcome_of_fault(kind: FaultKind) -> Outcome:
    """The shared reading of an answer that never came."""
    return Outcome(_FAULTS[kind], kind.value)


def parse_retry_after(value: str | None) -> float | None:
    """Seconds to wait from a ``Retry-After`` header (RFC 9110, section 10.2.3: seconds or an HTTP date).

    Args:
        value: The header's value.

    Returns:
        Seconds between 0 and :data:`MAX_RETRY_AFTER`, or ``None`` for a missing or unreadable value.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        # More digits than any sensible pause has; int() of thousands of them is slow.
        return min(float(text[:12]), MAX_RETRY_AFTER)
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER)
