"""Tests for footspan.tracking.decorators."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import footspan
from spooled import spooled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


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


def test_duration_of_a_success(spans: InMemorySpanExporter) -> None:
    """A start and an end with its time, in one span, and the result untouched."""

    @footspan.track_duration("api.generate", model="m")
    def generate(n: int) -> int:
        """Doc."""
        return n * 2

    assert generate(21) == 42
    assert generate.__name__ == "generate"
    started, completed = spooled()
    (span,) = spans.get_finished_spans()

    assert (started.name, completed.name, span.name) == (
        "api.generate.started",
        "api.generate.completed",
        "api.generate",
    )
    assert isinstance(completed.attributes["footspan.duration_ms"], int)
    assert completed.attributes["success"] is True
    assert completed.attributes["model"] == "m"
    assert {started.record["traceId"], completed.record["traceId"]} == {trace.format_trace_id(span.context.trace_id)}


def test_duration_of_a_failure(spans: InMemorySpanExporter) -> None:
    """A failure is told with its stack trace, keeps its category, and the very exception goes on."""
    error = ValueError("declined")

    @footspan.track_duration("payment")
    def pay() -> None:
        raise error

    with pytest.raises(ValueError, match="declined") as caught:
        pay()
    assert caught.value is error
    failed = spooled()[1]
    (span,) = spans.get_finished_spans()

    assert failed.name == "payment.failed"
    assert failed.record["severityNumber"] == 17
    assert "footspan.event.category" not in failed.attributes  # that of its name, as its start has
    assert failed.attributes["error.type"] == "ValueError"
    assert failed.attributes["exception.message"] == "declined"
    assert "in pay" in failed.attributes["exception.stacktrace"]
    assert failed.attributes["success"] is False
    assert span.status.status_code is trace.StatusCode.ERROR


def test_duration_of_a_coroutine() -> None:
    """The end of a coroutine is when it ends, not when it is called; failures are seen."""

    @footspan.track_duration("job")
    async def job(*, fail: bool) -> str:
        await asyncio.sleep(0.02)
        if fail:
            raise KeyError("x")
        return "done"

    assert asyncio.run(job(fail=False)) == "done"
    with pytest.raises(KeyError):
        asyncio.run(job(fail=True))

    assert names() == ["job.started", "job.completed", "job.started", "job.failed"]
    assert spooled()[1].attributes["footspan.duration_ms"] >= 15


def test_a_cancelled_coroutine_is_neither_completed_nor_failed() -> None:
    """Cancelling is no outcome of the work."""

    @footspan.track_duration("job")
    async def job() -> None:
        await asyncio.sleep(30)

    async def cancel() -> None:
        task = asyncio.ensure_future(job())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())

    assert names() == ["job.started"]


def test_a_generators_consumer_is_not_inside_its_span(spans: InMemorySpanExporter) -> None:
    """While a generator is suspended nothing of it is current, and its events bear its span all the same."""

    @footspan.track_duration("gen")
    def numbers() -> Iterator[int]:
        yield 1
        yield 2

    for _ in numbers():
        assert trace.get_current_span() is trace.INVALID_SPAN
    (span,) = spans.get_finished_spans()

    assert {event.record["spanId"] for event in spooled()} == {trace.format_span_id(span.context.span_id)}


def test_one_object_can_watch_many_blocks_at_once() -> None:
    """Blocks of one object nest, and threads that share it keep theirs apart."""
    watch = footspan.track_duration("shared")

    def work() -> None:
        with watch, watch:
            barrier.wait(5)

    barrier = threading.Barrier(3)
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5)

    assert sorted(names()) == ["shared.completed"] * 6 + ["shared.started"] * 6


def test_generators_are_watched_to_their_end() -> None:
    """A generator, of either kind, completes when it is exhausted and yields what it yielded."""

    @footspan.track_duration("gen")
    def numbers() -> Iterator[int]:
        yield 1
        yield 2

    @footspan.track_duration("agen")
    async def more() -> AsyncIterator[int]:
        yield 3

    async def collect() -> list[int]:
        return [n async for n in more()]

    assert list(numbers()) == [1, 2]
    assert asyncio.run(collect()) == [3]
    assert names() == ["gen.started", "gen.completed", "agen.started", "agen.completed"]


def test_methods_and_blocks() -> None:
    """Methods of every kind can be watched, and so can a block."""

    class Shop:
        @footspan.track_duration("m")
        def method(self) -> str:
            return "m"

        @staticmethod
        @footspan.track_duration("s")
        def static() -> str:
            return "s"

        @footspan.track_duration("c")
        @classmethod
        def klass(cls) -> str:
            return cls.__name__

    assert (Shop().method(), Shop.static(), Shop.klass()) == ("m", "s", "Shop")
    with footspan.track_duration("block"):
        pass
    assert names()[-2:] == ["block.started", "block.completed"]
    assert len(names()) == 8


def test_track_function() -> None:
    """One event a call, with properties, time and success; an error has category error."""

    @footspan.track_function("generate_image", model="flux")
    def generate(*, ok: bool) -> None:
        if not ok:
            raise OSError("no")

    generate(ok=True)
    with pytest.raises(OSError, match="no"):
        generate(ok=False)
    good, bad = spooled()

    assert (good.attributes["model"], good.attributes["success"]) == ("flux", True)
    assert (bad.attributes["success"], bad.attributes["error.type"]) == (False, "OSError")
    assert bad.attributes["footspan.event.category"] == "error"


def test_track_function_bare() -> None:
    """Without parentheses the function names its event."""

    @footspan.track_function
    def resize() -> int:
        return 3

    assert resize() == 3
    assert names() == ["function.resize"]


def test_track_error() -> None:
    """Nothing on success; on an error one event with the stack trace."""

    @footspan.track_error("critical", area="db")
    def might_fail(*, ok: bool) -> str:
        if ok:
            return "ok"
        raise RuntimeError("boom")

    assert might_fail(ok=True) == "ok"
    assert names() == []
    with pytest.raises(RuntimeError):
        might_fail(ok=False)
    (event,) = spooled()

    assert event.name == "critical"
    assert event.attributes["area"] == "db"
    assert "might_fail" in event.attributes["exception.stacktrace"]
