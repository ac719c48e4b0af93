"""The example of a device that is offline for days."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

WEEK = Path(__file__).resolve().parents[2] / "examples" / "device" / "week.py"


@pytest.fixture(scope="module")
def week() -> ModuleType:
    """The program, as a module."""
    spec = importlib.util.spec_from_file_location("device_week", WEEK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize(("readings", "cuts"), [(600, 6), (7 * 24 * 60, 12)])
def test_nothing_is_lost(week: ModuleType, readings: int, cuts: int, tmp_path: Path) -> None:
    """Every reading that was on disk arrives once, in the order of time, and the queue keeps to its budget."""
    budget = 16 * 2**20
    verdict = week.live(tmp_path, readings=readings, cuts=cuts, budget=budget, seed=readings)

    assert verdict.cuts >= cuts // 2
    assert verdict.lost == set()
    # Of what was under way at a cut nobody knows; it is no double.
    assert len(verdict.arrived) <= len(verdict.promised) + verdict.cuts
    assert len(set(verdict.arrived)) == len(verdict.arrived)
    assert verdict.ordered
    assert verdict.waiting == 0
    assert verdict.largest < budget
    if Path("/proc/self/io").exists():
        assert verdict.costs[0] == "syscw a reading: 1.0"
