"""What requests say of consent: by cookie and by a browser's signals, wherever requests are served."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

import flask
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import SpanKind

import footspan
from footspan import _guard
from footspan import conventions as c
from footspan.config import PageViewSettings
from footspan.config.consent import PurposeSettings
from footspan.instrumentation.web_sessions import FlaskSessions
from footspan.processors.context import ambient
from footspan.processors.page_views import PageViewSpanProcessor
from footspan.processors.redaction import Redactor
from footspan.processors.spans import redacted
from footspan.tracking.middleware_asgi import AsgiMiddleware
from footspan.tracking.middleware_wsgi import WsgiMiddleware
from spooled import spooled

if TYPE_CHECKING:
    from collections.abc import Callable

COOKIE = {"Cookie": "a=b; ok=analytics%2Cfunctional"}


def start(**privacy: Any) -> None:
    """A pipeline that delivers nothing, and hears the requests of Flask apps."""
    footspan.init(
        service_name="shop",
        courier="external",
        privacy=privacy,
        destinations={"console": {}},
        sessions={"secret": "s" * 20},
    )


def shop() -> flask.Flask:
    """An app with one page, which tracks."""
    app = flask.Flask("shop")
    app.secret_key = "secret"

    @app.get("/")
    def page() -> str:
        footspan.track("cart", user_id="u_1")
        return "<p>"

    return app


def stored() -> list[str]:
    """The names on disk."""
    return [event.name for event in spooled() if not event.name.startswith("session.")]


def test_a_browsers_signal_under_flask() -> None:
    """It refuses what the settings have it refuse, for its own request alone."""
    start(purposes={"gpc": ["analytics"], "dnt": []})
    client = shop().test_client()
    client.get("/", headers={"Sec-GPC": "1"})
    assert stored() == []
    client.get("/", headers={"DNT": "1"})
    client.get("/")
    assert stored() == ["cart", "cart"]
    assert not any("sec" in key or "dnt" in key for event in spooled() for key in event.attributes)


def test_the_cookie_under_flask() -> None:
    """With opt-in only those who agreed are counted, and the cookie itself is kept nowhere."""
    start(consent="opt_in", purposes={"cookie": "ok"})
    client = shop().test_client(use_cookies=False)
    client.get("/")
    client.get("/", headers={"Cookie": "ok=functional"})
    assert stored() == []
    client.get("/", headers=COOKIE)
    [event] = spooled()
    assert event.attributes[c.CONSENT] == ["analytics", "functional"]
    assert "ok=" not in str(event.record)
    assert "cookie" not in str(event.record)


def test_a_quick_road_that_is_open_sees_the_signal() -> None:
    """Events of a kind that is known are no exception."""
    start(purposes={"gpc": ["analytics"]})
    client = shop().test_client()
    for _ in range(4):
        client.get("/")
    client.get("/", headers={"Sec-GPC": "1"})
    assert len(stored()) == 4


def _say(said: Any, _request: Any) -> Any:
    return said


def test_the_app_has_the_last_word() -> None:
    """What its sessions' callback says stands above cookie and signals, and says who is remembered."""
    start(consent="opt_in", purposes={"cookie": "ok", "gpc": ["analytics"]})
    cases: list[tuple[Any, list[str], bool]] = [
        ({"analytics": True}, ["cart"], True),
        ({"analytics": False}, ["cart"], False),
        (True, ["cart"] * 2, True),
    ]
    for said, names, remembered in cases:
        app = shop()
        sessions = FlaskSessions(app, consent=partial(_say, said))
        answer = app.test_client(use_cookies=False).get("/", headers=COOKIE)
        sessions.uninstall()
        assert stored() == names
        assert ("Set-Cookie" in answer.headers) is remembered


def test_who_agreed_by_cookie_is_remembered() -> None:
    """With opt-in and no callback, the consent cookie decides about the sessions' cookie, too."""
    start(consent="opt_in", purposes={"cookie": "ok"})
    app = shop()
    sessions = FlaskSessions(app)
    client = app.test_client(use_cookies=False)
    assert "Set-Cookie" not in client.get("/").headers
    assert "Set-Cookie" in client.get("/", headers=COOKIE).headers
    sessions.uninstall()


def test_a_callback_that_fails_agrees_to_nothing() -> None:
    """Neither to a cookie nor to events."""
    start()
    app = shop()

    def broken(_: Any) -> bool:
        raise RuntimeError

    _guard.reraise_in_tests(False)
    sessions = FlaskSessions(app, consent=broken)
    assert app.test_client().get("/").status_code == 200
    sessions.uninstall()
    assert spooled() == []


def _wsgi(found: list[Any], fields: Callable[[Any], Any] | None, headers: dict[str, str]) -> None:
    def app(_environ: Any, _start: Any) -> list[bytes]:
        found.append(ambient().get(c.CONSENT))
        return []

    environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    WsgiMiddleware(app, fields=fields)(environ, None)


def _asgi(found: list[Any], fields: Callable[[Any], Any] | None, headers: dict[str, str]) -> None:
    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        found.append(ambient().get(c.CONSENT))

    pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    asyncio.run(AsgiMiddleware(app, fields=fields)({"type": "http", "headers": pairs}, None, None))


@pytest.mark.parametrize("serve", [_wsgi, _asgi])
def test_the_middleware(serve: Callable[..., None]) -> None:
    """Cookie and signals, and above them what the app says."""
    start(purposes={"cookie": "ok"})
    found: list[Any] = []
    serve(found, None, {})
    serve(found, None, {**COOKIE, "Sec-GPC": "1"})
    serve(found, lambda _: {"consent": True}, {"Sec-GPC": "1"})
    assert found == [None, {"analytics": True, "marketing": False, "functional": True}, True]


@pytest.mark.parametrize("spelling", ["sec-gpc", "sec_gpc"])
def test_page_views_of_server_spans(spelling: str) -> None:
    """The signal on the span refuses; it is neither stored nor exported, and the context stands above it."""
    start(purposes={"gpc": ["analytics"]})
    provider = TracerProvider()
    provider.add_span_processor(PageViewSpanProcessor(PageViewSettings(), purposes=PurposeSettings(gpc=("analytics",))))
    tracer = provider.get_tracer("t")
    attributes: dict[str, Any] = {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "url.path": "/a",
        "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
        "http.response.header.content-type": ["text/html"],
        f"http.request.header.{spelling}": ["1"],
    }
    with tracer.start_as_current_span("GET /", kind=SpanKind.SERVER, attributes=attributes) as span:
        pass
    assert spooled() == []
    assert f"http.request.header.{spelling}" not in (redacted(span, Redactor()).attributes or {})  # type: ignore[arg-type]

    with (
        footspan.context(consent=True),
        tracer.start_as_current_span("GET /", kind=SpanKind.SERVER, attributes=attributes),
    ):
        pass
    [event] = spooled()
    assert not any(spelling in key for key in event.attributes)
