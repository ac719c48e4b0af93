"""What retention deletes, counts and says."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unittest import mock

from footspan.spool import files
from spool.making import UMAMI, age, drain, line, open_disk, segments, the_feed

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_deleting_what_everybody_has_is_no_loss(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """To keep the size, segments may go before they have been quiet for long; that alone is nothing to warn of."""
    spool = open_disk(tmp_path, segment_bytes=70_000, max_bytes=300_000, quiet=3600.0)
    for number in range(1200):
        spool.append(line(f"u{number}", text="x" * 300))
    feed = the_feed(spool)
    assert len(drain(feed)) == 1200
    with caplog.at_level("WARNING", "footspan"):
        spool.maintain()
    feed.close()

    assert sum(path.stat().st_size for path in segments(tmp_path)) <= 300_000
    entry = spool.status()["destinations"][UMAMI.id]
    assert (entry["accepted"], entry["delivered"], entry["evicted"]) == (1200, 1200, 0)
    assert caplog.records == []


def test_one_warning_when_eviction_begins(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """While it goes on nothing more is said; the ledger counts."""
    spool = open_disk(tmp_path, segment_bytes=70_000, max_bytes=200_000)
    with caplog.at_level("WARNING", "footspan"):
        for _ in range(4):
            for number in range(600):
                spool.append(line(f"u{number}", text="x" * 300))
            spool.maintain()

    assert len(caplog.records) == 1
    entry = spool.status()["destinations"][UMAMI.id]
    assert entry["evicted_by"] == {"max_bytes": entry["evicted"]}
    assert entry["accepted"] == 2400


def test_a_segment_that_another_process_deleted_is_its_to_tell(tmp_path: Path) -> None:
    """Both recorded it at the same moment; one of them deleted it, and only that one counts it as its doing."""
    ours, theirs = open_disk(tmp_path), open_disk(tmp_path)
    ours.append(line("u1"))
    ours._writer.rotate()
    age(segments(tmp_path)[0], 30 * 86_400)
    discard, segment = files.discard, str(segments(tmp_path)[0])

    def late(path: str) -> bool:
        if path == segment:
            files.discard = discard
            theirs.maintain()
        return discard(path)

    with mock.patch.object(files, "discard", late):
        ours.maintain()

    assert [sum(share.evicted.values()) for spool in (ours, theirs) for share in spool.shares()] == [0, 1]
    assert ours.status()["destinations"][UMAMI.id]["evicted"] == 1
