"""``flush_after``: what is flushed, when, and that nothing of the handler's changes."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

import footspan
from footspan.tracking import serverless
from footspan.tracking.tracker import default_tracker

if TYPE_CHECKING:
    from servers.otlp import OtlpSink


@pytest.fixture
def flushes(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that each flush was given."""
    given: list[float] = []

    def flush(seconds: float) -> dict[str, int]:
        given.append(seconds)
        return {"otlp": 0}

    monkeypatch.setattr(default_tracker, "flush", flush)
    return given


class Context:
    """As AWS Lambda passes it."""

    def __init__(self, left: float) -> None:
        self.left = left

    def get_remaining_time_in_millis(self) -> int:
        return int(self.left * 1000)


def test_events_have_arrived_when_the_handler_returns(otlp_sink: OtlpSink) -> None:
    """Bare, with a real destination."""
    footspan.init(destinations={"otlp": {"endpoint": otlp_sink.url}})

    @footspan.flush_after(budget=30.0)
    def handler(number: int) -> int:
        footspan.track("handler.ran", number=number)
        assert otlp_sink.events == [] or number > 1
        return number + 1

    assert handler(1) == 2
    assert [event["name"] for event in otlp_sink.events] == ["handler.ran"]
    assert handler(2) == 3
    assert len(otlp_sink.events) == 2


def test_bare_and_with_a_budget(flushes: list[float]) -> None:
    """The default is a second; the function keeps its name, its text and its signature."""

    @footspan.flush_after
    def bare(a: int, *, b: int = 1) -> int:
        """Adds."""
        return a + b

    @footspan.flush_after(budget=0.25)
    def limited() -> None:
        pass

    assert bare(1, b=2) == 3
    limited()
    assert flushes == [1.0, 0.25]
    assert (bare.__name__, bare.__doc__) == ("bare", "Adds.")
    assert list(inspect.signature(bare).parameters) == ["a", "b"]


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), SystemExit(3)], ids=lambda e: type(e).__name__)
def test_exceptions_pass_through_after_the_flush(error: BaseException, flushes: list[float]) -> None:
    """The very object."""

    @footspan.flush_after
    def handler() -> None:
        raise error

    with pytest.raises(type(error)) as raised:
        handler()
    assert raised.value is error
    assert flushes == [1.0]


def test_lambdas_deadline_is_respected(flushes: list[float]) -> None:
    """A tenth of a second before it the flush is over; no budget is left where there is no time."""

    @footspan.flush_after(budget=2.0)
    def handler(event: Any, context: Context) -> None:
        pass

    handler({}, Context(1.0))
    handler({}, context=Context(0.05))
    handler({}, Context(60.0))
    assert flushes == [pytest.approx(0.9), 0.0, 2.0]


def test_any_deadline_can_be_asked(flushes: list[float]) -> None:
    """By a function of the handler's arguments, which wins over what they say themselves."""

    @footspan.flush_after(remaining=lambda event, context: event["left"])
    def handler(event: Any, context: Any) -> None:
        pass

    handler({"left": 0.6}, Context(0.2))
    assert flushes == [pytest.approx(0.5)]


def test_a_deadline_that_cannot_be_told_costs_nothing(
    flushes: list[float], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The budget holds, and the handler's result is returned."""
    monkeypatch.setattr(footspan._guard, "_reraise", False)

    @footspan.flush_after(remaining=lambda: 1 / 0)
    def handler() -> str:
        return "kept"

    assert handler() == "kept"
    assert flushes == [1.0]
    assert "ZeroDivisionError" in caplog.text


def test_what_remains_is_said_once(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The number, and nothing of the events."""
    monkeypatch.setattr(default_tracker, "flush", lambda _: {"otlp": 3, "umami": 4})

    @footspan.flush_after
    def handler() -> None:
        pass

    handler()
    handler()
    assert [record.args[0] for record in caplog.records if isinstance(record.args, tuple)] == [7]


def test_a_coroutine_functions_loop_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the flush waits in a thread of its own."""
    ticked = threading.Event()
    threads: list[threading.Thread] = []

    def flush(_: float) -> dict[str, int]:
        threads.append(threading.current_thread())
        assert ticked.wait(20.0), "the loop stands still"
        return {}

    monkeypatch.setattr(default_tracker, "flush", flush)

    @footspan.flush_after
    async def handler(value: int) -> int:
        return value * 2

    async def main() -> int:
        task = asyncio.create_task(handler(21))
        while not threads:  # noqa: ASYNC110 - it is the loop's going round that is tested
            await asyncio.sleep(0.001)
        ticked.set()
        return await task

    assert inspect.iscoroutinefunction(handler)
    assert asyncio.run(main()) == 42
    assert threads[0] is not threading.main_thread()


def test_a_coroutines_exception_and_cancellation_pass(flushes: list[float]) -> None:
    """After the flush, as for a function."""
    error = ValueError("x")

    @footspan.flush_after
    async def fails() -> None:
        raise error

    @footspan.flush_after
    async def sleeps() -> None:
        await asyncio.sleep(3600)

    async def main() -> None:
        with pytest.raises(ValueError, match="x") as raised:
            await fails()
        assert raised.value is error
        task = asyncio.create_task(sleeps())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert flushes == [1.0, 1.0]


def test_other_callables_can_be_decorated(flushes: list[float]) -> None:
    """Partials, and objects whose call is a coroutine function."""

    async def add(a: int, b: int) -> int:
        return a + b

    class Handler:
        __name__ = "Handler"

        async def __call__(self, value: int) -> int:
            return value

    assert asyncio.run(footspan.flush_after(functools.partial(add, 1))(2)) == 3
    assert asyncio.run(footspan.flush_after(Handler())(5)) == 5
    assert len(flushes) == 2


def test_another_librarys_loop_is_served_too(flushes: list[float]) -> None:
    """Without asyncio running, the flush waits in the calling thread."""

    @footspan.flush_after
    async def handler() -> str:
        return "done"

    coroutine = handler()
    with pytest.raises(StopIteration) as stop:
        coroutine.send(None)
    assert stop.value.value == "done"
    assert flushes == [1.0]


@pytest.mark.parametrize("budget", [-1.0, float("nan"), "1", None, True])
def test_a_budget_that_is_none_is_refused_at_once(budget: Any) -> None:
    """When the handler is decorated, not when it runs."""
    with pytest.raises(footspan.ConfigurationError, match="budget"):
        footspan.flush_after(budget=budget)


def test_where_nothing_was_started_nothing_happens() -> None:
    """And it costs next to nothing."""

    @footspan.flush_after(budget=30.0)
    def handler() -> int:
        return 1

    began = time.monotonic()
    assert handler() == 1
    assert time.monotonic() - began < 10.0
    assert serverless.BUDGET == 1.0
