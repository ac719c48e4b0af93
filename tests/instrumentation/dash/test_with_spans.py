"""Beside Flask's own instrumentation: a loaded page is one page view, by whose hand ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.trace import TracerProvider

import footspan
from footspan.config import PageViewSettings
from footspan.instrumentation.dash import DashInstrumentor
from footspan.instrumentation.defaults import apply_defaults
from footspan.processors.page_views import PageViewSpanProcessor
from footspan.processors.spans import RecordServerSpans
from instrumentation.dash import board
from instrumentation.dash.browsing import HOST, Tab
from spooled import spooled

if TYPE_CHECKING:
    from dash import Dash
    from opentelemetry.sdk.trace.sampling import Sampler


def instrumented(app: Dash, *, reads_spans: bool, sampler: Sampler | None = None) -> Tab:
    """An app with both instrumentations, and what reads page views from spans, or not."""
    apply_defaults(page_views=True)
    provider = TracerProvider(sampler=sampler) if sampler else TracerProvider()
    if reads_spans:
        provider.add_span_processor(PageViewSpanProcessor(PageViewSettings()))
    trace.set_tracer_provider(provider)
    footspan.init(service_name="board")
    instrument: Any = FlaskInstrumentor.instrument_app
    instrument(app.server, tracer_provider=provider)
    DashInstrumentor.instrument_app(app)
    return Tab(app)


def views() -> list[dict[str, Any]]:
    """Every page view."""
    return [each.attributes for each in spooled() if each.name == "footspan.page_view"]


@pytest.mark.parametrize("reads_spans", [True, False])
def test_a_loaded_page_is_one_page_view(reads_spans: bool) -> None:
    """With the title, whether its span becomes it or not; moves likewise."""
    tab = instrumented(board.pages(), reads_spans=reads_spans)
    tab.load("/dashboard?year=7", referrer="https://search.example/")
    tab.go("/no/such/page")
    tab.load("/nowhere/either")
    assert [each["url.full"] for each in views()] == [
        f"{HOST}/dashboard?year=7",
        f"{HOST}/no/such/page",
        f"{HOST}/nowhere/either",
    ]
    assert views()[0]["footspan.page.title"] == "Numbers"
    assert views()[0]["http.request.header.referer"] == ["https://search.example/"]
    assert [each.get("not_found") for each in views()] == [None, True, True]


@pytest.mark.parametrize("reads_spans", [True, False])
def test_the_browsers_address(reads_spans: bool) -> None:
    """Of an app behind a proxy that takes a part of the path away."""
    app = board.pages(requests_pathname_prefix="/proxy/", routes_pathname_prefix="/")
    instrumented(app, reads_spans=reads_spans).load("/dashboard", comes_up=False)
    (view,) = views()
    assert (view["url.full"], view["url.path"]) == (f"{HOST}/proxy/dashboard", "/proxy/dashboard")


def test_a_span_that_nobody_records() -> None:
    """Where a sampler drops the span, the page view is ours; where ours records it, the span's."""
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF  # noqa: PLC0415 - only here

    instrumented(board.pages(), reads_spans=True, sampler=ALWAYS_OFF).load("/")
    assert len(views()) == 1


def test_a_span_that_is_recorded_though_not_sampled() -> None:
    """As under our own distro."""
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF  # noqa: PLC0415 - only here

    instrumented(board.pages(), reads_spans=True, sampler=RecordServerSpans(ALWAYS_OFF)).load("/dashboard")
    assert [each["footspan.page.title"] for each in views()] == ["Numbers"]


def test_other_routes_of_the_server_are_their_own() -> None:
    """A page that is none of Dash's is the span's page view and not ours."""
    tab = instrumented(board.pages(), reads_spans=True)
    tab.client.get("/api/ping", headers={"User-Agent": tab.agent})
    assert [each["url.path"] for each in views()] == ["/api/ping"]
