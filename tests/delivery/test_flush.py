"""``flush`` tells the truth, whoever carries, and has them all hurry."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from delivery.rig import Rig, otlp
from footspan.delivery import courier as courier_module
from footspan.delivery.once import Once
from footspan.delivery.waiting import CountedGoal
from footspan.spool import files, hurry
from footspan.spool import writer as writer_module
from footspan.spool.base import Tally
from programs import until
from servers.otlp import OtlpSink

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

FULL = 30.0


@pytest.fixture
def sink() -> Iterator[OtlpSink]:
    """Where events go."""
    with OtlpSink() as server:
        yield server


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Callable[..., Rig]]:
    """Makes rigs on one spool, and closes them."""
    rigs: list[Rig] = []

    def make(*destinations: Any, memory: bool = False, **options: Any) -> Rig:
        rigs.append(Rig(None if memory else tmp_path / "spool", destinations, **options))
        return rigs[-1]

    yield make
    for each in rigs:
        each.close(0.0)


def entry(name: str, **figures: Any) -> dict[str, Any]:
    """A destination's entry as a spool gives it."""
    return {"name": name, **figures}


class Figures:
    """A spool that says what it is told to say."""

    def __init__(self, **destinations: tuple[int, int]) -> None:
        self.destinations = destinations

    def waiting(self) -> dict[str, int]:
        return {key: waiting for key, (waiting, _) in self.destinations.items()}

    def status(self) -> dict[str, Any]:
        entries = {
            key: entry(key, waiting=waiting, accepted=accepted)
            for key, (waiting, accepted) in self.destinations.items()
        }
        return {"destinations": entries}


def test_a_goal_counts_down_to_what_waited_at_its_start() -> None:
    """Events that come in meanwhile neither prolong the wait nor count as waiting."""
    spool = Figures(a=(10, 100), b=(0, 50))
    goal = CountedGoal(spool, {"a", "b"})  # type: ignore[arg-type]
    assert goal.left() == {"a": 10, "b": 0}
    spool.destinations = {"a": (25, 120), "b": (5, 55)}  # 5 delivered, 20 new ones; 5 new ones for b
    assert goal.left() == {"a": 5, "b": 0}
    spool.destinations = {"a": (500, 600), "b": (5, 55)}  # 5 more delivered
    assert goal.left() == {"a": 0, "b": 0}


def test_a_goal_leaves_other_settings_destinations_alone() -> None:
    """Events for a destination that this process does not know are nothing it could wait for."""
    goal = CountedGoal(Figures(a=(1, 1), stranger=(9, 9)), {"a"})  # type: ignore[arg-type]

    assert goal.left() == {"a": 1}


# -- the truth ---------------------------------------------------------------------------------------------------------


def test_older_events_that_come_later_do_not_stand_in_for_those_waited_for(
    rig: Callable[..., Rig], sink: OtlpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What counts is where an event stands, not how many others were delivered since."""
    sink.faults.down()
    running: Any = rig(otlp(sink.url), carry=False)
    running.write(5)
    goal = running.spool.goal([running.destinations[0].id])
    running.spool.close()  # another writer's segment from here on, with events of long ago
    monkeypatch.setattr(time, "time_ns", lambda: 10**18)
    running.write(40)
    monkeypatch.undo()
    feed = running.spool.feed(running.spool.targets[0])
    batch = feed.take(20, 1 << 20)
    oldest = sum(event.time_ns == 10**18 for event in batch.events)
    feed.done(batch, Tally(delivered=len(batch.events)))
    feed.close()
    assert goal.left() == {running.destinations[0].id: 5 - (20 - oldest)}


def test_events_that_come_in_meanwhile_are_not_waited_for(rig: Callable[..., Rig], sink: OtlpSink) -> None:
    """Nor counted: the goal is what was there at the call."""
    running: Any = rig(otlp(sink.url), carry=False)
    running.write(3)
    goal = running.spool.goal([running.destinations[0].id])
    running.write(10)
    assert goal.left() == {running.destinations[0].id: 3}
    feed = running.spool.feed(running.spool.targets[0])
    for count, left in ((1, 2), (2, 0)):
        batch = feed.take(count, 1 << 20)
        feed.done(batch, Tally(delivered=count))
        assert goal.left() == {running.destinations[0].id: left}
    assert feed.waiting() == 10
    feed.close()


def test_events_that_a_destination_does_not_take_are_not_waited_for(rig: Callable[..., Rig], sink: OtlpSink) -> None:
    """Also where nobody has carried yet, so that no cursor has passed them."""
    running = rig(otlp(sink.url, events=("payment.*",)), carry=False)
    running.write(3, "order.placed")
    began = time.monotonic()
    assert running.courier.flush(FULL) == {"otlp": 0}
    assert time.monotonic() - began < FULL / 2


def test_events_in_memory_while_the_disk_refuses_are_waited_for(
    rig: Callable[..., Rig], sink: OtlpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are counted, and ``flush`` itself has the disk tried again at once when it recovers."""
    running = rig(otlp(sink.url))
    running.write(2)
    assert running.courier.flush(FULL) == {"otlp": 0}
    monkeypatch.setattr(writer_module, "RETRY", 3600.0)
    write = files.write

    def full(descriptor: int, data: Any) -> int:
        if b"resourceLogs" in bytes(data):
            raise OSError(28, "full")
        return write(descriptor, data)

    monkeypatch.setattr(files, "write", full)
    running.write(5)
    assert running.spool.degraded
    assert running.courier.flush(0.2) == {"otlp": 5}
    monkeypatch.setattr(files, "write", write)
    assert running.courier.flush(FULL) == {"otlp": 0}
    assert len(sink.events) == 7


def test_a_disk_that_recovers_during_flush_is_noticed(
    rig: Callable[..., Rig], sink: OtlpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what was in memory is waited for until it arrived, wherever on disk it went."""
    running = rig(otlp(sink.url))
    monkeypatch.setattr(writer_module, "RETRY", 0.05)
    write = files.write

    def full(descriptor: int, data: Any) -> int:
        if b"resourceLogs" in bytes(data):
            raise OSError(28, "full")
        return write(descriptor, data)

    monkeypatch.setattr(files, "write", full)
    running.write(5)
    threading.Timer(0.3, monkeypatch.setattr, (files, "write", write)).start()
    assert running.courier.flush(FULL) == {"otlp": 0}
    assert len(sink.events) == 5


def test_in_memory_too(rig: Callable[..., Rig], sink: OtlpSink) -> None:
    """``durability: memory`` is waited for as any other."""
    sink.faults.down()
    running = rig(otlp(sink.url), memory=True)
    running.write(4)
    assert running.courier.flush(0.2) == {"otlp": 4}
    sink.faults.up()
    assert running.courier.flush(FULL) == {"otlp": 0}


def test_many_threads_may_flush_at_once(rig: Callable[..., Rig], sink: OtlpSink) -> None:
    """Each gets the truth of its own moment."""
    running = rig(otlp(sink.url))
    results: list[dict[str, int]] = []

    def work() -> None:
        running.write(3)
        results.append(running.courier.flush(FULL))

    threads = [threading.Thread(target=work, daemon=True) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(FULL)
    assert results == [{"otlp": 0}] * 6
    assert len(sink.events) == 18


# -- hurry -------------------------------------------------------------------------------------------------------------


def test_a_parked_destination_is_probed_at_once(rig: Callable[..., Rig], sink: OtlpSink) -> None:
    """Somebody repaired it and calls ``flush``: nobody waits out the minute."""
    sink.faults.answer(401, times=1)
    running = rig(otlp(sink.url))
    running.write(1)
    assert until(lambda: running.courier.status()["destinations"]["otlp"]["state"] == "parked")
    began = time.monotonic()
    assert running.courier.flush(FULL) == {"otlp": 0}
    assert time.monotonic() - began < 4.0  # the first probe is due after 4 s at the earliest


def test_another_processs_carrier_is_told_to_hurry(rig: Callable[..., Rig], sink: OtlpSink) -> None:
    """Whoever does not carry can only leave a mark; the carrier, in a pause of 4 s or more, sees it."""
    sink.faults.answer(401, times=1)
    carrier = rig(otlp(sink.url))
    carrier.write(1)
    assert until(lambda: carrier.courier.status()["destinations"]["otlp"]["state"] == "parked")
    other = rig(otlp(sink.url), carry=False)
    began = time.monotonic()
    assert other.courier.flush(FULL) == {"otlp": 0}
    assert time.monotonic() - began < 4.0


def test_carriers_hurry_no_longer_than_somebody_waits(
    rig: Callable[..., Rig], sink: OtlpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it has what it waited for, a long timeout costs nothing: requests are as full again as before."""
    monkeypatch.setattr(courier_module, "HURRY_FOR", 0.2)
    one = rig(otlp(sink.url))
    one.write(1)
    assert one.courier.flush(3600.0) == {"otlp": 0}
    (carrier,) = one.courier._crew

    assert until(lambda: carrier._hurry_until < time.monotonic() and one.courier._hurry_until < time.monotonic())


def test_nobody_hurries_past_a_retry_after(rig: Callable[..., Rig], sink: OtlpSink) -> None:
    """Whichever process waits: what the destination asked for holds."""
    sink.faults.answer(503, times=1, headers={"Retry-After": "2"})
    carrier = rig(otlp(sink.url))
    carrier.write(1)
    assert until(lambda: len(sink.requests) == 1)
    other = rig(otlp(sink.url), carry=False)
    assert other.courier.flush(0.7) == {"otlp": 1}
    assert len(sink.requests) == 1


def test_a_mark_holds_for_a_while_and_not_for_ever(tmp_path: Path) -> None:
    """As long as was asked, three seconds at the most; one from a clock that was set says nothing."""
    assert hurry.asked(str(tmp_path)) == 0.0
    hurry.ask(str(tmp_path), 60.0)
    assert 0.0 < hurry.asked(str(tmp_path)) <= hurry.AHEAD
    files.utime(tmp_path / "hurry", (0, time.time() + 3600))
    assert hurry.asked(str(tmp_path)) == 0.0
    hurry.ask(str(tmp_path), 60.0)
    assert 0.0 < hurry.asked(str(tmp_path)) <= hurry.AHEAD
    files.utime(tmp_path / "hurry", (0, time.time() - 1))
    assert hurry.asked(str(tmp_path)) == 0.0


def test_where_nobody_carries_flush_says_so_once(
    rig: Callable[..., Rig], sink: OtlpSink, caplog: pytest.LogCaptureFixture
) -> None:
    """``courier: external`` without a carrier: the count is true, and a warning names the destination."""
    running: Any = rig(otlp(sink.url), carry=False)
    running.write(2)
    assert running.courier.flush(0.05) == {"otlp": 2}
    assert running.courier.flush(0.05) == {"otlp": 2}
    assert [record.getMessage().count("nobody delivers to otlp") for record in caplog.records] == [1]


# -- the end -----------------------------------------------------------------------------------------------------------


def test_a_second_shutdown_waits_for_the_first(rig: Callable[..., Rig], sink: OtlpSink) -> None:
    """Else the main thread would end the process under another's delivery; nothing arrives twice."""
    running = rig(otlp(sink.url))
    sink.faults.latency = 0.3
    running.write(3)
    first = threading.Thread(target=running.courier.shutdown, args=(FULL,), daemon=True)
    first.start()
    assert until(lambda: running.courier._closed)
    running.courier.shutdown(FULL)
    assert len(sink.events) == 3
    first.join(FULL)
    running.courier.shutdown(FULL)
    assert len(sink.events) == 3


def test_who_interrupts_the_work_is_not_made_to_wait_for_it() -> None:
    """A signal handler in the middle of ``shutdown`` would wait for itself."""
    once = Once()
    assert once.begin(FULL)
    began = time.monotonic()
    assert not once.begin(FULL)
    assert time.monotonic() - began < FULL / 2
    once.end()
    assert not once.begin(FULL)


def test_a_child_does_not_wait_for_its_parents_thread() -> None:
    """The thread that was at it did not come along."""
    once = Once()
    thread = threading.Thread(target=once.begin, args=(0.0,))
    thread.start()
    thread.join()
    once.forked()
    began = time.monotonic()
    assert not once.begin(FULL)
    assert time.monotonic() - began < FULL / 2
