"""Tests for footspan.instrumentation.web_sessions.flask: apps, their cookies, and what their events bear."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, Response, make_response, session
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.sdk.trace import TracerProvider

import footspan
from footspan import _guard
from footspan.config import load_settings
from footspan.config.settings import PageViewSettings
from footspan.instrumentation import web_sessions
from footspan.instrumentation.defaults import CAPTURE_REQUEST, CAPTURE_RESPONSE, SEMCONV_OPT_IN
from footspan.instrumentation.web_sessions import FlaskSessions, current_visit, end_session, rotate_session
from footspan.processors.context import ambient
from footspan.processors.page_views import REQUEST_HEADERS, RESPONSE_HEADERS, PageViewSpanProcessor
from instrumentation.web_sessions.browsers import AGENT
from spooled import Spooled, spooled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

HEADERS = {"User-Agent": AGENT}


def make_app() -> Flask:
    """A shop."""
    app = Flask(__name__)
    app.secret_key = "only for tests"

    @app.before_request
    def first() -> None:
        footspan.track("before")

    @app.get("/")
    @app.get("/health")
    def home() -> str:
        footspan.track("in.handler")
        return "<p>hello"

    @app.get("/login")
    def login() -> str:
        session["user"] = "u"
        rotated = rotate_session()
        footspan.track("in.handler")
        return rotated.id if rotated else ""

    @app.get("/logout")
    def logout() -> str:
        return str(end_session())

    @app.get("/boom")
    def boom() -> str:
        raise RuntimeError("boom")

    @app.get("/cached")
    def cached() -> Response:
        response = make_response("<p>for all")
        response.headers["Cache-Control"] = "public, max-age=60"
        return response

    return app


@pytest.fixture(autouse=True)
def started() -> None:
    """A pipeline that delivers nothing."""
    footspan.init(service_name="shop", courier="external", destinations={"console": {"enabled": True}})


@pytest.fixture
def app() -> Iterator[Flask]:
    """A shop with sessions."""
    app = make_app()
    sessions = FlaskSessions(app)
    yield app
    sessions.uninstall()


@pytest.fixture
def browser(app: Flask) -> FlaskClient:
    """A visitor's browser."""
    return app.test_client()


def get(browser: FlaskClient, path: str, base: str = "http://shop.example", **headers: str) -> Any:
    """Open a page, as a person's browser does."""
    return browser.get(path, base_url=base, headers={**HEADERS, **headers})


def events(name: str) -> list[Spooled]:
    """The stored events of one name."""
    return [each for each in spooled() if each.name == name]


def ours(response: Any) -> str:
    """Our cookie in an answer; empty without one."""
    return next((each for each in response.headers.getlist("Set-Cookie") if each.startswith("footspan=")), "")


def test_every_event_of_a_request_bears_the_session(browser: FlaskClient) -> None:
    """Also of the app's functions before the handler; the next request has the same, and between them there is none."""
    for _ in range(2):
        get(browser, "/?utm_source=news")
        assert "session.id" not in ambient()

    (start,) = events("session.start")
    tracked = events("before") + events("in.handler")
    assert len(tracked) == 4
    assert {each.attributes["session.id"] for each in tracked} == {start.attributes["session.id"]}
    assert {each.attributes["enduser.pseudo.id"] for each in tracked} == {start.attributes["enduser.pseudo.id"]}
    assert {each.attributes["footspan.utm.source"] for each in tracked} == {"news"}
    assert {each.attributes["footspan.first_touch.utm.source"] for each in tracked} == {"news"}


def test_page_views_bear_the_session(app: Flask, browser: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are emitted when the request's span ends, which is within the request."""
    monkeypatch.setenv(SEMCONV_OPT_IN, "http")
    monkeypatch.setenv(CAPTURE_REQUEST, ",".join(REQUEST_HEADERS))
    monkeypatch.setenv(CAPTURE_RESPONSE, ",".join(RESPONSE_HEADERS))
    provider = TracerProvider()
    provider.add_span_processor(PageViewSpanProcessor(PageViewSettings()))
    FlaskInstrumentor().instrument_app(app, tracer_provider=provider)  # type: ignore[no-untyped-call] # upstream
    get(browser, "/?utm_source=news")
    get(browser, "/")

    views = events("footspan.page_view")
    (start,) = events("session.start")
    assert [each.attributes["url.path"] for each in views] == ["/", "/"]
    assert {each.attributes["session.id"] for each in views} == {start.attributes["session.id"]}
    assert views[1].attributes["footspan.utm.source"] == "news"


def test_the_answer_sets_the_cookie(browser: FlaskClient) -> None:
    """Beside the app's own; caches are told that the answer depends on it."""
    plain, secure = get(browser, "/login"), get(browser, "/", "https://shop.example")

    assert "; HttpOnly" in ours(plain)
    assert "; SameSite=Lax" in ours(plain)
    assert "; Secure" not in ours(plain)
    assert "; Secure" in ours(secure)
    assert any(each.startswith("session=") for each in plain.headers.getlist("Set-Cookie"))
    assert "Cookie" in plain.vary


def test_a_public_answer_sets_none(browser: FlaskClient) -> None:
    """Somebody else may get it from a cache."""
    response = get(browser, "/cached")

    assert ours(response) == ""
    assert "Cookie" not in response.vary


def test_a_health_check_is_no_visit(browser: FlaskClient) -> None:
    """It answers as without us."""
    response = get(browser, "/health")

    assert ours(response) == ""
    assert "session.id" not in events("in.handler")[0].attributes
    assert events("session.start") == []


@pytest.mark.parametrize("header", ["DNT", "Sec-GPC"])
def test_who_objects_is_not_remembered(browser: FlaskClient, header: str) -> None:
    """And whose cookie is there, loses it."""
    assert ours(get(browser, "/", **{header: "1"})) == ""
    get(browser, "/")
    assert "Max-Age=0" in ours(get(browser, "/", **{header: "1"}))
    assert browser.get_cookie("footspan", "shop.example") is None


def test_login_rotates_and_logout_ends(browser: FlaskClient) -> None:
    """Found from anywhere in the request."""
    get(browser, "/")
    login = get(browser, "/login")
    logout = get(browser, "/logout")
    get(browser, "/")

    first, second, third = events("session.start")
    assert login.text == second.attributes["session.id"]
    assert events("in.handler")[1].attributes["session.id"] == login.text
    assert logout.text == "True"
    assert [each.attributes["session.id"] for each in events("session.end")] == [
        first.attributes["session.id"],
        second.attributes["session.id"],
    ]
    assert third.attributes["session.previous_id"] == second.attributes["session.id"]


def test_outside_a_request_there_is_no_visit() -> None:
    """Nothing raises."""
    assert current_visit() is None
    assert end_session() is False
    assert rotate_session() is None


def test_a_handler_that_fails_loses_no_session(app: Flask, browser: FlaskClient) -> None:
    """The error's answer sets the cookie too, and nothing of the request is left."""
    app.config["PROPAGATE_EXCEPTIONS"] = False
    response = get(browser, "/boom")

    assert response.status_code == 500
    assert ours(response)
    assert "session.id" not in ambient()
    app.config["PROPAGATE_EXCEPTIONS"] = True
    with suppress(RuntimeError):
        get(browser, "/boom")
    assert "session.id" not in ambient()


@pytest.mark.parametrize("cookie", ["x", "a.b.c", '"', "é", "\x01", "x" * 9000])
def test_a_tampered_cookie_is_a_new_session(app: Flask, cookie: str) -> None:
    """Never an error of the app's."""
    raw = f"footspan={cookie}".encode().decode("latin-1")
    response = app.test_client(use_cookies=False).get("/", headers={**HEADERS, "Cookie": raw})

    assert response.status_code == 200
    assert ours(response)
    assert len(events("session.start")) == 1


def test_the_key_of_the_settings_counts_before_the_apps() -> None:
    """Apps with keys of their own share visitors where the operator says so."""
    footspan.init(
        service_name="shop", courier="external", destinations={"console": {"enabled": True}}, sessions={"secret": "one"}
    )
    first, second = make_app(), make_app()
    second.secret_key = "another"
    installed = [FlaskSessions(first), FlaskSessions(second)]
    browser = first.test_client()
    cookie = ours(get(browser, "/")).partition(";")[0]
    second.test_client(use_cookies=False).get("/", headers={**HEADERS, "Cookie": cookie})
    for each in installed:
        each.uninstall()

    assert len(events("session.start")) == 1
    assert len({each.attributes["session.id"] for each in events("in.handler")}) == 1


def test_the_apps_old_keys_are_read() -> None:
    """``SECRET_KEY_FALLBACKS``, as Flask's own sessions read them."""
    app = make_app()
    sessions = FlaskSessions(app)
    cookie = ours(get(app.test_client(), "/")).partition(";")[0]
    later = make_app()
    later.secret_key = "new"
    later.config["SECRET_KEY_FALLBACKS"] = ["only for tests"]
    sessions_later = FlaskSessions(later)
    later.test_client(use_cookies=False).get("/", headers={**HEADERS, "Cookie": cookie})
    sessions.uninstall()
    sessions_later.uninstall()

    assert len(events("session.start")) == 1


def test_without_a_key_there_are_no_sessions(caplog: pytest.LogCaptureFixture) -> None:
    """A key made up here would be another in the next process; it is said once, and the app goes on."""
    app = make_app()
    app.secret_key = None
    sessions = FlaskSessions(app)
    responses = [get(app.test_client(), "/") for _ in range(2)]
    sessions.uninstall()

    assert [(each.status_code, ours(each)) for each in responses] == [(200, "")] * 2
    assert caplog.text.count("no sessions") == 1


def test_consent_is_asked_with_flasks_request() -> None:
    """The app knows best."""
    app = make_app()
    sessions = FlaskSessions(app, consent=lambda request: request.args.get("ok") == "1")
    refused, given = get(app.test_client(), "/"), get(app.test_client(), "/?ok=1")
    sessions.uninstall()

    assert ours(refused) == ""
    assert ours(given)


def test_other_apps_are_left_alone(app: Flask) -> None:
    """Sessions of one app are no other's."""
    assert ours(get(make_app().test_client(), "/")) == ""


def test_it_can_be_taken_back() -> None:
    """From then on the app answers as without us."""
    app = make_app()
    FlaskSessions(app).uninstall()

    assert ours(get(app.test_client(), "/")) == ""


def test_the_settings_alone_give_every_app_sessions() -> None:
    """Under auto-instrumentation; an app that has its own on top gets no second ones."""
    settings = load_settings(environ={}, overrides={"sessions": {"enabled": True}})
    web_sessions.install(settings)
    web_sessions.install(settings)
    app = make_app()
    own = FlaskSessions(app)
    responses = get(app.test_client(), "/"), get(make_app().test_client(), "/")
    own.uninstall()
    web_sessions.reset()

    for each in responses:
        assert len([cookie for cookie in each.headers.getlist("Set-Cookie") if cookie.startswith("footspan=")]) == 1
    assert len(events("session.start")) == 2
    assert ours(get(make_app().test_client(), "/")) == ""


def test_the_settings_default_to_none() -> None:
    """A cookie is the operator's decision."""
    web_sessions.install(load_settings(environ={}))

    assert ours(get(make_app().test_client(), "/")) == ""


def test_without_flask_it_is_said(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """With the command that installs it."""
    monkeypatch.setitem(sys.modules, "flask", None)
    web_sessions.install(load_settings(environ={}, overrides={"sessions": {"enabled": True}}))

    assert "pip install 'footspan[flask]'" in caplog.text


def test_a_failure_of_ours_is_not_the_apps(app: Flask, browser: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither before nor after the handler."""
    _guard.reraise_in_tests(False)
    monkeypatch.setattr(web_sessions.Visit, "set_cookie", lambda *_: 1 / 0)
    assert get(browser, "/").status_code == 200
    monkeypatch.setattr(web_sessions.Visit, "fields", lambda *_: 1 / 0)
    assert get(browser, "/").status_code == 200
