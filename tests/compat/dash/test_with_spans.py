"""Beside Flask's own spans, which become page views by themselves: each page is told of once, with its user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.trace import TracerProvider

import footspan
from compat.dash.apps import pages_app
from compat.dash.recorded import asked, running
from footspan.config import PageViewSettings
from footspan.instrumentation.dash import DashInstrumentor
from footspan.instrumentation.dash.instrumentor import reset
from footspan.instrumentation.defaults import apply_defaults
from footspan.processors.page_views import PageViewSpanProcessor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers.otlp import OtlpSink

USER = {"id": "u1", "email": "a@b.c", "full_name": "A B", "team": "x", "title": "Dr"}


@pytest.fixture(params=[False, True], ids=["by itself", "with the instrumentor"])
def app(request: pytest.FixtureRequest) -> Iterator[Any]:
    """An app with server spans, of which loaded pages are read."""
    apply_defaults(page_views=True)
    provider = TracerProvider()
    provider.add_span_processor(PageViewSpanProcessor(PageViewSettings()))
    trace.set_tracer_provider(provider)
    found = pages_app()
    instrument: Any = FlaskInstrumentor.instrument_app
    instrument(found.server, tracer_provider=provider)
    if request.param:
        DashInstrumentor.instrument_app(found)
    yield found
    reset()


def test_the_spans_page_view_bears_the_user(app: Any, otlp_sink: OtlpSink) -> None:
    """The server span makes the process's event, and the tracker knows who it was; the next visitor is another one."""
    footspan.init(destinations={"otlp": {"endpoint": otlp_sink.url}})
    users: list[dict[str, Any]] = [USER, {}]
    with running("page_load_root", app, user_provider=lambda: users.pop(0)) as own:
        own.ask()
        own.ask()
        assert own.paths() == ["/", "/"]
        assert [event["data"].get("team") for event in own.server.events] == ["x", None]
    assert footspan.flush(20) == {"otlp": 0}
    first, second = [each["attributes"] for each in otlp_sink.events if each["name"] == "footspan.page_view"]
    assert (first["user.id"], first["user.email"], first["user.full_name"], first["team"]) == (
        *list(USER.values())[:4],
    )
    assert "footspan.page.title" not in first or first["footspan.page.title"] != "Dr"
    assert not {"user.id", "team", "footspan.wire"} & set(second)


def test_the_same_place_gets_it_once(app: Any) -> None:
    """As the tracker would have written it, byte for byte, though it is the span's event that goes there."""
    with running("page_load_query", app, user_provider=lambda: USER) as own:
        own.ask()
        (alone,) = own.sent()
        footspan.init(destinations={"dash_tracker": {"url": own.server.endpoint, "api_key": "api-key"}})
        own.server.forget()
        own.ask()
        own.ask([{**asked("page_load_query")[0], "method": "HEAD"}])
        assert footspan.flush(20) == {"dash_tracker": 0}
        assert own.sent() == [alone, alone.replace('"GET"', '"HEAD"')]
