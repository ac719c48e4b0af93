"""Lives of a process that uses a spool, each with one thing that it does; and what must hold after any of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest import mock

from footspan.spool import evictions
from footspan.spool.base import Tally
from spool.making import PAYMENTS, UMAMI, age, line, open_disk, segments, uids

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from footspan.spool.base import Target

ODD = "refused-"
"""How the uid of an event begins that every destination refuses."""


@dataclass
class Witness:
    """What the outside world knows of a spool: it outlives every process.

    Attributes:
        begun: Events whose append was called, oldest first.
        returned: Those whose append returned.
        requests: What each destination was sent, request by request.
        answered: For each destination the requests whose outcome the spool was told, and noted.
        sync: Whether spools are opened for events that outlive a power cut.
    """

    begun: list[str] = field(default_factory=list)
    returned: list[str] = field(default_factory=list)
    requests: dict[str, list[list[str]]] = field(default_factory=dict)
    answered: dict[str, int] = field(default_factory=dict)
    sync: bool = False

    def open(self, root: Path, **options: Any) -> Any:
        """A spool: tiny segments, no quiet time."""
        options = {"segment_bytes": 1200, "quiet": 0.0, "sync": self.sync, **options}
        return open_disk(root, UMAMI, PAYMENTS, **options)

    def append(self, spool: Any, uid: str, name: str = "payment.done", **attributes: Any) -> None:
        """Append an event."""
        self.begun.append(uid)
        spool.append(line(uid, name, **attributes))
        if not spool.degraded:  # else it waits in memory, and says so
            self.returned.append(uid)

    def more(self, spool: Any, count: int, *, text: str = "") -> None:
        """Append some events."""
        for _ in range(count):
            self.append(spool, f"u{len(self.begun)}", text=text)

    def deliver(self, feed: Any, target: Target, items: int = 3, most: int = 10_000) -> list[str]:
        """Send what waits; a destination refuses what is odd."""
        got: list[str] = []
        for _ in range(most):
            batch = feed.take(items, 1 << 20)
            if batch is None:
                return got
            assert batch.events
            feed.sending(batch)
            names = uids(batch.events)
            self.requests.setdefault(target.id, []).append(names)
            got += names
            odd = [event for event in batch.events if event.uid.startswith(ODD)]
            for event in odd:
                feed.reject(event, "invalid", 400)
            tally = Tally(delivered=len(names) - len(odd))
            if odd:
                tally.refuse("invalid", len(odd))
            feed.done(batch, tally)
            self.answered[target.id] = len(self.requests[target.id])
        assert most < 10_000, "the feed never ends"
        return got

    def sent(self, target: Target) -> list[str]:
        """Everything a destination was sent, in order."""
        return [uid for request in self.requests.get(target.id, []) for uid in request]


def first_events(root: Path, witness: Witness) -> None:
    """The folder, the first segment, three events."""
    spool = witness.open(root)
    witness.more(spool, 3)
    spool.close()


def rotation(root: Path, witness: Witness) -> None:
    """Two segments are filled, and one is closed early."""
    spool = witness.open(root)
    witness.more(spool, 7)
    spool._writer.rotate()
    witness.more(spool, 2)
    spool.close()


def adoption(root: Path, witness: Witness) -> None:
    """A predecessor died in the middle of a write; its segment goes on."""
    spool = witness.open(root)
    witness.more(spool, 2)
    spool.close()
    (last, *_) = segments(root)[::-1]
    with last.open("ab") as file:
        file.write(line("torn")[:50])
    spool = witness.open(root)
    witness.more(spool, 6)
    spool.close()


def delivery(root: Path, witness: Witness) -> None:
    """Batches, heartbeats, a refused event, a journal that is rewritten."""
    spool = witness.open(root)
    feed = spool.feed(UMAMI)
    feed._journal._compact_bytes = 700
    feed.beat("idle")
    for _ in range(3):
        witness.more(spool, 3)
        witness.append(spool, f"{ODD}{len(witness.begun)}")
        witness.deliver(feed, UMAMI)
        feed.beat("sending")
        feed.beat("sending")
    feed.close()
    spool.close()


def deletion(root: Path, witness: Witness) -> None:
    """Every destination has everything: the segments go, the writer ends for good, another one begins."""
    spool = witness.open(root)
    witness.more(spool, 6)
    feeds = [(spool.feed(target), target) for target in (UMAMI, PAYMENTS)]
    for feed, target in feeds:
        witness.deliver(feed, target)
    spool.maintain()
    spool.count("sampled_out")
    spool.close()
    for feed, target in feeds:
        witness.deliver(feed, target)
    other = witness.open(root)
    other.maintain()
    other.maintain()
    witness.more(other, 2)
    for feed, target in feeds:
        witness.deliver(feed, target)
        feed.close()
    other.close()


def eviction(root: Path, witness: Witness) -> None:
    """What is too old goes, and what is too much; one destination has a part of it."""
    spool = witness.open(root, max_age=3600.0)
    witness.more(spool, 7)
    feed = spool.feed(UMAMI)
    witness.deliver(feed, UMAMI, most=1)
    age(segments(root)[0], 7200.0)
    spool.maintain()
    witness.more(spool, 3)
    spool.close()
    feed.close()
    small = witness.open(root, max_bytes=1500)
    witness.more(small, 1)
    small.maintain()
    small.maintain()
    small.close()


def summing_up(root: Path, witness: Witness) -> None:
    """The record of evictions becomes a sum, and so do the journals."""
    with mock.patch.multiple(evictions, SETTLED=0.0, COMPACT_BYTES=1):
        spool = witness.open(root, max_age=3600.0)
        spool._register.evictions._try_at = 1
        witness.more(spool, 13)
        feed = spool.feed(UMAMI)
        witness.deliver(feed, UMAMI, most=1)
        for path in segments(root)[:3]:
            age(path, 7200.0)
        spool.maintain()
        witness.deliver(feed, UMAMI)
        spool.maintain()
        feed._journal.compact()
        feed.close()
        spool.close()


def neighbours(root: Path, witness: Witness) -> None:
    """Two writers side by side, and one carrier."""
    one, other = witness.open(root), witness.open(root)
    for _ in range(3):
        witness.more(one, 2)
        witness.more(other, 1)
        feed = one.feed(UMAMI)
        witness.deliver(feed, UMAMI)
        feed.close()
    one.maintain()
    one.close()
    witness.more(other, 1)
    other.maintain()
    other.close()


LIVES: tuple[Callable[[Path, Witness], None], ...] = (
    first_events, rotation, adoption, delivery, deletion, eviction, summing_up, neighbours,
)  # fmt: skip


def check(root: Path, witness: Witness, *, slack: int = 0) -> None:
    """A successor finds no event lost, at most the batch in flight repeated, nothing stuck, and a ledger that adds up.

    Args:
        root: The spool.
        witness: What happened before.
        slack: Events that may be stored twice, because a write said that it failed and had not.
    """
    spool = witness.open(root)
    flying = {
        target.id: set(witness.requests.get(target.id, [[]])[-1])
        if witness.answered.get(target.id, 0) < len(witness.requests.get(target.id, []))
        else set()
        for target in (UMAMI, PAYMENTS)
    }
    witness.append(spool, "later")
    feeds = {target: spool.feed(target) for target in (UMAMI, PAYMENTS)}
    for target, feed in feeds.items():
        assert feed is not None
        witness.deliver(feed, target)
    _adds_up(spool, witness, flying, slack)
    spool.close()
    for _ in range(4):  # end what is torn, deliver it, delete, end the writers
        for path in (root / "events").iterdir():
            age(path, 60)
        spool.maintain()
        for target, feed in feeds.items():
            witness.deliver(feed, target)
    assert list((root / "events").iterdir()) == []
    assert list((root / "counters").glob("*.bin")) == []
    _adds_up(spool, witness, flying, slack)
    for feed in feeds.values():
        feed.close()


def _adds_up(spool: Any, witness: Witness, flying: dict[str, set[str]], slack: int) -> None:
    status = spool.status()
    assert status["buffered"] == 0
    for target in (UMAMI, PAYMENTS):
        entry, sent = status["destinations"][target.id], witness.sent(target)
        assert entry["waiting"] == 0
        refused = sum(entry["refused"].values())
        assert entry["accepted"] == entry["delivered"] + refused + entry["evicted"]
        # The last one begun may be there though its append never returned: nobody can tell.
        assert 0 <= entry["accepted"] - len(witness.returned) <= (len(witness.begun) - len(witness.returned)) + slack
        lost = set(witness.returned) - set(sent)
        assert len(lost) <= entry["evicted"] + entry["refused"].get("evicted", 0)
        assert "later" in sent
        repeated = {uid for uid in sent if sent.count(uid) > 1}
        assert len(repeated - flying[target.id]) <= slack
