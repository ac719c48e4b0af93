"""Several requests at once, each user's events in order."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from delivery.doubles import ListFeed, ScriptedDestination
from footspan import _platform
from footspan.delivery.carrier import Carrier
from footspan.delivery.pauses import Wait
from footspan.delivery.retry import Backoff
from footspan.destinations.base import Outcome, Verdict
from footspan.otlp_json import LogLine, encode_line, encode_record, encode_suffix
from programs import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

DELIVERED = Outcome(Verdict.DELIVERED)
_SUFFIX = encode_suffix({"service.name": "shop"}, "footspan")


def of(name: str, user: str = "", session: str = "") -> LogLine:
    """An event of somebody."""
    found = {"log.record.uid": name, "user.id": user, "session.id": session}
    attributes = {key: value for key, value in found.items() if value}
    return LogLine(encode_line(encode_record(name=name, time_ns=time.time_ns(), attributes=attributes), _SUFFIX))


def names(lanes: Iterable[Iterable[LogLine]]) -> list[list[str]]:
    """What each lane carries."""
    return [[event.name for event in lane] for lane in lanes]


class Meeting:
    """A destination's script that knows how many requests met, and whose events overlapped.

    Args:
        answer: Says the outcome of a request.
        hold: Seconds a request takes.
    """

    def __init__(self, answer: Callable[[list[str]], Outcome] = lambda _: DELIVERED, hold: float = 0.02) -> None:
        self.answer = answer
        self.hold = hold
        self.most = 0
        self.overlaps: list[str] = []
        self.arrived: list[str] = []
        self.threads: set[str] = set()
        self._users: Counter[str] = Counter()
        self._now = 0
        self._lock = threading.Lock()

    def __call__(self, request: list[str]) -> Outcome:
        users = {name.partition(".")[0] for name in request}
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
            self.overlaps += [user for user in users if self._users[user]]
            self._users.update(users)
            self.threads.add(threading.current_thread().name)
        time.sleep(self.hold)
        outcome = self.answer(request)
        with self._lock:
            self._now -= 1
            self._users.subtract(users)
            if outcome.verdict is Verdict.DELIVERED:
                self.arrived += request
        return outcome


def carrier_for(script: Meeting, feed: ListFeed, *, concurrency: int = 4, max_items: int = 1) -> Carrier:
    """A carrier whose destination takes several requests at once."""
    destination = ScriptedDestination(script, max_items=max_items)
    destination.concurrency = concurrency
    carrier = Carrier(destination, feed, backoff=Backoff(time.monotonic, lambda low, _: low))
    _made.append(carrier)
    return carrier


_made: list[Carrier] = []


@pytest.fixture(autouse=True)
def threads_end() -> Iterator[None]:
    """No carrier of a test leaves its sending threads to the next one."""
    yield
    while _made:
        _made.pop()._dispatch.close()
    assert until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("footspan-script")])


def carry(carrier: Carrier, feed: ListFeed, turns: int = 300) -> None:
    """Turn until nothing is left."""
    for _ in range(turns):
        if not feed.left:
            return
        carrier.turn()
    pytest.fail("events are left")


def users_events(seed: int, users: int, count: int) -> list[LogLine]:
    """Events ``<user>.<n>`` of some users, mixed, each user's numbered in order."""
    dice = random.Random(seed)
    numbers: Counter[str] = Counter()
    events = []
    for _ in range(count):
        user = f"u{dice.randrange(users)}"
        events.append(of(f"{user}.{numbers[user]}", user=user))
        numbers[user] += 1
    return events


def in_order(arrived: Sequence[str]) -> bool:
    """Whether each user's events arrived in the order of their numbers."""
    seen: dict[str, int] = {}
    for name in arrived:
        user, _, number = name.partition(".")
        if int(number) <= seen.get(user, -1):
            return False
        seen[user] = int(number)
    return True


# -- sending -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_requests_overlap_but_no_users_events_do(seed: int) -> None:
    """As many requests at once as allowed, each user's one after the other and in order."""
    feed = ListFeed(users_events(seed, users=8, count=48))
    script = Meeting(hold=0.005)
    carry(carrier_for(script, feed), feed)

    assert 2 <= script.most <= 4
    assert script.overlaps == []
    assert len(script.arrived) == 48
    assert in_order(script.arrived)
    assert sum(tally.delivered for tally in feed.tallies) == 48


def test_order_holds_through_refusals_and_retries() -> None:
    """A poison event is refused alone, a busy server is waited for, and nobody is overtaken."""
    dice = random.Random(3)

    def answer(request: list[str]) -> Outcome:
        if "u3.2" in request:
            return Outcome(Verdict.REFUSED, "http_400")
        return DELIVERED if dice.random() < 0.8 else Outcome(Verdict.RETRY, "http_503")

    feed = ListFeed(users_events(5, users=6, count=60))
    script = Meeting(answer, hold=0.0)
    carry(carrier_for(script, feed, max_items=3), feed)

    assert script.overlaps == []
    assert in_order(script.arrived)
    assert len(script.arrived) == 59
    assert feed.rejected == [("u3.2", "http_400")]


def test_the_window_is_journaled_once_and_done_when_all_its_requests_are() -> None:
    """At most the batch in flight is repeated: one entry before the first request, one after the last."""
    feed = ListFeed(users_events(1, users=8, count=16))
    carrier = carrier_for(Meeting(), feed)
    carrier.turn()

    assert feed.journal == ["sending", "done"]
    assert feed.tallies[0].delivered == 16


def test_few_events_are_one_request() -> None:
    """What fits into one request is not torn into several."""
    feed = ListFeed(users_events(1, users=8, count=50))
    carrier = carrier_for(Meeting(), feed, max_items=100)
    carrier.turn()

    assert len(carrier.destination.requests) == 1  # type: ignore[attr-defined]


def test_an_answer_that_asks_for_time_stops_the_others_from_beginning() -> None:
    """What is under way ends; no other request begins before the time is up."""
    feed = ListFeed(users_events(1, users=16, count=16))
    script = Meeting(lambda _: Outcome(Verdict.RETRY, "http_429", 30.0))
    carrier = carrier_for(script, feed)
    pause = carrier.turn()

    assert (pause.kind, pause.seconds) == (Wait.ASKED, 30.0)
    assert len(carrier.destination.requests) <= 4  # type: ignore[attr-defined]
    assert feed.journal == ["sending", "kept"]


def test_a_failing_destination_is_tried_with_one_request_at_a_time() -> None:
    """An outage costs one request for each try, whatever the concurrency; all lanes go again after a success."""
    feed = ListFeed(users_events(1, users=16, count=64))
    script = Meeting(lambda _: Outcome(Verdict.RETRY, "connection_refused"))
    carrier = carrier_for(script, feed)
    carrier.turn()
    before = len(carrier.destination.requests)  # type: ignore[attr-defined]
    for _ in range(5):
        carrier.turn()
    assert len(carrier.destination.requests) == before + 5  # type: ignore[attr-defined]

    script.answer = lambda _: DELIVERED
    script.most = 0
    carry(carrier, feed)
    assert script.most > 1


def test_what_one_lane_delivered_is_settled_before_the_pause() -> None:
    """A death in the pause repeats nothing: what arrived is acknowledged, the rest certainly did not arrive."""

    def answer(request: list[str]) -> Outcome:
        return DELIVERED if request[0] in {"u0.0", "u1.0"} else Outcome(Verdict.PARK, "http_401")

    feed = ListFeed([of(f"u{number}.0", user=f"u{number}") for number in range(8)])
    carrier = carrier_for(Meeting(answer), feed, concurrency=2)
    carrier.turn()

    assert feed.journal == ["sending", "settled"]
    assert {event.name for event in feed.left}.isdisjoint({"u0.0", "u1.0"})
    assert feed.tallies[0].delivered == 8 - len(feed.left)


def test_a_destination_that_refuses_everything_is_parked_with_two_events_lost_at_most() -> None:
    """Lanes share the doubt: three refusals in a row are three, whichever lanes they came from."""
    feed = ListFeed(users_events(1, users=16, count=64))
    carrier = carrier_for(Meeting(lambda _: Outcome(Verdict.REFUSED, "http_400"), hold=0.0), feed)
    for _ in range(30):
        carrier.turn()

    assert carrier.live.state == "parked"
    assert len(feed.rejected) <= 2


def test_another_lanes_success_clears_a_suspect() -> None:
    """A suspect at the end of its lane is judged by what the destination took of the others."""
    poison = {"u0.0", "u1.0", "u2.0"}
    feed = ListFeed([of(f"u{number}.0", user=f"u{number}") for number in range(40)])
    script = Meeting(lambda request: Outcome(Verdict.REFUSED, "x") if poison & set(request) else DELIVERED, hold=0.0)
    carry(carrier_for(script, feed), feed)

    assert {name for name, _ in feed.rejected} == poison
    assert len(script.arrived) == 37


# -- threads -----------------------------------------------------------------------------------------------------------


def test_where_no_thread_can_be_started_the_carriers_own_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at the interpreter's exit: every event is delivered, by the thread that is there."""
    feed = ListFeed(users_events(2, users=8, count=40))
    script = Meeting(hold=0.0)
    carrier = carrier_for(script, feed)

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    carrier.finish_here(time.monotonic() + 5.0)

    assert feed.left == []
    assert script.threads == {threading.current_thread().name}
    assert in_order(script.arrived)


def test_where_the_host_runs_no_threads_the_carriers_own_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that is started there and never runs would be waited for, for ever."""
    monkeypatch.setattr(_platform, "threads_run", lambda: False)
    feed = ListFeed(users_events(2, users=8, count=20))
    script = Meeting(hold=0.0)
    carry(carrier_for(script, feed), feed)

    assert script.threads == {threading.current_thread().name}


def test_a_destination_that_takes_one_request_at_a_time_starts_no_thread() -> None:
    """The default costs nothing."""
    feed = ListFeed(users_events(2, users=8, count=20))
    script = Meeting(hold=0.0)
    carry(carrier_for(script, feed, concurrency=1), feed)

    assert script.threads == {threading.current_thread().name}
    assert script.most == 1


def test_whatever_is_raised_in_a_sending_thread_is_an_outcome() -> None:
    """A host's thread killer does not leave the carrier waiting: nobody knows what arrived, and it goes again."""
    feed = ListFeed(users_events(2, users=8, count=16))
    killed = [SystemExit(), SystemExit()]

    def answer(_: list[str]) -> Outcome:
        if killed and threading.current_thread() is not threading.main_thread():
            raise killed.pop()
        return DELIVERED

    script = Meeting(answer)
    carrier = carrier_for(script, feed)
    carry(carrier, feed)

    assert killed == []
    assert len(set(script.arrived)) == 16


def test_sending_threads_end_with_their_carrier() -> None:
    """Nothing is left behind."""
    feed = ListFeed(users_events(2, users=8, count=20))
    carrier = carrier_for(Meeting(), feed)
    carrier.destination.name = "ending"
    carrier._dispatch._senders._name = "ending"
    carry(carrier, feed)
    assert [thread for thread in threading.enumerate() if thread.name.startswith("footspan-ending-")]
    carrier.finish_here(time.monotonic() + 1.0)

    assert until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("footspan-ending-")])


def test_a_stop_in_the_middle_of_a_window_begins_no_request_without_time_for_its_answer() -> None:
    """What was delivered is acknowledged, what was not stays: nothing is in doubt at the end."""
    feed = ListFeed(users_events(2, users=8, count=64))
    script = Meeting(hold=0.05)
    carrier = carrier_for(script, feed, concurrency=2)
    carrier.finish_here(time.monotonic() + 0.2)

    assert 0 < len(script.arrived) < 64
    assert len(feed.left) == 64 - len(script.arrived)
    assert feed.closed


def test_a_broken_reading_of_an_answer_leaves_nobody_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of ours in one lane waits for the others' requests before the batch goes again."""
    feed = ListFeed(users_events(2, users=8, count=16))
    script = Meeting()
    carrier = carrier_for(script, feed)
    dispatch = carrier._dispatch
    read = dispatch._read
    failures = [ZeroDivisionError()]

    def broken(*arguments: object) -> object:
        if failures:
            raise failures.pop()
        return read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(dispatch, "_read", broken)
    carrier.turn()
    assert script._now == 0
    carry(carrier, feed)
    assert set(script.arrived) == {event.name for event in users_events(2, users=8, count=16)}
