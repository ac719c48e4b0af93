"""The process ends at the n-th change to the disk, for every n: nothing is lost or stuck, and the sums are right."""

from __future__ import annotations

import functools
import random
import shutil
from typing import TYPE_CHECKING

import pytest

from spool.crash.lives import LIVES, Witness, check, deletion, delivery, rotation
from spool.crash.world import WRITES, Stop, die, run
from spool.making import PAYMENTS, UMAMI, age

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHARES = {"not done": 0.0, "a byte of it": 0.001, "half of it": 0.5, "all but a byte": 0.9999}


def calls(folder: Path, patch: pytest.MonkeyPatch, life: Callable[[Path, Witness], None]) -> list[str]:
    """The changes that a life makes, in order, when nothing happens to it."""
    shutil.rmtree(folder / "whole", ignore_errors=True)
    through = Stop(1 << 30)
    assert not run(patch, folder / "whole", lambda: life(folder / "whole", Witness()), through)
    return through.names


def stop_and_check(
    root: Path, patch: pytest.MonkeyPatch, life: Callable[[Path, Witness], None], at: int, share: float
) -> None:
    """A life that ends at a call, and a successor."""
    witness = Witness()
    assert run(patch, root, lambda: life(root, witness), Stop(at, share))
    check(root, witness)
    die(root)
    shutil.rmtree(root)


@pytest.mark.slow
@pytest.mark.parametrize("share", SHARES.values(), ids=SHARES.keys())
@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_a_stop_at_any_change_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, life: Callable[[Path, Witness], None], share: float
) -> None:
    """Before the call, and in the middle of a write."""
    names = calls(tmp_path, monkeypatch, life)
    assert len(names) > 30
    for at, name in enumerate(names):
        if not share or name in WRITES:
            stop_and_check(tmp_path / f"s{at}", monkeypatch, life, at, share)


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_a_stop_now_and_then_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, life: Callable[[Path, Witness], None]
) -> None:
    """A sample of the sweep above, with every kind of stop in it."""
    names = calls(tmp_path, monkeypatch, life)
    shares = list(SHARES.values())
    for turn, at in enumerate(range(len(life.__name__), len(names), 17)):
        share = shares[turn % len(shares)] if names[at] in WRITES else 0.0
        stop_and_check(tmp_path / f"s{at}", monkeypatch, life, at, share)


def crash_again_and_again(folder: Path, patch: pytest.MonkeyPatch, lives: int) -> None:
    """One spool, and lives that each end somewhere; only the last successor is left alone."""
    root, witness = folder / "spool", Witness()
    folder.joinpath("dry").mkdir()
    chance = random.Random(lives)
    counts = {life: len(calls(folder.joinpath("dry"), patch, life)) for life in (rotation, delivery, deletion)}
    for _ in range(lives):
        life = chance.choice(list(counts))
        stop = Stop(chance.randrange(counts[life]), chance.choice(list(SHARES.values())))
        # A request in flight at an earlier end was repeated since: only the last one of each life may come again.
        run(patch, root, functools.partial(life, root, witness), stop)
        assert len(list((root / "events").glob("*.lock"))) <= 3 if root.exists() else True
    sent = witness.sent(UMAMI)
    spool = witness.open(root)
    feed = spool.feed(UMAMI)
    sent += witness.deliver(feed, UMAMI)
    assert set(witness.returned) <= set(sent)
    assert spool.status()["destinations"][UMAMI.id]["waiting"] == 0
    feed.close()
    store = spool.feed(PAYMENTS)
    witness.deliver(store, PAYMENTS)
    store.close()
    spool.close()
    for _ in range(3):
        for path in [*root.rglob("*.tmp"), *(root / "events").iterdir()]:
            age(path, 86_400)
        spool.maintain()
        feed = spool.feed(UMAMI)
        witness.deliver(feed, UMAMI)
        feed.close()
        store = spool.feed(PAYMENTS)
        witness.deliver(store, PAYMENTS)
        store.close()
    assert list((root / "events").iterdir()) == []
    assert list((root / "counters").glob("*.bin")) == []
    assert list(root.rglob("*.tmp")) == []


def test_files_do_not_pile_up_over_many_crashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was half done is finished or taken away by those who come after."""
    crash_again_and_again(tmp_path, monkeypatch, 25)


@pytest.mark.slow
def test_files_do_not_pile_up_over_very_many_crashes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for longer."""
    crash_again_and_again(tmp_path, monkeypatch, 300)
