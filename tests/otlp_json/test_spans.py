"""Our encoder says of ended spans what OpenTelemetry's own OTLP-JSON encoder says."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.json.common.trace_encoder import encode_spans as official
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from footspan import _guard
from footspan.otlp_json import encode_spans
from otlp_json import normal
from otlp_json.strategies import ATTRIBUTES, TEXT, UINT64

if TYPE_CHECKING:
    import pytest

STATES = st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.just("v1"), max_size=2)
CONTEXTS = st.builds(
    lambda trace_id, span_id, remote, state: SpanContext(
        trace_id, span_id, remote, TraceFlags(1), TraceState(list(state.items()))
    ),
    st.integers(1, 2**128 - 1),
    UINT64,
    st.booleans(),
    STATES,
)
RESOURCES = [Resource({"service.name": "shop"}), Resource({"service.name": "blog", "n": 1}, "https://r.example")]
SCOPES = [
    InstrumentationScope("flask", "1"),
    InstrumentationScope("flask", "1", "https://s.example", {"k": "v"}),
    InstrumentationScope("bare"),
]
STATUSES = st.one_of(
    st.just(Status(StatusCode.UNSET)),
    st.just(Status(StatusCode.OK)),
    TEXT.map(lambda why: Status(StatusCode.ERROR, why)),
)


@st.composite
def spans(draw: st.DrawFn) -> ReadableSpan:
    """An ended span with everything a span can have."""
    return ReadableSpan(
        name=draw(TEXT),
        context=draw(CONTEXTS),
        parent=draw(st.one_of(st.none(), CONTEXTS)),
        resource=draw(st.sampled_from(RESOURCES)),
        attributes=draw(ATTRIBUTES),
        events=[
            Event(name, attributes, time_ns)
            for name, attributes, time_ns in draw(st.lists(st.tuples(TEXT, ATTRIBUTES, UINT64), max_size=2))
        ],
        links=[
            Link(context, attributes)
            for context, attributes in draw(st.lists(st.tuples(CONTEXTS, ATTRIBUTES), max_size=2))
        ],
        kind=draw(st.sampled_from(list(SpanKind))),
        instrumentation_scope=draw(st.sampled_from(SCOPES)),
        status=draw(STATUSES),
        start_time=draw(UINT64),
        end_time=draw(UINT64),
    )


@given(st.lists(spans(), max_size=3))
def test_spans_equal_the_official_encoding(batch: list[ReadableSpan]) -> None:
    """All fields, links, events, remote bits, resources and scopes."""
    expected = normal.spans(json.dumps({"resourceSpans": [], **official(batch).to_dict()}))
    ours = normal.spans(encode_spans(batch))
    for _, _, span in ours:
        for link in span["links"]:
            link.pop("traceState", None)  # the protocol has the field, the official encoder leaves it out
    assert expected == ours


def test_the_trace_state_of_links_is_kept() -> None:
    """As the protocol wants it, in the form of the header."""
    linked = SpanContext(3, 4, False, TraceFlags(1), TraceState([("a", "1"), ("b", "2")]))
    ((_, _, span),) = normal.spans(encode_spans([ReadableSpan("x", SpanContext(1, 2, False), links=[Link(linked)])]))
    assert "a=1,b=2" == span["links"][0]["traceState"]


def test_dropped_counts_are_kept() -> None:
    """What the SDK's limits cut off stays countable."""

    class Cut(ReadableSpan):
        dropped_attributes = 1
        dropped_events = 2
        dropped_links = 3

    batch = [Cut("x", SpanContext(1, 2, False), resource=RESOURCES[0])]
    ((_, _, span),) = normal.spans(encode_spans(batch))
    assert (1, 2, 3) == (span["droppedAttributesCount"], span["droppedEventsCount"], span["droppedLinksCount"])
    assert normal.spans(official(batch).to_json()) == normal.spans(encode_spans(batch))


def test_resources_and_scopes_are_written_once() -> None:
    """A request names each resource once, and each scope once in it."""
    context = SpanContext(1, 2, False)
    batch = [
        ReadableSpan("x", context, resource=resource, instrumentation_scope=scope)
        for resource in (*RESOURCES, Resource({"service.name": "shop"}))
        for scope in SCOPES
    ]
    groups = json.loads(encode_spans(batch))["resourceSpans"]
    assert [3, 3] == [len(group["scopeSpans"]) for group in groups]
    assert [2, 1] == [len(group["scopeSpans"][0]["spans"]) for group in groups]


def test_a_span_that_cannot_be_encoded_costs_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    """It is reported without its content; the others stay."""

    class Broken(ReadableSpan):
        @property
        def kind(self) -> SpanKind:
            raise ValueError("private")

    _guard.reset()
    context = SpanContext(1, 2, False)
    with caplog.at_level(logging.WARNING, "footspan"):
        request = encode_spans([Broken("bad", context), ReadableSpan("good", context)])
    assert ["good"] == [span["name"] for _, _, span in normal.spans(request)]
    assert "encoding a span failed with ValueError" in caplog.text
    assert "private" not in caplog.text
