"""Stored spans: what a carrier needs to know of one, and many as one request."""

from __future__ import annotations

import json

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext

from footspan.delivery.routing import accepts
from footspan.otlp_json import encode_spans
from footspan.otlp_json.span_lines import merge_spans, span_line, span_line_of
from footspan.otlp_json.spans import encode_span, encode_span_suffix
from footspan.spool.base import Target
from footspan.spool.reading import read_line


def stored(name: str, service: str = "shop", end: int = 1_700_000_000_000_000_001) -> bytes:
    """One stored span."""
    span = ReadableSpan(
        name,
        SpanContext(trace_id=1, span_id=2, is_remote=False),
        resource=Resource({"service.name": service}),
        attributes={"text": '],"scope":{"endTimeUnixNano":"5"'},
        instrumentation_scope=InstrumentationScope("app", "1"),
        start_time=end - 1,
        end_time=end,
    )
    return encode_spans([span])


def test_a_stored_span_is_read_by_position() -> None:
    """Its time is its end; what stands in its data is not taken for a mark."""
    line = stored("a")
    [found] = read_line(line).events

    assert found.time_ns == 1_700_000_000_000_000_001
    assert (found.name, found.uid, found.redacted, found.line) == ("", "", 0, line)
    assert json.loads(found.record)["name"] == "a"


def test_a_line_in_parts_is_the_line_as_a_whole() -> None:
    """With the cached end and without, the same bytes."""
    scopes = [InstrumentationScope("app", "1", "https://schema.example", {"a": 1}), None]
    resource = Resource({"service.name": "shop"}, "https://schema.example/resource")
    for scope in scopes:
        span = ReadableSpan("a", SpanContext(1, 2, is_remote=False), resource=resource, instrumentation_scope=scope)
        assert span_line_of(encode_span(span), encode_span_suffix(resource, scope)) == encode_spans([span]) + b"\n"


def test_spans_of_one_origin_share_it() -> None:
    """The request holds what the lines hold, each resource and scope once."""
    lines = [stored("a"), stored("b"), stored("c", "other"), stored("d")]
    merged = json.loads(merge_spans([event for line in lines for event in read_line(line).events]))
    groups = [group["scopeSpans"][0] for group in merged["resourceSpans"]]

    assert [[span["name"] for span in group["spans"]] for group in groups] == [["a", "b", "d"], ["c"]]
    assert groups[0]["scope"] == {"name": "app", "version": "1"}
    assert merged["resourceSpans"][0]["resource"] == json.loads(lines[0])["resourceSpans"][0]["resource"]


@pytest.mark.parametrize("size", [20, 60, 200, -1])
def test_a_torn_span_is_garbage(size: int) -> None:
    """Cut anywhere, and glued to the next."""
    line = stored("a")[:size]

    assert read_line(line).events == []
    assert read_line(line).garbage == line
    assert span_line(line + stored("b")) is None


def test_no_destination_of_events_takes_a_span() -> None:
    """One that strayed into the events is skipped, whatever the patterns."""
    [span] = read_line(stored("a")).events
    assert not accepts(Target("x", "otlp", "otlp"), span)
    assert not accepts(Target("x", "otlp", "otlp", ("*",)), span)
