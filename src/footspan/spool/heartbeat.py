"""The heartbeat of a carrier: who carries for a destination, what it is doing, and that it still lives."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from footspan import _platform
from footspan.otlp_json.text import dumps, loads
from footspan.spool import files, locks

if TYPE_CHECKING:
    from footspan.spool.base import Target

LONGEST_ASKED = 3600.0
"""Seconds: a moment that lies further ahead is from a clock that was set, or from a slip; more is not waited."""

STALLED = 6.0
"""Seconds without a beat after which a carrier that still holds its lock is stopped or wedged."""


class Heartbeat:
    """``state.json``: rewritten when something changes, else touched.

    Args:
        path: The file.
        target: The destination.
    """

    __slots__ = ("_beat", "_not_before", "_path", "_target", "_touched")

    def __init__(self, path: str, target: Target) -> None:
        self._path = path
        self._target = target
        self._beat: tuple[str, str] | None = None
        self._not_before = _not_before(path)  # what a carrier before us was asked for
        self._touched = 0.0

    def asked(self, seconds: float) -> None:
        """The destination wants no request for so long; told with the next beat, and read by a successor."""
        self._not_before = time.time() + seconds
        self._beat = None

    def asked_for(self) -> float:
        """Seconds for which the destination wants no request yet, whoever it told; 0 for none."""
        return _ahead(self._not_before)

    def beat(self, state: str, reason: str = "") -> None:
        """Say that we live, and what we are doing.

        Raises:
            OSError: Nobody can be told.
        """
        if (state, reason) == self._beat:
            with suppress(FileNotFoundError):
                files.utime(self._path)
                self._touched = time.monotonic()
                return
        content = {
            **_platform.identity(),
            "destination": self._target.id,
            "name": self._target.name,
            "state": state,
            "reason": reason,
            "since": files.now(),
        }
        if self.asked_for():
            content["not_before"] = self._not_before
        files.replace(self._path, dumps(content) + b"\n")
        self._beat = (state, reason)
        self._touched = time.monotonic()

    def touch(self) -> None:
        """Say that we live, in the middle of long work."""
        if self._beat is not None and time.monotonic() - self._touched > 1.0:
            self.beat(*self._beat)


def read(folder: str) -> dict[str, Any]:
    """Who carries for a destination, as far as its folder tells.

    Returns:
        The contents of ``state.json`` (none without one), ``held``: whether somebody has the lock, ``beat_age``:
        seconds since the last beat or ``None``, and ``stalled``: the lock is held and nobody beats.
    """
    path = f"{folder}/state.json"
    found: dict[str, Any] = {}
    age: float | None = None
    try:
        content = loads(files.read_all(path))
        age = max(0.0, time.time() - os.stat(path).st_mtime)
        if isinstance(content, dict):
            found = content
    except (OSError, ValueError):
        pass
    try:
        held = locks.is_held(f"{folder}/lock")
    except OSError:
        held = False
    return {**found, "held": held, "beat_age": age, "stalled": held and age is not None and age > STALLED}


def _not_before(path: str) -> float:
    """The moment before which nothing may be sent, as the file says; 0 for none."""
    try:
        return float(loads(files.read_all(path)).get("not_before", 0.0))
    except (OSError, ValueError, TypeError, AttributeError):
        return 0.0


def _ahead(moment: float) -> float:
    left = moment - time.time()
    return min(left, LONGEST_ASKED) if left > 0.0 else 0.0
