"""Tests for footspan.tracking.watching: exceptions, ends that are no outcome, spans, a generator's caller."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import footspan
from spooled import Spooled, spooled

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """The spans that the process's tracer ends."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    return exporter


def names() -> list[str]:
    """The names of the stored events."""
    return [event.name for event in spooled()]


def traces(events: list[Spooled]) -> set[tuple[str, str]]:
    """The spans that events happened in."""
    return {(event.record.get("traceId", ""), event.record.get("spanId", "")) for event in events}


def runs(watch: Any, fail: Callable[[], object]) -> dict[str, Callable[[], Any]]:
    """Ways to run something that fails, watched."""

    async def afail() -> None:
        await asyncio.sleep(0)
        fail()

    def gfail() -> Generator[int, None, None]:
        yield 1
        fail()

    async def agfail() -> AsyncGenerator[int, None]:
        yield 1
        fail()

    async def consume() -> None:
        async for _ in watch(agfail)():
            pass

    def block() -> None:
        with watch:
            fail()

    async def ablock() -> None:
        async with watch:
            fail()

    return {
        "function": watch(fail),
        "coroutine": lambda: asyncio.run(watch(afail)()),
        "generator": lambda: list(watch(gfail)()),
        "async generator": lambda: asyncio.run(consume()),
        "block": block,
        "async block": lambda: asyncio.run(ablock()),
    }


KINDS = ["function", "coroutine", "generator", "async generator", "block", "async block"]
CALLS: dict[str, Callable[[], Any]] = {
    "duration": lambda: footspan.track_duration("w"),
    "function": lambda: footspan.track_function("w"),
    "error": lambda: footspan.track_error("w"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_hosts_exception_is_not_touched(kind: str, call: str) -> None:
    """The same object, with its cause, its context and its own frames; ours are the only ones that are added."""
    cause, context, error = KeyError("cause"), OSError("context"), ValueError("declined")
    error.__cause__, error.__context__ = cause, context

    def fail() -> None:
        raise error

    with pytest.raises(ValueError, match="declined") as caught:
        runs(CALLS[call](), fail)[kind]()
    frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]

    assert caught.value is error
    assert (error.__cause__, error.__context__, error.args) == (cause, context, ("declined",))
    assert not getattr(error, "__notes__", [])
    assert frames[-1] == "fail"
    assert len(frames) == len(set(frames)) or kind != "function"
    assert names()[-1] == ("w.failed" if call == "duration" else "w")


def test_the_stack_trace_begins_with_the_hosts_code() -> None:
    """A decorator's frame says nothing to whoever reads it."""

    @footspan.track_duration("w")
    @footspan.track_error("e")
    def pay() -> None:
        raise ValueError("declined")

    with pytest.raises(ValueError, match="declined"):
        pay()
    for event in spooled()[1:]:
        stack = event.attributes["exception.stacktrace"]
        assert stack.splitlines()[1].endswith("in pay")
        assert stack.endswith("ValueError: declined\n")


class Fatal(BaseException):
    """Another library's way to call work off."""


ENDS: dict[str, tuple[Callable[[], BaseException], list[str]]] = {
    "cancelled": (asyncio.CancelledError, ["w.started"]),
    "Ctrl-C": (KeyboardInterrupt, ["w.started"]),
    "called off": (Fatal, ["w.started"]),
    "exit": (SystemExit, ["w.started", "w.completed"]),
    "exit 0": (lambda: SystemExit(0), ["w.started", "w.completed"]),
    "exit 2": (lambda: SystemExit(2), ["w.started", "w.failed"]),
    "exit with a text": (lambda: SystemExit("no such file"), ["w.started", "w.failed"]),
}


@pytest.mark.parametrize("end", ENDS)
def test_ends_that_are_no_exception(end: str, spans: InMemorySpanExporter) -> None:
    """What calls work off is no outcome; leaving the program is one, by its code. All are raised on."""
    make, expected = ENDS[end]
    error = make()

    def stop() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        footspan.track_duration("w")(stop)()
    with pytest.raises(type(error)):
        footspan.track_error("e")(stop)()
    with pytest.raises(type(error)):
        footspan.track_function("f")(stop)()
    (span,) = spans.get_finished_spans()
    failed = expected[-1] == "w.failed"

    assert caught.value is error
    assert names() == [*expected, *(["e"] if failed else []), *(["f"] if len(expected) == 2 else [])]
    assert (span.status.status_code is trace.StatusCode.ERROR) == failed


@pytest.mark.parametrize("kind", ["function", "coroutine", "block", "async block"])
def test_everything_inside_bears_the_span(kind: str, spans: InMemorySpanExporter) -> None:
    """Start, end and what is tracked in between; outside, nothing of it is left."""
    runs(footspan.track_duration("w"), lambda: footspan.track("inside") and None)[kind]()
    (span,) = spans.get_finished_spans()

    assert names() == ["w.started", "inside", "w.completed"]
    assert traces(spooled()) == {
        (trace.format_trace_id(span.context.trace_id), trace.format_span_id(span.context.span_id))
    }
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_generators_own_spans_last_over_its_stops(spans: InMemorySpanExporter) -> None:
    """Inside it is inside its span and those it opened; its consumer is in neither."""
    tracer = trace.get_tracer("t")
    seen = []

    @footspan.track_duration("w")
    def work() -> Generator[int, None, None]:
        footspan.track("first")
        with tracer.start_as_current_span("inner") as inner:
            yield 1
            seen.append(trace.get_current_span() is inner)
        yield 2
        footspan.track("last")

    with tracer.start_as_current_span("consumer") as consumer:
        seen.extend(trace.get_current_span() is consumer for _ in work())
    span = next(each for each in spans.get_finished_spans() if each.name == "w")

    assert seen == [True, True, True]
    assert names() == ["w.started", "first", "last", "w.completed"]
    assert {pair[1] for pair in traces(spooled())} == {trace.format_span_id(span.context.span_id)}
    assert span.parent is not None
    assert span.parent.span_id == consumer.get_span_context().span_id


def test_an_async_generators_own_spans_last_over_its_stops(spans: InMemorySpanExporter) -> None:
    """The same, and over its pauses."""
    seen = []

    @footspan.track_duration("w")
    async def work() -> AsyncGenerator[int, None]:
        await asyncio.sleep(0)
        footspan.track("first")
        yield 1
        footspan.track("last")

    async def main() -> None:
        with trace.get_tracer("t").start_as_current_span("consumer") as consumer:
            seen.extend([trace.get_current_span() is consumer async for _ in work()])

    asyncio.run(main())
    span = next(each for each in spans.get_finished_spans() if each.name == "w")

    assert seen == [True]
    assert {pair[1] for pair in traces(spooled())} == {trace.format_span_id(span.context.span_id)}


def echo() -> Generator[Any, Any, str]:
    """Give back what is sent; survive a ``LookupError``; say when closed."""
    got: Any = None
    while got != "stop":
        try:
            got = yield got
        except LookupError as error:  # noqa: PERF203 - what is tried
            got = f"caught {error}"
    return "returned"


async def aecho() -> AsyncGenerator[Any, Any]:
    """The same, asynchronously."""
    got: Any = None
    while got != "stop":
        try:
            got = yield got
        except LookupError as error:  # noqa: PERF203 - the same
            await asyncio.sleep(0)
            got = f"caught {error}"


def test_a_generators_caller_sends_throws_and_closes_as_before() -> None:
    """Values, exceptions and the return value go through; a class may be thrown, too."""
    running = footspan.track_duration("w")(echo)()
    answers = [next(running), running.send(1), running.throw(LookupError("x")), running.throw(KeyError)]
    with pytest.raises(StopIteration) as stopped:
        running.send("stop")
    thrown = OSError("not caught")
    other = footspan.track_duration("v")(echo)()
    next(other)
    with pytest.raises(OSError, match="not caught") as caught:
        other.throw(thrown)

    assert answers == [None, 1, "caught x", "caught "]
    assert stopped.value.value == "returned"
    assert caught.value is thrown
    assert names() == ["w.started", "w.completed", "v.started", "v.failed"]


def test_an_async_generators_caller_does_as_well() -> None:
    """Values and exceptions go through, without a context that was not there before."""
    contexts: list[BaseException | None] = []

    async def careful() -> AsyncGenerator[int, None]:
        with contextlib.suppress(LookupError):
            yield 1
        error = ValueError("later")
        try:
            raise error
        except ValueError:
            contexts.append(error.__context__)
        yield 2

    async def main() -> list[Any]:
        running = footspan.track_duration("w")(aecho)()
        answers = [await running.__anext__(), await running.asend(1), await running.athrow(LookupError("x"))]
        with pytest.raises(StopAsyncIteration):
            await running.asend("stop")
        other = footspan.track_duration("v")(careful)()
        await other.__anext__()
        answers.append(await other.athrow(LookupError("y")))
        await other.aclose()
        return answers

    assert asyncio.run(main()) == [None, 1, "caught x", 2]
    assert contexts == [None]
    assert names() == ["w.started", "w.completed", "v.started"]


def test_closed_and_abandoned_generators_run_their_end() -> None:
    """``finally`` runs when it did before, nothing completes or fails, and the loop has nothing to complain of."""
    ended: list[str] = []
    complaints: list[Any] = []

    @footspan.track_duration("w")
    def work() -> Generator[int, None, None]:
        try:
            yield 1
        finally:
            ended.append("closed")

    @footspan.track_duration("a")
    async def awork(name: str) -> AsyncGenerator[int, None]:
        try:
            yield 1
        finally:
            await asyncio.sleep(0.001)
            ended.append(name)

    async def main() -> list[Any]:
        asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
        explicit, kept = awork("aclosed"), awork("left to the loop")
        await explicit.__anext__()
        await explicit.aclose()
        await kept.__anext__()
        async for _ in awork("dropped"):
            break
        await asyncio.sleep(0.05)
        return [kept]

    running = work()
    next(running)
    running.close()
    kept = asyncio.run(main())

    assert kept
    assert sorted(ended) == ["aclosed", "closed", "dropped", "left to the loop"]
    assert complaints == []
    assert not {name for name in names() if name.endswith(("completed", "failed"))}


def test_a_cancelled_coroutine_has_no_outcome_and_a_timeout_inside_has_one() -> None:
    """Cancelling from outside is no failure; running out of time inside is one, for ``wait_for`` says so."""

    @footspan.track_duration("outer")
    async def slow() -> None:
        await asyncio.sleep(30)

    @footspan.track_duration("inner")
    async def bounded() -> None:
        await asyncio.wait_for(asyncio.sleep(30), 0.01)

    async def main() -> None:
        task = asyncio.create_task(slow())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(asyncio.TimeoutError):
            await bounded()

    asyncio.run(main())
    assert names() == ["outer.started", "inner.started", "inner.failed"]


def test_tasks_at_once_keep_their_spans(spans: InMemorySpanExporter) -> None:
    """Coroutines that take turns do not see each other's span."""

    @footspan.track_duration("w")
    async def work(number: int) -> None:
        await asyncio.sleep(0.001 * number)
        footspan.track("inside", number=number)

    async def main() -> None:
        await asyncio.gather(*map(work, range(5)))

    asyncio.run(main())
    assert len(spans.get_finished_spans()) == 5
    assert {len([e for e in spooled() if e.record["spanId"] == pair[1]]) for pair in traces(spooled())} == {3}


def test_a_coroutine_that_is_closed_elsewhere_makes_no_noise(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody awaited it to its end: its span ends, and nothing is logged about contexts."""

    @footspan.track_duration("w")
    async def work() -> None:
        await asyncio.sleep(30)

    async def start() -> Any:
        coroutine: Any = work()
        coroutine.send(None)
        return coroutine

    async def main() -> None:
        coroutine = await asyncio.create_task(start())
        coroutine.close()

    asyncio.run(main())
    assert names() == ["w.started"]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_an_async_generator_that_is_dropped_in_a_pause_makes_no_noise(caplog: pytest.LogCaptureFixture) -> None:
    """A step that is closed in another context than it began in has nothing to take back there."""

    @footspan.track_duration("w")
    async def work() -> AsyncGenerator[int, None]:
        await asyncio.sleep(30)
        yield 1

    async def begin() -> Any:
        step: Any = work().__anext__()
        step.send(None)
        return step

    async def main() -> None:
        step = await asyncio.create_task(begin())
        step.close()

    asyncio.run(main())
    assert names() == ["w.started"]
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_wrong_call_leaves_nothing_open(spans: InMemorySpanExporter) -> None:
    """What never began is not told of, and the host gets Python's own error."""

    @footspan.track_duration("w")
    async def work(order: int) -> None:
        """Nothing."""

    with pytest.raises(TypeError, match="order"):
        asyncio.run(work())  # type: ignore[call-arg]
    assert names() == []


def test_a_failing_tracer_costs_the_host_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever breaks around the work, the work is done and its result given."""
    footspan._guard.reraise_in_tests(False)
    monkeypatch.setattr(trace, "get_tracer", lambda *_: 1 / 0)

    assert footspan.track_duration("w")(lambda: 7)() == 7
    with footspan.track_duration("w"):
        done = sys.version_info
    assert done
