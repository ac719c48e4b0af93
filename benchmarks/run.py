"""Every benchmark, one after the other, and one table of all figures: ``make bench``."""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path
from typing import Any, Final

import common

PROGRAMS: Final = ("track", "tail", "deliver", "courier", "memory", "startup", "outage", "encode", "privacy")


def main() -> int:
    """Run them and print; 1 where a program failed. A figure that misses its target fails nothing."""
    chosen = common.options(__doc__, ("--only", {"nargs": "+", "choices": PROGRAMS, "default": PROGRAMS}))
    reports: dict[str, Any] = {}
    failed = []
    for name in chosen.only:
        arguments = [str(Path(__file__).with_name(f"{name}.py")), "--json", *["--quick"] * chosen.quick]
        try:
            reports[name] = common.child(arguments, timeout=3600)
        except subprocess.SubprocessError as error:
            failed.append(f"{name}: {type(error).__name__}")
    together = common.Report("footspan beside the raw OpenTelemetry SDK")
    for name, report in reports.items():
        for row in report["rows"]:
            row.pop("met")
            together.rows.append(common.Row(**{**row, "what": f"{name}: {row['what']}"}))
        together.notes += [f"{name}: {note}" for note in report["notes"]]
    missed = [row for row in together.rows if row.met is False]
    aimed = [row for row in together.rows if row.met is not None]
    together.notes.append(f"{len(aimed) - len(missed)} of {len(aimed)} figures with a target reach it.")
    together.notes += [f"failed: {each}" for each in failed]
    together.show(argparse.Namespace(json=chosen.json, quick=chosen.quick))
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
