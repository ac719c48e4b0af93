"""Samples, targets and tables of the benchmarks."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("figure", "target", "met"),
    [
        (0.6, "<= 0.6", True),
        (0.61, "<= 0.6", False),
        (8.0, ">= 8", True),
        (7.9, ">= 8", False),
        (1.0, "", None),
        (None, "<= 1", None),
    ],
)
def test_a_target_has_a_direction(
    load: Callable[[str], Any], figure: float | None, target: str, met: bool | None
) -> None:
    """A figure is held against the bound from the side that the target names; without a target there is no verdict."""
    assert met is load("common").Row("what", 1.0, 1.0, "µs", figure, target).met


def test_the_figure_is_the_ratio_of_the_medians(load: Callable[[str], Any]) -> None:
    """One slow round on either side moves neither the values nor the figure."""
    row = load("common").compare("what", [(1e-6, 2e-6), (3e-6, 9.0), (99.0, 4e-6)], scale=1e-6, unit="µs")
    assert (3.0, 4.0, 0.75) == pytest.approx((row.ours, row.raw, row.figure))


@pytest.mark.parametrize("quick", [True, False])
def test_a_report_has_a_line_for_each_row(
    load: Callable[[str], Any], capsys: pytest.CaptureFixture[str], quick: bool
) -> None:
    """The table holds value, figure, target and verdict of a row, and says so if the run was too short to mean much."""
    common = load("common")
    report = common.Report(
        "Title", [common.Row("what", 1.25, 2.5, "µs", 0.5, "<= 0.6"), common.Row("count", 7, unit="")]
    )
    report.show(argparse.Namespace(json=False, quick=quick))
    out = capsys.readouterr().out
    assert "| what | µs | 1.25 | 2.5 | 0.5 | ≤ 0.6 ✓ |" in out
    assert "| count |  | 7 |  |  |  |" in out
    assert quick is ("quick run" in out)


def test_a_report_as_json_is_one_line(load: Callable[[str], Any], capsys: pytest.CaptureFixture[str]) -> None:
    """The program that runs them all reads the last line."""
    common = load("common")
    common.Report("Title", [common.Row("what", 1.0, 2.0, "µs", 0.5, ">= 0.6")]).show(argparse.Namespace(json=True))
    (line,) = capsys.readouterr().out.splitlines()
    (row,) = json.loads(line)["rows"]
    assert ("what", 0.5, ">= 0.6", False) == (row["what"], row["figure"], row["target"], row["met"])


def test_nothing_in_the_environment_configures_a_child(
    load: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the shell of whoever measures has set must not change what is measured."""
    for name in ("OTEL_SDK_DISABLED", "FOOTSPAN_CONFIG", "TELEMETRY_ENABLED", "PYTHONDONTWRITEBYTECODE"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("KEPT", "x")
    found = load("common").environment()
    assert not {"OTEL_SDK_DISABLED", "FOOTSPAN_CONFIG", "TELEMETRY_ENABLED", "PYTHONDONTWRITEBYTECODE"} & set(found)
    assert "KEPT" in found


def test_a_child_that_fails_is_no_result(load: Callable[[str], Any], tmp_path: Path) -> None:
    """A program that ends with an error ends the benchmark, whatever it printed."""
    common = load("common")
    program = tmp_path / "program.py"
    program.write_text("import sys; print('first'); print('[1]'); sys.exit(int(sys.argv[1]))")
    assert [1] == common.child([str(program), "0"])
    with pytest.raises(common.subprocess.CalledProcessError):
        common.child([str(program), "3"])


def test_percentiles_are_those_of_all_calls(load: Callable[[str], Any]) -> None:
    """Of 1,000 calls of 1 to 1,000 µs, the percentiles are about 500, 990 and 999 µs."""
    found = load("tail").percentiles([number * 1000 for number in range(1, 1001)])
    assert [500, 990, 999] == pytest.approx(found, abs=1.0)


def test_a_program_that_fails_fails_the_run_and_no_other(
    load: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The table has the figures of the others, and names the one that failed."""
    run = load("run")

    def child(arguments: list[str], timeout: float) -> object:
        if "tail.py" in arguments[0]:
            raise run.subprocess.TimeoutExpired(arguments, timeout)
        row = {"what": "w", "ours": 1, "raw": 2, "unit": "µs", "figure": 0.5, "target": "<= 1", "met": True}
        return {"title": "t", "rows": [row], "notes": []}

    monkeypatch.setattr(run.common, "child", child)
    monkeypatch.setattr("sys.argv", ["run.py", "--quick"])
    assert 1 == run.main()
    out = capsys.readouterr().out
    assert "| track: w | µs | 1 | 2 | 0.5 | ≤ 1 ✓ |" in out
    assert "tail: w" not in out
    assert "failed: tail: TimeoutExpired" in out
    assert f"{len(run.PROGRAMS) - 1} of {len(run.PROGRAMS) - 1} figures" in out
