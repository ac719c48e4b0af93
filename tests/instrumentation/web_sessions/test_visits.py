"""Tests for footspan.instrumentation.web_sessions.visits: a visitor's way through an app, by a cookie alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import footspan
from footspan import _guard
from footspan.processors.context import ambient
from instrumentation.web_sessions.browsers import T0, Browser, Clock, make_visits
from spooled import spooled

if TYPE_CHECKING:
    from footspan.instrumentation.web_sessions.visits import Visit, Visits

FIRST = "footspan.first_touch"


@pytest.fixture(autouse=True)
def started() -> None:
    """A pipeline that delivers nothing."""
    footspan.init(service_name="shop", courier="external", destinations={"console": {"enabled": True}})


@pytest.fixture
def clock() -> Clock:
    """The server's clock."""
    return Clock()


@pytest.fixture
def visits(clock: Clock) -> Visits:
    """The visits of one process."""
    return make_visits(clock)


@pytest.fixture
def browser(visits: Visits) -> Browser:
    """A visitor's browser."""
    return Browser(visits)


def told() -> list[tuple[str, str, float]]:
    """Event name, session, seconds since the start of the test."""
    return [
        (each.name, each.attributes["session.id"], round(int(each.record["timeUnixNano"]) / 1e9 - T0, 3))
        for each in spooled()
    ]


def session_of(visit: Visit | None) -> str:
    """The id of a visit's session."""
    assert visit is not None
    assert visit.session is not None
    return visit.session.id


def test_a_visitor_has_one_session_and_one_id(browser: Browser, clock: Clock) -> None:
    """From request to request, by the cookie; a second visitor has others."""
    first = browser.ask()
    clock.now += 1700
    second = browser.ask()
    clock.now += 1700
    third = browser.ask()
    other = Browser(browser.visits).ask()

    assert first is not None
    assert second is not None
    assert other is not None
    assert session_of(first) == session_of(second) == session_of(third) != session_of(other)
    assert first.visitor_id == second.visitor_id != other.visitor_id
    assert told() == [("session.start", session_of(first), 0.0), ("session.start", session_of(other), 3400.0)]


def test_a_time_out_is_told_by_the_next_request(browser: Browser, clock: Clock) -> None:
    """The end at the last activity, the start with the session before; the visitor stays the same."""
    first = browser.ask("https://shop.example/?utm_source=news")
    clock.now += 100
    browser.ask()
    clock.now += 1801
    second = browser.ask()

    assert first is not None
    assert second is not None
    assert told() == [
        ("session.start", session_of(first), 0.0),
        ("session.end", session_of(first), 100.0),
        ("session.start", session_of(second), 1901.0),
    ]
    _, end, start = spooled()
    assert start.attributes["session.previous_id"] == session_of(first)
    assert start.attributes["enduser.pseudo.id"] == end.attributes["enduser.pseudo.id"] == first.visitor_id
    assert end.attributes["footspan.utm.source"] == "news"
    assert end.attributes["footspan.duration_ms"] == 100_000


def test_requests_at_once_in_several_processes_start_one_session(clock: Clock) -> None:
    """All with the same old cookie: one new id; each process tells once, and both copies have one event id."""
    here, there = make_visits(clock), make_visits(clock)
    browser = Browser(here)
    browser.ask()
    clock.now += 1801
    sessions = set()
    for visits in (here, there, here, there):
        browser.visits = visits
        sessions.add(session_of(browser.begin()))
        clock.now += 0.1

    assert len(sessions) == 1
    events = spooled()[1:]
    assert [each.name for each in events] == ["session.end", "session.start"] * 2
    assert events[0].uid == events[2].uid
    assert events[1].uid == events[3].uid
    assert len({each.uid for each in events}) == 2


@pytest.mark.parametrize("cookie", ["x", "a.b.c", "", "é", "x" * 10_000, "bnVsbA.abc.def"])
def test_a_bad_cookie_is_a_new_visitor(browser: Browser, cookie: str) -> None:
    """Never an exception."""
    browser.cookie = cookie
    visit = browser.ask()

    assert told() == [("session.start", session_of(visit), 0.0)]
    assert browser.cookie != cookie


def test_a_session_ends_by_a_call(browser: Browser, clock: Clock) -> None:
    """At once; what is left of the request bears none, and the next request starts the next."""
    first = browser.begin()
    assert first is not None
    session = session_of(first)
    with footspan.context(**first.fields()):
        clock.now += 1
        assert first.end_session()
        assert not first.end_session()
        assert "session.id" not in ambient()
    browser.keep(first.set_cookie())
    second = browser.ask()

    assert first.session is None
    assert second is not None
    assert second.visitor_id == first.visitor_id
    assert told() == [
        ("session.start", session, 0.0),
        ("session.end", session, 1.0),
        ("session.start", session_of(second), 1.0),
    ]
    assert spooled()[2].attributes["session.previous_id"] == session


def test_a_session_rotates(browser: Browser, clock: Clock) -> None:
    """End and start at once, and the context bears the new one."""
    first = browser.begin()
    assert first is not None
    session = session_of(first)
    with footspan.context(**first.fields()):
        clock.now += 1
        rotated = first.rotate()
        assert rotated is not None
        assert ambient()["session.id"] == rotated.id
    browser.keep(first.set_cookie())

    assert rotated.previous_id == session
    assert session_of(browser.ask()) == rotated.id
    assert told()[1:] == [("session.end", session, 1.0), ("session.start", rotated.id, 1.0)]


@pytest.mark.parametrize(
    ("url", "flags"),
    [("https://shop.example/", ["Secure"]), ("http://shop.example/", [])],
)
def test_the_cookie_is_for_the_server_alone(browser: Browser, url: str, flags: list[str]) -> None:
    """No script reads it, no other site's form sends it, and it is secure where the page is."""
    visit = browser.begin(url)
    assert visit is not None
    header = visit.set_cookie() or ""
    name, *attributes = header.split("; ")

    assert name.startswith("footspan=")
    assert attributes == ["Max-Age=15552000", "Path=/", *flags, "HttpOnly", "SameSite=Lax"]


def test_the_cookie_follows_the_settings(clock: Clock) -> None:
    """Name, path, domain and age."""
    visits = make_visits(
        clock,
        sessions={"cookie_name": "v", "cookie_path": "/app", "cookie_domain": ".Shop.example", "cookie_max_age": "1d"},
    )
    visit = Browser(visits).begin()
    assert visit is not None
    header = visit.set_cookie() or ""

    assert header.startswith("v=")
    assert header.split("; ")[1:4] == ["Max-Age=86400", "Path=/app", "Domain=shop.example"]


@pytest.mark.parametrize(
    ("control", "is_set"),
    [
        ("", True),
        ("no-store", True),
        ("private, max-age=60", True),
        ("public, max-age=60", False),
        ("max-age=60, S-MaxAge=9", False),
    ],
)
def test_what_shared_caches_keep_has_no_cookie(browser: Browser, control: str, is_set: bool) -> None:
    """Else the next visitor would get the cookie of the one before."""
    visit = browser.begin()

    assert visit is not None
    assert (visit.set_cookie(control) is not None) is is_set


@pytest.mark.parametrize("header", ["dnt", "sec_gpc"])
def test_who_objects_has_no_cookie(browser: Browser, header: str) -> None:
    """No session, no event, nothing in the context; a cookie from before is taken back."""
    visit = browser.ask(**{header: "1"})
    assert visit is not None
    assert visit.set_cookie() is None
    assert (visit.session, visit.visitor_id, visit.fields()) == (None, None, {})
    assert (visit.end_session(), visit.rotate()) == (False, None)
    assert told() == []

    browser.ask()
    assert browser.cookie
    again = browser.ask(**{header: "1"})
    assert again is not None
    assert (again.set_cookie() or "").startswith("footspan=; Max-Age=0; Path=/")
    assert browser.cookie == ""


@pytest.mark.parametrize("header", ["dnt", "sec_gpc"])
def test_signals_count_as_the_settings_say(clock: Clock, header: str) -> None:
    """Each can be switched off; any value but 1 objects to nothing."""
    visits = make_visits(clock, sessions={"respect_dnt": False, "respect_gpc": False})

    assert session_of(Browser(visits).ask(**{header: "1"}))
    assert session_of(Browser(make_visits(clock)).ask(**{header: "0"}))


def test_the_app_is_asked_for_consent(clock: Clock) -> None:
    """With the request; what it says counts for this request."""
    browser = Browser(make_visits(clock, consent=lambda request: request.get("consent") == "yes"))

    refused = browser.ask()
    assert refused is not None
    assert refused.visitor_id is None
    assert browser.cookie == ""
    assert session_of(browser.ask(consent="yes"))
    assert browser.cookie
    browser.ask(consent="no")
    assert browser.cookie == ""


def test_a_consent_that_fails_is_none(clock: Clock) -> None:
    """It fails closed."""
    _guard.reraise_in_tests(False)
    visit = Browser(make_visits(clock, consent=lambda request: request["missing"])).ask()

    assert visit is not None
    assert visit.visitor_id is None


@pytest.mark.parametrize(
    ("url", "method", "headers"),
    [
        ("https://shop.example/health", "GET", {}),
        ("https://shop.example/static/x.css", "GET", {}),
        ("https://shop.example/", "OPTIONS", {}),
        ("https://shop.example/", "GET", {"user_agent": "Googlebot/2.1"}),
        ("https://shop.example/", "GET", {"user_agent": ""}),
    ],
)
def test_programs_and_checks_are_no_visitors(browser: Browser, url: str, method: str, headers: dict[str, str]) -> None:
    """They keep no cookies: each request would be a session."""
    assert browser.ask(url, method, **headers) is None
    assert told() == []


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}),
        ("GET", {"sec_fetch_site": "cross-site", "sec_fetch_mode": "cors", "sec_fetch_dest": "empty"}),
        ("GET", {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe"}),
        ("POST", {"origin": "https://bank.example"}),
        ("POST", {"origin": "null"}),
    ],
)
def test_a_cookie_that_was_withheld_is_not_replaced(browser: Browser, method: str, headers: dict[str, str]) -> None:
    """A visitor whom their bank sends back by a form is who they were before."""
    assert browser.ask("https://shop.example/paid", method, **headers) is None


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}),
        ("POST", {"sec_fetch_site": "same-origin"}),
        ("POST", {"origin": "https://shop.example"}),
        ("POST", {}),
    ],
)
def test_other_first_requests_start_a_session(browser: Browser, method: str, headers: dict[str, str]) -> None:
    """Following a link from elsewhere, and one's own forms."""
    assert session_of(browser.ask("https://shop.example/", method, **headers))


def test_the_first_touch_stays_and_the_last_is_replaced(browser: Browser, clock: Clock) -> None:
    """By any that is not direct, and not by walking around."""
    visit = browser.ask("https://shop.example/?utm_source=news&utm_medium=email", referer="https://mail.google.com/")
    assert visit is not None
    first = visit.fields()
    assert (
        first.items()
        >= {
            "footspan.utm.source": "news",
            "footspan.referrer.class": "email",
            "footspan.referrer.domain": "mail.google.com",
            f"{FIRST}.utm.source": "news",
            f"{FIRST}.referrer.class": "email",
        }.items()
    )

    for referer in ("", "https://shop.example/", "https://www.shop.example/x"):
        clock.now += 4000
        again = browser.ask("https://shop.example/cart", referer=referer)
        assert again is not None
        assert {name: value for name, value in again.fields().items() if name != "session.id"} == {
            name: value for name, value in first.items() if name != "session.id"
        }

    visit = browser.ask("https://shop.example/?gclid=g1")
    assert visit is not None
    assert (
        visit.fields().items()
        >= {
            "footspan.click_id.gclid": "g1",
            "footspan.referrer.class": "paid",
            f"{FIRST}.utm.source": "news",
            f"{FIRST}.referrer.class": "email",
        }.items()
    )
    assert "footspan.utm.source" not in visit.fields()
    assert "footspan.referrer.domain" not in visit.fields()


def test_a_direct_first_visit_is_both_touches(browser: Browser) -> None:
    """Until there is another: then the first stays direct."""
    visit = browser.ask()
    assert visit is not None
    assert visit.fields()["footspan.referrer.class"] == visit.fields()[f"{FIRST}.referrer.class"] == "direct"
    visit = browser.ask(referer="https://t.co/x")
    assert visit is not None
    assert visit.fields()["footspan.referrer.class"] == "social"
    assert visit.fields()[f"{FIRST}.referrer.class"] == "direct"


@pytest.mark.parametrize(
    "headers",
    [
        {"referer": "https://shop.example/"},
        {"sec_fetch_site": "same-site", "referer": "https://app.other.example/"},
    ],
)
def test_who_is_seen_in_the_middle_has_no_touch(browser: Browser, headers: dict[str, str]) -> None:
    """As after a consent on the second page: nobody saw how they came, and it is not guessed."""
    visit = browser.ask(**headers)

    assert visit is not None
    assert set(visit.fields()) == {"enduser.pseudo.id", "session.id"}


def test_the_operators_table_counts(clock: Clock) -> None:
    """Own domains, and classes of others."""
    visits = make_visits(clock, attribution={"internal": ["pay.example"], "referrers": {"find.example": "search"}})

    inside = Browser(visits).ask(referer="https://checkout.pay.example/")
    found = Browser(visits).ask(referer="https://find.example/")
    assert inside is not None
    assert found is not None
    assert "footspan.referrer.class" not in inside.fields()
    assert found.fields()["footspan.referrer.class"] == "search"


def test_nothing_is_remembered_where_tracking_is_off(clock: Clock) -> None:
    """No cookie for nothing."""
    assert Browser(make_visits(clock, enabled=False)).ask() is None
    footspan.init(enabled=False)
    assert Browser(make_visits(clock)).ask() is None
