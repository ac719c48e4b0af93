"""Whose turn it is to carry: apps yield a destination to a process that does nothing else.

A dedicated deliverer holds the lock of ``standing`` in the destination's folder for as long as it lives; the system
frees it with the process, however that ends. Carriers in apps look at it about once a second: while it is held they
give the destination up between two batches, and once it is free they may take it again.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard, _platform
from footspan.otlp_json.text import dumps, loads
from footspan.spool import files, locks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from footspan.spool.base import Target
    from footspan.spool.layout import Layout
    from footspan.spool.locks import RecordLock

APP_LOOKS_EVERY: Final = 0.9
"""Seconds between two looks of an app: a carrier's death, or a deliverer's arrival, is noticed within one."""

DELIVERER_LOOKS_EVERY: Final = 0.2
"""The same for a dedicated deliverer, which has nothing else to do and takes over from apps that yield."""


class Turn:
    """Nobody else can carry: a spool in memory.

    Attributes:
        every: Seconds between two looks at whose turn it is.
        on_call: Whether :meth:`check` is called with an event at once, rather than by the courier's thread only.
    """

    every = APP_LOOKS_EVERY
    on_call = False

    @property
    def carries(self) -> bool:
        """Whether this process carries anything at all."""
        return True

    def check(self) -> None:
        """Do what is due; called every :attr:`every` seconds. Costs next to nothing as a rule, and never raises."""

    def mine(self, target: Target) -> bool:  # noqa: ARG002 - a decision for each destination where others exist
        """Whether this process should carry for a destination now.

        Raises:
            OSError: The spool cannot tell.
        """
        return True

    def ending(self, timeout: float) -> None:
        """The process ends, and spends at most ``timeout`` seconds on delivery: a last chance to call somebody."""

    def release(self) -> None:
        """Give up what was held."""


class Yielding(Turn):
    """An app: carries whatever no dedicated deliverer stands for.

    Args:
        layout: The spool.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def mine(self, target: Target) -> bool:
        """Whether no dedicated deliverer stands for the destination."""
        return not is_standing(self._layout, target.id)


class Dedicated(Turn):
    """A process that does nothing but deliver: the first one to stand for a destination carries, others stand by.

    Args:
        layout: The spool.
        note: What to say about this process beside who it is.
    """

    every = DELIVERER_LOOKS_EVERY

    def __init__(self, layout: Layout, note: Mapping[str, Any] | None = None) -> None:
        self._layout = layout
        self._note = dict(note or {})
        self._locks: dict[str, RecordLock] = {}

    def mine(self, target: Target) -> bool:
        """Take the destination's place if it is free; whether it is ours."""
        lock = self._locks.get(target.id)
        if lock is not None and lock.valid():
            return True
        if lock is not None:
            lock.release()  # its file was deleted: somebody else may have made a new one
        folder = self._layout.destination(target.id)
        if not files.own_directory(folder):
            raise PermissionError(f"{folder} belongs to another user")
        lock = locks.acquire(f"{folder}/standing")
        if lock is None:
            self._locks.pop(target.id, None)
            return False
        self._locks[target.id] = lock
        with _guard.guard("saying who delivers"):
            content = {**_platform.identity(), "since": files.now(), **self._note}
            files.replace(f"{folder}/standing.json", dumps(content) + b"\n")
        return True

    @property
    def stands_for(self) -> frozenset[str]:
        """The ids of the destinations whose place is ours."""
        return frozenset(self._locks)

    def release(self) -> None:
        """Let the next one stand."""
        for lock in self._locks.values():
            lock.release()
        self._locks.clear()


def turn_in(spool: object) -> Turn:
    """The turn of an app with this spool."""
    layout = getattr(spool, "layout", None)
    return Turn() if layout is None else Yielding(layout)


def is_standing(layout: Layout, identifier: str) -> bool:
    """Whether a dedicated deliverer stands for a destination.

    Raises:
        OSError: The spool cannot tell.
    """
    return locks.is_held(f"{layout.destination(identifier)}/standing")


def who(layout: Layout, identifier: str) -> dict[str, Any]:
    """Who stands for a destination: ``pid``, ``host``, ``since`` and what it noted; empty when nobody can be told."""
    try:
        if not is_standing(layout, identifier):
            return {}
        found = loads(files.read_all(f"{layout.destination(identifier)}/standing.json"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def writers_alive(layout: Layout) -> bool:
    """Whether another process has a segment open to write to it."""
    try:
        names = [name for name in os.listdir(layout.events) if name.endswith(".lock")]  # noqa: PTH208 - names are enough
        return any(locks.is_held(f"{layout.events}/{name}", elsewhere=True) for name in names)
    except OSError:
        return False
