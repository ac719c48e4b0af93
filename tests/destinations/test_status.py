"""Status codes, Retry-After and faults, each with its verdict."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest

from footspan.destinations.base import Answer, FaultKind, Verdict
from footspan.destinations.status import MAX_RETRY_AFTER, classify, outcome_of, outcome_of_fault, parse_retry_after


@pytest.mark.parametrize(
    ("verdict", "statuses"),
    [
        (Verdict.DELIVERED, (200, 201, 202, 204, 299)),
        (Verdict.REFUSED, (400, 413, 422)),
        (Verdict.RETRY, (408, 425, 429, 503)),
        (Verdict.PARK, (300, 301, 302, 304, 307, 308, 401, 402, 403, 404, 405, 407, 410, 415, 451, 501, 505)),
        (Verdict.AMBIGUOUS, (500, 502, 504, 520, 599)),
    ],
)
def test_every_status_has_one_verdict(verdict: Verdict, statuses: tuple[int, ...]) -> None:
    """The event's fault is refused, the destination's parks, overload is tried again, the rest is nobody's guess."""
    assert dict.fromkeys(statuses, verdict) == {status: classify(status) for status in statuses}


def test_a_redirect_is_no_success() -> None:
    """A 307 keeps the events: redirects are not followed, so nothing was delivered."""
    outcome = outcome_of(Answer(307, {"location": "https://elsewhere.example/"}))
    assert (Verdict.PARK, "http_307") == (outcome.verdict, outcome.reason)


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        (FaultKind.REFUSED, Verdict.RETRY),
        (FaultKind.CONNECT_TIMEOUT, Verdict.RETRY),
        (FaultKind.DNS, Verdict.PARK),
        (FaultKind.TLS, Verdict.PARK),
        (FaultKind.INVALID, Verdict.PARK),
        (FaultKind.PROTOCOL, Verdict.PARK),
        (FaultKind.UNUSABLE, Verdict.PARK),
        (FaultKind.READ_TIMEOUT, Verdict.AMBIGUOUS),
        (FaultKind.RESET, Verdict.AMBIGUOUS),
    ],
)
def test_every_fault_has_one_verdict(kind: FaultKind, verdict: Verdict) -> None:
    """Only a request that may have arrived is ambiguous."""
    outcome = outcome_of_fault(kind)
    assert (verdict, kind.value) == (outcome.verdict, outcome.reason)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("0", 0.0), ("7", 7.0), (" 12 ", 12.0), ("99999", MAX_RETRY_AFTER), ("9" * 5000, MAX_RETRY_AFTER)],
)
def test_retry_after_in_seconds_is_read_and_capped(header: str, seconds: float) -> None:
    """However long a destination asks us to wait, it is at most an hour."""
    assert seconds == parse_retry_after(header)


def test_retry_after_as_a_date_is_the_time_until_then() -> None:
    """An HTTP date counts from now; one that has passed is no wait at all."""
    soon = parse_retry_after(formatdate(time.time() + 30, usegmt=True))
    assert soon is not None
    assert 25 < soon <= 30
    assert parse_retry_after(formatdate(time.time() - 30, usegmt=True)) == 0.0
    assert parse_retry_after(formatdate(time.time() + 10**7, usegmt=True)) == MAX_RETRY_AFTER


@pytest.mark.parametrize("header", [None, "", "soon", "-1", "1.5x", "Thu, 99 Foo 2026", "\u0661"])
def test_an_unreadable_retry_after_is_none(header: str | None) -> None:
    """Nonsense falls back to the courier's own pauses."""
    assert parse_retry_after(header) is None


def test_retry_after_counts_only_where_a_retry_is_due() -> None:
    """A 404 with Retry-After still parks; a 429 carries the wait."""
    headers = {"retry-after": "3"}
    assert outcome_of(Answer(429, headers)).retry_after == 3.0
    assert outcome_of(Answer(503, headers)).retry_after == 3.0
    assert outcome_of(Answer(404, headers)).retry_after is None
