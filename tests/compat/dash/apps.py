"""The Dash apps behind the recordings: one with the pages plugin, one with a ``dcc.Location`` of its own."""

from __future__ import annotations

from typing import Any

import dash
import flask
from dash import Input, Output, State, dcc, html

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
    """The app of a recorded case."""
    options: dict[str, Any] = {}
    if "_base_" in name or name.startswith("base_pathname"):
        options = {"url_base_pathname": "/app/"}
    elif name == "requests_prefix":
        options = {"requests_pathname_prefix": "/app/", "routes_pathname_prefix": "/app/"}
    return classic_app(**options) if "classic" in name else pages_app(**options)
