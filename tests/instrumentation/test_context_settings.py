"""The context's settings under auto-instrumentation: ids on spans, and who a page view is about."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, Response
from opentelemetry import trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import footspan
from footspan import conventions as c
from footspan.config import load_settings
from footspan.instrumentation.defaults import apply_defaults
from footspan.instrumentation.parts import Parts
from footspan.pipeline import configure
from spooled import spooled

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


def cleared(response: Response) -> Response:
    """The document's function after a request."""
    footspan.clear_context()
    return response


def visited(monkeypatch: pytest.MonkeyPatch, *, spans: bool, clear: bool = False) -> dict[str, Any]:
    """The attributes of the server's span of one page's request, in an instrumented app that says who asks."""
    monkeypatch.setenv("FOOTSPAN_CONTEXT_SPANS", str(spans).lower())
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_CONSOLE_ENABLED", "true")
    monkeypatch.setenv("FOOTSPAN_COURIER", "external")
    monkeypatch.setenv("OTEL_SEMCONV_STABILITY_OPT_IN", "http")
    monkeypatch.setenv("OTEL_INSTRUMENTATION_HTTP_CAPTURE_HEADERS_SERVER_RESPONSE", "content-type")
    apply_defaults(page_views=True)
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    pipeline = configure(load_settings())
    assert pipeline is not None
    Parts(pipeline).attach(())
    app = Flask(__name__)
    instrumentor: Any = FlaskInstrumentor()
    instrumentor.instrument_app(app, tracer_provider=provider)
    app.before_request(lambda: footspan.set_context(user_id="u1", session_id="s1", plan="pro"))
    if clear:
        app.after_request(cleared)
    app.add_url_rule("/", view_func=lambda: "<p>hello</p>")
    try:
        assert app.test_client().get("/", headers=BROWSER).status_code == 200
    finally:
        instrumentor.uninstrument_app(app)
    [span] = exporter.get_finished_spans()
    return dict(span.attributes or {})


def test_a_requests_span_says_who_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though it began before the app said so; what is no id stays off."""
    attributes = visited(monkeypatch, spans=True)

    assert (attributes[c.USER_ID], attributes[c.SESSION_ID]) == ("u1", "s1")
    assert "plan" not in attributes


def test_by_default_it_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spans go to more places than events."""
    attributes = visited(monkeypatch, spans=False)

    assert {c.USER_ID, c.SESSION_ID, "plan"}.isdisjoint(attributes)


@pytest.mark.parametrize("clear", [False, True])
def test_a_page_view_says_who_asked(monkeypatch: pytest.MonkeyPatch, clear: bool) -> None:
    """It is emitted as the request's span ends, before its context does; unless the app has cleared that."""
    visited(monkeypatch, spans=False, clear=clear)
    [event] = spooled()

    assert event.name == c.EVENT_PAGE_VIEW
    assert event.attributes.get(c.USER_ID) == (None if clear else "u1")
