"""The pauses between requests."""

from __future__ import annotations

import math
import random

import pytest

from footspan.delivery.retry import Backoff, obeyed


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("seed", range(50))
def test_three_seconds_of_outage_see_four_requests_and_recovery_is_used_within_two(seed: int) -> None:
    """Whatever the dice say: the fifth request comes after 3 s, and no pause of the first minutes reaches 2 s."""
    clock = Clock()
    backoff = Backoff(clock, random.Random(seed).uniform)
    requests = [clock.now]
    while clock.now < 1060:
        pause = backoff.failed()
        assert pause < 2.0
        clock.now += pause
        requests.append(clock.now)

    for first in requests:
        assert sum(first <= at <= first + 3.0 for at in requests) <= 4


def test_a_long_outage_is_asked_less_often_and_never_later_than_fifteen_seconds() -> None:
    """After some minutes the pauses grow, to 15 s at the most."""
    clock = Clock()
    backoff = Backoff(clock, lambda _, high: high)
    pauses = []
    while clock.now < 1600:
        pauses.append(backoff.failed())
        clock.now += pauses[-1]

    assert max(pauses) == 15.0
    assert pauses[-1] == 15.0
    assert pauses == sorted(pauses)


def test_success_starts_over() -> None:
    """The outage after next is no longer than a first one."""
    clock = Clock()
    backoff = Backoff(clock, lambda low, _: low)
    first = [backoff.failed(), backoff.failed()]
    clock.now += 1000
    backoff.failed()
    backoff.parked()
    backoff.succeeded()

    assert [backoff.failed(), backoff.failed()] == first
    assert backoff.parked() == 4.0


def test_a_parked_destination_is_probed_after_five_seconds_then_less_often() -> None:
    """5, 10, 20, 40, then every 60 s."""
    backoff = Backoff(uniform=lambda _, high: high)

    assert [backoff.parked() for _ in range(6)] == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]


def test_jitter_is_drawn() -> None:
    """Two carriers that fail together do not come back together."""
    pauses = {Backoff(uniform=random.Random(seed).uniform).failed() for seed in range(20)}

    assert len(pauses) > 10


@pytest.mark.parametrize(
    ("asked", "wait"),
    [(None, 0.0), (0.0, 0.0), (-3.0, 0.0), (7.25, 7.25), (3600.0, 3600.0), (1e9, 3600.0), (math.nan, 0.0)],
)
def test_retry_after_is_obeyed_exactly_up_to_an_hour(asked: float | None, wait: float) -> None:
    """What the destination asks for, no more and no less; nonsense counts as nothing."""
    assert obeyed(asked) == wait
