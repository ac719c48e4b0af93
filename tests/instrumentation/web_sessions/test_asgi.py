"""Tests for footspan.instrumentation.web_sessions.asgi: any ASGI application, called as a server does."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import footspan
from footspan import ConfigurationError, _guard
from footspan.instrumentation import web_sessions
from footspan.instrumentation.web_sessions import AsgiSessions, current_visit, end_session, rotate_session
from footspan.processors.context import ambient
from instrumentation.web_sessions.browsers import AGENT
from spooled import Spooled, spooled


@pytest.fixture(autouse=True)
def started() -> None:
    """A pipeline that delivers nothing."""
    footspan.init(
        service_name="shop", courier="external", destinations={"console": {"enabled": True}}, sessions={"secret": "key"}
    )


async def shop(scope: Any, receive: Any, send: Any) -> None:
    """An application: tracks, and does what the path says."""
    if scope["type"] == "lifespan":
        await send({"type": "lifespan.startup.complete"})
        return
    footspan.track("in.handler")
    await asyncio.sleep(0)
    if scope["path"] == "/logout":
        end_session()
    if scope["path"] == "/login":
        rotate_session()
    if scope["path"] == "/boom":
        raise RuntimeError("boom")
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    headers = [(b"content-type", b"text/html")]
    if scope["path"] == "/cached":
        headers.append((b"Cache-Control", b"public"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"<p>hello"})


class Browser:
    """A browser that keeps our cookie."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.cookie = ""
        self.sent: list[Any] = []

    async def ask(self, path: str = "/", query: str = "", kind: str = "http", **headers: str) -> list[str]:
        """One connection; returns the ``Set-Cookie`` headers of the answer."""
        pairs = [(b"host", b"shop.example"), (b"user-agent", AGENT.encode())]
        pairs += [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
        if self.cookie:
            pairs.append((b"cookie", f"other=1; footspan={self.cookie}".encode()))
        scope = {"type": kind, "path": path, "query_string": query.encode(), "headers": pairs}
        scope |= {"scheme": "https"} if kind == "http" else {"scheme": "wss"}
        if kind == "http":
            scope["method"] = "GET"
        self.sent = []

        async def send(message: Any) -> None:
            self.sent.append(message)

        await self.app(scope, None, send)
        cookies = [value.decode() for name, value in self.sent[0].get("headers", ()) if name == b"set-cookie"]
        for each in cookies:
            self.cookie = each.partition(";")[0].partition("=")[2]
        return cookies


def events(name: str) -> list[Spooled]:
    """The stored events of one name."""
    return [each for each in spooled() if each.name == name]


def test_every_event_of_a_connection_bears_the_session() -> None:
    """The same from request to request, WebSockets included; afterwards there is none."""

    async def visit() -> None:
        browser = Browser(AsgiSessions(shop))
        (cookie,) = await browser.ask(query="utm_source=n%C3%A9ws")
        assert cookie.startswith("footspan=")
        assert cookie.endswith("; Max-Age=15552000; Path=/; Secure; HttpOnly; SameSite=Lax")
        assert (b"vary", b"Cookie") in browser.sent[0]["headers"]
        assert (b"content-type", b"text/html") in browser.sent[0]["headers"]
        assert browser.sent[1] == {"type": "http.response.body", "body": b"<p>hello"}
        await browser.ask()
        (socket,) = await browser.ask(kind="websocket")
        assert "; Secure" in socket
        assert current_visit() is None
        assert "session.id" not in ambient()

    asyncio.run(visit())

    (start,) = events("session.start")
    assert len(events("in.handler")) == 3
    for each in events("in.handler"):
        assert each.attributes["session.id"] == start.attributes["session.id"]
        assert each.attributes["footspan.utm.source"] == "néws"


def test_connections_at_once_do_not_mix() -> None:
    """Each visitor has their own session, however their requests interleave."""

    async def visit() -> None:
        app = AsgiSessions(shop)
        await asyncio.gather(*(Browser(app).ask(query=f"utm_source=s{number}") for number in range(20)))

    asyncio.run(visit())

    starts = {each.attributes["session.id"]: each.attributes["footspan.utm.source"] for each in events("session.start")}
    tracked = {each.attributes["session.id"]: each.attributes["footspan.utm.source"] for each in events("in.handler")}
    assert len(starts) == 20
    assert starts == tracked


def test_login_rotates_and_logout_ends() -> None:
    """Found from anywhere in the application."""

    async def visit() -> None:
        browser = Browser(AsgiSessions(shop))
        for path in ("/", "/login", "/logout", "/"):
            await browser.ask(path)

    asyncio.run(visit())

    starts = [each.attributes["session.id"] for each in events("session.start")]
    assert len(set(starts)) == 3
    assert starts[:2] == [each.attributes["session.id"] for each in events("session.end")]
    assert events("session.start")[2].attributes["session.previous_id"] == starts[1]


def test_a_failure_passes_and_leaves_nothing() -> None:
    """The application's exception, untouched; the context is closed."""

    async def visit() -> None:
        with pytest.raises(RuntimeError, match="boom"):
            await Browser(AsgiSessions(shop)).ask("/boom")
        assert current_visit() is None
        assert "session.id" not in ambient()

    asyncio.run(visit())


@pytest.mark.parametrize(
    ("path", "headers"),
    [("/cached", {}), ("/health", {}), ("/", {"dnt": "1"}), ("/", {"sec_gpc": "1"})],
)
def test_some_answers_set_no_cookie(path: str, headers: dict[str, str]) -> None:
    """What all may see, what nobody visits, and whoever objects."""
    assert asyncio.run(Browser(AsgiSessions(shop)).ask(path, **headers)) == []


def test_a_cookie_is_taken_back() -> None:
    """From whoever has come to object."""

    async def visit() -> None:
        allowed = True
        browser = Browser(AsgiSessions(shop, consent=lambda scope: allowed and scope["type"] == "http"))
        await browser.ask()
        assert browser.cookie
        allowed = False
        (cookie,) = await browser.ask()
        assert "Max-Age=0" in cookie
        assert browser.cookie == ""

    asyncio.run(visit())


@pytest.mark.parametrize("cookie", ["x", "a.b.c", '"', "é", "x" * 9000])
def test_a_tampered_cookie_is_a_new_session(cookie: str) -> None:
    """Never an exception."""
    browser = Browser(AsgiSessions(shop))

    assert len(asyncio.run(browser.ask(cookie=f"footspan={cookie}"))) == 1
    assert len(events("session.start")) == 1


def test_cookies_in_several_headers_are_found() -> None:
    """As HTTP/2 may send them."""

    async def visit() -> None:
        browser = Browser(AsgiSessions(shop))
        await browser.ask()
        await browser.ask(cookie="a=1")

    asyncio.run(visit())
    assert len(events("session.start")) == 1


def test_lifespan_passes() -> None:
    """What has no client has no visit."""
    sent: list[Any] = []

    async def start() -> None:
        async def send(message: Any) -> None:
            sent.append(message)

        await AsgiSessions(shop)({"type": "lifespan"}, None, send)

    asyncio.run(start())
    assert sent == [{"type": "lifespan.startup.complete"}]


def test_without_a_key_it_does_not_start() -> None:
    """The error names the setting; a key in the code is one too."""
    footspan.init(service_name="shop", courier="external", destinations={"console": {"enabled": True}})
    with pytest.raises(ConfigurationError, match=r"sessions\.secret"):
        AsgiSessions(shop)
    assert len(asyncio.run(Browser(AsgiSessions(shop, secret="mine")).ask())) == 1


def test_a_failure_of_ours_is_not_the_applications(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer goes out as it is."""
    _guard.reraise_in_tests(False)
    monkeypatch.setattr(web_sessions.Visit, "set_cookie", lambda *_: 1 / 0)
    browser = Browser(AsgiSessions(shop))

    assert asyncio.run(browser.ask()) == []
    assert browser.sent[0]["status"] == 200
    monkeypatch.setattr(web_sessions.Visit, "fields", lambda *_: 1 / 0)
    assert asyncio.run(browser.ask()) == []
    assert browser.sent[0]["status"] == 200
