"""Tests for footspan.processors.span_context: who a span is about."""

from __future__ import annotations

import asyncio
import gc
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind

from footspan import ContextSpanProcessor, WsgiMiddleware, carry, clear_context, context, set_context
from footspan import conventions as c

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

IDS = {c.USER_ID: "u1", c.SESSION_ID: "s1", c.REQUEST_ID: "r1"}


class Traced:
    """A provider with our processor, and the spans it has exported."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.processor = ContextSpanProcessor()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(self.processor)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.tracer: Tracer = self.provider.get_tracer("t")

    def ids(self) -> dict[str, dict[str, Any]]:
        """Span name to attributes."""
        return {span.name: dict(span.attributes or {}) for span in self.exporter.get_finished_spans()}

    def server(self, name: str = "GET /") -> Any:
        """A request's span, current in a ``with`` block."""
        return self.tracer.start_as_current_span(name, kind=SpanKind.SERVER)


@pytest.fixture
def traced() -> Traced:
    """A fresh provider."""
    return Traced()


def test_every_span_bears_the_ids_and_nothing_else(traced: Traced) -> None:
    """User, session and request: what else the context holds stays with the events."""
    with (
        context(user_id="u1", session_id="s1", request_id="r1", email="jane@shop.example", ip="192.0.2.1", plan="pro"),
        traced.tracer.start_as_current_span("outer"),
    ):
        traced.tracer.start_span("inner").end()

    assert traced.ids() == {"outer": IDS, "inner": IDS}


def test_the_base_counts_as_well(traced: Traced) -> None:
    """A worker about one user says so once."""
    set_context(user_id="u1")
    traced.tracer.start_span("work").end()

    assert traced.ids() == {"work": {c.USER_ID: "u1"}}


def test_what_a_span_says_itself_stays(traced: Traced) -> None:
    """The context fills gaps only, at the start and later."""
    with context(user_id="u1", session_id="s1"):
        traced.tracer.start_span("work", attributes={c.USER_ID: "mine"}).end()
    with (
        context(),
        traced.tracer.start_as_current_span("GET /", kind=SpanKind.SERVER, attributes={c.USER_ID: "mine"}),
    ):
        set_context(user_id="u1", session_id="s1")

    theirs = {c.USER_ID: "mine", c.SESSION_ID: "s1"}
    assert traced.ids() == {"work": theirs, "GET /": theirs}


def test_ids_that_are_no_texts_are_numbers_or_become_texts(traced: Traced) -> None:
    """Spans take few types; a user's id may be anything."""

    class Key:
        def __str__(self) -> str:
            return "key-1"

    with context(user_id=7, session_id=Key()):
        traced.tracer.start_span("work").end()

    assert traced.ids() == {"work": {c.USER_ID: 7, c.SESSION_ID: "key-1"}}


@pytest.mark.parametrize("kind", [SpanKind.SERVER, SpanKind.CONSUMER])
def test_a_requests_own_span_gets_what_is_said_later(traced: Traced, kind: SpanKind) -> None:
    """It starts before anybody knows who asks; spans in between are left as they are."""
    with (
        context(),
        traced.tracer.start_as_current_span("request", kind=kind),
        traced.tracer.start_as_current_span("authenticate"),
    ):
        set_context(user_id="u1", session_id="s1")
        traced.tracer.start_span("query").end()
        set_context(request_id="r1")

    assert traced.ids() == {"request": IDS, "authenticate": {}, "query": {c.USER_ID: "u1", c.SESSION_ID: "s1"}}


def test_a_span_of_work_in_general_gets_nothing_later(traced: Traced) -> None:
    """A batch is about many: what is set while it runs is about one of them."""
    with context(), traced.tracer.start_as_current_span("batch"):
        set_context(user_id="u1")

    assert traced.ids() == {"batch": {}}


def test_the_first_one_named_stays(traced: Traced) -> None:
    """A second user in one request does not rename its span, and clearing takes nothing back."""
    with context(), traced.server():
        set_context(user_id="u1")
        set_context(user_id="u2")
        clear_context()

    assert traced.ids() == {"GET /": {c.USER_ID: "u1"}}


def test_an_inner_scope_is_about_somebody_else(traced: Traced) -> None:
    """Neither ``with context`` nor what is set inside it names the request's user; a carried function is one too."""
    with context(), traced.server():
        with context(user_id="other"):
            set_context(session_id="other's")
            traced.tracer.start_span("inside").end()
        carry(set_context)(user_id="carried")
        set_context(user_id="u1")

    assert traced.ids() == {"GET /": {c.USER_ID: "u1"}, "inside": {c.USER_ID: "other", c.SESSION_ID: "other's"}}


def test_the_middleware_names_the_span_it_runs_in(traced: Traced) -> None:
    """The server's span was started before the middleware's scope, and is the request's all the same."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        set_context(session_id="s1")
        return []

    with traced.server():
        WsgiMiddleware(app, fields=lambda _: {"user_id": "u1"})({}, lambda *_: None)

    assert traced.ids() == {"GET /": {c.USER_ID: "u1", c.SESSION_ID: "s1"}}


def test_a_task_names_the_request_it_works_for(traced: Traced) -> None:
    """A framework may run the handler in a task of its own."""

    async def handler() -> None:
        set_context(user_id="u1")

    async def serve() -> None:
        with traced.server():
            await asyncio.create_task(handler())

    asyncio.run(serve())

    assert traced.ids() == {"GET /": {c.USER_ID: "u1"}}


def test_requests_of_one_trace_are_told_apart(traced: Traced) -> None:
    """A page's script sends many with one trace id; each has a user of its own."""
    parent = trace.set_span_in_context(
        trace.NonRecordingSpan(trace.SpanContext(1, 2, is_remote=True, trace_flags=trace.TraceFlags(1)))
    )

    async def serve(name: str, user: str, here: asyncio.Event, there: asyncio.Event) -> None:
        with traced.tracer.start_as_current_span(name, parent, kind=SpanKind.SERVER):
            here.set()
            await there.wait()
            set_context(user_id=user)

    async def both() -> None:
        first, second = asyncio.Event(), asyncio.Event()
        await asyncio.gather(serve("first", "u1", first, second), serve("second", "u2", second, first))

    asyncio.run(both())

    assert traced.ids() == {"first": {c.USER_ID: "u1"}, "second": {c.USER_ID: "u2"}}


def test_the_base_names_no_span_that_has_begun(traced: Traced) -> None:
    """What is set outside any scope is about the process, not about the request that happens to run."""
    with traced.server():
        set_context(user_id="machine")
        traced.tracer.start_span("later").end()

    assert traced.ids() == {"GET /": {}, "later": {c.USER_ID: "machine"}}


def test_spans_that_are_not_recorded_cost_nothing() -> None:
    """There is nothing to write on."""
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    provider.add_span_processor(ContextSpanProcessor())
    with context(user_id="u1"), provider.get_tracer("t").start_as_current_span("x", kind=SpanKind.SERVER) as span:
        set_context(user_id="u1")
        assert not span.is_recording()


def test_spans_are_not_kept(traced: Traced) -> None:
    """Not even those that nobody ends."""
    for number in range(20):
        with context(), traced.server(f"r{number}"):
            set_context(session_id="s1")
            traced.tracer.start_span("never ended")
    traced.exporter.clear()
    gc.collect()

    assert len(traced.processor._roots) == 0
    assert len(traced.processor._units) == 0


def test_a_processor_that_is_gone_is_told_nothing(traced: Traced) -> None:
    """The context holds on to nobody."""
    with context(), traced.server():
        set_context(user_id="u1")
    del traced.provider, traced.tracer, traced.processor
    gc.collect()
    from footspan.processors import context as module  # noqa: PLC0415 - only this test looks inside

    assert not any(isinstance(each, ContextSpanProcessor) for each in module._listeners)
