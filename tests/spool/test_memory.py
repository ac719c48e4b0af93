"""The spool in memory keeps the same promises for as long as the process lives."""

from __future__ import annotations

from typing import Any

from footspan.spool.base import Tally
from footspan.spool.memory import MemorySpool
from spool.making import PAYMENTS, T0, UMAMI, accepts, drain, in_fork, line, the_feed, uids


def make(**options: Any) -> MemorySpool:
    """A spool for two destinations."""
    return MemorySpool([UMAMI, PAYMENTS], accepts, **options)


def test_everybody_gets_what_is_for_them() -> None:
    """Once, in order, with what is skipped counted."""
    spool = make()
    for number in range(6):
        spool.append(line(f"u{number}", "payment.done" if number == 2 else "user.login", time_ns=T0 - number))
    umami, payments = the_feed(spool), the_feed(spool, PAYMENTS)
    assert spool.waiting() == {UMAMI.id: 6, PAYMENTS.id: 1}
    first = umami.take(3, 1 << 20)
    assert uids(first.events) == ["u2", "u1", "u0"]
    assert umami.take(9, 1 << 20) is first
    assert umami.waiting() == 6
    umami.done(first, Tally(delivered=2, refused={"bot": 1}))
    assert drain(umami) == ["u5", "u4", "u3"]
    assert drain(payments) == ["u2"]
    assert spool.waiting() == {UMAMI.id: 0, PAYMENTS.id: 0}
    ledger: Any = spool.status()["destinations"]
    assert (ledger[UMAMI.id]["accepted"], ledger[UMAMI.id]["delivered"]) == (6, 5)
    assert ledger[PAYMENTS.id]["skipped"] == 5
    assert spool.status()["bytes"] == 0  # everybody has everything


def test_one_carrier_a_destination() -> None:
    """Until it gives it up; what it had in hand goes back."""
    spool = make()
    spool.append(line("u0"))
    feed = the_feed(spool)
    assert spool.feed(UMAMI) is None
    feed.take(1, 1)
    feed.close()
    feed.close()
    assert feed.take(1, 1) is None
    assert drain(the_feed(spool)) == ["u0"]


def test_the_oldest_go_when_it_is_full() -> None:
    """Counted for every destination that did not have them; what is under way is not lost."""
    spool = make(limit=4 * len(line("u0")))
    for number in range(3):
        spool.append(line(f"u{number}"))
    feed = the_feed(spool)
    batch = feed.take(2, 1 << 20)
    for number in range(3, 8):
        spool.append(line(f"u{number}"))
    feed.done(batch, Tally(delivered=2))
    assert drain(feed) == ["u4", "u5", "u6", "u7"]
    ledger: Any = spool.status()["destinations"]
    assert (ledger[UMAMI.id]["accepted"], ledger[UMAMI.id]["evicted"]) == (8, 2)
    assert spool.status()["counters"]["overflow"] == 2


def test_what_was_under_way_and_is_gone_is_counted_when_its_carrier_gives_up() -> None:
    """The ledger adds up."""
    spool = make(limit=4 * len(line("u0")))
    spool.append(line("u0"))
    feed = the_feed(spool)
    feed.take(2, 1 << 20)
    for number in range(1, 6):
        spool.append(line(f"u{number}"))
    feed.close()
    ledger: Any = spool.status()["destinations"]
    assert (ledger[UMAMI.id]["accepted"], ledger[UMAMI.id]["evicted"], ledger[UMAMI.id]["waiting"]) == (6, 2, 4)


def test_a_forked_child_begins_empty() -> None:
    """What the parent holds is the parent's to deliver."""
    spool = make()
    spool.append(line("u0"))
    feed = the_feed(spool)

    def work() -> bool:
        spool.append(line("child"))
        return feed.take(1, 1) is None and drain(the_feed(spool)) == ["child"]

    assert in_fork(work)
    assert drain(feed) == ["u0"]


def test_the_rest_of_the_protocol_is_there() -> None:
    """Counting, heartbeats, rejections, upkeep."""
    spool = make()
    feed = the_feed(spool)
    spool.count("dropped", 2)
    feed.beat("parked", "dns")
    spool.append(line("u0"))
    batch = feed.take(1, 1)
    feed.sending(batch)
    feed.kept(batch)
    feed.reject(batch.events[0], "x")
    spool.maintain()
    spool.close()
    status: Any = spool.status()
    assert status["counters"]["dropped"] == 2
    assert status["destinations"][UMAMI.id]["carrier"]["state"] == "parked"


def test_an_event_of_a_signal_handler_disturbs_no_count() -> None:
    """It interrupts the very thread that counts, and comes in while that thread has the lock."""
    spool = MemorySpool([UMAMI], accepts)
    for number in range(3):
        spool.append(line(f"u{number}"))
    lines = spool.since(0)
    next(lines)
    spool.append(line("u3"))

    assert len(list(lines)) == 2
    assert spool.waiting() == {UMAMI.id: 4}
