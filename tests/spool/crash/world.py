"""A world that stops: the spool's file operations, which end for good at a chosen call, as a killed process does."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import secrets
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from footspan.spool import files, locks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pytest

CHANGES = (
    "chmod", "close", "dup2", "mkdir", "open_file", "pwrite", "rename", "sync_data", "sync_names", "unlink", "utime",
    "write",
)  # fmt: skip
"""Every name of ``footspan.spool.files`` that stands for a system call which changes something."""

WRITES = {"write", "pwrite"}

_NOW = 1e6
"""What a monotonic clock says that stands still: long after any pause that was begun at 0."""

_names = itertools.count(1)


class PowerOff(BaseException):
    """The process ends here: nothing catches it, and nothing that is done on the way out reaches the disk."""


class Layer:
    """The file operations of the spool, counted, and each one a place where something can happen.

    Args:
        patch: Puts the operations back at its end.
        on_call: Told the number and name of each operation before it is done, with the operation and its arguments;
            does it, or something else.
    """

    def __init__(self, patch: pytest.MonkeyPatch, on_call: Callable[..., Any]) -> None:
        self.calls = 0
        for name in CHANGES:
            patch.setattr(files, name, self._wrapped(name, getattr(files, name), on_call))

    def _wrapped(self, name: str, operation: Any, on_call: Callable[..., Any]) -> Any:
        def call(*arguments: Any) -> Any:
            number = self.calls
            self.calls += 1
            return on_call(number, name, operation, *arguments)

        return call


class Stop:
    """Ends the world at a call: before it, or with a part of it done.

    Args:
        at: The number of the call.
        share: How much of a write is done, from 0 to 1.

    Attributes:
        names: The calls so far.
    """

    def __init__(self, at: int, share: float = 0.0) -> None:
        self.at = at
        self.share = share
        self.names: list[str] = []

    def __call__(self, number: int, name: str, operation: Any, *arguments: Any) -> Any:
        """Do one call, unless the world ended."""
        self.names.append(name)
        if number < self.at:
            return operation(*arguments) if name not in {"sync_data", "sync_names"} else None
        if number == self.at and self.share and name in WRITES:
            descriptor, data, *place = arguments
            data = bytes(data)
            operation(descriptor, data[: max(1, min(len(data) - 1, int(len(data) * self.share)))], *place)
        raise PowerOff


def descriptors(root: Path) -> Iterator[int]:
    """The open descriptors that lead below a folder."""
    for entry in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(OSError):
            ours = str(entry.readlink()).startswith(f"{root}/")
            if ours and not fcntl.fcntl(int(entry.name), fcntl.F_GETFL) & os.O_PATH:  # the test's own
                yield int(entry.name)


def die(root: Path) -> None:
    """What the kernel does for a process that ended: its descriptors are closed, its locks are gone."""
    for descriptor in descriptors(root):
        os.close(descriptor)
    files._leaving.clear()
    locks._held.clear()


def stand_still(patch: pytest.MonkeyPatch) -> None:
    """Make a life the same on every machine: what it does must depend neither on how long it takes nor on chance.

    Pauses are never over, nothing is touched because a second has passed, and what is younger sorts behind what is
    older.
    """
    still = SimpleNamespace(**{**vars(time), "monotonic": lambda: _NOW})
    for name, module in list(sys.modules.items()):
        if name.startswith("footspan.spool") and getattr(module, "time", None) is time:
            patch.setattr(module, "time", still)
    patch.setattr(secrets, "token_hex", lambda size: f"{next(_names):0{2 * size}x}")


def run(patch: pytest.MonkeyPatch, root: Path, life: Callable[[], None], on_call: Callable[..., Any]) -> bool:
    """Live until the world stops; whether it did. Nothing of that life is left afterwards but what is on disk."""
    files._forked()  # what others left to be closed later
    try:
        with patch.context() as context:
            stand_still(context)
            Layer(context, on_call)
            life()
    except PowerOff:
        return True
    finally:
        die(root)
    return False
