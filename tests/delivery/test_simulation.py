"""Whatever answers, deaths and departures a schedule holds: nothing is lost, and next to nothing arrives twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from delivery.simulation import Simulation
from footspan import _platform

if TYPE_CHECKING:
    from pathlib import Path

QUICK = 72
SLOW = 600
TOGETHER = 12
"""Schedules of one test."""


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lanes send in the carrier's thread, so that a seed always gives the same schedule."""
    monkeypatch.setattr(_platform, "threads_run", lambda: False)


def play(first: int, directory: Path) -> dict[int, list[str]]:
    """Schedules from ``first`` on; what went wrong, by seed."""
    found = {}
    for seed in range(first, first + TOGETHER):
        folder = directory / str(seed)
        folder.mkdir()
        found[seed] = Simulation(seed, folder).run()
    return {seed: wrong for seed, wrong in found.items() if wrong}


@pytest.mark.parametrize("first", range(0, QUICK, TOGETHER))
def test_some_schedules(first: int, tmp_path: Path) -> None:
    """Nothing lost, nothing twice without need, users in order, the ledger right, an end in sight."""
    assert not play(first, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("first", range(QUICK, SLOW, TOGETHER))
def test_many_schedules(first: int, tmp_path: Path) -> None:
    """The same, and more of it."""
    assert not play(first, tmp_path)


def test_schedules_are_about_something(tmp_path: Path) -> None:
    """They fill batches, fail, refuse, die and repeat; otherwise the others would say little."""
    played = []
    for seed in range(12):
        folder = tmp_path / str(seed)
        folder.mkdir()
        played.append(Simulation(seed, folder))
        played[-1].run()
    histories = [each.history for each in played]

    assert sum(len(history.written) for history in histories) > 300
    assert sum(len(history.arrived) - len(set(history.arrived)) for history in histories) > 0
    assert any(history.bad for history in histories)
    assert any(history.doubted for history in histories)
    assert any(each.plan.ordered and each.plan.trouble for each in played)
    assert any(each.plan.concurrency > 1 for each in played)
    assert sum(each.deaths for each in played) > 5
