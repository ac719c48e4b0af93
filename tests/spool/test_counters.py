"""Counters: fixed slots that outlive the process, whoever counts."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from footspan.spool import counters, files
from footspan.spool.counters import NAMES, Counters
from footspan.spool.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """A prepared folder."""
    layout = Layout(tmp_path / "s")
    layout.prepare()
    return layout


def test_the_slots_are_as_documented() -> None:
    """The order is a part of the format."""
    assert NAMES[:8] == (
        "unrouted", "sampled_out", "dropped", "torn", "overflow", "redaction_failed", "invalid_time", "short_write",
    )  # fmt: skip
    assert len(NAMES) < counters.SLOTS


def test_the_file_is_as_documented(layout: Layout) -> None:
    """512 bytes: header, then 56 little-endian numbers."""
    mine = Counters()
    mine.attach(layout.writer_counters("w"))
    mine.mark(b"B" * 16, 77)
    mine.add("dropped", 258)
    data = Path(layout.writer_counters("w")).read_bytes()
    assert len(data) == 512
    assert data[:8] == b"FSPC\x01\x00\x38\x00"
    assert data[8:24] == b"B" * 16
    assert int.from_bytes(data[24:32], "little") == 77
    assert data[64 + 2 * 8 : 64 + 3 * 8] == (258).to_bytes(8, "little")
    assert Path(layout.writer_counters("w")).stat().st_mode & 0o777 == 0o600
    mine.detach()


def test_the_next_writer_goes_on_counting(layout: Layout) -> None:
    """What was counted before there was a file moves there."""
    for expected in (3, 6):
        mine = Counters()
        mine.add("unrouted", 2)
        mine.attach(layout.writer_counters("w"))
        mine.add("unrouted")
        assert counters.total(layout, mine.here())["unrouted"] == expected
        mine.detach()
        assert mine.here() == [0] * counters.SLOTS


def test_what_was_counted_without_a_writer_is_kept(layout: Layout) -> None:
    """Once, however often it is written down, and whoever goes on with a file afterwards."""
    mine = Counters()
    for expected in (2, 4):
        mine.add("unreadable", 2)
        mine.keep(layout)
        mine.keep(layout)
        assert counters.total(layout, Counters().here())["unreadable"] == expected
    mine.attach(layout.writer_counters("w"))
    mine.add("unreadable")
    mine.keep(layout)
    mine.detach()
    assert counters.total(layout, mine.here())["unreadable"] == 5


def test_unknown_names_count_as_other(layout: Layout) -> None:
    """A processor may drop for a reason of its own."""
    mine = Counters()
    mine.add("my.own.reason", 4)
    assert counters.total(layout, mine.here())["other"] == 4


def test_threads_lose_no_count(layout: Layout) -> None:
    """Also in the file, where the newest value is the last one written."""
    mine = Counters()
    mine.attach(layout.writer_counters("w"))

    def work() -> None:
        for _ in range(500):
            mine.add("sampled_out")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    mine.detach()
    assert counters.total(layout, mine.here())["sampled_out"] == 4000


def test_a_writer_that_is_no_more_keeps_its_counts(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through a crash between keeping them and deleting its file, and a second try."""
    mine = Counters()
    mine.attach(layout.writer_counters("w"))
    mine.add("torn", 5)
    mine.detach()
    path = layout.writer_counters("w")

    def crash(_: str) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(files, "discard", crash)
        with pytest.raises(KeyboardInterrupt):
            counters.retire(layout, "w", path)
    assert counters.total(layout, mine.here())["torn"] == 5
    counters.retire(layout, "w", path)
    counters.retire(layout, "w", path)
    assert not Path(path).exists()
    assert counters.total(layout, mine.here())["torn"] == 5


@pytest.mark.parametrize("damage", [b"", b"FSPC", b"\0" * 512, b"x" * 600])
def test_a_damaged_file_counts_nothing(layout: Layout, damage: bytes) -> None:
    """And is begun anew."""
    Path(layout.writer_counters("w")).write_bytes(damage)
    mine = Counters()
    mine.attach(layout.writer_counters("w"))
    mine.add("dropped")
    assert counters.total(layout, mine.here())["dropped"] == 1
    mine.detach()
