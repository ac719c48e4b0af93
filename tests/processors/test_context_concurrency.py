"""Tests for context among tasks, threads, greenlets and forked children."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from footspan import clear_context, context, set_context
from footspan import conventions as c
from footspan.processors import context as module
from footspan.processors.context import ambient
from footspan.processors.scopes import Scope

# -- tasks -------------------------------------------------------------------------------------------------------------


def test_tasks_that_set_context_do_not_see_each_other() -> None:
    """Nobody opened a scope: a task is one."""

    async def one(user: str, ready: asyncio.Event, others: asyncio.Event) -> dict[str, Any]:
        set_context(user_id=user)
        ready.set()
        await others.wait()
        set_context(session_id=f"s-{user}")
        return dict(ambient())

    async def both() -> list[dict[str, Any]]:
        first, second = asyncio.Event(), asyncio.Event()
        return list(await asyncio.gather(one("u1", first, second), one("u2", second, first)))

    set_context(tag="blue")
    assert asyncio.run(both()) == [
        {c.TAG: "blue", c.USER_ID: "u1", c.SESSION_ID: "s-u1"},
        {c.TAG: "blue", c.USER_ID: "u2", c.SESSION_ID: "s-u2"},
    ]
    assert ambient() == {c.TAG: "blue"}


def test_what_a_task_sets_no_thread_sees() -> None:
    """A task's values are not the process's, before it ends or after."""

    async def main() -> dict[str, Any]:
        set_context(user_id="u1")
        with ThreadPoolExecutor(1) as pool:
            return dict(await asyncio.get_running_loop().run_in_executor(pool, ambient))

    assert asyncio.run(main()) == {}


def test_clearing_in_a_task_leaves_the_base() -> None:
    """A task that set nothing has nothing to clear."""

    async def main() -> dict[str, Any]:
        clear_context()
        return dict(ambient())

    set_context(tag="blue")
    assert asyncio.run(main()) == {c.TAG: "blue"}


def test_a_task_starts_with_its_makers_values() -> None:
    """It goes on from there alone."""

    async def child() -> dict[str, Any]:
        set_context(session_id="child")
        return dict(ambient())

    async def main() -> tuple[dict[str, Any], dict[str, Any]]:
        with context(user_id="u1"):
            theirs = await asyncio.create_task(child())
            return theirs, dict(ambient())

    assert asyncio.run(main()) == ({c.USER_ID: "u1", c.SESSION_ID: "child"}, {c.USER_ID: "u1"})


def test_a_cancelled_task_leaves_nothing_behind() -> None:
    """Its scope ends with it."""

    async def waiting() -> None:
        with context(user_id="u1"):
            await asyncio.sleep(60)

    async def main() -> dict[str, Any]:
        task = asyncio.create_task(waiting())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return dict(ambient())

    assert asyncio.run(main()) == {}


def test_tasks_that_start_each_other_in_a_scope_do_not_add_up() -> None:
    """A periodic task that reschedules itself inside ``with context`` holds no scope but its own."""
    tasks: list[asyncio.Task[None]] = []

    def scopes() -> int:
        gc.collect()
        return sum(type(each) is Scope for each in gc.get_objects())

    async def tick(left: int) -> None:
        with context(n=left):
            if left:
                tasks.append(asyncio.create_task(tick(left - 1)))

    async def main() -> int:
        tasks.append(asyncio.create_task(tick(50)))
        for task in tasks:
            await task
        return scopes() - before

    before = scopes()
    assert asyncio.run(main()) <= 51 + 1  # the tasks are kept here, and each keeps the one it was started in
    tasks[:] = tasks[-1:]
    assert scopes() - before <= 2


# -- threads -----------------------------------------------------------------------------------------------------------


def test_threads_that_set_the_base_at_once_lose_nothing() -> None:
    """Each adds its value to what the others have added."""
    barrier = threading.Barrier(8)

    def work(number: int) -> None:
        barrier.wait(10)
        for index in range(25):
            set_context(**{f"k{number}.{index}": index})

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(ambient()) == 200


def test_one_object_opened_by_many_threads_is_closed_by_each() -> None:
    """A shared ``context`` object keeps nobody's scope open."""
    shared = context(user_id="u1")
    barrier = threading.Barrier(4)
    left: list[dict[str, Any]] = []

    def work() -> None:
        with shared:
            barrier.wait(10)
            assert ambient() == {c.USER_ID: "u1"}
            barrier.wait(10)
        left.append(dict(ambient()))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert left == [{}, {}, {}, {}]


def test_a_child_can_set_the_base_whoever_held_its_lock() -> None:
    """The thread that was setting it when the process forked does not exist in the child."""
    lock = module._lock
    taken, release = threading.Event(), threading.Event()

    def hold() -> None:
        with lock:
            taken.set()
            release.wait(30)

    thread = threading.Thread(target=hold)
    thread.start()
    assert taken.wait(10)
    child = os.fork()
    if child == 0:  # pragma: no cover - measured in no process
        set_context(tag="child")
        os._exit(0 if ambient() == {c.TAG: "child"} else 1)
    try:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        release.set()
        thread.join(10)


def test_greenlets_keep_their_scopes_apart() -> None:
    """Gevent gives every greenlet context variables of its own."""
    pytest.importorskip("gevent")
    program = """
import gevent
import footspan
from footspan.processors.context import ambient

def one(user):
    with footspan.context(user_id=user):
        gevent.sleep(0)
        footspan.set_context(session_id="s-" + user)
        gevent.sleep(0)
        return dict(ambient())

greenlets = [gevent.spawn(one, user) for user in ("u1", "u2")]
gevent.joinall(greenlets, timeout=30)
assert [each.value for each in greenlets] == [
    {"user.id": "u1", "session.id": "s-u1"}, {"user.id": "u2", "session.id": "s-u2"}
], [each.value for each in greenlets]
assert not ambient()
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)

    assert result.returncode == 0, result.stderr
