"""Tests for footspan.carry and CarryingExecutor: context for work that others do."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import threading
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

import footspan
from footspan import CarryingExecutor, carry, context, set_context
from footspan import conventions as c
from footspan.processors.context import ambient
from spooled import spooled

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """One thread, which has been at work before."""
    with ThreadPoolExecutor(1) as made:
        made.submit(int).result(10)
        yield made


def seen(*_: Any) -> dict[str, Any]:
    """What an event here and now would bear."""
    return dict(ambient())


def test_a_pools_threads_see_the_base_alone(pool: ThreadPoolExecutor) -> None:
    """Without a carrier they know nothing of whoever submits."""
    set_context(tag="blue")
    with context(user_id="u1"):
        assert pool.submit(seen).result(10) == {c.TAG: "blue"}


def test_a_carried_function_bears_what_was_current_when_it_was_bound(pool: ThreadPoolExecutor) -> None:
    """Not when it runs, except for the base, which is the process's."""
    with context(user_id="u1"):
        carried = carry(seen)
        set_context(user_id="later")
    set_context(tag="blue")

    assert pool.submit(carried).result(10) == {c.USER_ID: "u1", c.TAG: "blue"}
    assert pool.submit(seen).result(10) == {c.TAG: "blue"}


def test_what_was_taken_away_stays_away(pool: ThreadPoolExecutor) -> None:
    """A log-out is carried as well."""
    set_context(user_id="machine")
    with context(user_id=None):
        carried = carry(seen)

    assert pool.submit(carried).result(10) == {}


def test_what_it_sets_nobody_else_sees(pool: ThreadPoolExecutor) -> None:
    """Neither its binder nor the base nor the thread's next work, even if it was bound outside any scope."""

    def work() -> dict[str, Any]:
        set_context(user_id="worker")
        return seen()

    outside = carry(work)
    with context(session_id="s1"):
        inside = carry(work)
        assert pool.submit(inside).result(10) == {c.SESSION_ID: "s1", c.USER_ID: "worker"}
        assert seen() == {c.SESSION_ID: "s1"}
        assert inside() == {c.SESSION_ID: "s1", c.USER_ID: "worker"}
        assert seen() == {c.SESSION_ID: "s1"}
    assert pool.submit(outside).result(10) == {c.USER_ID: "worker"}
    assert pool.submit(seen).result(10) == {}
    assert seen() == {}


def test_a_failing_function_leaves_nothing(pool: ThreadPoolExecutor) -> None:
    """Its exception passes, and the thread is as it was."""

    def work() -> None:
        set_context(user_id="worker")
        raise KeyError

    with context(user_id="u1"), pytest.raises(KeyError):
        pool.submit(carry(work)).result(10)
    assert pool.submit(seen).result(10) == {}


def test_one_carried_function_runs_in_many_threads_at_once() -> None:
    """Each call has a scope of its own."""
    barrier = threading.Barrier(4)

    def work(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
        before = seen()
        set_context(n=number)
        barrier.wait(20)
        return before, seen()

    with context(user_id="u1"), ThreadPoolExecutor(4) as pool:
        results = list(pool.map(carry(work), range(4)))

    assert results == [({c.USER_ID: "u1"}, {c.USER_ID: "u1", "n": number}) for number in range(4)]


def test_the_span_is_carried(pool: ThreadPoolExecutor) -> None:
    """An event of the work belongs to the trace it is done for."""
    with TracerProvider(shutdown_on_exit=False).get_tracer("t").start_as_current_span("s") as span:
        carried = carry(footspan.track)
    pool.submit(carried, "x").result(10)
    pool.submit(footspan.track, "y").result(10)
    first, second = spooled()

    assert first.record["traceId"] == f"{span.get_span_context().trace_id:032x}"
    assert "traceId" not in second.record


def test_a_coroutine_function_stays_one() -> None:
    """It runs with what was current when it was bound, wherever it is awaited."""

    async def work(number: int) -> tuple[int, dict[str, Any], bool]:
        await asyncio.sleep(0)
        return number, seen(), trace.get_current_span().get_span_context().is_valid

    with context(user_id="u1"), TracerProvider(shutdown_on_exit=False).get_tracer("t").start_as_current_span("s"):
        carried = carry(work)

    async def main() -> Any:
        return await carried(7), seen()

    assert inspect.iscoroutinefunction(carried)
    assert asyncio.run(main()) == ((7, {c.USER_ID: "u1"}, True), {})


def test_it_still_looks_like_the_function() -> None:
    """Logs and debuggers name the work."""
    assert carry(seen).__name__ == "seen"
    assert inspect.signature(carry(seen)) == inspect.signature(seen)


def test_carrying_twice_keeps_the_first_binding() -> None:
    """Whoever bound it last only hands it on."""
    with context(user_id="u1"):
        carried = carry(seen)
    with context(user_id="u2"):
        again = carry(carried)

    assert again() == {c.USER_ID: "u1"}


def test_for_another_process_the_values_are_pickled() -> None:
    """The span is this process's, and stays."""
    with (
        context(user_id="u1", tag=None),
        TracerProvider(shutdown_on_exit=False).get_tracer("t").start_as_current_span("s"),
    ):
        data = pickle.dumps(carry(trace.get_current_span)), pickle.dumps(carry(ambient))
    span, values = (pickle.loads(each) for each in data)
    set_context(tag="blue", plan="pro")

    assert not span().get_span_context().is_valid
    assert dict(values()) == {c.USER_ID: "u1", "plan": "pro"}


# -- the executor ------------------------------------------------------------------------------------------------------


def test_submit_and_map_carry() -> None:
    """What is submitted bears the context of its submission."""
    with CarryingExecutor(ThreadPoolExecutor(1)) as executor:
        with context(user_id="u1"):
            first = executor.submit(seen)
            several = executor.map(seen, range(2))
        with context(user_id="u2"):
            second = executor.submit(seen)

        assert isinstance(executor, Executor)
        assert first.result(10) == {c.USER_ID: "u1"}
        assert list(several) == [{c.USER_ID: "u1"}] * 2
        assert second.result(10) == {c.USER_ID: "u2"}
        assert executor.submit(seen).result(10) == {}


def test_arguments_pass() -> None:
    """By position and by name; ``map`` takes its own options."""

    def work(a: int, b: int = 0) -> int:
        return a + b

    with CarryingExecutor(ThreadPoolExecutor(2)) as executor:
        assert executor.submit(work, 1, b=2).result(10) == 3
        assert list(executor.map(work, [1, 2], [3, 4], timeout=10)) == [4, 6]


def test_an_event_loops_executor_carries() -> None:
    """``run_in_executor`` alone would leave the task's context behind."""

    async def one(user: str, executor: Executor) -> dict[str, Any]:
        set_context(user_id=user)
        await asyncio.sleep(0)
        return await asyncio.get_running_loop().run_in_executor(executor, seen)

    async def both() -> list[dict[str, Any]]:
        with CarryingExecutor(ThreadPoolExecutor(2)) as executor:
            return list(await asyncio.gather(one("u1", executor), one("u2", executor)))

    assert asyncio.run(both()) == [{c.USER_ID: "u1"}, {c.USER_ID: "u2"}]


def test_it_ends_with_the_wrapped_one() -> None:
    """Nothing can be submitted any more, and what waits can be called off."""
    wrapped = ThreadPoolExecutor(1)
    release = threading.Event()
    executor = CarryingExecutor(wrapped)
    running = executor.submit(release.wait, 20)
    waiting = executor.submit(int)
    executor.shutdown(wait=False, cancel_futures=True)
    release.set()

    assert running.result(20)
    assert waiting.cancelled()
    with pytest.raises(RuntimeError):
        wrapped.submit(int)
