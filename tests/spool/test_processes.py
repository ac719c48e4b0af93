"""Real processes: killed, forked, side by side, one after the other."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from footspan.spool.heartbeat import STALLED
from spool.making import (
    UMAMI,
    age,
    drain,
    drain_all,
    end_child,
    in_fork,
    kill_child,
    line,
    open_disk,
    segments,
    start_child,
    the_feed,
    wait_for,
)

if TYPE_CHECKING:
    from pathlib import Path

WRITE = """
import sys
from spool.making import *
spool = open_disk(sys.argv[1])
for number in range(int(sys.argv[3])):
    spool.append(line(f"{sys.argv[2]}-{number}"))
    print(number, flush=True)
"""

CARRY = """
import sys, time
from spool.making import *
spool = open_disk(sys.argv[1])
while (feed := spool.feed(UMAMI)) is None:
    time.sleep(0.05)
while True:
    feed.beat("idle")
    for uid in drain(feed):
        print(uid, flush=True)
    time.sleep(0.05)
"""


def test_no_event_is_lost_to_a_kill_right_after_append(tmp_path: Path) -> None:
    """0 of 1,000, from four processes killed at once; every line is whole."""
    children = [start_child(WRITE, tmp_path, name, 100_000) for name in "abcd"]
    returned = []
    for name, child in zip("abcd", children, strict=True):
        assert child.stdout is not None
        returned += [f"{name}-{child.stdout.readline().strip()}" for _ in range(250)]
    for child in children:
        child.kill()
    for name, child in zip("abcd", children, strict=True):
        assert child.stdout is not None
        returned += [f"{name}-{number}" for number in child.stdout.read().split("\n")[:-1]]
        child.communicate(timeout=30)
    assert len(returned) >= 1000
    found = drain_all(tmp_path)
    assert set(returned) <= set(found)
    assert len(found) == len(set(found))
    assert len(found) <= len(returned) + 4
    assert len(segments(tmp_path)) == 4


def test_two_processes_share_a_folder(tmp_path: Path) -> None:
    """A segment each; one carries for both."""
    children = [start_child(WRITE, tmp_path, name, 200) for name in "ab"]
    for child in children:
        end_child(child)
    assert sorted(drain_all(tmp_path)) == sorted(f"{name}-{number}" for name in "ab" for number in range(200))


def test_short_processes_in_turn_leave_one_segment(tmp_path: Path) -> None:
    """Files number as many as ran at once, not as many as ever ran, however they ended."""
    for number in range(12):
        child = start_child(WRITE + "\nsys.stdin.readline()", tmp_path, number, 1)
        assert child.stdout is not None
        assert child.stdout.readline() == "0\n"
        if number % 2:
            kill_child(child)
        else:
            end_child(child)
    assert len(segments(tmp_path)) == 1
    assert len(list((tmp_path / "events").iterdir())) == 2
    assert drain_all(tmp_path) == [f"{number}-0" for number in range(12)]


def test_a_killed_carrier_is_followed_by_another(tmp_path: Path) -> None:
    """Within two seconds of asking again; what the first had delivered is not delivered twice."""
    spool = open_disk(tmp_path)
    first = start_child(CARRY, tmp_path)
    assert first.stdout is not None
    spool.append(line("u0"))
    assert first.stdout.readline() == "u0\n"
    second = start_child(CARRY, tmp_path)
    assert spool.feed(UMAMI) is None
    kill_child(first)
    began = time.monotonic()
    spool.append(line("u1"))
    assert second.stdout is not None
    assert second.stdout.readline() == "u1\n"
    assert time.monotonic() - began < 10
    kill_child(second)
    feed = the_feed(spool)
    assert set(drain(feed)) <= {"u1"}  # killed before it could note the answer
    feed.close()
    spool.close()


def test_a_stopped_carrier_keeps_its_lock_and_is_named(tmp_path: Path) -> None:
    """Safety before liveness: nothing is sent twice when it goes on."""
    spool = open_disk(tmp_path)
    child = start_child(CARRY, tmp_path)
    assert child.stdout is not None
    spool.append(line("u0"))
    assert child.stdout.readline() == "u0\n"
    os.kill(child.pid, signal.SIGSTOP)
    try:
        assert spool.feed(UMAMI) is None
        age(tmp_path / "destinations" / UMAMI.id / "state.json", STALLED + 1)
        carrier = spool.status()["destinations"][UMAMI.id]["carrier"]
        assert (carrier["held"], carrier["stalled"], carrier["pid"]) == (True, True, child.pid)
    finally:
        os.kill(child.pid, signal.SIGCONT)
    wait_for(lambda: not spool.status()["destinations"][UMAMI.id]["carrier"]["stalled"])
    spool.append(line("u1"))
    assert child.stdout.readline() == "u1\n"
    kill_child(child)
    spool.close()


def test_a_forked_child_writes_for_itself(tmp_path: Path) -> None:
    """Its events reach the parent's carrier; the parent's segment is the parent's."""
    spool = open_disk(tmp_path)
    spool.append(line("before"))
    feed = the_feed(spool)

    def work() -> bool:
        for number in range(50):
            spool.append(line(f"child-{number}"))
        spool.count("dropped", 3)
        return spool.feed(UMAMI) is None

    assert in_fork(work)
    spool.append(line("after"))
    assert sorted(drain(feed)) == sorted(["before", "after", *(f"child-{number}" for number in range(50))])
    assert len(segments(tmp_path)) == 2
    assert spool.status()["counters"]["dropped"] == 3
    feed.close()
    spool.close()


def test_a_master_that_never_writes_holds_no_segment(tmp_path: Path) -> None:
    """As a preloading server's: its workers open theirs."""
    spool = open_disk(tmp_path)
    for worker in range(3):

        def work(name: str = f"w{worker}") -> bool:
            spool.append(line(name))
            return True

        assert in_fork(work)
    assert len(segments(tmp_path)) == 1
    assert drain_all(tmp_path) == ["w0", "w1", "w2"]


def test_counts_outlive_a_kill(tmp_path: Path) -> None:
    """Also those of a process that wrote no event."""
    child = start_child(
        "import sys; from spool.making import *\n"
        "spool = open_disk(sys.argv[1])\nfor _ in range(5): spool.count('sampled_out')\n"
        "print('counted', flush=True); sys.stdin.readline()",
        tmp_path,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "counted\n"
    kill_child(child)
    assert open_disk(tmp_path).status()["counters"]["sampled_out"] == 5


MAYFLIES = """
import os, sys
from spool.making import *
spool = open_disk(sys.argv[1])
running, most = set(), 0
for number in range(int(sys.argv[2])):
    if len(running) == 4:
        pid, status = os.wait()
        running.remove(pid)
        assert status == 0
    pid = os.fork()
    if pid == 0:
        spool.append(line(f"u{number}"))
        os._exit(0)
    running.add(pid)
    if number % 50 == 0:
        most = max(most, len(os.listdir(f"{sys.argv[1]}/events")))
while running:
    running.remove(os.wait()[0])
print(most, flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("count", [200, pytest.param(10_000, marks=pytest.mark.slow)])
def test_ten_thousand_short_lives(count: int, tmp_path: Path) -> None:
    """Four at a time, forked without ``exec``: as many files as ran at once, and every event of theirs."""
    child = start_child(MAYFLIES, tmp_path, count)
    assert child.stdout is not None
    most = int(child.stdout.readline())
    end_child(child)
    # A segment and a lock for each; one more of each where one had left and was not yet waited for.
    assert most <= 2 * 2 * 4
    assert sorted(drain_all(tmp_path)) == sorted(f"u{number}" for number in range(count))
