"""The program that measures the figures of the migration page runs; how fast anything is, is nobody's business here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]


@pytest.mark.slow
def test_it_runs() -> None:
    """And nothing is lost or doubled."""
    done = subprocess.run(
        [sys.executable, "-m", "compat.trace_telemetry.figures", "--quick"],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("0 lost, 0 doubled") == 3
    assert "200 of 200" in done.stdout
