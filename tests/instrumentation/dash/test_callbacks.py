"""Interactions and failures: what is told of a callback, and that its answer is the one it has unwatched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import dash
import pytest
from dash import Dash, Input, Output, State, dcc, html

from footspan.config import ConfigurationError
from footspan.instrumentation.dash import DashInstrumentor
from instrumentation.dash import board
from instrumentation.dash.browsing import Tab
from spooled import Spooled, spooled

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug.test import TestResponse

SECRET = [{"id": "secret", "property": "value", "value": "hunter2"}]
ASYNC_TOO = hasattr(dash, "hooks")  # Dash 3 and later


@pytest.fixture(params=[False, True] if ASYNC_TOO else [None], ids=str)
def tab(request: pytest.FixtureRequest) -> Tab:
    """A tab at an app whose callbacks Dash runs by the one or the other of its two functions."""
    app = board.shared(board.pages, **({} if request.param is None else {"use_async": request.param}))
    DashInstrumentor.instrument_app(app)
    tab = Tab(app)
    tab.load("/dashboard")
    return tab


def told(name: str) -> list[Spooled]:
    """The events of a name."""
    return [each for each in spooled() if each.name == name]


def interaction() -> dict[str, Any]:
    """The one interaction."""
    (found,) = told("footspan.interaction")
    return found.attributes


def test_an_interaction(tab: Tab) -> None:
    """Component, property, callback, duration and page; no value of anything."""
    assert tab.touch("add", "sum.children", state=SECRET).json == {
        "multi": True,
        "response": {"sum": {"children": "added 1 7"}},
    }
    found = interaction()
    expected = {"component": "add", "property": "n_clicks", "callback": "add", "output": "sum.children"}
    assert expected == {name: found[name] for name in expected}
    assert found["url.path"] == "/dashboard"
    assert isinstance(found["footspan.duration_ms"], int)
    assert "error.type" not in found
    assert "values" not in found
    assert "hunter2" not in json.dumps(found)


def test_values_where_they_are_allowed() -> None:
    """Those of what was touched, and of nothing else."""
    app = board.shared(board.pages)
    DashInstrumentor.instrument_app(app, values=True)
    Tab(app).touch("add", "sum.children", content=3, state=SECRET)
    assert interaction()["values"] == {"add.n_clicks": 3}


def test_a_pattern_is_one_component(tab: Tab) -> None:
    """A row is its type."""
    tab.touch({"type": "row", "index": 1}, "rows.children")
    assert (interaction()["component"], interaction()["callback"]) == ("row", "rows")


def test_a_version_whose_functions_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Interactions without durations; failures that Flask sees."""
    monkeypatch.setattr("footspan.instrumentation.dash.callbacks._MODULE", "dash.of.the.future")
    app = board.shared(board.pages)
    DashInstrumentor.instrument_app(app)
    tab = Tab(app)
    tab.touch("add", "sum.children", state=SECRET)
    tab.touch("break", "broken.children")
    assert "footspan.duration_ms" not in interaction()
    assert [each.attributes["callback"] for each in told("exception")] == ["fail"]


def test_no_interaction_of_what_nobody_touched(tab: Tab) -> None:
    """First calls, moves, timers."""
    tab.call(("sum.children",), [("add", "n_clicks", None)], [], state=SECRET)
    tab.go("/")
    tab.call(("sum.children",), [("add", "n_clicks", 1)], ["tick.n_intervals"], state=SECRET)
    assert not told("footspan.interaction")


def test_a_callback_that_fails(tab: Tab) -> None:
    """The answer is the failure's; the interaction says so, and an event has the trace."""
    assert tab.touch("break", "broken.children").status_code == 500
    assert interaction()["error.type"] == "WidgetError"
    (failure,) = told("exception")
    expected = {"component": "break", "property": "n_clicks", "callback": "fail", "output": "broken.children"}
    assert expected == {name: failure.attributes[name] for name in expected}
    assert failure.attributes["exception.message"] == "the widget broke at 1"
    assert "in fail" in failure.attributes["exception.stacktrace"]
    assert failure.attributes["url.path"] == "/dashboard"


def test_an_exception_reaches_the_app_untouched(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The very object, where the app lets exceptions through."""
    monkeypatch.setitem(tab.client.application.config, "PROPAGATE_EXCEPTIONS", True)
    with pytest.raises(board.WidgetError, match="the widget broke at 1"):
        tab.touch("break", "broken.children")
    assert interaction()["error.type"] == "WidgetError"
    assert len(told("exception")) == 1


def test_a_failure_that_the_app_handles() -> None:
    """``on_error`` answers; the failure is told all the same."""
    app = Dash("board", on_error=lambda _: "sorry")
    app.layout = html.Div([html.Button(id="go"), html.Div(id="out")])

    @app.callback(Output("out", "children"), Input("go", "n_clicks"))
    def risky(clicks: int) -> str:
        raise board.WidgetError(str(clicks))

    DashInstrumentor.instrument_app(app)
    assert Tab(app).touch("go", "out.children").json["response"] == {"out": {"children": "sorry"}}  # type: ignore[index]
    assert interaction()["error.type"] == "WidgetError"
    assert len(told("exception")) == 1


def test_a_failing_first_call_and_a_failing_move(tab: Tab) -> None:
    """No interactions, but failures."""
    tab.call(("broken.children",), [("break", "n_clicks", None)], [])
    assert not told("footspan.interaction")
    assert [each.attributes["callback"] for each in told("exception")] == ["fail"]


@pytest.mark.parametrize("clicks", [1, 2])
def test_no_update_is_no_error(tab: Tab, clicks: int) -> None:
    """``PreventUpdate`` and ``no_update`` are how an app says that nothing changes."""
    answer = tab.touch("keep", "kept.children", content=clicks)
    assert answer.status_code in {200, 204}
    assert "error.type" not in interaction()
    assert not told("exception")


@pytest.mark.parametrize("pattern", ["add", "sum.children", "sum.*", "a*"])
def test_ignored_callbacks(pattern: str) -> None:
    """By the function's name or the outputs."""
    app = board.shared(board.pages)
    DashInstrumentor.instrument_app(app, ignore_callbacks=[pattern])
    tab = Tab(app)
    tab.touch("add", "sum.children", state=SECRET)
    tab.touch("break", "broken.children")
    assert [each.attributes["callback"] for each in told("footspan.interaction")] == ["fail"]


def test_an_ignored_router_still_moves() -> None:
    """Which callback reports a move is no matter."""
    app = board.shared(board.pages)
    DashInstrumentor.instrument_app(app, ignore_callbacks=["*"])
    tab = Tab(app)
    tab.load("/")
    tab.go("/dashboard")
    assert ["/", "/dashboard"] == [each.attributes["url.path"] for each in spooled()]


@pytest.mark.parametrize("by_setting", [True, False])
def test_interactions_and_errors_can_be_off(monkeypatch: pytest.MonkeyPatch, by_setting: bool) -> None:
    """By the settings or by options."""
    app = board.shared(board.pages)
    if by_setting:
        monkeypatch.setenv("FOOTSPAN_DASH_INTERACTIONS", "false")
        monkeypatch.setenv("FOOTSPAN_DASH_ERRORS", "false")
        DashInstrumentor.instrument_app(app)
    else:
        DashInstrumentor.instrument_app(app, interactions=False, errors=False)
    Tab(app).touch("break", "broken.children")
    assert not spooled()


def test_options_are_checked() -> None:
    """A word that is no switch, a list of numbers, a keyword that is none."""
    app = board.plain()
    with pytest.raises(ConfigurationError, match="interactions"):
        DashInstrumentor.instrument_app(app, interactions="no")
    with pytest.raises(ConfigurationError, match="ignore_routes"):
        DashInstrumentor.instrument_app(app, ignore_routes=[7])
    with pytest.raises(ConfigurationError, match=r"The options are: .*ignore_routes"):
        DashInstrumentor.instrument_app(app, ignore_route=["/admin"])


def _clientside() -> Dash:
    app = Dash("board")
    app.layout = html.Div([dcc.Location(id="where"), html.Button(id="go"), html.Div(id="out"), html.Div(id="late")])
    add: Any = app.clientside_callback
    add("function(x) { return x; }", Output("out", "children"), Input("where", "pathname"))
    return app


def test_callbacks_of_the_client_side_are_unseen() -> None:
    """They run in the browser; a page is counted when it is loaded."""
    app = _clientside()
    DashInstrumentor.instrument_app(app)
    tab = Tab(app)
    tab.load("/", comes_up=False)
    assert ["footspan.page_view"] == [each.name for each in spooled()]


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b"7", "application/json"),
        (b"{}", "application/json"),
        (b'{"output": "nothing.here"}', "application/json"),
        (b'{"output": ["x"], "inputs": 3, "changedPropIds": "y"}', "application/json"),
        (b"a=b", "application/x-www-form-urlencoded"),
        (b"\xff\xfe", "text/plain"),
    ],
)
def test_whatever_is_posted_is_answered_as_without_us(body: bytes, content_type: str) -> None:
    """Status and body are those of the app unwatched, and nothing is told but failures."""

    def asked() -> TestResponse:
        path = "/_dash-update-component"
        return app.server.test_client().post(path, data=body, content_type=content_type)  # type: ignore[no-any-return]

    app = board.shared(board.pages)
    before = asked()
    DashInstrumentor.instrument_app(app)
    after = asked()
    assert (before.status_code, before.data) == (after.status_code, after.data)
    assert not told("footspan.interaction")
    assert not told("footspan.page_view")


def test_a_body_is_left_to_the_app() -> None:
    """A guard that answers before Dash reads a body: nobody reads it, and nothing is told."""
    app = board.pages()
    server = app.server

    @server.before_request  # type: ignore[untyped-decorator]
    def guard() -> tuple[str, int]:
        return "no", 401

    DashInstrumentor.instrument_app(app)
    assert Tab(app).touch("add", "sum.children").status_code == 401
    assert not spooled()


def test_answers_are_the_same_to_the_byte() -> None:
    """Layouts, pages, callbacks: watched as unwatched."""

    def answers(app: Dash) -> list[tuple[int, bytes]]:
        tab = Tab(app)
        asked = [tab.load("/dashboard"), *tab.go("/"), tab.touch("add", "sum.children", state=SECRET)]
        asked.append(tab.touch("break", "broken.children"))
        asked.append(tab.touch("keep", "kept.children"))
        return [(each.status_code, each.data.partition(b'"end_id"')[0]) for each in asked]

    unwatched = answers(board.shared(board.pages))
    app = board.shared(board.pages)
    DashInstrumentor.instrument_app(app)
    assert answers(app) == unwatched


def test_a_job_in_the_background(tmp_path: Path) -> None:
    """It is told when it is asked for, once, however often the browser asks how it is doing; a failure at its end."""
    diskcache = pytest.importorskip("diskcache")
    pytest.importorskip("multiprocess")
    manager: Any = dash.DiskcacheManager
    app = Dash("board", background_callback_manager=manager(diskcache.Cache(str(tmp_path))))
    app.layout = html.Div([html.Button(id="go"), html.Div(id="out"), dcc.Store(id="x")])

    @app.callback(Output("out", "children"), Input("go", "n_clicks"), State("x", "data"), background=True)
    def job(clicks: int, _: Any) -> str:
        if clicks > 1:
            raise board.WidgetError(str(clicks))
        return f"done {clicks}"

    DashInstrumentor.instrument_app(app)
    tab = Tab(app)
    assert _through(tab, 1)["response"] == {"out": {"children": "done 1"}}
    found = interaction()
    assert (found["callback"], found["background"]) == ("job", True)
    assert "footspan.duration_ms" not in found
    assert not told("exception")
    assert _through(tab, 2) is None
    assert len(told("footspan.interaction")) == 2
    (failure,) = told("exception")
    assert failure.attributes["callback"] == "job"


def _through(tab: Tab, clicks: int) -> Any:
    """Ask for a job, and ask how it is doing until it is done; its answer, ``None`` for a failure."""
    import time  # noqa: PLC0415 - only here

    state = [{"id": "x", "property": "data", "value": None}]
    asked = tab.touch("go", "out.children", content=clicks, state=state).json
    assert asked is not None
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        answer = tab.touch(
            "go", "out.children", content=None, state=state, query={"cacheKey": asked["cacheKey"], "job": asked["job"]}
        )
        if answer.status_code == 500:
            return None
        if answer.json and answer.json.get("response") is not None:
            return answer.json
        time.sleep(0.1)
    raise AssertionError("the job did not end")
