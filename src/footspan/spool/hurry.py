"""The mark by which a process tells another's carrier that somebody waits in ``flush``.

It is an empty file whose time stamp lies in the future: until then, pauses of the carrier's own making are cut short. A
carrier looks at it only while it pauses. Whoever waits renews the mark, so that it outlives nobody for long.
"""

from __future__ import annotations

import os
import time
from typing import Final

from footspan import _platform
from footspan.spool import files

AHEAD: Final = 3.0
"""Seconds that a mark holds. One that lies much further ahead is from a clock that was set."""

RENEW: Final = 1.0
"""Seconds before its end from which it is renewed."""

_FLAGS = os.O_WRONLY | os.O_CREAT | _platform.OPEN_FLAGS


def ask(folder: str, seconds: float) -> None:
    """Ask whoever carries for a destination to hurry.

    Args:
        folder: The destination's.
        seconds: How long we shall wait.

    Raises:
        OSError: It cannot be asked.
    """
    path = f"{folder}/hurry"
    until = time.time() + min(seconds, AHEAD)  # short of the end by less than RENEW is good enough
    try:
        if until - RENEW <= os.stat(path).st_mtime <= until + AHEAD:
            return
    except FileNotFoundError:
        files.close(files.open_file(path, _FLAGS, files.FILE_MODE))
    files.utime(path, (until, until))


def asked(folder: str) -> float:
    """For how many more seconds somebody asks us to hurry; 0 when nobody does."""
    try:
        left = os.stat(f"{folder}/hurry").st_mtime - time.time()
    except OSError:
        return 0.0
    return left if 0.0 < left <= 2 * AHEAD else 0.0
