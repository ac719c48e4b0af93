"""The Dash apps behind the recordings: one with the pages plugin, one with a ``dcc.Location`` of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dash
import flask
from dash import Input, Output, State, dcc, html

from footspan.instrumentation.dash import recorders

if TYPE_CHECKING:
    from collections.abc import Callable

_SECRET = "a secret for tests"
_dash: Any = dash  # much of it is untyped


def pages_app(**options: Any) -> dash.Dash:
    """Pages ``/``, ``/dashboard`` and ``/reports/<rid>`` by the pages plugin."""
    dash.page_registry.clear()
    app = dash.Dash("shop", use_pages=True, pages_folder="", suppress_callback_exceptions=True, **options)
    app.server.secret_key = _SECRET
    _dash.register_page("home", path="/", title="Home", layout=_form("Home"))
    _dash.register_page("dashboard", path="/dashboard", title="Dashboard", layout=_form("Dashboard"))
    _dash.register_page(
        "reports", path_template="/reports/<rid>", title="Report", layout=lambda rid=None, **_: _form(rid)
    )
    app.layout = html.Div([dash.page_container])
    return _finished(app)


def classic_app(**options: Any) -> dash.Dash:
    """Pages by a callback of its own that reads ``url.pathname``."""
    app = dash.Dash("shop", suppress_callback_exceptions=True, **options)
    app.server.secret_key = _SECRET
    app.layout = html.Div([dcc.Location(id="url"), html.Div(id="content")])

    @app.callback(Output("content", "children"), Input("url", "pathname"))
    def show(pathname: str) -> Any:
        return _form(pathname)

    return _finished(app)


def _form(title: Any) -> html.Div:
    return html.Div(
        [
            html.H1(str(title)),
            dcc.Link("home", href=_dash.get_relative_path("/"), id="to-home"),
            dcc.Link("dashboard", href=_dash.get_relative_path("/dashboard"), id="to-dashboard"),
            dcc.Input(id="inp", value="", type="password"),
            html.Button("go", id="btn"),
            html.Div(id="out"),
        ]
    )


def _finished(app: dash.Dash) -> dash.Dash:
    @app.callback(Output("out", "children"), Input("btn", "n_clicks"), State("inp", "value"))
    def update(clicks: int | None, value: str) -> str:
        return f"{clicks} {len(value or '')}"

    def ping() -> str:
        return "pong"

    def login() -> str:
        flask.session["user"] = {"id": "u7", "email": "a@b.c", "full_name": "A B"}
        return "in"

    def login_partial() -> str:
        flask.session["user"] = {"id": 7}
        return "in"

    app.server.add_url_rule("/api/ping", view_func=ping, methods=["GET", "POST"])
    app.server.add_url_rule("/login", view_func=login)
    app.server.add_url_rule("/login_partial", view_func=login_partial)
    return app


def app_for(name: str) -> dash.Dash:
    """The app of a recorded case, shared by all who ask for it."""
    options: dict[str, Any] = {}
    if "_base_" in name or name.startswith("base_pathname"):
        options = {"url_base_pathname": "/app/"}
    elif name == "requests_prefix":
        options = {"requests_pathname_prefix": "/app/", "routes_pathname_prefix": "/app/"}
    return shared(classic_app if "classic" in name else pages_app, **options)


_shared: dict[str, tuple[dash.Dash, dict[str, Any]]] = {}


def shared(make: Callable[..., dash.Dash] = pages_app, **options: Any) -> dash.Dash:
    """An app that nobody tracks yet, made once for all tests: that takes longer than most of them.

    Args:
        make: What makes it; nobody may change the app itself.
        **options: What that is given.
    """
    key = f"{make.__qualname__}{sorted(options.items())}"
    if key not in _shared:
        app = make(**options)
        _shared[key] = app, dict(dash.page_registry)
    app, pages = _shared[key]
    dash.page_registry.clear()  # it is the process's, not an app's
    dash.page_registry.update(pages)
    untrack(app)
    return app


def untrack(app: dash.Dash) -> None:
    """No tracker listens any more, whoever may still hold one; and no rule is left."""
    for tracker in app.server.extensions.pop("footspan_dash_trackers", ()):
        flask.request_started.disconnect(tracker._started, app.server)
        flask.request_finished.disconnect(tracker._finished, app.server)
        recorders._of_app.pop(app, None)
    app.server.extensions.pop("footspan_dash_ignore_routes", None)
