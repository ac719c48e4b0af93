"""Descriptors closed behind our back, as daemonisers do: the host's files get the numbers, and nothing of ours."""

from __future__ import annotations

import contextlib
import os
import socket
from typing import TYPE_CHECKING, Any

import pytest

from footspan.spool import files
from footspan.spool.base import Tally
from spool.faults.trouble import spool_numbers
from spool.making import drain, line, open_disk, the_feed, uids

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PRECIOUS = b"the host's own words\n"


class HostFiles:
    """Takes numbers for files of the host, and knows whether anybody wrote there."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "precious"
        self.path.write_bytes(PRECIOUS)
        self.numbers: list[int] = []

    def take(self, number: int) -> None:
        """Close a number and give it to a file."""
        own = os.open(self.path, os.O_RDWR)
        os.dup2(own, number)
        os.close(own)
        self.numbers.append(number)

    def check(self) -> None:
        """Every number still leads there, and what it says is what the host wrote."""
        there = self.path.stat()
        for number in self.numbers:
            assert (os.fstat(number).st_dev, os.fstat(number).st_ino) == (there.st_dev, there.st_ino)
        assert self.path.read_bytes() == PRECIOUS

    def close(self) -> None:
        """Let them go."""
        for number in self.numbers:
            with contextlib.suppress(OSError):
                os.close(number)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[HostFiles]:
    """The host's files."""
    found = HostFiles(tmp_path)
    yield found
    found.close()


def live(root: Path, *, sync: bool) -> tuple[Any, Any]:
    """A writer with a segment, counters and a carrier with a journal: all that is kept open."""
    spool = open_disk(root, sync=sync)
    for number in range(3):
        spool.append(line(f"u{number}"))
    spool.count("sampled_out")
    return spool, the_feed(spool)


def go_on(spool: Any, feed: Any) -> list[str]:
    """Everything that a process does with its spool."""
    first = feed.take(2, 1 << 20)
    feed.sending(first)
    for number in range(3, 6):
        spool.append(line(f"u{number}"))
    spool.count("sampled_out")
    feed.done(first, Tally(delivered=len(first.events)))
    feed.beat("sending")
    spool.maintain()
    spool.append(line("u6"))
    spool.status()
    feed._lock_checked = 0.0
    got = uids(first.events) + drain(feed)
    feed.beat("idle")
    return got


def end(spool: Any, feed: Any) -> None:
    """In good order, all that lingers included."""
    feed.close()
    spool.close()
    files._forked()


@pytest.mark.parametrize("sync", [False, True], ids=["process", "disk"])
def test_all_are_closed(tmp_path: Path, caplog: pytest.LogCaptureFixture, sync: bool) -> None:
    """Everything goes on at once, under new numbers."""
    spool, feed = live(tmp_path / "s", sync=sync)
    for number in spool_numbers(tmp_path / "s"):
        os.close(number)
    assert sorted(set(go_on(spool, feed))) == [f"u{number}" for number in range(7)]
    assert spool.status()["counters"]["sampled_out"] == 2
    assert not any("cannot be written" in record.getMessage() for record in caplog.records)
    end(spool, feed)


@pytest.mark.parametrize("sync", [False, True], ids=["process", "disk"])
def test_all_numbers_go_to_a_file_of_the_host(tmp_path: Path, host: HostFiles, sync: bool) -> None:
    """The segment's, the journal's, the counters' and the locks': nothing is written there, none is closed."""
    spool, feed = live(tmp_path / "s", sync=sync)
    taken = spool_numbers(tmp_path / "s")
    assert len(taken) >= 5
    for number in taken:
        host.take(number)
    assert sorted(set(go_on(spool, feed))) == [f"u{number}" for number in range(7)]
    assert spool.status()["counters"]["sampled_out"] == 2
    end(spool, feed)
    host.check()


def test_each_number_alone_goes_to_a_file_of_the_host(tmp_path: Path, host: HostFiles) -> None:
    """Whichever it is, and at every step of what a process does."""
    count = 5
    for which in range(count):
        root = tmp_path / f"s{which}"
        spool, feed = live(root, sync=False)
        numbers = spool_numbers(root)
        assert len(numbers) == count
        host.take(numbers[which])
        assert sorted(set(go_on(spool, feed))) == [f"u{number}" for number in range(7)]
        end(spool, feed)
        host.check()


def test_numbers_that_are_taken_while_they_linger(tmp_path: Path, host: HostFiles) -> None:
    """What is closed later is not closed for somebody else."""
    spool, feed = live(tmp_path / "s", sync=False)
    before = spool_numbers(tmp_path / "s")
    spool.close()
    feed.close()
    lingering = [number for number in before if number in spool_numbers(tmp_path / "s")]
    assert lingering
    for number in lingering:
        host.take(number)
    files._forked()
    host.check()


def test_numbers_that_go_to_sockets(tmp_path: Path) -> None:
    """Whoever is at the other end hears nothing of ours."""
    spool, feed = live(tmp_path / "s", sync=False)
    near, far = socket.socketpair()
    far.setblocking(False)
    taken = spool_numbers(tmp_path / "s")
    for number in taken:
        os.dup2(near.fileno(), number)
    assert sorted(set(go_on(spool, feed))) == [f"u{number}" for number in range(7)]
    end(spool, feed)
    with pytest.raises(BlockingIOError):
        far.recv(1)
    for number in taken:
        os.close(number)
    near.close()
    far.close()


def test_two_spools_of_a_process_do_not_swap_their_segments(tmp_path: Path) -> None:
    """The one that opens again first gets the other's number."""
    one, other = open_disk(tmp_path / "one"), open_disk(tmp_path / "other")
    one.append(line("one-0"))
    other.append(line("other-0"))
    for number in spool_numbers(tmp_path):
        os.close(number)
    for number in range(3):
        other.append(line(f"other-{number + 1}"))
        one.append(line(f"one-{number + 1}"))
    for name, spool in (("one", one), ("other", other)):
        spool.maintain()
        feed = the_feed(spool)
        assert sorted(drain(feed)) == [f"{name}-{number}" for number in range(4)]
        feed.close()
        spool.close()
