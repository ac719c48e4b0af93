"""One destination's loop, against a scripted destination and a list for a feed."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

import pytest

from delivery.doubles import ListFeed, carrier_of, events, line
from footspan import _guard
from footspan.delivery.pauses import Wait
from footspan.destinations.base import Outcome, Verdict
from programs import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from footspan.delivery.carrier import Carrier

DELIVERED = Outcome(Verdict.DELIVERED)


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def running() -> Iterator[list[Carrier]]:
    """Carriers in this list are stopped at the end of the test."""
    carriers: list[Carrier] = []
    yield carriers
    for carrier in carriers:
        carrier.stop(time.monotonic())
    for carrier in carriers:
        assert carrier.join(5.0)


def test_a_batch_is_journaled_before_its_request_and_acknowledged_after_it() -> None:
    """The order that lets a successor tell what may have arrived."""
    feed = events(3)
    seen: list[list[str]] = []

    def script(_: list[str]) -> Outcome:
        seen.append(list(feed.journal))
        return DELIVERED

    pause = carrier_of(script, feed).turn()

    assert seen == [["sending"]]
    assert feed.journal == ["sending", "done"]
    assert feed.tallies[0].delivered == 3
    assert pause.kind is Wait.FULLER_BATCH


def test_a_bisected_batch_stays_journaled_from_its_first_success_to_its_end() -> None:
    """A crash in the middle repeats no more than the batch; a batch refused as a whole counts as never sent."""
    feed = events(8)
    carrier = carrier_of(lambda names: Outcome(Verdict.REFUSED, "http_400") if "e5" in names else DELIVERED, feed)
    for _ in range(20):
        carrier.turn()

    assert feed.journal == ["sending", "kept", "sending", "done"]
    assert feed.rejected == [("e5", "http_400")]
    assert feed.tallies[0].delivered == 7


@pytest.mark.parametrize("verdict", [Verdict.RETRY, Verdict.PARK, Verdict.AGAIN])
def test_a_batch_that_certainly_did_not_arrive_is_no_longer_in_doubt(verdict: Verdict) -> None:
    """If we die during the pause, a successor that must not send twice may send it."""
    feed = events(3)
    carrier_of(lambda _: Outcome(verdict, "reason"), feed).turn()

    assert feed.journal == ["sending", "kept"]


def test_a_batch_of_unknown_fate_stays_in_doubt() -> None:
    """Nobody may claim that it did not arrive."""
    feed = events(3)
    carrier = carrier_of(lambda _: Outcome(Verdict.AMBIGUOUS, "read_timeout"), feed)
    carrier.turn()
    carrier.turn()

    assert feed.journal == ["sending"]


def test_a_lone_refused_event_is_judged_by_the_event_after_it() -> None:
    """Low traffic, one event a batch: three refused in a row park the destination until a sound event comes along."""
    feed = events(3)
    carrier = carrier_of(
        lambda names: DELIVERED if "sound" in names else Outcome(Verdict.REFUSED, "x"), feed, max_items=1
    )
    for _ in range(3):
        carrier.turn()
    assert carrier.live.state == "parked"
    assert feed.rejected == [("e0", "x"), ("e1", "x")]

    carrier.destination.max_items = 100
    feed.left.append(line("sound"))
    carrier.destination.script = lambda names: DELIVERED if names == ["sound"] else Outcome(Verdict.REFUSED, "x")  # type: ignore[attr-defined]
    for _ in range(10):
        carrier.turn()
    assert feed.left == []
    assert feed.rejected == [("e0", "x"), ("e1", "x"), ("e2", "x")]


def test_a_full_batch_is_followed_at_once_and_an_empty_spool_is_waited_for() -> None:
    """A backlog is worked off without pauses."""
    carrier = carrier_of(lambda _: DELIVERED, events(5), max_items=2)

    assert [carrier.turn().kind for _ in range(4)] == [Wait.NOTHING, Wait.NOTHING, Wait.FULLER_BATCH, Wait.EVENTS]


def test_lines_the_destination_does_not_take_cost_no_request() -> None:
    """A batch of skipped lines only is acknowledged without a word to the destination."""
    feed = events(2)
    carrier = carrier_of(lambda _: pytest.fail("no request expected"), feed)
    batch = feed.take(10, 1000)
    assert batch is not None
    batch.events = []
    batch.skipped = 2
    feed.left.clear()

    assert carrier.turn().kind is Wait.NOTHING
    assert feed.tallies[0].skipped == 2
    assert feed.journal == ["done"]


def test_retry_after_binds_and_a_flush_does_not_shorten_it() -> None:
    """What the destination asked for is a wait of its own kind."""
    carrier = carrier_of(lambda _: Outcome(Verdict.RETRY, "http_429", 30.0), events(1))
    pause = carrier.turn()

    assert (pause.kind, pause.seconds) == (Wait.ASKED, 30.0)
    assert carrier.live.reason == "http_429"


def test_an_outage_of_three_seconds_sees_four_requests_then_delivery_within_two() -> None:
    """The figures of an outage, on a clock that only the pauses move."""
    clock = Clock()
    sent: list[float] = []

    def script(_: list[str]) -> Outcome:
        sent.append(clock.now)
        return DELIVERED if clock.now > 1003.0 else Outcome(Verdict.RETRY, "connection_refused")

    feed = events(5)
    carrier = carrier_of(script, feed, clock)
    while feed.left:
        clock.now += carrier.turn().seconds

    assert sum(at <= 1003.0 for at in sent) <= 4
    assert sent[-1] <= 1005.0


def test_a_parked_destination_is_probed_and_comes_back(caplog: pytest.LogCaptureFixture) -> None:
    """One warning when it is parked, one when it takes events again, none for the probes between."""
    answers = [Outcome(Verdict.PARK, "http_401")] * 4 + [DELIVERED]
    feed = events(2)
    carrier = carrier_of(lambda _: answers.pop(0), feed)
    with caplog.at_level(logging.WARNING, logger="footspan"):
        pauses = [carrier.turn() for _ in range(4)]
        assert carrier.live.state == "parked"
        carrier.turn()

    assert [pause.seconds for pause in pauses] == [4.0, 8.0, 16.0, 32.0]
    assert carrier.live.state != "parked"
    assert [record.getMessage() for record in caplog.records] == [
        "footspan: destination scripted is parked (http_401): events are kept, it is probed now and then",
        "footspan: destination scripted takes events again",
    ]
    assert feed.tallies[0].delivered == 2


def test_one_failure_is_no_news_and_an_outage_is_news_once(caplog: pytest.LogCaptureFixture) -> None:
    """A single failed request is not logged, a hundred in a row are logged once."""
    answers = [Outcome(Verdict.RETRY, "http_503"), DELIVERED, *[Outcome(Verdict.RETRY, "http_503")] * 100, DELIVERED]
    carrier = carrier_of(lambda _: answers.pop(0), events(2), max_items=1)
    with caplog.at_level(logging.WARNING, logger="footspan"):
        while answers:
            carrier.turn()

    assert [record.getMessage() for record in caplog.records] == [
        "footspan: destination scripted is unreachable (http_503): events wait for it",
        "footspan: destination scripted takes events again",
    ]


def test_a_destination_that_breaks_over_one_event_loses_that_event_only() -> None:
    """An exception of a destination is read as a refusal, so halving finds the event that caused it."""

    def script(names: list[str]) -> Outcome:
        if "e2" in names:
            raise ZeroDivisionError
        return DELIVERED

    feed = events(5)
    carrier = carrier_of(script, feed)
    for _ in range(20):
        carrier.turn()

    assert feed.rejected == [("e2", "internal_error")]
    assert feed.tallies[0].delivered == 4


def test_a_spool_that_fails_is_waited_out(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever our own parts raise, the carrier reports it once and goes on."""
    feed = events(1)
    failing = [OSError(5, "input/output error")] * 3
    take = feed.take

    def broken(max_items: int, max_bytes: int) -> object:
        if failing:
            raise failing.pop()
        return take(max_items, max_bytes)

    feed.take = broken  # type: ignore[assignment]
    carrier = carrier_of(lambda _: DELIVERED, feed)
    pauses = [carrier.turn() for _ in range(4)]

    assert [pause.kind for pause in pauses] == [Wait.BACKOFF] * 3 + [Wait.FULLER_BATCH]
    assert all(pause.seconds > 0 for pause in pauses[:3])
    assert len(caplog.records) == 1
    assert feed.tallies[0].delivered == 1


def test_an_acknowledgement_that_fails_is_repeated_and_the_batch_is_not() -> None:
    """A full disk after a success must not send the events again."""
    feed = events(2)
    done = feed.done
    failures = [OSError(28, "no space left")] * 2

    def broken(*arguments: object) -> None:
        if failures:
            raise failures.pop()
        done(*arguments)  # type: ignore[arg-type]

    feed.done = broken  # type: ignore[assignment, method-assign]
    carrier = carrier_of(lambda _: DELIVERED, feed)
    for _ in range(4):
        carrier.turn()

    assert len(carrier.destination.requests) == 1  # type: ignore[attr-defined]
    assert feed.tallies[0].delivered == 2


def test_events_that_come_together_leave_together(running: list[Carrier]) -> None:
    """A carrier that was idle waits a moment for company before it sends."""
    feed = ListFeed()
    carrier = carrier_of(lambda _: DELIVERED, feed, linger=0.3)
    running.append(carrier)
    assert carrier.start()
    assert until(lambda: carrier._idle_pause > 0.1)
    for number in range(5):
        feed.left.append(line(f"e{number}"))
        carrier.wake()
        time.sleep(0.01)

    assert until(lambda: not feed.left)
    assert carrier.destination.requests == [[f"e{number}" for number in range(5)]]  # type: ignore[attr-defined]


def test_a_hurried_carrier_does_not_linger_and_does_not_wait_out_its_backoff(running: list[Carrier]) -> None:
    """Somebody waits in ``flush``: a parked destination is asked at once."""
    answers = [Outcome(Verdict.PARK, "http_404")]
    feed = events(1)
    carrier = carrier_of(lambda _: answers.pop() if answers else DELIVERED, feed, linger=30.0)
    running.append(carrier)
    assert carrier.start()
    assert until(lambda: carrier.live.state == "parked")

    began = time.monotonic()
    carrier.hurry(began + 10)
    assert until(lambda: not feed.left)
    assert time.monotonic() - began < 2.0


def test_a_waiting_carrier_still_beats(running: list[Carrier]) -> None:
    """A long pause is not silence: the heartbeat names the state and the reason."""
    feed = events(1)
    carrier = carrier_of(lambda _: Outcome(Verdict.RETRY, "http_503", 60.0), feed)
    running.append(carrier)
    assert carrier.start()

    assert until(lambda: feed.beats.count(("waiting", "http_503")) >= 2, 5.0)


def test_a_long_request_is_no_silence(running: list[Carrier]) -> None:
    """While a request takes its time, another thread keeps the heartbeat going; past its time-out nobody does."""
    feed = events(1)
    answer = threading.Event()
    carrier = carrier_of(lambda _: DELIVERED if answer.wait(20) else pytest.fail("nobody answered"), feed)
    running.append(carrier)
    assert carrier.start()
    assert until(lambda: bool(carrier.destination.requests))  # type: ignore[attr-defined]
    before = len(feed.beats)

    def pulsed() -> bool:
        carrier.pulse()
        return len(feed.beats) > before

    assert until(pulsed, 5.0)
    carrier._dispatch.in_flight = time.monotonic() - 1.0
    carrier._beats._last_at = 0.0
    before = len(feed.beats)
    carrier.pulse()
    assert len(feed.beats) == before
    answer.set()


def test_nothing_personal_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """An exception's text may quote an event; neither it nor an address is ever in the log."""

    def script(_: list[str]) -> Outcome:
        raise ValueError("jane@example.org")

    carrier = carrier_of(script, events(1))
    with caplog.at_level(logging.DEBUG, logger=_guard.logger.name):
        carrier.turn()

    assert caplog.records
    assert "jane" not in caplog.text


def test_lingering_ends_when_the_batch_is_full(running: list[Carrier]) -> None:
    """The age is the longest wait; count or bytes end it before."""
    feed = ListFeed()
    carrier = carrier_of(lambda _: DELIVERED, feed, linger=60.0, max_items=10)
    running.append(carrier)
    assert carrier.start()
    assert until(lambda: carrier._idle_pause > 0.1)
    feed.left.append(line("e0"))
    carrier.wake()
    assert not until(lambda: not feed.left, 1.0), "one event waits for company"
    feed.left += [line(f"e{number}") for number in range(1, 10)]
    assert until(lambda: not feed.left, 5.0)
    assert len(carrier.destination.requests[0]) == 10  # type: ignore[attr-defined]
