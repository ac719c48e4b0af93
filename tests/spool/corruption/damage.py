"""A spool with everything in it, damage to any of its files, and what must hold then."""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from footspan.spool.base import Tally
from footspan.spool.layout import FormatError
from spool.making import PAYMENTS, UMAMI, age, drain, line, open_disk, segments, the_feed

if TYPE_CHECKING:
    from pathlib import Path

ACKED = 2
STORED = 7


@dataclass(frozen=True)
class Template:
    """A spool that its processes left.

    Attributes:
        root: The folder.
        victims: Its files, by what they are.
    """

    root: Path
    victims: dict[str, Path]

    def copy(self, to: Path) -> dict[str, Path]:
        """The same somewhere else; its files there."""
        shutil.copytree(self.root, to)
        return {kind: to / path.relative_to(self.root) for kind, path in self.victims.items()}


def make(root: Path) -> Template:
    """Events that are waiting, delivered, refused and evicted; counts; every file that there can be."""
    old = open_disk(root, UMAMI, PAYMENTS, max_age=60.0, quiet=0.0)
    old.append(line("too-old"))
    old.close()
    age(segments(root)[0], 3600)
    old.maintain()
    for number in range(2):  # a writer that ended for good, with counts
        old.count("sampled_out", number + 1)
        old.close()
        for path in (root / "events").iterdir():
            age(path, 3600)
        old.maintain()
    spool = open_disk(root, UMAMI, PAYMENTS)
    for number in range(STORED):
        spool.append(line(f"u{number}", "payment.done", text="größer 12"))
    spool.count("sampled_out")
    feed = the_feed(spool)
    feed.beat("sending")
    first = feed.take(ACKED, 1 << 20)
    feed.sending(first)
    feed.reject(first.events[0], "invalid", 400)
    feed.done(first, Tally(delivered=ACKED - 1, refused={"invalid": 1}))
    feed.sending(feed.take(2, 1 << 20))
    feed.close()
    spool.close()
    (segment,) = segments(root)
    with segment.open("ab") as file:
        file.write(b"no event at all\n")
    home = root / "destinations" / UMAMI.id
    return Template(
        root,
        {
            "segment": segment,
            "journal": home / "cursor.jsonl",
            "heartbeat": home / "state.json",
            "pipeline": next((root / "pipelines").iterdir()),
            "counters": root / "counters" / f"{segment.stem[:-9]}.bin",
            "retired": root / "counters" / "retired.jsonl",
            "evictions": root / "evictions.jsonl",
            "rejected": root / "rejected" / f"{UMAMI.id}.jsonl",
            "format": root / "FORMAT",
        },
    )


def check(root: Path, hit: set[str], *, there: bool = False, shifted: bool = False) -> None:
    """Nothing is raised, nothing is stuck, all that was not hit arrives, and what was is kept.

    Args:
        root: The damaged spool.
        hit: Events whose bytes were touched.
        there: Those bytes are still there: whatever of them is no event must be kept.
        shifted: The lines of the segment are elsewhere now: cursors lead to others, and nothing can tell.
    """
    try:
        spool = open_disk(root, UMAMI, PAYMENTS, quiet=0.0)
    except FormatError:
        assert (root / "FORMAT").read_bytes().strip(b"\0 \r\n").isdigit()  # the number of another format
        return
    spool.append(line("later", "payment.done"))
    spool.status()
    waiting = {f"u{number}" for number in range(ACKED, STORED)} | {"later"}
    for target, expected in ((UMAMI, waiting), (PAYMENTS, waiting | {f"u{number}" for number in range(ACKED)})):
        feed = the_feed(spool, target)
        got = drain(feed)
        if shifted and target is UMAMI:
            assert "later" in got
        else:
            assert expected - hit <= set(got)
            assert len(got) - len(set(got)) <= len(hit)  # a changed uid may be that of another
        feed.beat("idle")
        if there and not hit & expected <= set(got):
            assert kept(root)
            assert feed.fold.unreadable >= 1
        feed.close()
    assert set(spool.waiting().values()) == {0}
    spool.maintain()
    ledger = spool.status()
    for entry in ledger["destinations"].values():
        assert entry["accepted"] == entry["delivered"] + sum(entry["refused"].values()) + entry["evicted"]
    spool.count("sampled_out")
    spool.close()


def kept(root: Path) -> bytes:
    """All bytes in quarantine."""
    found = b""
    for path in (root / "quarantine").iterdir():
        for entry in path.read_bytes().splitlines():
            with contextlib.suppress(ValueError, KeyError):
                found += base64.b64decode(json.loads(entry)["base64"])
    return found


def events_at(content: bytes, start: int, end: int) -> set[str]:
    """The events of a segment that some of its bytes belong to; a newline belongs to none."""
    found, position = set(), 0
    for number, stored in enumerate(content.split(b"\n")):
        if start < position + len(stored) and end > position and number < STORED:
            found.add(f"u{number}")
        position += len(stored) + 1
    return found
