"""Tests for footspan.delivery.on_request: delivery in a call, of what waited when it was made, by one at a time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from delivery.doubles import ScriptedDestination, stored
from footspan.delivery.on_request import OnRequest
from footspan.destinations.base import Outcome, Verdict
from footspan.spool import checked, journal
from footspan.spool.base import Target
from footspan.spool.memory import MemorySpool
from spool.making import accepts, open_disk

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from footspan.spool.disk import DiskSpool

OWN = Target("scripted-111111111111", "own", "scripted")
OTHER = Target("scripted-222222222222", "other", "scripted")
DELIVERED = Outcome(Verdict.DELIVERED)
WAIT = 20.0


@pytest.fixture
def spool(tmp_path: Path) -> DiskSpool:
    """A spool with one destination."""
    return open_disk(tmp_path, OWN)


def fill(spool: DiskSpool | MemorySpool, count: int, first: int = 0) -> list[str]:
    """Append so many events; their names."""
    names = [f"e{number}" for number in range(first, first + count)]
    for name in names:
        spool.append(stored(name))
    return names


def request(
    spool: DiskSpool | MemorySpool, script: Callable[[list[str]], Outcome] = lambda _: DELIVERED, max_items: int = 2
) -> tuple[OnRequest, ScriptedDestination]:
    """Delivery to a destination that answers as its script says."""
    destination = ScriptedDestination(script, max_items=max_items)
    return OnRequest(spool, destination, [OWN]), destination


def test_it_sends_all_that_waits_in_order(spool: DiskSpool) -> None:
    """And what was appended while it was at it waits for the next call."""
    there = fill(spool, 5)

    def answer(names: list[str]) -> Outcome:
        if names[0] == "e0":
            fill(spool, 3, first=5)
        return DELIVERED

    ours, destination = request(spool, answer)
    ours.deliver()
    sent = [name for names in destination.requests for name in names]
    assert sent[:5] == there
    assert len(sent) < 8  # no more than what filled the last batch up
    ours.deliver()
    assert [name for names in destination.requests for name in names] == [f"e{number}" for number in range(8)]


@pytest.mark.parametrize("verdict", [Verdict.RETRY, Verdict.PARK, Verdict.AMBIGUOUS])
def test_it_returns_at_the_first_request_that_fails(verdict: Verdict, spool: DiskSpool) -> None:
    """The timer's call then waits for a pause; one that somebody makes does not. Everything goes in the end."""
    there = fill(spool, 6)
    outcomes = [Outcome(verdict, "trouble")]
    ours, destination = request(spool, lambda _: outcomes.pop() if outcomes else DELIVERED)
    ours.deliver()
    assert len(destination.requests) == 1
    ours.deliver(when_due=True)
    assert len(destination.requests) == 1
    ours.deliver()
    assert sorted({name for names in destination.requests[1:] for name in names}) == there
    assert spool.waiting() == {OWN.id: 0}


def test_what_a_destination_asks_for_holds_for_every_call(spool: DiskSpool) -> None:
    """Also that of another object, as in another process."""
    fill(spool, 2)
    ours, destination = request(spool, lambda _: Outcome(Verdict.RETRY, "http_429", 600.0))
    ours.deliver()
    ours.deliver()
    other, same = request(spool)
    other.deliver()
    assert (len(destination.requests), same.requests) == (1, [])


def test_stopping_is_heeded_between_two_requests(spool: DiskSpool) -> None:
    """What is left waits."""
    fill(spool, 6)
    ours, destination = request(spool)
    ours.deliver(stopped=lambda: bool(destination.requests))
    assert destination.requests == [["e0", "e1"]]
    assert spool.waiting() == {OWN.id: 4}


def test_one_at_a_time(spool: DiskSpool) -> None:
    """A call without patience leaves it to the thread that is at it; one with patience returns when that is done."""
    fill(spool, 2)
    under_way, go_on = threading.Event(), threading.Event()

    def answer(_: list[str]) -> Outcome:
        under_way.set()
        go_on.wait(WAIT)
        return DELIVERED

    ours, destination = request(spool, answer)
    first = threading.Thread(target=ours.deliver)
    first.start()
    assert under_way.wait(WAIT)
    ours.deliver()
    assert spool.waiting() == {OWN.id: 2}
    timer = threading.Timer(0.2, go_on.set)
    timer.start()
    ours.deliver(patience=WAIT)
    assert spool.waiting() == {OWN.id: 0}
    assert len(destination.requests) == 1
    for thread in (first, timer):
        thread.join(WAIT)


def test_nothing_waiting_costs_nothing(spool: DiskSpool, tmp_path: Path) -> None:
    """Neither a lock nor a write: a timer asks every second for years."""
    ours, destination = request(spool)
    ours.deliver()
    assert not (tmp_path / "destinations" / OWN.id).exists()
    fill(spool, 3)
    ours.deliver()
    folder = next(tmp_path.rglob(OWN.id))
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    ours.deliver()
    assert {path.name: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert len(destination.requests) == 2


def test_the_last_batch_needs_no_thread(spool: DiskSpool) -> None:
    """Reading ahead does, and there is nothing to read behind it."""
    threads: list[str] = []

    def answer(_: list[str]) -> Outcome:
        threads.append(threading.current_thread().name)
        return DELIVERED

    fill(spool, 4)
    ours, _ = request(spool, answer)
    ours.deliver()
    assert threads[0] != threads[1]
    assert threads[1] == threading.current_thread().name


def test_the_journal_is_read_once(spool: DiskSpool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next call knows what the last one wrote, and reads what another process wrote meanwhile."""
    read: list[bytes] = []
    decode = checked.decode

    def watched(line: bytes) -> dict[str, Any] | None:
        read.append(line)
        return decode(line)

    fill(spool, 80)
    ours, destination = request(spool)
    other, elsewhere = request(open_disk(tmp_path, OWN))
    ours.deliver()
    assert spool.waiting() == {OWN.id: 0}
    written = len(next(tmp_path.rglob("cursor.jsonl")).read_bytes().splitlines())
    monkeypatch.setattr(journal, "decode", watched)
    fill(spool, 2, first=80)
    ours.deliver()
    assert len(read) < written / 4
    fill(spool, 2, first=82)
    other.deliver()
    fill(spool, 2, first=84)
    ours.deliver()
    assert (elsewhere.requests, destination.requests[-2:]) == ([["e82", "e83"]], [["e80", "e81"], ["e84", "e85"]])


def test_several_targets_go_in_their_order(tmp_path: Path) -> None:
    """Events stored for others go to the destination first, and trouble with them holds up the rest."""
    theirs, mine = open_disk(tmp_path, OTHER), open_disk(tmp_path, OWN)
    fill(mine, 1, first=5)
    fill(theirs, 1)
    outcomes = [Outcome(Verdict.RETRY, "trouble")]
    destination = ScriptedDestination(lambda _: outcomes.pop() if outcomes else DELIVERED)
    ours = OnRequest(mine, destination, [OTHER, OWN])
    ours.deliver()
    assert destination.requests == [["e0"]]
    ours.deliver()
    assert destination.requests == [["e0"], ["e0"], ["e5"]]


def test_a_spool_in_memory() -> None:
    """The same, without a lock or a journal."""
    spool = MemorySpool([OWN], accepts)
    for name in ("a", "b", "c"):
        spool.append(stored(name))
    ours, destination = request(spool)
    ours.deliver()
    ours.deliver()
    assert destination.requests == [["a", "b"], ["c"]]
