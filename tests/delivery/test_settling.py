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
