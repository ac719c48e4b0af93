"""What the original got wrong, and what ours does instead. Numbers as in the contract's table of defects."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
from typing import Any

import dash
import pytest
from dash import Input, Output

from compat.dash.apps import classic_app, pages_app, shared
from compat.dash.recorded import asked, running
from footspan.compat.dash_user_tracker import HttpTrackerRepository, Tracker
from servers.dash_tracker import KEY, DashTrackerServer

_HAS_ASYNC = "use_async" in inspect.signature(dash.Dash.__init__).parameters
BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) H1Browser/1.0"}


def visit(app: dash.Dash, path: str = "/", **headers: str) -> Any:
    """One page loaded."""
    return app.server.test_client().get(path, headers={**BROWSER, **headers})


def paths(tracker: Tracker, server: DashTrackerServer) -> list[str]:
    """The pages that arrived, in their order."""
    assert tracker.flush(20) == 0
    return [row["path"] for row in server.page_views()]


def test_an_endpoint_alone_is_enough() -> None:
    """D1: without a key the original sent nothing at all."""
    with running("page_load_root_no_api_key") as own:
        own.ask()
        assert own.paths() == ["/"]
        assert "x-api-key" not in own.server.requests[0].headers


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("page_load_deep_link", "/dashboard"),
        ("browser_classic__full_load_deep_link", "/dashboard"),
        ("browser_pages__full_load_deep_link", "/dashboard"),
        ("browser_classic__unknown_page", "/no/such/page"),
        ("browser_pages_base__unknown_page", "/app/no/such/page"),
        ("browser_pages_interact__unknown_page", "/no/such/page"),
        ("callback_prefix_lookalike", "/_dash-update-component-evil"),
        ("browser_classic__nav_dashboard", "/dashboard"),
        ("browser_classic__nav_home", "/"),
        ("nav_classic_location", "/dashboard"),
        ("nav_classic_no_referer", "/dashboard"),
    ],
)
def test_every_page_counts_once(name: str, path: str) -> None:
    """D2: deep links, reloads and locations of the app's own."""
    with running(name) as own:
        own.ask()
        assert own.paths() == [path]


@pytest.mark.parametrize("kind", ["pages", "classic"])
def test_a_whole_visit(kind: str) -> None:
    """D2: loads, moves with and without a query, back: one after the other, as one browser did it."""
    steps = {
        "pages": ["full_load_root", "nav_dashboard", "browser_back"],
        "classic": ["full_load_root", "nav_dashboard", "nav_home", "full_load_deep_link"],
    }[kind]
    names = [f"browser_{kind}__{step}" for step in steps]
    app = shared(pages_app if kind == "pages" else classic_app)
    with running(names[0], app) as own:
        for name in names:
            own.ask(asked(name))
            assert own.tracker.flush(20) == 0
        expected = {
            "pages": ["/", "/dashboard", "/reports/7"],
            "classic": ["/", "/dashboard", "/", "/dashboard"],
        }
        assert own.paths() == expected[kind]


def test_the_page_does_not_wait() -> None:
    """D3, D4: the endpoint hangs, and the app answers as fast as ever."""
    with DashTrackerServer() as server:
        server.faults.hang(3.0, times=8)
        app = shared()
        tracker = Tracker(app, tracker_endpoint=server.endpoint)
        begun = time.monotonic()
        for _ in range(4):
            assert visit(app).status_code == 200
        # Each of the four would have waited for three seconds.
        assert time.monotonic() - begun < 3.0
        server.faults.clear()
        del tracker


def test_several_trackers() -> None:
    """D5: each gets everything, whatever came first."""
    with DashTrackerServer() as one, DashTrackerServer() as other:
        app, second = pages_app(), classic_app()
        first = Tracker(app, tracker_endpoint=one.endpoint)
        again = Tracker(app, "Again", other.endpoint)
        third = Tracker(second, "Third", other.endpoint)
        visit(app)
        visit(second, "/x")
        assert paths(first, one) == ["/"]
        assert again.flush(20) == third.flush(20) == 0
        assert sorted(row["app_name"] for row in other.page_views()) == ["Again", "Third"]


def test_each_key_stays_with_its_tracker() -> None:
    """Two keys for one endpoint may be two customers: no event leaves with the other's, whoever delivers."""
    with DashTrackerServer() as server:
        apps = [pages_app() for _ in range(3)]
        keys: list[str | None] = ["key-1", "key-2", None]
        trackers = [Tracker(app, str(key), server.endpoint, key) for app, key in zip(apps, keys, strict=True)]
        server.faults.answer(503, times=2)
        for app in apps:
            visit(app)
        for tracker in trackers:
            assert tracker.flush(20) == 0
        found = {(each.json()["data"]["app_name"], each.headers.get("x-api-key")) for each in server.requests}
        assert found == {("key-1", "key-1"), ("key-2", "key-2"), ("None", None)}
        assert len(server.events) == 3


def test_a_field_of_the_users_that_is_called_as_one_of_ours() -> None:
    """It arrives as the provider says it, and takes nothing's place."""
    user = {"user_id": "u", "http.route": "r", "component": "c", "property": "flat", "callback": "b", "path": "p"}
    with running("interaction_both_click", user_provider=lambda: user) as own:
        own.ask()
        visit(own.app)
        assert own.tracker.flush(20) == 0
        assert len(own.server.events) == 2
        for event in own.server.events:
            assert {name: event["data"][name] for name in user} == user


@pytest.mark.parametrize("pathname", ["/a b", "/%D0%B7", "/зв?x#y"])
def test_a_move_is_called_as_the_location_calls_it(pathname: str) -> None:
    """Encoded or not, as an app may set it."""
    (request,) = asked("nav_pages_plugin")
    body = json.loads(request["body"])
    body["inputs"][0]["value"] = pathname
    with running("nav_pages_plugin") as own:
        own.ask([{**request, "body": json.dumps(body)}])
        assert own.paths() == [pathname]


@pytest.mark.parametrize("pathname", [None, 3, ""])
def test_a_location_that_says_nothing_is_nothing(pathname: object) -> None:
    """Neither a page nor an interaction."""
    (request,) = asked("interaction_both_nav")
    body = json.loads(request["body"])
    body["inputs"][0]["value"] = pathname
    with running("interaction_both_nav") as own:
        own.ask([{**request, "body": json.dumps(body)}])
        assert own.sent() == []


@pytest.mark.parametrize("body", [b"{bad", b"", b"[]", b'"x"', b"null", b"1", b"[" * 100_000])
@pytest.mark.parametrize("path", ["/api/ping", "/_dash-update-component"])
def test_no_request_is_broken(path: str, body: bytes) -> None:
    """D6: whatever somebody posts, the answer is the one without a tracker."""
    app = shared()
    client = app.server.test_client()

    def post() -> tuple[int, bytes]:
        try:
            answer = client.post(path, data=body, content_type="application/json", headers=BROWSER)
        except Exception as error:  # noqa: BLE001 - Dash fails by itself at some of them
            return 0, type(error).__name__.encode()
        return answer.status_code, answer.data

    before = post()
    with DashTrackerServer() as server:
        tracker = Tracker(app, tracker_endpoint=server.endpoint, enable_page_interaction_tracking=True)
        assert post() == before
        assert paths(tracker, server) == []


class _Strange:
    """Of no type that anybody expects."""


@pytest.mark.parametrize("provider", [lambda: 1 / 0, lambda: None, lambda: [1], lambda: asyncio.sleep(0), _Strange])
def test_a_provider_that_fails(provider: Any, caplog: pytest.LogCaptureFixture) -> None:
    """D6: the visit counts, as nobody's; that is counted and said once, without a value."""
    with DashTrackerServer() as server:
        app = shared()
        tracker = Tracker(app, tracker_endpoint=server.endpoint, user_provider=provider)
        assert visit(app).status_code == visit(app).status_code == 200
        assert paths(tracker, server) == ["/", "/"]
        assert server.page_views()[0]["user_id"] == server.page_views()[0]["email"] == "anonymous"
        assert tracker.status()["counters"]["user_provider_failed"] == 2
    assert len([each for each in caplog.messages if "user_provider" in each]) == 1


def test_event_loops_are_left_alone() -> None:
    """D7, D8: a page may be served from within a loop, and a thread's loop is what it was."""
    with DashTrackerServer() as server:
        options: Any = {"use_async": False} if _HAS_ASYNC else {}
        app = dash.Dash("plain", **options)
        app.layout = dash.html.Div()
        tracker = Tracker(app, tracker_endpoint=server.endpoint)

        async def serve() -> int:
            return int(visit(app).status_code)

        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        try:
            assert loop.run_until_complete(serve()) == 200
            assert visit(app).status_code == 200
            assert asyncio.get_event_loop() is loop
            assert loop.run_until_complete(asyncio.sleep(0, "open")) == "open"
        finally:
            asyncio.set_event_loop(None)
            loop.close()
        assert paths(tracker, server) == ["/", "/"]


def test_bots_do_not_count() -> None:
    """D10: nor does what a browser fetches ahead; unless somebody wants bots."""
    with running("page_load_bot") as own:
        own.ask()
        visit(own.app, **{"Sec-Purpose": "prefetch;prerender"})
        assert own.paths() == []
    with running("page_load_bot", count_bots=True) as own:
        own.ask()
        assert own.paths() == ["/"]


def test_nothing_is_lost() -> None:
    """D10: the endpoint is away for a while."""
    with DashTrackerServer() as server:
        server.faults.down(0.3)
        app = shared()
        tracker = Tracker(app, tracker_endpoint=server.endpoint)
        visit(app)
        assert server.wait_for(server.page_views, 20)
        assert paths(tracker, server) == ["/"]


def test_no_secret_key_is_made_up() -> None:
    """D13: sessions of several workers would break."""
    app = dash.Dash("plain")
    app.layout = dash.html.Div()
    with DashTrackerServer() as server:
        tracker = Tracker(app, tracker_endpoint=server.endpoint)
        assert app.server.secret_key is None
        assert visit(app).status_code == 200
        assert paths(tracker, server) == ["/"]


def test_passwords_stay_even_where_values_are_allowed() -> None:
    """D9: a component says by its name what its value is."""
    app = classic_app()

    @app.callback(Output("out", "title"), Input("go", "n_clicks"), Input("user-password", "value"))
    def login(clicks: int, password: str) -> str:
        del clicks, password
        return ""

    given = [
        {"id": "go", "property": "n_clicks", "value": 1},
        {"id": "user-password", "property": "value", "value": "p"},
    ]
    body = {
        "output": "out.title",
        "outputs": {"id": "out", "property": "title"},
        "inputs": given,
        "changedPropIds": ["go.n_clicks"],
    }
    with DashTrackerServer() as server:
        repository = HttpTrackerRepository(server.endpoint, KEY)
        tracker = Tracker(app, repository=repository, enable_page_interaction_tracking=True, interaction_values=True)
        client = app.server.test_client()
        assert client.post("/_dash-update-component", json=body, headers=BROWSER).status_code == 200
        assert tracker.flush(20) == 0
        (event,) = server.events
    inputs = event["data"]["interaction"]["inputs"]
    assert inputs[0]["value"] == 1
    assert inputs[1]["value"] not in ("p", None)
    assert '"p"' not in json.dumps(event)
