"""Runs small Python programs as processes of their own, bounded in time, and reads what they say."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

LIMIT = 60.0
"""Seconds after which a program that should have ended is killed."""


def start(
    source: str, env: Mapping[str, str] | None = None, *args: str, python: str | Path = sys.executable
) -> subprocess.Popen[str]:
    """Start a program with the environment of the test and some more.

    Args:
        source: Its source; common indentation is removed.
        env: Variables to add.
        *args: Its arguments.
        python: The interpreter that runs it; this one when not given.
    """
    return subprocess.Popen(
        [str(python), "-c", textwrap.dedent(source), *args],
        env={**os.environ, **(env or {})},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(
    source: str, env: Mapping[str, str] | None = None, *args: str, python: str | Path = sys.executable
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end. See :func:`start`."""
    process = start(source, env, *args, python=python)
    try:
        out, err = process.communicate(timeout=LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise AssertionError(f"the program did not end within {LIMIT} s\n{out}\n{err}") from None
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def until(test: Callable[[], object], seconds: float = 20.0) -> bool:
    """Wait until a test holds; whether it did in time."""
    deadline = time.monotonic() + seconds
    while not test():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
