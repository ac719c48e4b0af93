"""A tracker's events in the process's own destinations: once, with the page's own address and the user."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

import footspan
from compat.dash.apps import pages_app
from compat.dash.recorded import asked, running
from footspan.instrumentation.dash import DashInstrumentor
from footspan.instrumentation.dash.instrumentor import reset

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers.otlp import OtlpSink

STEPS = ("browser_pages__full_load_root", "browser_pages__nav_dashboard", "browser_pages__click_button")


@pytest.fixture(params=[False, True], ids=["by itself", "with the instrumentor"])
def app(request: pytest.FixtureRequest) -> Iterator[Any]:
    """An app, which the instrumentor may have been told to watch."""
    found = pages_app()
    if request.param:
        DashInstrumentor.instrument_app(found)
    yield found
    reset()


@pytest.mark.parametrize("interactions", [False, True])
def test_each_event_is_there_once(app: Any, interactions: bool, otlp_sink: OtlpSink) -> None:
    """Whoever watches the app besides; a click is recorded by the instrumentor where the tracker leaves it."""
    footspan.init(destinations={"otlp": {"endpoint": otlp_sink.url}})
    options: dict[str, Any] = {"user_provider": lambda: {"id": "u1"}}
    with running(STEPS[0], app, enable_page_interaction_tracking=interactions, **options) as own:
        for step in STEPS:
            own.ask(asked(step))
        assert own.paths() == ["/", "/dashboard"]
        assert footspan.flush(20) == {"otlp": 0}
    events = [each for each in otlp_sink.events if each["name"].startswith("footspan.")]
    views = [each["attributes"] for each in events if each["name"] == "footspan.page_view"]
    assert [view["url.path"] for view in views] == ["/", "/dashboard"]
    assert {view["user.id"] for view in views} == {"u1"}
    assert views[1]["url.full"].endswith(":8050/dashboard")
    assert views[1]["http.request.header.referer"] == ["http://127.0.0.1:8050/"]
    assert Counter(each["name"] for each in events)["footspan.interaction"] <= 1
    if interactions:
        (click,) = [each["attributes"] for each in events if each["name"] == "footspan.interaction"]
        assert (click["component"], click["property"], click["user.id"]) == ("btn", "n_clicks", "u1")


def test_the_same_place_gets_it_once(app: Any) -> None:
    """The process has the endpoint of the tracker as a destination of its own."""
    with running(STEPS[0], app) as own:
        footspan.init(destinations={"dash_tracker": {"url": own.server.endpoint, "api_key": "key-1"}})
        own.ask()
        own.tracker.flush(20)
        assert footspan.flush(20) == {"dash_tracker": 0}
        assert own.paths() == ["/"]
        assert own.server.page_views()[0]["app_name"] == "Shop"
