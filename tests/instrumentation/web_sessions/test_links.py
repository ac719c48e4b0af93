"""Tests for footspan.instrumentation.web_sessions.links: sessions that go on where a link leads."""

from __future__ import annotations

import sys
from typing import Any
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

import footspan
from footspan.instrumentation.web_sessions.links import PARAMETER, Links
from instrumentation.web_sessions.browsers import T0, Browser, Clock, make_visits
from spooled import spooled

KEY = "key"
SESSION = "5e55" * 8


@pytest.fixture(autouse=True)
def started() -> None:
    """A pipeline that delivers nothing, with a key."""
    footspan.init(
        service_name="shop",
        courier="external",
        destinations={"console": {"enabled": True}},
        sessions={"secret": KEY},
    )


@pytest.fixture
def clock() -> Clock:
    """The server's clock."""
    return Clock()


@pytest.fixture
def browser(clock: Clock) -> Browser:
    """A visitor's browser."""
    return Browser(make_visits(clock))


def token(clock: Clock, session_id: str = SESSION, key: str = KEY, **touch: str) -> str:
    """A link's parameter, made by the test's clock."""
    with patch("time.time", clock):  # the package that signs has no clock of its own
        return Links([key], 1800).dump(session_id, {f"footspan.{name}": value for name, value in touch.items()})


def come(browser: Browser, value: str, more: str = "", **headers: str) -> dict[str, Any]:
    """Follow a link; what every event of the request bears."""
    visit = browser.ask(f"https://shop.example/tea?{PARAMETER}={value}{more}", **headers)
    assert visit is not None
    return visit.fields()


def told() -> list[tuple[str, str]]:
    """The sessions' events."""
    return [(each.name, each.attributes["session.id"]) for each in spooled() if each.name.startswith("session.")]


# -- making one --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "before", "behind"),
    [
        ("https://shop.example/tea", "https://shop.example/tea?fs_token=", ""),
        ("https://shop.example/tea?a=1#top", "https://shop.example/tea?a=1&fs_token=", "#top"),
        ("/tea", "/tea?fs_token=", ""),
        ("https://shop.example?fs_token=old&a=%20b", "https://shop.example?a=%20b&fs_token=", ""),
    ],
)
def test_a_link_takes_the_session_along(url: str, before: str, behind: str) -> None:
    """Nothing else of the address changes."""
    with footspan.context(session_id=SESSION, user_id="ann@shop.example", bot_param="spring"):
        made = footspan.link(url)

    assert made.startswith(before)
    assert made.endswith(behind)
    value = parse_qs(urlsplit(made).query)["fs_token"][0]
    linked = Links([KEY], 1800).load(value)
    assert linked is not None
    assert linked.session_id == SESSION
    assert linked.touch == {"footspan.campaign.start_code": "spring"}


@pytest.mark.parametrize("url", ["tg://resolve?domain=x", "mailto:a@b.example", "http://[", "", None, 7, b"https://x"])
def test_what_is_no_address_of_a_site_stays_as_it_is(url: Any) -> None:
    """And nothing is raised into a handler, whatever it is."""
    from footspan import _guard  # noqa: PLC0415 - a text that is no address at all is an error inside

    _guard.reraise_in_tests(False)
    with footspan.context(session_id=SESSION):
        made = footspan.link(url)

    assert made == url or made.startswith("?fs_token=")


@pytest.mark.parametrize("session_id", [None, "", "ann@shop.example", "Ann Smith", "x" * 65, 7])
def test_without_a_session_there_is_nothing_to_take(session_id: Any) -> None:
    """Nor with one whose id may say who it is."""
    with footspan.context(session_id=session_id):
        assert footspan.link("https://shop.example/") == "https://shop.example/"


def test_without_a_key_it_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    """The address still works."""
    footspan.init(service_name="shop", courier="external", destinations={"console": {"enabled": True}})
    with footspan.context(session_id=SESSION):
        made = [footspan.link("https://shop.example/") for _ in range(3)]

    assert made == ["https://shop.example/"] * 3
    assert [each.message.count("FOOTSPAN_SESSIONS_SECRET") for each in caplog.records] == [1]


def test_without_the_package_that_signs_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The address still works, too."""
    monkeypatch.setitem(sys.modules, "itsdangerous", None)
    with footspan.context(session_id=SESSION):
        assert footspan.link("https://shop.example/") == "https://shop.example/"

    assert "pip install 'footspan[sessions]'" in caplog.text


def test_a_link_says_nothing_of_who_it_is() -> None:
    """Neither user nor click ids nor anything else of the context; long values are cut."""
    fields = {"user_id": "u_1", "email": "a@b.example", "gclid": "g" * 50, "utm_source": "s" * 300, "plan": "pro"}
    with footspan.context(session_id=SESSION, **fields):
        made = footspan.link("https://shop.example/")
    linked = Links([KEY], 1800).find(made)

    assert linked is not None
    assert linked.touch == {"footspan.utm.source": "s" * 64}
    assert len(made) < 300


# -- following one -----------------------------------------------------------------------------------------------------


def test_the_session_goes_on(browser: Browser, clock: Clock) -> None:
    """On the page that it leads to and on the next; nobody tells of its start again."""
    value = token(clock, **{"campaign.start_code": "spring"})
    clock.now += 100
    first = come(browser, value, referer="https://t.me/")
    second = browser.ask()

    assert first["session.id"] == SESSION
    assert first["footspan.campaign.start_code"] == first["footspan.first_touch.campaign.start_code"] == "spring"
    assert first["footspan.referrer.class"] == "referral"
    assert "footspan.referrer.domain" not in first
    assert second is not None
    assert second.fields() == first
    assert told() == []


def test_the_links_own_parameters_come_on_top(browser: Browser, clock: Clock) -> None:
    """Both say how they came."""
    fields = come(browser, token(clock, **{"campaign.start_code": "spring"}), "&utm_source=bot&utm_medium=email")

    assert fields["footspan.campaign.start_code"] == "spring"
    assert fields["footspan.utm.source"] == "bot"
    assert fields["footspan.referrer.class"] == "email"


def test_a_session_that_was_open_ends(browser: Browser, clock: Clock) -> None:
    """The visitor stays the same, with their first touch."""
    before = browser.ask("https://shop.example/?utm_source=news")
    clock.now += 10
    fields = come(browser, token(clock, **{"campaign.start_code": "spring"}))

    assert before is not None
    assert before.session is not None
    assert fields["enduser.pseudo.id"] == before.visitor_id
    assert fields["footspan.first_touch.utm.source"] == "news"
    assert "footspan.utm.source" not in fields
    assert told() == [("session.start", before.session.id), ("session.end", before.session.id)]


def test_opened_again_it_changes_nothing(browser: Browser, clock: Clock) -> None:
    """Reloaded; and after a logout the next session is another one."""
    value = token(clock)
    come(browser, value)
    assert come(browser, value)["session.id"] == SESSION
    visit = browser.begin()
    assert visit is not None
    assert visit.end_session()
    browser.keep(visit.set_cookie())
    later = come(browser, value)["session.id"]

    assert later != SESSION
    assert come(browser, value)["session.id"] == later
    assert [name for name, _ in told()] == ["session.end", "session.start"]


def test_a_link_is_good_as_long_as_its_session(browser: Browser, clock: Clock) -> None:
    """Then it is an address like any other."""
    value = token(clock, **{"campaign.start_code": "spring"})
    clock.now += 1801
    fields = come(browser, value)

    assert fields["session.id"] != SESSION
    assert "footspan.campaign.start_code" not in fields


def test_what_was_not_signed_for_it_counts_for_nothing(browser: Browser, clock: Clock) -> None:
    """Another key, another kind, a change, anything."""
    good = token(clock)
    visit = browser.begin()
    assert visit is not None
    cookie = (visit.set_cookie() or "").partition(";")[0].partition("=")[2]
    for value in (token(clock, key="another"), cookie, good[:-1] + ("A" if good[-1] != "A" else "B"), "", "x" * 3000):
        assert come(Browser(browser.visits), value)["session.id"] != SESSION
    assert browser.visits.signer.load(good) is None


def test_whoever_may_not_be_remembered_brings_no_session(browser: Browser, clock: Clock) -> None:
    """Their word goes before the link."""
    assert come(browser, token(clock), dnt="1") == {}


@given(st.text())
def test_no_value_raises(value: str) -> None:
    """Whatever stands in an address."""
    links = Links([KEY], 1800)
    assert links.load(value) is None
    assert links.find(f"https://shop.example/?{PARAMETER}={value}") is None


def test_recorded_addresses_do_not_have_it(clock: Clock) -> None:
    """A link that is found in a report must not lead into somebody's session."""
    value = token(clock)
    footspan.page_view(
        f"https://shop.example/tea?{PARAMETER}={value}&a=1", referrer=f"https://shop.example/?{PARAMETER}={value}"
    )
    (event,) = [each for each in spooled() if each.name == "footspan.page_view"]

    assert value not in str(event.record)
    assert "a=1" in event.attributes["url.full"]
    assert clock.now == T0
