"""The courier with real spools, real destinations and real HTTP servers, inside one process."""

from __future__ import annotations

import threading
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from delivery.rig import Rig, otlp, umami
from footspan import _platform
from footspan.destinations.base import Outcome, Verdict
from programs import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from footspan.config import DestinationSettings
    from servers.otlp import OtlpSink
    from servers.umami import UmamiServer

MakeRig = "Callable[..., Rig]"


@pytest.fixture(params=["disk", "memory"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    """Makes rigs on the spool that the parameter names, and takes them down."""
    made: list[Rig] = []

    def make(*destinations: DestinationSettings, **options: object) -> Rig:
        directory = tmp_path / "spool" if request.param == "disk" else None
        made.append(Rig(directory, destinations, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for each in made:
        each.close(timeout=0.2)


@pytest.fixture
def sink(otlp_sink: OtlpSink) -> OtlpSink:
    """Where events go."""
    return otlp_sink


def arrived(sink: OtlpSink) -> list[str]:
    """The uids that arrived, in order."""
    return [str(event["uid"]) for event in sink.events]


def test_events_arrive_once_and_in_order(rig: Callable[..., Rig], sink: OtlpSink) -> None:
    """What was appended is delivered, oldest first, without a call to anything."""
    running = rig(otlp(sink.url))
    uids = running.write(3000)

    assert until(lambda: len(sink.events) >= 3000)
    assert arrived(sink) == uids


def test_events_of_an_earlier_process_are_delivered_without_a_new_one(tmp_path: Path, sink: OtlpSink) -> None:
    """Whoever starts next carries what was left, though it tracks nothing itself."""
    writer = Rig(tmp_path / "spool", [otlp(sink.url)], carry=False)
    uids = writer.write(30)
    writer.close()
    assert sink.events == []
    successor = Rig(tmp_path / "spool", [otlp(sink.url)])
    try:
        assert until(lambda: arrived(sink) == uids)
    finally:
        successor.close()


def test_no_thread_before_the_first_event(rig: Callable[..., Rig], sink: OtlpSink) -> None:
    """An application that tracks nothing keeps no thread: one looks for events from before, and ends."""
    others = set(threading.enumerate())  # such as are left of another courier

    def started() -> set[str]:
        names = {thread.name for thread in set(threading.enumerate()) - others}
        return {name for name in names if name.startswith("footspan")}

    running = rig(otlp(sink.url))
    assert until(lambda: not started())
    running.write(1)

    assert until(lambda: len(sink.events) == 1)
    names = started()
    assert {"footspan-courier", "footspan-otlp"} <= names


def test_flush_returns_zero_only_when_everything_arrived(rig: Callable[..., Rig], sink: OtlpSink) -> None:
    """``flush`` and the sink agree."""
    running = rig(otlp(sink.url))
    running.write(500)

    assert running.courier.flush(20.0) == {"otlp": 0}
    assert len(sink.events) == 500


def test_flush_says_what_is_still_waiting(rig: Callable[..., Rig], sink: OtlpSink) -> None:
    """A dead destination makes ``flush`` last as long as it was told, and its answer is the truth."""
    running = rig(otlp(sink.url))
    sink.faults.down()
    running.write(7)
    began = time.monotonic()

    assert running.courier.flush(0.7) == {"otlp": 7}
    assert 0.6 < time.monotonic() - began < 2.0


def test_flush_before_the_first_event_is_free(rig: Callable[..., Rig], sink: OtlpSink) -> None:
    """Nothing waits, so nothing is waited for."""
    running = rig(otlp(sink.url))
    began = time.monotonic()

    assert running.courier.flush(10.0) == {"otlp": 0}
    assert time.monotonic() - began < 1.0


def test_flush_does_not_wait_out_our_own_backoff(rig: Callable[..., Rig], sink: OtlpSink) -> None:
    """A parked destination that works again is asked at once while somebody waits."""
    running = rig(otlp(sink.url))
    sink.faults.answer(404, times=1)
    running.write(3)
    assert until(lambda: running.courier.status()["destinations"]["otlp"]["state"] == "parked")
    began = time.monotonic()

    assert running.courier.flush(10.0) == {"otlp": 0}
    assert time.monotonic() - began < 2.5


def test_flush_does_not_wait_for_fuller_batches(rig: Callable[..., Rig], sink: OtlpSink) -> None:
    """However long a destination lingers, whoever waits in ``flush`` does not wait for that."""
    running = rig(otlp(sink.url, linger=30.0))
    began = time.monotonic()
    for _ in range(3):
        running.write(3)
        assert running.courier.flush(20.0) == {"otlp": 0}

    assert time.monotonic() - began < 5.0


def test_retry_after_is_obeyed_exactly(rig: Callable[..., Rig], sink: OtlpSink) -> None:
    """The destination says two seconds: no backoff and no flush asks it earlier, and it is asked right then."""
    running = rig(otlp(sink.url))
    sink.faults.answer(429, headers={"Retry-After": "2"}, times=1)
    running.write(3)
    assert until(lambda: len(sink.requests) == 1)

    assert running.courier.flush(20.0) == {"otlp": 0}
    first, second = (request.time for request in sink.requests)
    assert 1.95 <= second - first < 3.0


@pytest.mark.slow
def test_three_seconds_of_outage_cost_four_requests_and_delivery_is_back_within_two(
    rig: Callable[..., Rig], sink: OtlpSink
) -> None:
    """A destination that answers 503 for three seconds, with events coming in all the time."""
    running = rig(otlp(sink.url))
    running.write(1)
    assert until(lambda: len(sink.events) == 1)
    sink.forget()
    sink.faults.answer(503, times=100)
    began = time.monotonic()
    while time.monotonic() - began < 3.0:
        running.write(1)
        time.sleep(0.02)
    asked = len(sink.requests)
    sink.faults.clear()
    back = time.monotonic()

    assert until(lambda: bool(sink.events), 10.0)
    assert time.monotonic() - back <= 2.3
    assert 1 <= asked <= 4


@pytest.mark.slow
def test_a_refused_connection_is_an_outage_as_well(rig: Callable[..., Rig], sink: OtlpSink) -> None:
    """A destination that is down for three seconds has everything within two seconds of its return."""
    running = rig(otlp(sink.url))
    sink.faults.down()
    uids = running.write(50)
    time.sleep(3.0)
    sink.faults.up()
    back = time.monotonic()

    assert until(lambda: len(sink.events) == 50, 10.0)
    assert time.monotonic() - back <= 2.3
    assert arrived(sink) == uids


def test_one_dead_destination_holds_back_no_other(
    rig: Callable[..., Rig], sink: OtlpSink, umami_server: UmamiServer
) -> None:
    """A destination that hangs delays only itself."""
    umami_server.faults.hang(20.0, times=100, stored=False)
    running = rig(umami(umami_server.url, umami_server.website), otlp(sink.url))
    running.write(100)

    assert until(lambda: len(sink.events) == 100, 5.0)
    assert running.courier.flush(0.1) == {"umami": 100, "otlp": 0}
    umami_server.faults.clear()


def test_events_go_where_their_patterns_and_names_send_them(
    rig: Callable[..., Rig], sink: OtlpSink, umami_server: UmamiServer
) -> None:
    """Patterns route by name and category; a record that names its destination goes there only."""
    running = rig(
        otlp(sink.url, events=("payment.*", "!payment.secret")),
        umami(umami_server.url, umami_server.website, events=("user.*",)),
    )
    for name in ("payment.done", "payment.secret", "checkout", "user.login"):
        running.write(1, name)
    running.write(1, "user.logout", destination="otlp")

    assert running.courier.flush(20.0) == {"otlp": 0, "umami": 0}
    assert [event["name"] for event in sink.events] == ["payment.done", "checkout", "user.logout"]
    assert [event["event_name"] for event in umami_server.events()] == ["user.login"]


def test_three_poison_events_among_five_hundred_are_found_and_kept_aside(
    rig: Callable[..., Rig], sink: OtlpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backend that refuses any request with a poison event in it gets all others, and the ledger names the three."""
    running = rig(otlp(sink.url))
    destination = running.destinations[0]
    send = destination.send

    def picky(events: list[object], timeout: float) -> Outcome:
        if any(event.name == "poison" for event in events):  # type: ignore[attr-defined]
            return Outcome(Verdict.REFUSED, "http_400")
        return send(events, timeout)  # type: ignore[arg-type]

    monkeypatch.setattr(destination, "send", picky)
    good: list[str] = []
    for at in range(500):
        uids = running.write(1, "poison" if at in (17, 18, 401) else "fine")
        good += [] if at in (17, 18, 401) else uids

    assert running.courier.flush(20.0) == {"otlp": 0}
    assert arrived(sink) == good
    figures = running.courier.status()["destinations"]["otlp"]
    assert (figures["accepted"], figures["delivered"], figures["refused"]) == (500, 497, {"http_400": 3})


def test_status_adds_up(rig: Callable[..., Rig], sink: OtlpSink) -> None:
    """Accepted is delivered and waiting and refused and evicted, at rest and in an outage."""
    running = rig(otlp(sink.url, events=("order.*",)))
    running.write(10)
    running.write(5, "noise")
    assert running.courier.flush(20.0) == {"otlp": 0}
    sink.faults.down()
    running.write(4)
    assert until(lambda: running.courier.status()["destinations"]["otlp"]["state"] == "waiting")
    status = running.courier.status()
    figures = status["destinations"]["otlp"]

    assert figures["accepted"] == 14
    assert (figures["delivered"], figures["waiting"], figures["refused"], figures["skipped"]) == (10, 4, {}, 5)
    assert figures["reason"] == "connection_refused"
    assert figures["next_try"] > figures["since"]
    assert figures["here"]


def test_shutdown_delivers_what_waits_and_comes_twice(rig: Callable[..., Rig], sink: OtlpSink) -> None:
    """The end of the pipeline is a delivery; the second call does nothing."""
    running = rig(otlp(sink.url, linger=30.0))
    running.write(20)
    running.courier.shutdown(5.0)
    running.courier.shutdown(5.0)

    assert len(sink.events) == 20
    running.courier.wake()
    assert running.courier.flush(0.05) == {"otlp": 0}


def test_shutdown_works_where_no_thread_can_start(
    rig: Callable[..., Rig], sink: OtlpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interpreter that is going down refuses new threads: then the calling thread delivers, all destinations."""
    begin = threading.Thread.start

    def refused(thread: threading.Thread) -> None:
        if thread.name.startswith("footspan"):
            raise RuntimeError("can't start new thread")
        begin(thread)

    monkeypatch.setattr(threading.Thread, "start", refused)
    running = rig(otlp(sink.url, "one"), otlp(sink.url + "/", "two"))
    running.write(20)
    running.courier.shutdown(5.0)
    monkeypatch.undo()

    assert set(Counter(arrived(sink)).values()) == {2}
    assert len(sink.events) == 40


def test_a_courier_that_may_not_carry_only_writes(tmp_path: Path, sink: OtlpSink) -> None:
    """With an external courier the application sends nothing, and its ``flush`` waits for the one who does."""
    writer = Rig(tmp_path / "spool", [otlp(sink.url)], carry=False)
    try:
        uids = writer.write(30)
        assert writer.courier.flush(0.3) == {"otlp": 30}
        writer.courier.shutdown()
        assert sink.requests == []
    finally:
        writer.spool.close()
    carrier = Rig(tmp_path / "spool", [otlp(sink.url)])
    try:
        assert carrier.courier.flush(20.0) == {"otlp": 0}
        assert arrived(sink) == uids
    finally:
        carrier.close()


def test_a_child_of_multiprocessing_only_writes(
    tmp_path: Path, sink: OtlpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may end without notice, so it takes no destination; what it wrote is for others to carry."""
    monkeypatch.setattr(_platform, "in_multiprocessing_child", lambda: True)
    child = Rig(tmp_path / "spool", [otlp(sink.url)])
    try:
        child.write(3)
        assert child.courier.flush(0.3) == {"otlp": 3}
        child.courier.shutdown()
        assert sink.requests == []
    finally:
        child.close()


def test_waking_a_busy_courier_costs_next_to_nothing(tmp_path: Path, sink: OtlpSink) -> None:
    """Measured as a ratio to an empty call, which is what it is while carriers are at work."""
    running = Rig(tmp_path / "spool", [otlp(sink.url)], carry=False)
    try:
        running.courier.wake()

        def cost(call: Callable[[], None]) -> float:
            best = float("inf")
            for _ in range(20):
                began = time.perf_counter()
                for _ in range(2000):
                    call()
                best = min(best, time.perf_counter() - began)
            return best

        assert cost(running.courier.wake) < 5 * cost(lambda: None)
    finally:
        running.close()
