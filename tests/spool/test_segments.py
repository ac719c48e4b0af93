"""Names of segments, and the list of those there are."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from footspan.spool import segments
from footspan.spool.segments import Segment, Watch
from spool.making import age

if TYPE_CHECKING:
    from pathlib import Path


def test_a_name_reads_back() -> None:
    """Fingerprint, writer and eight digits."""
    segment = segments.first("0123456789ab-cdef01234567")
    assert segment.name == "0123456789ab-cdef01234567-00000001"
    assert segments.parse(segment.next().name) == Segment("0123456789ab", "cdef01234567", 2)
    assert segment.owner == "0123456789ab-cdef01234567"


@pytest.mark.parametrize("name", ["", "x", "0123456789ab-cdef01234567", "0123456789ab-cdef01234567-1", "../../etc"])
def test_other_names_are_no_segments(name: str) -> None:
    """Whatever else lies in the folder is left alone."""
    assert segments.parse(name) is None


def test_a_scan_sorts_by_writer_and_number(tmp_path: Path) -> None:
    """And tells which writers have a lock."""
    for name in ("b" * 12 + "-" + "0" * 12 + "-00000002", "b" * 12 + "-" + "0" * 12 + "-00000010", "notes"):
        (tmp_path / f"{name}.jsonl").touch()
    (tmp_path / ("b" * 12 + "-" + "1" * 12 + ".lock")).touch()
    (tmp_path / "notes.lock").touch()
    listing = segments.scan(str(tmp_path))
    assert [segment.seq for segment in listing.segments] == [2, 10]
    assert listing.latest()["b" * 12 + "-" + "0" * 12].seq == 10
    assert listing.owners == {"b" * 12 + "-" + "1" * 12}


def test_a_watch_sees_every_new_file(tmp_path: Path) -> None:
    """Also those that come within one tick of the file system's clock."""
    watch = Watch(str(tmp_path))
    for number in range(1, 200):
        (tmp_path / f"{Segment('b' * 12, '0' * 12, number).name}.jsonl").touch()
        assert len(watch.listing().segments) == number


def test_a_watch_rests_while_nothing_changes(tmp_path: Path) -> None:
    """The same listing comes back, without another look at the files."""
    watch = Watch(str(tmp_path))
    age(tmp_path, 10)
    assert watch.listing() is watch.listing()
    time.sleep(0.01)
    (tmp_path / f"{Segment('b' * 12, '0' * 12, 1).name}.jsonl").touch()
    assert len(watch.listing().segments) == 1


def test_a_scan_that_takes_long_settles_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine: what came after it, within the same tick, is seen the next time."""
    real = segments.scan

    def then_one_more(directory: str) -> segments.Listing:
        listing = real(directory)
        stamp = tmp_path.stat().st_mtime_ns
        (tmp_path / f"{Segment('b' * 12, '0' * 12, 1).name}.jsonl").touch()
        os.utime(tmp_path, ns=(stamp, stamp))
        time.sleep(0.15)
        return listing

    watch = Watch(str(tmp_path))
    (tmp_path / "other").touch()
    monkeypatch.setattr(segments, "scan", then_one_more)
    watch.listing()
    monkeypatch.undo()
    assert len(watch.listing().segments) == 1


def test_whole_seconds_are_no_exact_time(tmp_path: Path) -> None:
    """On a file system that counts them, what comes later in the same second changes no time stamp."""
    watch = Watch(str(tmp_path))
    second = time.time_ns() // 1_000_000_000 * 1_000_000_000 - 1_000_000_000
    os.utime(tmp_path, ns=(second, second))
    assert not watch.listing().segments
    (tmp_path / f"{Segment('b' * 12, '0' * 12, 1).name}.jsonl").touch()
    os.utime(tmp_path, ns=(second, second))

    assert len(watch.listing().segments) == 1
