"""What a batch leaves behind goes back to the spool, so that nothing that comes later waits for it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from delivery.doubles import ScriptedDestination, names, stored
from footspan.config import Settings, SpoolSettings
from footspan.delivery import accepts
from footspan.delivery.carrier import Carrier
from footspan.delivery.retry import Backoff
from footspan.destinations.base import Outcome, Verdict
from footspan.spool import open_spool
from footspan.spool.base import Tally, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from footspan.spool.base import Feed, Spool

DELIVERED = Outcome(Verdict.DELIVERED)
TARGET = Target("scripted-1", "scripted", "scripted", ("e*", "poison*", "sound*"))


@pytest.fixture(params=["process", "memory"])
def spool(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Spool]:
    """A real spool, on disk and in memory."""
    settings = Settings(spool=SpoolSettings(directory=tmp_path, durability=request.param))
    opened = open_spool(settings, [TARGET], accepts)
    yield opened
    opened.close()


def opened_feed(spool: Spool) -> Feed:
    """The destination's feed."""
    feed = spool.feed(TARGET)
    assert feed is not None
    return feed


def carrier_on(feed: Feed, script: Callable[[list[str]], Outcome], **options: Any) -> Carrier:
    """A carrier whose pauses are not waited for."""
    return Carrier(ScriptedDestination(script, **options), feed, backoff=Backoff(uniform=lambda low, _: low))


def ledger(spool: Spool) -> dict[str, Any]:
    """The destination's figures."""
    (entry,) = spool.status()["destinations"].values()  # type: ignore[attr-defined]
    return dict(entry)


def write(spool: Spool, *events: str) -> None:
    """Append events."""
    for name in events:
        spool.append(stored(name))


def test_the_rest_of_a_settled_batch_comes_again_with_what_came_meanwhile(spool: Spool) -> None:
    """Finished events are acknowledged, the others are taken again, in order, and the figures add up."""
    write(spool, "e0", "other", "e1", "e2", "other", "e3")
    feed = opened_feed(spool)
    batch = feed.take(100, 1 << 20)
    assert batch is not None
    feed.sending(batch)
    left = [event for event in batch.events if event.name in {"e1", "e3"}]
    assert feed.settle(batch, left, Tally(delivered=1, refused={"http_400": 1}))
    write(spool, "e4")

    again = feed.take(100, 1 << 20)
    assert again is not None
    assert names(again.events) == ["e1", "e3", "e4"]
    assert not again.ambiguous
    feed.done(again, Tally(delivered=3))
    figures = ledger(spool)
    assert {key: figures[key] for key in ("accepted", "delivered", "waiting", "refused", "skipped")} == {
        "accepted": 5,
        "delivered": 4,
        "waiting": 0,
        "refused": {"http_400": 1},
        "skipped": 2,
    }
    feed.close()


def test_a_feed_closed_after_settling_gives_back_only_the_rest(spool: Spool) -> None:
    """The next carrier sends what was left, and it is in no doubt."""
    write(spool, *(f"e{number}" for number in range(6)))
    feed = opened_feed(spool)
    batch = feed.take(100, 1 << 20)
    assert batch is not None
    feed.sending(batch)
    assert feed.settle(batch, list(batch.events[4:]), Tally(delivered=4))
    feed.close()

    successor = opened_feed(spool)
    again = successor.take(100, 1 << 20)
    assert again is not None
    assert (names(again.events), again.ambiguous) == (["e4", "e5"], False)
    successor.done(again, Tally(delivered=2))
    assert ledger(spool)["delivered"] == 6
    successor.close()


def test_nothing_finished_goes_back_whole(spool: Spool) -> None:
    """A batch of which nothing is known to be done is only cut anew."""
    write(spool, "e0")
    feed = opened_feed(spool)
    batch = feed.take(100, 1 << 20)
    assert batch is not None
    feed.sending(batch)
    assert feed.settle(batch, list(batch.events), Tally())
    write(spool, "e1")

    again = feed.take(100, 1 << 20)
    assert again is not None
    assert names(again.events) == ["e0", "e1"]
    feed.close()


def test_a_batch_that_is_not_under_way_is_not_settled(spool: Spool) -> None:
    """Only what was taken and is not done can be given back."""
    write(spool, "e0")
    feed = opened_feed(spool)
    batch = feed.take(100, 1 << 20)
    assert batch is not None
    feed.done(batch, Tally(delivered=1))

    assert not feed.settle(batch, [], Tally(delivered=1))
    assert ledger(spool)["delivered"] == 1
    feed.close()


@pytest.mark.parametrize("trailing", [3, 4, 7])
def test_poison_at_the_end_of_a_half_delivered_batch_does_not_stop_delivery(spool: Spool, trailing: int) -> None:
    """Three and more refused with no event behind them park the destination; the next sound event is the witness."""
    poison = [f"poison{number}" for number in range(trailing)]
    write(spool, *(f"e{number}" for number in range(20)), *poison)
    delivered: list[str] = []

    def script(request: list[str]) -> Outcome:
        if set(request) & set(poison):
            return Outcome(Verdict.REFUSED, "http_400")
        delivered.extend(request)
        return DELIVERED

    carrier = carrier_on(opened_feed(spool), script)
    for _ in range(60):
        carrier.turn()
    assert carrier.live.state == "parked"
    assert ledger(spool)["refused"] == {"http_400": 2}

    later = [f"sound{number}" for number in range((trailing - 1) // 2)]
    for name in later:
        write(spool, name)
        for _ in range(60):
            carrier.turn()
        assert delivered[-1] == name
    assert delivered == [*(f"e{number}" for number in range(20)), *later]
    assert ledger(spool)["refused"] == {"http_400": trailing}
    assert ledger(spool)["waiting"] == 0
    assert carrier.live.state != "parked"
    carrier.finish_here(0.0)


def test_a_lone_refused_event_does_not_hold_up_what_comes_after_it(spool: Spool) -> None:
    """One event a batch, three refused in a row: the next one that comes shows whose fault it was."""
    carrier = carrier_on(
        opened_feed(spool), lambda request: DELIVERED if request == ["sound"] else Outcome(Verdict.REFUSED, "x")
    )
    for number in range(3):
        write(spool, f"poison{number}")
        carrier.turn()
    assert carrier.live.state == "parked"

    write(spool, "sound")
    for _ in range(10):
        carrier.turn()
    assert (ledger(spool)["delivered"], ledger(spool)["refused"]) == (1, {"x": 3})
    carrier.finish_here(0.0)


def test_a_refused_event_is_kept_aside_once(spool: Spool, tmp_path: Path) -> None:
    """Settled or acknowledged: each refused event has one line among the rejected."""
    write(spool, "e0", "poison0", "e1", "e2")
    answers = {"e2": Outcome(Verdict.RETRY, "http_503")}

    def script(request: list[str]) -> Outcome:
        if len(request) > 1 or "poison0" in request:
            return Outcome(Verdict.REFUSED, "http_400")
        return answers.pop(request[0], DELIVERED)

    carrier = carrier_on(opened_feed(spool), script)
    for _ in range(20):
        carrier.turn()
    carrier.finish_here(0.0)

    assert (ledger(spool)["delivered"], ledger(spool)["refused"]) == (3, {"http_400": 1})
    if spool.durable:
        (file,) = tmp_path.rglob("rejected/*.jsonl")
        (rejected,) = file.read_text().splitlines()
        assert json.loads(rejected)["footspanRejected"]["reason"] == "http_400"


def test_a_carrier_that_leaves_in_doubt_repeats_only_what_is_in_doubt(spool: Spool) -> None:
    """What was delivered for certain is acknowledged, and what was never sent is in no doubt."""
    write(spool, "e0", "e1", "e2", "poison", "e4", "e5", "e6", "e7")
    answers = {2: DELIVERED, 1: Outcome(Verdict.AMBIGUOUS, "read_timeout")}
    feed = opened_feed(spool)
    carrier = carrier_on(
        feed, lambda request: answers.get(len(request), Outcome(Verdict.REFUSED, "http_400")), max_items=8
    )
    for _ in range(4):  # eight, four, e0 and e1, e2 with poison: all of that is settled
        carrier.turn()
    answers[4] = answers[1]
    carrier.turn()  # the other four: nobody knows
    carrier.leave(carrier._clock() + 30.0)
    carrier.finish_here(0.0)
    assert (ledger(spool)["delivered"], ledger(spool)["waiting"]) == (4, 4)

    successor = opened_feed(spool)
    batch = successor.take(100, 1 << 20)
    assert batch is not None
    assert (names(batch.events), batch.ambiguous) == (["e4", "e5", "e6", "e7"], spool.durable)
    successor.done(batch, Tally(delivered=4))
    assert successor.take(100, 1 << 20) is None
    assert (ledger(spool)["accepted"], ledger(spool)["delivered"]) == (8, 8)
    successor.close()


def test_only_what_may_have_arrived_stays_announced(spool: Spool) -> None:
    """Of one batch: a part is done, a part is in doubt and comes alone, a part is cut anew with what came meanwhile."""
    write(spool, "e0", "e1", "e2", "e3")
    feed = opened_feed(spool)
    batch = feed.take(100, 1 << 20)
    assert batch is not None
    feed.sending(batch)
    unsure = batch.events[1]
    assert feed.settle(batch, list(batch.events[1:]), Tally(delivered=1), {unsure.line})
    feed.close()
    write(spool, "e4")

    successor = opened_feed(spool)
    seen = []
    while (again := successor.take(100, 1 << 20)) is not None:
        seen.append((names(again.events), again.ambiguous))
        successor.done(again, Tally(delivered=len(again.events)))
    alone = [(["e1"], True), (["e2", "e3", "e4"], False)]
    assert seen == (alone if spool.durable else [(["e1", "e2", "e3", "e4"], False)])
    successor.close()


@pytest.mark.parametrize("most", [2, 100])
def test_bad_events_inherited_from_a_dead_carrier_find_a_witness(tmp_path: Path, most: int) -> None:
    """What was in doubt is so no longer once each of it was refused by itself; then it is cut anew."""
    settings = Settings(spool=SpoolSettings(directory=tmp_path, durability="process"))
    opened = open_spool(settings, [TARGET], accepts)
    write(opened, "e0", *(f"poison{number}" for number in range(4)))
    feed = opened_feed(opened)
    batch = feed.take(100, 1 << 20)
    assert batch is not None
    feed.sending(batch)
    feed.close()

    carrier = carrier_on(
        opened_feed(opened),
        lambda request: Outcome(Verdict.REFUSED, "x") if any("poison" in name for name in request) else DELIVERED,
        max_items=most,
    )
    for _ in range(60):
        carrier.turn()
    assert ledger(opened)["waiting"] > 0
    write(opened, "sound0", "sound1")
    for _ in range(60):
        carrier.turn()
    assert (ledger(opened)["delivered"], ledger(opened)["refused"]) == (3, {"x": 4})
    carrier.finish_here(0.0)
    opened.close()


def test_equal_lines_are_counted_one_by_one(spool: Spool) -> None:
    """A writer that repeats itself byte for byte: one of two was delivered, so one is left."""
    same = stored("e0")
    spool.append(same)
    spool.append(same)
    feed = opened_feed(spool)
    batch = feed.take(100, 1 << 20)
    assert batch is not None
    feed.sending(batch)
    assert feed.settle(batch, [batch.events[1]], Tally(delivered=1))

    assert (ledger(spool)["accepted"], ledger(spool)["waiting"]) == (2, 1)
    feed.close()
