"""The Dash apps of these tests, with every kind of callback; the same code for Dash 2.18 to 4.

As a program it serves one of them on a free port and says where: ``python board.py pages``.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import dash
from dash import ALL, Dash, Input, Output, State, dcc, html
from dash.exceptions import PreventUpdate

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask


class WidgetError(Exception):
    """What the failing callback raises."""


def pages(**settings: Any) -> Dash:
    """An app with the pages plugin."""
    forget_pages()
    app = Dash("board", use_pages=True, pages_folder="", suppress_callback_exceptions=True, **settings)
    register: Any = dash.register_page
    register("home", path="/", title="Home", layout=html.H1("welcome"))
    register("numbers", path="/dashboard", title="Numbers", layout=html.H1("figures"))
    register("report", path_template="/reports/<number>", layout=lambda number="", **_: html.H1(f"r{number}"))
    at: Any = app.get_relative_path
    app.layout = html.Div(
        [
            *(
                dcc.Link(name, href=at(path), id=f"to-{name}")
                for name, path in {
                    "home": "/",
                    "numbers": "/dashboard",
                    "report": "/reports/7?tab=x",
                    "query": "/reports/7?tab=y",
                    "nowhere": "/no/such/page",
                }.items()
            ),
            *_controls(),
            dash.page_container,
        ]
    )
    _callbacks(app)
    return app


_shared: dict[str, tuple[Dash, dict[str, Any]]] = {}


def shared(make: Callable[..., Dash], **settings: Any) -> Dash:
    """One of these apps, made once for all who change nothing about it: making one takes longer than most tests."""
    key = f"{make.__name__}{sorted(settings.items())}"
    if key not in _shared:
        app = make(**settings)
        _shared[key] = app, dict(dash.page_registry)
    app, registered = _shared[key]
    forget_pages()
    dash.page_registry.update(registered)
    return app


def forget_pages() -> None:
    """The registry is the process's, not an app's."""
    dash.page_registry.clear()


def own(**settings: Any) -> Dash:
    """An app with a ``dcc.Location`` of its own, which two callbacks read."""
    app = Dash("board", title="Board", suppress_callback_exceptions=True, **settings)
    at: Any = app.get_relative_path
    links = {"home": "/", "numbers": "/dashboard", "query": "/dashboard?year=7"}
    app.layout = html.Div(
        [
            dcc.Location(id="where"),
            *(dcc.Link(name, href=at(path), id=f"to-{name}") for name, path in links.items()),
            html.Div(id="content"),
            html.Div(id="crumbs"),
            *_controls(),
        ]
    )

    @app.callback(Output("content", "children"), Input("where", "pathname"), Input("where", "search"))
    def route(pathname: str, search: str) -> str:
        return f"at {pathname}{search}."

    @app.callback(Output("crumbs", "children"), Input("where", "pathname"))
    def crumbs(pathname: str) -> str:
        return f"in {pathname}."

    _callbacks(app)
    return app


def plain(**settings: Any) -> Dash:
    """An app with a ``dcc.Location`` of its own and nothing else."""
    app = Dash("board", suppress_callback_exceptions=True, **settings)
    app.layout = html.Div([dcc.Location(id="where"), html.Div(id="content")])

    @app.callback(Output("content", "children"), Input("where", "pathname"), Input("where", "search"))
    def route(pathname: str, search: str) -> str:
        return f"at {pathname}{search}."

    return app


def _controls() -> list[Any]:
    return [
        html.Button("add", id="add"),
        html.Button("break", id="break"),
        html.Button("keep", id="keep"),
        html.Button("row", id={"type": "row", "index": 1}),
        dcc.Input(id="secret", type="password", value="hunter2"),
        html.Div(id="sum"),
        html.Div(id="broken"),
        html.Div(id="kept"),
        html.Div(id="rows"),
    ]


def _callbacks(app: Dash) -> None:
    @app.callback(
        Output("sum", "children"), Input("add", "n_clicks"), State("secret", "value"), prevent_initial_call=True
    )
    def add(clicks: int, secret: str) -> str:
        return f"added {clicks} {len(secret)}"

    @app.callback(Output("broken", "children"), Input("break", "n_clicks"), prevent_initial_call=True)
    def fail(clicks: int) -> str:
        message = f"the widget broke at {clicks}"
        raise WidgetError(message)

    @app.callback(Output("kept", "children"), Input("keep", "n_clicks"), prevent_initial_call=True)
    def keep(clicks: int) -> Any:
        if clicks > 1:
            return dash.no_update
        raise PreventUpdate

    @app.callback(
        Output("rows", "children"), Input({"type": "row", "index": ALL}, "n_clicks"), prevent_initial_call=True
    )
    def rows(clicks: list[int]) -> str:
        return f"rows {clicks}"

    server: Flask = app.server

    @server.route("/api/ping")
    def ping() -> str:
        return "<p>pong</p>"


def __getattr__(name: str) -> Any:
    """What a server of many processes serves: ``gunicorn board:served``."""
    if name == "served":
        return own().server
    raise AttributeError(name)


def main() -> None:
    """Serve an app."""
    from werkzeug.serving import make_server  # noqa: PLC0415 - only the program serves

    kind, *prefix = sys.argv[1:]
    app = {"pages": pages, "own": own}[kind](**({"url_base_pathname": prefix[0]} if prefix else {}))
    server = make_server("127.0.0.1", 0, app.server, threaded=True)
    print(f"Running on http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
