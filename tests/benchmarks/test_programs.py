"""Every benchmark runs and prints its rows; how fast anything is on a busy machine is nobody's business here."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent.parent / "benchmarks"

ROWS = {
    "track": ["default policy: CPU of the caller", "empty policy: CPU of the caller", "disabled: CPU of the caller"],
    "tail": [
        f"{callers} calling, {busy} busy: p{percentile}"
        for callers in (1, 8)
        for busy in (0, 1, 7)
        for percentile in ("50", "99", "99.9")
    ],
    "deliver": ["gzip: everything", "none: everything", "gzip: carried elsewhere", "none: carried elsewhere"],
    "courier": ["compression gzip", "compression none", "requests per 10,000", "flat"],
    "memory": ["writer that carries too", "of a writer", "of a courier"],
    "startup": ["import footspan", "first event", "footspan --help"],
    "encode": ["umami", "http/json", "http/protobuf", "console, text", "pace: 1,000 events"],
    "privacy": ["recall, secret", "precision, payment", "recall, contact", "10 innocent properties"],
    "outage": ["503: requests", "503: from its end", "refused: requests", "refused: from its end"],
}
"""What the rows with a target, and some others, are called, in part."""


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_it_runs_and_prints_its_rows(name: str) -> None:
    """A quick run ends well and has every row, with numbers in it; a row with a target has a figure to hold to it."""
    result = subprocess.run(
        [sys.executable, str(FOLDER / f"{name}.py"), "--quick", "--json"],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert 0 == result.returncode, result.stderr
    rows = {row["what"]: row for row in json.loads(result.stdout)["rows"]}
    for part in ROWS[name]:
        assert any(part in what for what in rows), f"no row about {part} in {list(rows)}"
    for what, row in rows.items():
        numbers = [row["ours"]] + [row[key] for key in ("raw", "figure") if row[key] is not None]
        assert all(math.isfinite(number) and number >= 0 for number in numbers), what
        assert not row["target"] or row["figure"] is not None, what


def test_every_program_is_tested_and_run_by_make_bench() -> None:
    """A new program stands in the list above and in the one of ``run.py``."""
    helpers = {"common", "sink", "run", *(path.stem for path in FOLDER.glob("privacy_*.py"))}
    programs = {path.stem for path in FOLDER.glob("*.py")} - helpers
    assert programs == set(ROWS)
    text = (FOLDER / "run.py").read_text(encoding="utf-8")
    assert all(f'"{name}"' in text for name in programs)
