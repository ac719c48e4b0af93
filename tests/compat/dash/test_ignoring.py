"""What is not tracked: by rules, by functions, by a decorator."""

from __future__ import annotations

import logging
from typing import Any

import dash
import pytest
from dash import Input, Output, dcc, html

from compat.dash.apps import shared
from footspan.compat.dash_user_tracker import Tracker, add_ignore_routes, ignore_callback
from footspan.config import ConfigurationError
from servers.dash_tracker import DashTrackerServer

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) H1Browser/1.0"}
PAGES = ["/", "/dashboard", "/admin", "/admin/users/1", "/health", "/user/7", "/user/x"]


def counted(app: dash.Dash, server: DashTrackerServer, tracker: Tracker, base: str = "") -> set[str]:
    """Which of the pages count."""
    client = app.server.test_client()
    for path in PAGES:
        assert client.get(base + path, headers=BROWSER).status_code == 200
    assert tracker.flush(20) == 0
    return {row["path"].removeprefix(base) for row in server.page_views()}


def ignore_route(route: str) -> bool:
    """As the document has it."""
    return route in {"/health", "/admin"}


@pytest.mark.parametrize("base", ["", "/app"])
@pytest.mark.parametrize("keyword", ["ignore_route", "ignore_routes"])
def test_a_function(keyword: str, base: str) -> None:
    """It is given the path without the app's base pathname."""
    app = shared(url_base_pathname=f"{base}/") if base else shared()
    with DashTrackerServer() as server:
        options: Any = {keyword: ignore_route}
        tracker = Tracker(app, tracker_endpoint=server.endpoint, **options)
        assert counted(app, server, tracker, base) == set(PAGES) - {"/health", "/admin"}


@pytest.mark.parametrize("base", ["", "/app"])
@pytest.mark.parametrize("keyword", ["ignore_route", "ignore_routes"])
def test_rules(keyword: str, base: str) -> None:
    """Flask's, with converters; one with a slash at its end fits without it, too."""
    app = shared(url_base_pathname=f"{base}/") if base else shared()
    with DashTrackerServer() as server:
        options: Any = {keyword: ["/admin/", "/user/<int:number>"]}
        tracker = Tracker(app, tracker_endpoint=server.endpoint, **options)
        assert counted(app, server, tracker, base) == set(PAGES) - {"/admin", "/user/7"}


def test_rules_that_come_later() -> None:
    """Before the tracker or after it."""
    app = shared()
    add_ignore_routes(app, ["/health"])
    with DashTrackerServer() as server:
        tracker = Tracker(app, tracker_endpoint=server.endpoint, ignore_routes=["/"])
        add_ignore_routes(app, ["/admin/<path:rest>"])
        assert counted(app, server, tracker) == set(PAGES) - {"/", "/health", "/admin/users/1"}


@pytest.mark.parametrize("routes", ["/admin", 3, ["admin"], ["/<no:such>"], ["/<"], [None]])
def test_what_is_no_rule(routes: Any) -> None:
    """It is said at once."""
    with pytest.raises(ConfigurationError, match="ignore_routes"):
        Tracker(shared(), ignore_routes=routes)


def test_a_function_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    """The page is counted and served; it is said once."""
    caplog.set_level(logging.WARNING)
    app = shared()
    with DashTrackerServer() as server:
        tracker = Tracker(app, tracker_endpoint=server.endpoint, ignore_route=lambda _: 1 / 0)
        assert counted(app, server, tracker) == set(PAGES)
    assert len([each for each in caplog.messages if "ZeroDivisionError" in each]) == 1


def buttons() -> dash.Dash:
    """An app with three buttons, each with a callback."""
    app = dash.Dash("buttons", suppress_callback_exceptions=True)
    app.layout = html.Div([dcc.Location(id="url"), *(html.Button(id=each) for each in "abc")])

    @app.callback(Output("out-a", "children"), Input("a", "n_clicks"))
    def first(clicks: int) -> int:
        return clicks

    @ignore_callback(Output("out-b", "children"), Input("b", "n_clicks"))
    def second(clicks: int) -> int:
        return clicks

    @app.callback(Output("out-c", "children"), Output("more-c", "title"), Input("c", "n_clicks"))
    def third(clicks: int) -> tuple[int, int]:
        return clicks, clicks

    return app


def clicked(app: dash.Dash, server: DashTrackerServer, tracker: Tracker, page: str = "/") -> set[str]:
    """Which of the buttons' clicks are tracked."""
    client = app.server.test_client()
    outputs: dict[str, Any] = {each: {"id": f"out-{each}", "property": "children"} for each in "ab"}
    outputs["c"] = [{"id": "out-c", "property": "children"}, {"id": "more-c", "property": "title"}]
    for each, output in outputs.items():
        body = {
            "output": "..out-c.children...more-c.title.." if each == "c" else f"out-{each}.children",
            "outputs": output,
            "inputs": [{"id": each, "property": "n_clicks", "value": 1}],
            "changedPropIds": [f"{each}.n_clicks"],
        }
        referer = {"Referer": f"http://localhost{page}"}
        answer = client.post("/_dash-update-component", json=body, headers={**BROWSER, **referer})
        assert answer.status_code == 200
    assert tracker.flush(20) == 0
    return {event["data"]["interaction"]["changed_props"][0][0] for event in server.events}


def test_the_decorator() -> None:
    """It registers a callback as Dash does, in any app, and its clicks are nobody's business."""
    with DashTrackerServer() as server:
        app = buttons()
        tracker = Tracker(app, tracker_endpoint=server.endpoint, enable_page_interaction_tracking=True)
        assert clicked(app, server, tracker) == {"a", "c"}


@pytest.mark.parametrize("name", ["out-c", "more-c.title", "third", "..out-c.children...more-c.title.."])
def test_the_documented_function(name: str) -> None:
    """A callback goes by its outputs, by their components and by its function's name."""
    with DashTrackerServer() as server:
        app = buttons()
        tracker = Tracker(
            app,
            tracker_endpoint=server.endpoint,
            ignore_callback=lambda callback: callback in [name, "else"],
            enable_page_interaction_tracking=True,
        )
        assert clicked(app, server, tracker) == {"a"}


def test_routes_are_ignored_with_what_is_done_there() -> None:
    """A click on a page that is left out is left out."""
    with DashTrackerServer() as server:
        app = buttons()
        tracker = Tracker(
            app, tracker_endpoint=server.endpoint, ignore_routes=["/admin"], enable_page_interaction_tracking=True
        )
        assert clicked(app, server, tracker, "/admin") == set()


def test_interactions_are_off() -> None:
    """Unless somebody switches them on."""
    with DashTrackerServer() as server:
        app = buttons()
        tracker = Tracker(app, tracker_endpoint=server.endpoint)
        assert clicked(app, server, tracker) == set()
