"""The power goes at the n-th change to the disk: what was synced is there, what was not may be there in part."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from footspan import _platform
from footspan.spool import files
from spool.crash.lives import Witness, adoption, deletion, delivery, first_events, neighbours, rotation
from spool.crash.platter import Platter
from spool.crash.world import PowerOff, die, run
from spool.making import PAYMENTS, UMAMI, age

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIVES = (first_events, rotation, adoption, delivery, deletion, neighbours)


class Cut:
    """Lets the power go at a call."""

    def __init__(self, platter: Platter, at: int) -> None:
        self.platter = platter
        self.at = at
        self.calls = 0

    def __call__(self, number: int, name: str, operation: Any, *arguments: Any) -> Any:
        """Do one call while there is power."""
        self.calls = number
        if number >= self.at:
            raise PowerOff
        return self.platter(number, name, operation, *arguments)


def cut(
    folder: Path, patch: pytest.MonkeyPatch, life: Callable[[Path, Witness], None], at: int, *, sync: bool, seeds: int
) -> bool:
    """Live until the power goes, start again on what is left, in several ways; whether it went at all."""
    base = folder / f"c{at}"
    base.mkdir()
    platter, witness = Platter(base), Witness(sync=sync)
    power = Cut(platter, at)
    went = run(patch, base / "spool", lambda: life(base / "spool", witness), power)
    images = [platter.synced(), *(platter.some_of(random.Random(f"{at} {seed}")) for seed in range(seeds))]
    for number, image in enumerate(images):
        after = folder / f"c{at}-{number}"
        platter.restore(image, after)
        start_again(after / "spool", patch, witness)
    platter.close()
    return went


def start_again(root: Path, patch: pytest.MonkeyPatch, witness: Witness) -> None:
    """After the machine's next start: what was promised is there, what is new is delivered, nothing stays behind."""
    with patch.context() as context:
        context.setattr(_platform, "boot_id", lambda: b"the next boot id")
        for name in ("sync_data", "sync_names"):  # the power stays on from here
            context.setattr(files, name, lambda _: None)
        successor = Witness(sync=witness.sync)
        spool = successor.open(root)
        successor.more(spool, 7)  # as many as may have had their place before, so that no name may come again
        new = [f"new-{number}" for number in range(7)]
        for uid in new:
            successor.append(spool, uid)
        feeds = {target: spool.feed(target) for target in (UMAMI, PAYMENTS)}
        got = {target: successor.deliver(feed, target) for target, feed in feeds.items()}
        spool.close()
        for _ in range(4):
            for path in (root / "events").iterdir():
                age(path, 60)
            spool.maintain()
            for target, feed in feeds.items():
                got[target] += successor.deliver(feed, target)
        for target, feed in feeds.items():
            assert set(new) <= set(got[target])
            assert [uid for uid in got[target] if uid.startswith("new")] == new
            assert set(got[target]) <= {*witness.begun, *successor.begun}
            if witness.sync:
                assert set(witness.returned) <= {*witness.sent(target), *got[target]}
            assert spool.waiting()[target.id] == 0
            feed.close()
        assert list((root / "events").iterdir()) == []
    die(root)


@pytest.mark.slow
@pytest.mark.parametrize("sync", [True, False], ids=["disk", "process"])
@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_what_was_acknowledged_outlives_a_power_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, life: Callable[[Path, Witness], None], sync: bool
) -> None:
    """In disk mode; in process mode it may be lost, and nothing else is."""
    at = 0
    while cut(tmp_path, monkeypatch, life, at, sync=sync, seeds=2):
        at += 2
    assert at > 30


@pytest.mark.parametrize("sync", [True, False], ids=["disk", "process"])
@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_a_power_cut_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, life: Callable[[Path, Witness], None], sync: bool
) -> None:
    """A sample of the sweep above."""
    at = len(life.__name__)
    while cut(tmp_path, monkeypatch, life, at, sync=sync, seeds=1):
        at += 29
