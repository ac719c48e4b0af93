"""A Dash app of several pages that is tracked, and that shows who saw what of it."""

from __future__ import annotations

import threading
from typing import Any

import dash
from dash import Input, Output, dcc, html
from flask import session
from receiver import make_receiver
from werkzeug.serving import make_server

from footspan.compat.dash_user_tracker import Tracker

PAGES = {"/": "Home", "/products": "Products", "/figures": "Who saw what"}


def make_app(endpoint: str) -> dash.Dash:
    """The app, tracked; its events go to ``endpoint``, and its figures come from there."""
    app = dash.Dash("dashboard", use_pages=True, pages_folder="", suppress_callback_exceptions=True)
    app.server.secret_key = "not a secret"
    pages: Any = dash
    pages.register_page("home", path="/", title="Home", layout=html.P("Welcome."))
    pages.register_page("products", path="/products", title="Products", layout=html.P("Cheese, mostly."))
    pages.register_page("figures", path="/figures", title="Who saw what", layout=_figures())
    links = [dcc.Link(title, href=path, style={"marginRight": "1em"}) for path, title in PAGES.items()]
    app.layout = html.Div([html.Nav(links), dash.page_container])

    tracker = Tracker(
        app,
        "Dashboard",
        tracker_endpoint=endpoint,
        ignore_route=lambda route: route == "/figures",
        user_provider=lambda: {"id": session.get("user_id", "visitor")},
    )
    figures = tracker.analytics
    assert figures is not None

    @app.callback(Output("figures", "children"), Input("refresh", "n_clicks"))
    def show(_: int | None) -> list[Any]:
        tracker.flush(2.0)  # so that the click just made is in the figures
        asked = figures.sync
        rows = [(title, asked.get_page_activity(path)["total_views"]) for path, title in PAGES.items()]
        table = html.Table([html.Tr([html.Td(title), html.Td(views)]) for title, views in rows])
        return [html.P(f"{asked.get_user_count()} people, {asked.get_page_count()} pages"), table]

    return app


def _figures() -> html.Div:
    return html.Div([html.Button("Refresh", id="refresh"), html.Div(id="figures")])


def main() -> None:
    """Start the collecting server beside the app, and the app."""
    receiver = make_server("127.0.0.1", 0, make_receiver(), threaded=True)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    make_app(f"http://127.0.0.1:{receiver.server_port}/track").run(port=8050)


if __name__ == "__main__":
    main()
