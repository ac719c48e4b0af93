"""Tests for footspan.gateway.in_flight."""

from __future__ import annotations

import pytest

from footspan.gateway.in_flight import LEAST, InFlight
from footspan.gateway.refusal import Refusal


def test_bytes_are_held_until_the_answer() -> None:
    """And given back whatever the answer is."""
    flights = InFlight(100_000)
    with flights.request(0) as hold:
        hold(50_000)
        assert flights.held == 50_000 + LEAST
    assert flights.held == 0
    with pytest.raises(Refusal), flights.request(0):
        raise Refusal(400, "")
    assert flights.held == 0


def test_one_byte_too_many_is_429() -> None:
    """With the advice to come again soon; others' bytes stay held, one's own are given back."""
    flights = InFlight(100_000)
    with flights.request(0) as hold:
        hold(90_000)
        with pytest.raises(Refusal) as refused, flights.request(0) as other:
            other(10_000)
        assert (429, True) == (refused.value.status, bool(refused.value.retry_after))
        assert flights.held == 90_000 + LEAST


def test_an_announcement_holds_nothing() -> None:
    """What cannot fit is refused before it comes; what could is not held before it does."""
    flights = InFlight(100_000)
    with pytest.raises(Refusal), flights.request(100_001):
        pass
    with flights.request(90_000), flights.request(90_000):
        assert flights.held == 2 * LEAST


def test_empty_requests_count() -> None:
    """A flood of them is bounded too."""
    flights = InFlight(LEAST)
    with flights.request(0), pytest.raises(Refusal), flights.request(0):
        pass
