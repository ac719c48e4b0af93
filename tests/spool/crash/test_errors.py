"""The n-th change to the disk fails once, done or not done, and the process lives on: nothing is lost or stuck."""

from __future__ import annotations

import contextlib
import errno
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from spool.crash.lives import Witness, adoption, check, deletion, delivery, first_events, rotation
from spool.crash.test_stops import calls
from spool.crash.world import die, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LIVES = (first_events, rotation, adoption, delivery, deletion)


class FailOnce:
    """Lets one call fail.

    Args:
        at: Its number.
        done: Whether it is done all the same, as a network file system may.
    """

    def __init__(self, at: int, *, done: bool) -> None:
        self.at = at
        self.done = done

    def __call__(self, number: int, name: str, operation: Any, *arguments: Any) -> Any:
        """Do one call."""
        if number == self.at:
            if self.done and name != "open_file":  # a descriptor that nobody got could not be closed
                operation(*arguments)
            raise OSError(errno.EIO, "in trouble")
        return operation(*arguments)


def fail_and_check(
    root: Path, patch: pytest.MonkeyPatch, life: Callable[[Path, Witness], None], at: int, *, done: bool
) -> None:
    """A life with one failure; what may raise ends it, as it would end a carrier's turn."""
    witness = Witness()
    with contextlib.suppress(OSError):
        run(patch, root, lambda: life(root, witness), FailOnce(at, done=done))
    check(root, witness, slack=1)
    die(root)
    shutil.rmtree(root)


@pytest.mark.slow
@pytest.mark.parametrize("done", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_a_failure_at_any_change_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, life: Callable[[Path, Witness], None], done: bool
) -> None:
    """For every call of a life."""
    for at in range(len(calls(tmp_path, monkeypatch, life))):
        fail_and_check(tmp_path / f"s{at}", monkeypatch, life, at, done=done)


@pytest.mark.parametrize("life", LIVES, ids=lambda life: life.__name__)
def test_a_failure_now_and_then_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, life: Callable[[Path, Witness], None]
) -> None:
    """A sample of the sweep above."""
    for at in range(len(life.__name__), len(calls(tmp_path, monkeypatch, life)), 19):
        fail_and_check(tmp_path / f"s{at}", monkeypatch, life, at, done=bool(at % 2))
