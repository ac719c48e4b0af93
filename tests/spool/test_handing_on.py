"""What one carrier leaves to the next, and to the ledger, when it is no more."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest

from spool.making import UMAMI, drain, line, open_disk, segments, the_feed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("how", ["maintain", "close"])
def test_what_a_process_that_only_delivers_cannot_read_stays_counted(tmp_path: Path, how: str) -> None:
    """It has no writer whose counters would hold it."""
    spool = open_disk(tmp_path / "s")
    spool.append(line("u0"))
    spool.close()
    (segment,) = segments(tmp_path / "s")
    with segment.open("ab") as file:
        file.write(b"no event\n")
    deliverer = open_disk(tmp_path / "s")
    feed = the_feed(deliverer)
    assert drain(feed) == ["u0"]
    getattr(deliverer, how)()
    feed.close()
    assert open_disk(tmp_path / "s").status()["counters"]["unreadable"] == 1


def test_what_a_destination_asked_for_is_handed_on(tmp_path: Path) -> None:
    """After a carrier that yields or dies, whatever its heartbeat said since; an hour at the most."""
    spool = open_disk(tmp_path / "s")
    feed = the_feed(spool)
    assert feed.asked_for() == 0.0
    feed.beat("waiting", "http_429")
    feed.asked(60.0)
    feed.beat("waiting", "http_429")  # the same state: what was asked for is written all the same
    feed._lock.release()  # as a death does
    second = the_feed(spool)
    assert 50.0 < second.asked_for() <= 60.0
    second.beat("idle")
    second.close()
    third = the_feed(spool)
    assert 50.0 < third.asked_for() <= 60.0
    third.close()
    state = tmp_path / "s" / "destinations" / UMAMI.id / "state.json"
    for moment, expected in ((time.time() + 1e6, 3600.0), (time.time() - 1, 0.0), ("soon", 0.0), (None, 0.0)):
        state.write_text(json.dumps({"not_before": moment}))
        fourth = the_feed(spool)
        assert fourth.asked_for() == expected
        fourth.close()
