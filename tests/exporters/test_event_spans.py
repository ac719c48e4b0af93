"""Spans to a destination of events: pages, and what was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import SpanKind

from exporters.making import PAGE, page, span
from footspan.exporters import UmamiSpanExporter

if TYPE_CHECKING:
    import pytest

    from servers.umami import UmamiServer

QUERY = {"db.system.name": "postgresql", "db.query.text": "SELECT jane", "rows": 3}


def umami(server: UmamiServer, **options: Any) -> UmamiSpanExporter:
    """An exporter to a test server."""
    return UmamiSpanExporter(url=server.url, website=server.website, **options)


def test_pages_and_named_spans_arrive(umami_server: UmamiServer) -> None:
    """A page as a page view, a named span as an event with duration and status; other spans stay."""
    exporter = umami(umami_server, spans="db.*")
    assert exporter.export([page(), span("SELECT users", QUERY), span("work")]) is SpanExportResult.SUCCESS
    [view] = umami_server.page_views()
    assert (view["url_path"], view["hostname"]) == ("/tea", "shop.example")
    [query] = umami_server.events()
    assert query["event_name"] == "SELECT users"
    data = umami_server.data_of(query["event_id"])
    assert data["duration_ms"] >= 0
    assert (data["status"], data["rows"], data["category"]) == ("ok", 3.0, "db")
    assert "db.query.text" not in data
    assert exporter.status() == {"delivered": 2, "failed": 0, "passed_over": 1, "refused": {}}


def test_addresses_are_cleaned_first(umami_server: UmamiServer) -> None:
    """A page's query may hold anything."""
    umami(umami_server).export([page()])
    assert "canary" not in umami_server.requests[0].body.decode()


def test_events_patterns_hold_for_page_views(umami_server: UmamiServer) -> None:
    """They are events like others."""
    assert umami(umami_server, events=["order.*"]).export([page()]) is SpanExportResult.SUCCESS
    assert umami_server.requests == []


def test_page_views_can_be_left_out(umami_server: UmamiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """By keyword, by the settings, or by their routes."""
    umami(umami_server, page_views=False).export([page()])
    monkeypatch.setenv("FOOTSPAN_PAGE_VIEWS_IGNORE_ROUTES", "/tea")
    umami(umami_server).export([page()])
    monkeypatch.setenv("FOOTSPAN_PAGE_VIEWS_ENABLED", "false")
    umami(umami_server).export([page()])
    assert umami_server.requests == []


def test_spans_that_do_not_say_what_was_answered_are_explained(
    umami_server: UmamiServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever instruments must capture headers; one line says which, once, and only where it matters."""
    exporter = umami(umami_server)
    silent = {name: value for name, value in PAGE.items() if ".header." not in name}
    exporter.export([span("GET /x", {**silent, "http.response.status_code": 404}, kind=SpanKind.SERVER), span("work")])
    assert caplog.records == []
    for _ in range(2):
        exporter.export([span("GET /tea", silent, kind=SpanKind.SERVER)])
    [said] = [each.getMessage() for each in caplog.records]
    assert "OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE=content-type" in said
    assert umami_server.requests == []


def test_a_batch_processor_exports_them(umami_server: UmamiServer) -> None:
    """In any application of OpenTelemetry's, with no other part of footspan."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(umami(umami_server)))
    with provider.get_tracer("tests").start_as_current_span("GET /tea", kind=SpanKind.SERVER, attributes=PAGE):
        pass
    provider.shutdown()
    assert len(umami_server.page_views()) == 1
