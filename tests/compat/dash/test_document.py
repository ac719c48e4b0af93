"""Every block of Dash Tracker's document: the same calls in our own words, and the document's own blocks."""

from __future__ import annotations

import ast
import asyncio
import json
import os
import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from dash import Dash, Input, Output, html
from flask import session

from compat.dash.apps import pages_app, shared
from footspan.compat import dash_user_tracker
from footspan.compat.dash_user_tracker import (
    HttpTrackerRepository,
    Tracker,
    TrackerAnalytics,
    TrackerRepository,
)
from servers.dash_tracker import KEY, DashTrackerServer

if TYPE_CHECKING:
    from collections.abc import Iterator

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) H1Browser/1.0"}
PATIENCE = 20


def visit(app: Dash, *paths: str) -> None:
    """Pages are loaded by one browser, which has logged in."""
    client = app.server.test_client()
    client.get("/login", headers=BROWSER)
    for path in paths:
        assert client.get(path, headers=BROWSER).status_code == 200


@pytest.fixture
def server() -> Iterator[DashTrackerServer]:
    """A collecting server without a key."""
    with DashTrackerServer() as running:
        yield running


def test_basic_usage(server: DashTrackerServer) -> None:
    """An app and an address."""
    app = Dash("basic")
    app.layout = html.Div("hello")
    tracker = Tracker(app, tracker_endpoint=server.endpoint)
    visit(app, "/")
    assert tracker.flush(PATIENCE) == 0
    assert [view["path"] for view in server.page_views()] == ["/login", "/"]


def test_development_mode(capsys: pytest.CaptureFixture[str]) -> None:
    """An app alone: lines of JSON."""
    app = shared()
    tracker = Tracker(app)
    visit(app, "/")
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line)["event"] == "page_view"
    del tracker


def test_custom_configuration(server: DashTrackerServer) -> None:
    """A repository, what is ignored, and who the user is, all in one."""

    def no_page(route: str) -> bool:
        return route in {"/health", "/metrics"}

    def no_callback(callback: str) -> bool:
        return callback in {"update", "else"}

    def user() -> dict[str, Any]:
        who = session.get("user") or {}
        return {"id": who.get("id"), "email": who.get("email"), "full_name": who.get("full_name")}

    app = shared()
    repository = HttpTrackerRepository(server.endpoint, "api-key")
    tracker = Tracker(
        app,
        ignore_route=no_page,
        ignore_callback=no_callback,
        user_provider=user,
        repository=repository,
        enable_page_interaction_tracking=True,
    )
    visit(app, "/health", "/dashboard", "/metrics")
    body = {
        "output": "out.children",
        "outputs": {"id": "out", "property": "children"},
        "inputs": [{"id": "btn", "property": "n_clicks", "value": 1}],
        "state": [{"id": "inp", "property": "value", "value": ""}],
        "changedPropIds": ["btn.n_clicks"],
    }
    assert app.server.test_client().post("/_dash-update-component", json=body, headers=BROWSER).status_code == 200
    assert tracker.flush(PATIENCE) == 0
    (event,) = server.events
    data = event["data"]
    assert (data["path"], data["user_id"], data["id"]) == ("/dashboard", "u7", "u7")
    assert (data["email"], data["full_name"]) == ("a@b.c", "A B")
    assert server.requests[0].headers["x-api-key"] == "api-key"


def test_without_a_provider_the_session_says_who(server: DashTrackerServer) -> None:
    """``session["user"]``, as the document's features have it."""
    app = shared()
    tracker = Tracker(app, tracker_endpoint=server.endpoint)
    visit(app, "/")
    assert tracker.flush(PATIENCE) == 0
    data = server.events[0]["data"]
    assert (data["user_id"], data["email"], data["full_name"]) == ("u7", "a@b.c", "A B")


def test_a_custom_repository() -> None:
    """It extends the class that there is for it."""

    class Mine(TrackerRepository):
        def __init__(self) -> None:
            self.seen = threading.Event()

        async def save_event(self, event: dict[str, Any]) -> None:
            assert event["event"] == "page_view"
            self.seen.set()

    app, mine = shared(), Mine()
    tracker = Tracker(app, repository=mine)
    visit(app, "/")
    assert mine.seen.wait(PATIENCE)
    assert tracker.flush(PATIENCE) == 0


def test_analytics(server: DashTrackerServer) -> None:
    """From the tracker or by themselves, awaited; what was tracked comes back."""
    app = shared()
    repository = HttpTrackerRepository(server.endpoint, KEY)
    tracker = Tracker(app, repository=repository)
    visit(app, "/dashboard", "/dashboard", "/")
    assert tracker.flush(PATIENCE) == 0

    async def ask(analytics: Any) -> None:
        assert (await analytics.get_page_views())["count"] == 3
        assert (await analytics.get_user_activity("u7"))["unique_pages"]["count"] == 2
        assert (await analytics.get_page_activity("/dashboard"))["unique_users"]["user_ids"] == ["u7"]
        assert await analytics.get_user_count() == 1
        assert await analytics.get_user_count_by_path("/home") == 0

    asyncio.run(ask(tracker.analytics))
    asyncio.run(ask(TrackerAnalytics(repository=repository)))


def test_analytics_in_a_callback(server: DashTrackerServer) -> None:
    """D11: a Dash callback has no loop, and needs none."""
    app = pages_app()
    tracker = Tracker(app, tracker_endpoint=server.endpoint)
    analytics = tracker.analytics
    assert analytics is not None

    @app.callback(Output("count", "children"), Input("refresh", "n_clicks"))
    def show(_: int) -> int:
        found: int = analytics.sync.get_page_views()["count"]
        return found

    visit(app, "/")
    assert tracker.flush(PATIENCE) == 0
    body = {
        "output": "count.children",
        "outputs": {"id": "count", "property": "children"},
        "inputs": [{"id": "refresh", "property": "n_clicks", "value": 1}],
        "changedPropIds": ["refresh.n_clicks"],
    }
    answer = app.server.test_client().post("/_dash-update-component", json=body, headers=BROWSER)
    assert answer.get_json()["response"]["count"]["children"] == 1


def test_the_event_has_the_documented_form(server: DashTrackerServer) -> None:
    """Its keys; and ``endpoint``, which the document leaves out and the client sends."""
    app = shared()
    tracker = Tracker(app, "My Dash App", server.endpoint)
    visit(app, "/")
    assert tracker.flush(PATIENCE) == 0
    (event,) = server.events
    assert list(event) == ["event", "data", "timestamp"]
    assert " ".join(event["data"]) == (
        "app_name ip user_agent base_url url url_root referrer path full_path endpoint method user_id email full_name"
    )


# -- the document itself -----------------------------------------------------------------------------------------------

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def document() -> str:
    """The document, where the environment says that it is here."""
    folder = os.environ.get("FOOTSPAN_SEED_DOCS", "")
    path = Path(folder, "dash-tracker.md")
    if not folder or not path.is_file():
        pytest.skip("FOOTSPAN_SEED_DOCS names no folder with dash-tracker.md")
    return path.read_text(encoding="utf-8")


def test_the_documents_own_blocks(server: DashTrackerServer) -> None:
    """All of them, one after the other, with only the import changed, and an address that is there."""
    blocks = [found[1] for found in _BLOCK.findall(document()) if found[0] == "python"]
    assert len(blocks) > 4
    # What the document uses before it shows how to write it comes first.
    blocks.sort(key=lambda block: not block.lstrip().startswith("def "))
    names: dict[str, Any] = {"__name__": "shop", "session": session}
    for block in blocks:
        source = block.replace("from dash_user_tracker import", f"from {dash_user_tracker.__name__} import")
        source = source.replace("https://your-tracker-endpoint.com", server.endpoint)
        code = compile(source, "dash-tracker.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        result = eval(code, names)
        if result is not None:
            asyncio.run(result)
    app: Dash = names["app"]
    app.layout = html.Div("hello")
    app.server.secret_key = "a secret"
    visit(app, "/", "/dashboard", "/health")
    tracker: Tracker = names["tracker"]
    assert tracker.flush(PATIENCE) == 0
    assert sorted({view["path"] for view in server.page_views()}) == ["/", "/dashboard", "/login"]
    assert {view["user_id"] for view in server.page_views()} == {None}
    assert (names["total_users"], names["page_stats"]["total_views"]) == (0, 0)


def test_the_documented_event_is_one_to_the_server() -> None:
    """But for the field that it leaves out."""
    from servers.dash_tracker.events import FIELDS  # noqa: PLC0415 - only here

    blocks = [found[1] for found in _BLOCK.findall(document()) if found[0] == "json"]
    event = json.loads(blocks[0])
    assert list(event) == ["event", "data", "timestamp"]
    assert [*event["data"]][: len(FIELDS) - 1] == [name for name in FIELDS if name != "endpoint"]
