"""What the platform tells and does."""

from __future__ import annotations

import gc
import multiprocessing
import os
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from footspan import _platform
from spool.making import in_fork


def test_fork_hooks_run_in_the_child_only() -> None:
    """Bound methods as long as their object lives."""

    class Owner:
        def __init__(self) -> None:
            self.forks = 0

        def forked(self) -> None:
            self.forks += 1

    owner, other = Owner(), Owner()
    _platform.on_fork(owner.forked)
    _platform.on_fork(other.forked)
    del other
    gc.collect()
    assert in_fork(lambda: owner.forks == 1)
    assert owner.forks == 0
    assert _platform.fork_mark[0] == 1


def test_many_hooks_do_not_pile_up() -> None:
    """Those of objects that are gone are forgotten."""

    class Owner:
        def forked(self) -> None: ...

    before = len(_platform._fork_hooks)
    for _ in range(500):
        _platform.on_fork(Owner().forked)
    assert len(_platform._fork_hooks) <= before + 64


def _report(queue: Any) -> None:
    queue.put(_platform.in_multiprocessing_child())


def test_children_of_multiprocessing_are_known() -> None:
    """They may be ended without notice."""
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=_report, args=(queue,))
    child.start()
    assert queue.get() is True
    child.join()
    assert not _platform.in_multiprocessing_child()


def test_children_of_billiard_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library that task queues use instead."""
    module = types.ModuleType("billiard.process")
    module.current_process = lambda: types.SimpleNamespace(name="ForkPoolWorker-1")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "billiard.process", module)
    assert _platform.in_multiprocessing_child()


def test_identity_is_for_people() -> None:
    """Pid and host; the boot has 16 bytes."""
    who = _platform.identity()
    assert who["pid"] == os.getpid()
    assert who["host"]
    assert len(_platform.boot_id()) == 16
    assert _platform.boot_id() == _platform.boot_id()


def test_descriptors_move_out_of_the_way() -> None:
    """Above the numbers that programs get and that daemons close."""
    reading, writing = os.pipe()
    high = _platform.move_high(reading)
    assert high >= 200
    assert not os.get_inheritable(high)
    with pytest.raises(OSError, match="Bad file"):
        os.fstat(reading)
    os.close(high)
    os.close(writing)


def test_a_user_without_home_has_no_state_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the next place is tried; nothing is raised."""
    monkeypatch.delenv("XDG_STATE_HOME")

    def nowhere() -> Path:
        raise RuntimeError

    monkeypatch.setattr(Path, "home", nowhere)
    assert _platform.state_home() is None
    monkeypatch.setattr(Path, "home", lambda: Path("nowhere"))
    assert _platform.state_home() is None


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, False),
        ({"master": b"true"}, False),
        ({"enable-threads": b"true"}, True),
        ({b"threads": b"2"}, True),
        (None, True),
    ],
)
def test_threads_run_where_uwsgi_was_told_to(
    options: dict[object, bytes] | None, expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It freezes them between two requests otherwise; outside of it there is no such module."""
    if options is not None:
        monkeypatch.setitem(sys.modules, "uwsgi", types.SimpleNamespace(opt=options))
    assert _platform.threads_run() is expected
