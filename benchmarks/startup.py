"""What starting costs: imports, the command line, the first event; CPU time of processes of their own, in turn.

The imports are measured from inside a process that has imported nothing else; so is the first event, from the import to
the return of the first call, with a destination that is dead. ``footspan --help`` is the CPU time of the whole process,
beside a Python that imports click and does nothing else.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

import common

RAW_IMPORT: Final = "import opentelemetry.sdk._logs"
OUR_IMPORT: Final = "import footspan"
OUR_FIRST: Final = """
import common
with common.scratch() as folder, common.dead_endpoint() as nowhere, common.footspan_running(folder, nowhere):
    common.our_call()()
    result = time.process_time_ns() - start
"""
RAW_FIRST: Final = """
import common
with common.raw_running() as (_, logger):
    common.raw_call(logger)()
    result = time.process_time_ns() - start
"""
HELP: Final = "-c 'from footspan.cli import main; main()' --help"
NO_HELP: Final = "-c 'import click'"


def inside(statements: str) -> float:
    """CPU seconds that some statements take in a fresh process."""
    program = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
    program += f"import json, time; start = time.process_time_ns(); result = 0\n{statements}\n"
    program += "print(json.dumps(result or time.process_time_ns() - start))"
    return float(common.child(["-c", program])) / 1e9


def whole(arguments: str) -> float:
    """CPU seconds of a whole process."""
    process = subprocess.Popen(
        [sys.executable, *shlex.split(arguments)], stdout=subprocess.DEVNULL, env=common.environment()
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"benchmark: {arguments} ended with {process.returncode}")
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure and print."""
    chosen = common.options(__doc__)
    rounds = 1 if chosen.quick else 15
    report = common.Report("Starting")
    for what, measure, ours, raw, target in (
        ("`import footspan` / `import opentelemetry.sdk._logs`", inside, OUR_IMPORT, RAW_IMPORT, "<= 1.15"),
        ("import, start and first event", inside, OUR_FIRST, RAW_FIRST, ""),
        ("`footspan --help` / `import click`", whole, HELP, NO_HELP, ""),
    ):
        common.say(f"startup: {what} …")
        measured = [(measure(ours), measure(raw)) for _ in range(rounds + 1)]
        # The first round compiles what nobody compiled before.
        report.rows.append(common.compare(what, measured[1:], scale=common.MILLI, unit="ms", target=target))
    report.show(chosen)


if __name__ == "__main__":
    main()
