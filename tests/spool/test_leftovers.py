"""What a crash left aside is taken away, by whoever comes by an hour later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from footspan.spool.base import Tally
from spool.making import age, line, open_disk, the_feed

if TYPE_CHECKING:
    from pathlib import Path


def test_what_was_written_aside_and_forgotten_goes(tmp_path: Path) -> None:
    """In every folder where files are replaced; what is young may still be renamed, and other files stay."""
    spool = open_disk(tmp_path)
    spool.append(line("u0"))
    feed = the_feed(spool)
    (folder,) = (tmp_path / "destinations").iterdir()
    old = [place / "x.0123abcd.tmp" for place in (tmp_path, tmp_path / "pipelines", tmp_path / "counters", folder)]
    old.append(tmp_path / "counters" / f"{'0' * 12}-{'0' * 12}-00000001.events")
    young, other = tmp_path / "FORMAT.0123abcd.tmp", tmp_path / "notes"
    for path in (*old, young, other):
        path.write_bytes(b"x")
    for path in (*old, other):
        age(path, 2 * 3600)
    spool.maintain()
    assert not any(path.exists() for path in old)
    assert young.exists()
    assert other.exists()
    feed.close()
    spool.close()


def test_a_folder_that_is_gone_is_no_trouble(tmp_path: Path) -> None:
    """Nor is a file among the destinations' folders."""
    spool = open_disk(tmp_path)
    (tmp_path / "destinations" / "file").write_bytes(b"")
    (tmp_path / "pipelines").rmdir()
    spool.maintain()
    spool.close()


def test_a_writers_last_number_goes_last(tmp_path: Path) -> None:
    """While an earlier segment waits, its end stays: a successor would give the number, and its cursors, again."""
    spool = open_disk(tmp_path, quiet=0.0)
    spool.append(line("u0"))
    spool._writer.rotate()
    spool.append(line("u1"))
    spool.close()
    first, last = sorted((tmp_path / "events").glob("*.jsonl"))
    feed = the_feed(spool)
    batch = feed.take(10, 1 << 20)
    feed.done(type(batch)(batch.events[1:], [r for r in batch.ranges if r.segment == last.stem]), Tally(delivered=1))
    for path in (first, last):
        age(path, 60)
    spool.maintain()
    assert first.exists()
    assert last.exists()
    feed.done(batch, Tally(delivered=1))
    spool.maintain()
    spool.maintain()
    assert list((tmp_path / "events").iterdir()) == []
    feed.close()
    spool.close()
