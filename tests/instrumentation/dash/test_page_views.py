"""Page views of real Dash apps, asked as a browser asks: each once, with its address and where somebody came from."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask

import footspan
from footspan.instrumentation.dash import DashInstrumentor
from instrumentation.dash import board
from instrumentation.dash.browsing import HOST, Tab
from spooled import spooled

if TYPE_CHECKING:
    from collections.abc import Callable

    from dash import Dash

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"


def views() -> list[tuple[str, str]]:
    """Every page view: where, and from where."""
    found = [each.attributes for each in spooled() if each.name == "footspan.page_view"]
    return [(_short(each["url.full"]), _short(*each.get("http.request.header.referer", [""]))) for each in found]


def _short(url: str) -> str:
    return url.removeprefix(HOST)


def watched(make: Callable[..., Dash], **settings: Any) -> Dash:
    """An app that is watched; nobody may change it."""
    app = board.shared(make, **settings)
    DashInstrumentor.instrument_app(app)
    return app


@pytest.fixture(params=["", "a"], ids=["no tabs numbered", "tabs numbered"])
def number(request: pytest.FixtureRequest) -> str:
    """What newer versions of Dash send with every callback, and older ones do not."""
    return str(request.param)


def test_everything_with_the_plugin(number: str) -> None:
    """Deep link, link, query, back, reload, unknown page, home: each once, from the page before."""
    tab = Tab(watched(board.pages), number=number)
    tab.load("/dashboard", referrer="https://search.example/?q=tea")
    tab.go("/")
    tab.go("/reports/7?tab=x")
    tab.go("/reports/7?tab=y")
    tab.go("/reports/7?tab=x")  # back
    tab.go("/")  # back over path and query
    tab.load("/")  # reload
    tab.go("/no/such/page")
    tab.go("/dashboard")
    assert views() == [
        ("/dashboard", "https://search.example/?q=tea"),
        ("/", "/dashboard"),
        ("/reports/7?tab=x", "/"),
        ("/reports/7?tab=y", "/reports/7?tab=x"),
        ("/reports/7?tab=x", "/reports/7?tab=y"),
        ("/", "/reports/7?tab=x"),
        ("/", ""),
        ("/no/such/page", "/"),
        ("/dashboard", "/no/such/page"),
    ]


def test_everything_with_an_own_location(number: str) -> None:
    """Two callbacks read it, one the path only; every move is still one page view."""
    tab = Tab(watched(board.own), number=number)
    tab.load("/dashboard?year=6")
    tab.go("/")
    tab.go("/dashboard")
    tab.go("/dashboard?year=7")
    tab.go("/dashboard")
    tab.load("/dashboard")
    tab.go("/")
    assert views() == [
        ("/dashboard?year=6", ""),
        ("/", "/dashboard?year=6"),
        ("/dashboard", "/"),
        ("/dashboard?year=7", "/dashboard"),
        ("/dashboard", "/dashboard?year=7"),
        ("/dashboard", ""),
        ("/", "/dashboard"),
    ]


@pytest.mark.parametrize("make", [board.pages, board.own])
def test_under_a_prefix(make: Callable[..., Dash]) -> None:
    """``url_base_pathname`` is part of every address."""
    tab = Tab(watched(make, url_base_pathname="/app/"))
    tab.load("/app/dashboard")
    tab.go("/app/")
    tab.go("/app/dashboard?year=7")
    assert views() == [("/app/dashboard", ""), ("/app/", "/app/dashboard"), ("/app/dashboard?year=7", "/app/")]


@pytest.mark.parametrize("make", [board.pages, board.own])
def test_behind_a_proxy_that_takes_a_part_of_the_path_away(make: Callable[..., Dash]) -> None:
    """``requests_pathname_prefix``: the address is the browser's, also of a page that was loaded."""
    app = watched(make, requests_pathname_prefix="/proxy/", routes_pathname_prefix="/")
    tab = Tab(app)
    tab.load("/deep?a=1", comes_up=False)
    tab.address = "/proxy/deep?a=1"
    tab._reports({"pathname", "search"})
    tab.go("/proxy/")
    assert views() == [("/proxy/deep?a=1", ""), ("/proxy/", "/proxy/deep?a=1")]


def test_titles_templates_and_unknown_pages() -> None:
    """Known from the page registry; a title that is a function is not called."""
    tab = Tab(watched(board.pages))
    tab.load("/dashboard")
    tab.go("/no/such/page")
    tab.load("/neither/this")
    tab.go("/reports/7")
    found = [each.attributes for each in spooled() if each.name == "footspan.page_view"]
    assert [each.get("footspan.page.title") for each in found] == ["Numbers", None, None, "Report"]
    assert [each.get("not_found") for each in found] == [None, True, True, None]


def test_the_apps_own_title() -> None:
    """An app without the plugin has one title, and knows of no page that is missing."""
    Tab(watched(board.own)).load("/no/such/page")
    (view,) = spooled()
    assert (view.attributes["footspan.page.title"], view.attributes.get("not_found")) == ("Board", None)


def test_who_and_where() -> None:
    """Agent, address, host and language stand on both kinds of page views."""
    tab = Tab(watched(board.pages))
    tab.load("/")
    tab.go("/dashboard")
    for view in spooled():
        assert view.attributes["user_agent.original"] == tab.agent
        assert view.attributes["client.address"] == "127.0.0.1"
        assert view.attributes["server.address"] == "localhost"


def test_two_tabs(number: str) -> None:
    """Each tab's moves are its own, also to a page that the other is at."""
    app = watched(board.pages)
    one, other = Tab(app, number=number and "one"), Tab(app, number=number and "other")
    one.load("/")
    other.load("/dashboard")
    one.go("/dashboard")
    other.go("/")
    other.go("/reports/7?tab=x")
    one.go("/")
    assert [view for view, _ in views()] == ["/", "/dashboard", "/dashboard", "/", "/reports/7?tab=x", "/"]
    if number:
        assert [came for _, came in views()] == ["", "", "/", "/dashboard", "/", "/dashboard"]


def test_two_tabs_of_an_own_location(number: str) -> None:
    """Also where every report could be a page's first."""
    app = watched(board.own)
    one, other = Tab(app, number=number and "one"), Tab(app, number=number and "other")
    one.load("/", comes_up=False)
    other.load("/", comes_up=False)
    one._reports({"pathname", "search"})
    other._reports({"pathname", "search"})
    one.go("/dashboard")
    other.go("/dashboard")
    assert [view for view, _ in views()] == ["/", "/", "/dashboard", "/dashboard"]


def test_two_browsers_at_one_address_count_the_same_in_sum() -> None:
    """Behind one proxy, with the same agent, they cannot be told apart; no view is lost or counted twice for it."""
    app = watched(board.own)
    one, other = Tab(app), Tab(app)
    one.load("/dashboard", comes_up=False)
    other.load("/")
    other.go("/dashboard")
    one._reports({"pathname", "search"})
    assert sorted(view for view, _ in views()) == ["/", "/dashboard", "/dashboard"]


def test_ways_that_need_no_location() -> None:
    """A page whose callbacks never come is counted when it is loaded; parts and files are not."""
    app = watched(board.own)
    tab = Tab(app)
    tab.load("/", comes_up=False)
    for path in (
        "/_dash-layout",
        "/_dash-dependencies",
        "/_reload-hash",
        "/_favicon.ico",
        "/api/ping",
        "/assets/x.css",
    ):
        tab.client.get(path, headers={"User-Agent": tab.agent})
    assert views() == [("/", "")]


def test_programs_and_prefetches_are_nobody() -> None:
    """A crawler that runs scripts reports moves as well."""
    app = watched(board.pages)
    robot = Tab(app, GOOGLEBOT)
    robot.load("/")
    robot.go("/dashboard")
    app.server.test_client().get("/", headers={"User-Agent": CHROME, "Sec-Purpose": "prefetch"})
    app.server.test_client().head("/", headers={"User-Agent": CHROME})
    assert not spooled()


def test_ignored_routes() -> None:
    """By the setting, by the option, with or without the prefix, by a page's template; a referrer still tells."""
    app = board.pages(url_base_pathname="/app/")
    DashInstrumentor.instrument_app(app, ignore_routes=["/reports/<number>", "/app/dash*"])
    tab = Tab(app)
    tab.load("/app/dashboard")
    tab.go("/app/reports/7")
    tab.touch("add", "sum.children", state=[{"id": "secret", "property": "value", "value": "x"}])
    tab.go("/app/")
    assert views() == [("/app/", "/app/reports/7")]
    assert len(spooled()) == 1


def test_page_views_can_be_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the setting, whatever loads the pages."""
    monkeypatch.setenv("FOOTSPAN_PAGE_VIEWS_ENABLED", "false")
    tab = Tab(watched(board.pages))
    tab.load("/")
    tab.go("/dashboard")
    assert not spooled()


def test_several_apps_on_one_server() -> None:
    """Each under its prefix; what one reports is no news of the other."""
    server = Flask("server")
    one, other = (
        Tab(board.plain(server=server, url_base_pathname=prefix, title=prefix)) for prefix in ("/one/", "/other/")
    )
    DashInstrumentor().instrument()
    one.load("/one/dashboard")
    other.load("/other/dashboard")
    one.go("/one/")
    other.go("/other/")
    assert views() == [
        ("/one/dashboard", ""),
        ("/other/dashboard", ""),
        ("/one/", "/one/dashboard"),
        ("/other/", "/other/dashboard"),
    ]
    titles = [each.attributes["footspan.page.title"] for each in spooled()]
    assert titles == ["/one/", "/other/", "/one/", "/other/"]


def test_the_address_is_redacted() -> None:
    """An e-mail address in a query is nowhere on disk, where pages are remembered included."""
    tab = Tab(watched(board.pages))
    tab.load("/dashboard?mail=jane@canary.example")
    tab.go("/")
    assert len(views()) == 2
    kept = [path.read_bytes() for path in Path(os.environ["XDG_STATE_HOME"]).rglob("*") if path.is_file()]
    assert not any(b"canary" in each for each in kept)


def test_the_context_of_a_request_is_on_its_events() -> None:
    """What the app says of who asks, in its own functions."""
    app = board.pages()
    DashInstrumentor.instrument_app(app)

    server: Flask = app.server

    @server.before_request
    def enter() -> None:
        footspan.set_context(user_id="u_1")

    tab = Tab(app)
    tab.load("/")
    tab.go("/dashboard")
    tab.touch("keep", "kept.children")
    assert [each.attributes["user.id"] for each in spooled()] == ["u_1"] * 3
