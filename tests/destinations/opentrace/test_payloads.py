"""What an event of any SDK becomes in OpenTrace's two requests."""

from __future__ import annotations

import json
from typing import Any

import pytest

from destinations.making import line
from footspan import conventions as c
from footspan.destinations.opentrace.payloads import Site, item_of, session_of, user_hash
from footspan.event import Event

SITE = Site(project="p", amounts=("revenue",))


def body(name: str = "e", attributes: dict[str, Any] | None = None, site: Site = SITE, **fields: Any) -> dict[str, Any]:
    """The body, with what it was sent to."""
    item = item_of(line(name, attributes, **fields).event, site)
    return {"to": item.endpoint, **json.loads(item.json)}


def test_a_business_event_has_the_seven_fields_in_their_order() -> None:
    """As the recordings have them, with a session and without campaign."""
    item = item_of(line("cart.opened", {c.SESSION_ID: "s1", "items": 3, "price": 9.99}).event, SITE)
    assert item.endpoint == "event"
    assert item.json == (
        b'{"name": "cart.opened", "project_id": "p", "payload": {"items": 3, "price": 9.99}, "utm_source": null, '
        b'"utm_medium": null, "utm_campaign": null, "session_id": "s1"}'
    )


def test_a_page_view_has_what_only_the_other_request_takes() -> None:
    """Short names of campaign fields, the page, the click ids, and its name in OpenTrace's own reports."""
    item = item_of(
        line(
            c.EVENT_PAGE_VIEW,
            {
                c.SESSION_ID: "s1",
                c.URL_FULL: "https://shop.example/cart?x=1",
                c.HTTP_REQUEST_HEADER_REFERER: ["https://a.example/"],
                c.BROWSER_LANGUAGE: "de-DE,de;q=0.9",
                c.SCREEN: "1920x1080",
                "footspan.utm.source": "google",
                "footspan.utm.medium": "cpc",
                "footspan.utm.campaign": "bf",
                "footspan.utm.term": "shoes",
                "footspan.click_id.fbclid": "FB1",
                "footspan.click_id.gclid": "G1",
            },
        ).event,
        SITE,
    )
    assert item.endpoint == "collect"
    assert item.json == (
        b'{"type": "page_view", "rid": "p", "meta": {"utm_term": "shoes", "gclid": "G1"}, "fbclid": "FB1", '
        b'"ttclid": null, "sid": "s1", "url": "https://shop.example/cart?x=1", "ref": "https://a.example/", '
        b'"res": "1920x1080", "lang": "de-DE", "utm_s": "google", "utm_m": "cpc", "utm_c": "bf"}'
    )


@pytest.mark.parametrize(
    "attribute",
    [
        {c.URL_FULL: "https://a.example/"},
        {c.URL_PATH: "/a"},
        {c.HTTP_REQUEST_HEADER_REFERER: ["https://a.example/"]},
        {c.BROWSER_LANGUAGE: "de"},
        {c.SCREEN: "1x1"},
        {"footspan.click_id.fbclid": "F"},
        {"footspan.click_id.ttclid": "T"},
    ],
    ids=lambda each: next(iter(each)),
)
def test_what_tells_of_a_page_goes_where_pages_go(attribute: dict[str, Any]) -> None:
    """Any one of these suffices."""
    assert body("order.placed", attribute)["to"] == "collect"


@pytest.mark.parametrize(
    "attribute",
    [
        {c.USER_AGENT_ORIGINAL: "x"},
        {c.CLIENT_ADDRESS: "203.0.113.9"},
        {"footspan.utm.source": "x"},
        {"footspan.click_id.gclid": "G"},
        {c.URL_PATH: ""},
    ],
    ids=lambda each: next(iter(each)),
)
def test_what_both_take_or_neither_decides_nothing(attribute: dict[str, Any]) -> None:
    """Those stay business events."""
    assert body("order.placed", attribute)["to"] == "event"


def test_names() -> None:
    """Ours become OpenTrace's; a page view by that name is one, too; a record without a name gets one."""
    assert (body(c.EVENT_PAGE_VIEW)["type"], body("page_view")["type"]) == ("page_view", "page_view")
    assert body(c.EVENT_IDENTIFY, {c.USER_ID: "u", "plan": "pro"})["name"] == "identify"
    assert item_of(Event(name=""), SITE).body["name"] == "log"
    assert body("\u041f\u2713")["name"] == "\u041f\u2713"


def test_address_from_its_parts() -> None:
    """Where there is no whole one."""
    assert body("page_view", {c.URL_PATH: "/a", c.URL_QUERY: "?b=1"})["url"] == "/a?b=1"
    assert body("page_view", {c.URL_QUERY: "b=1"})["url"] == "/?b=1"
    assert "url" not in body("page_view")


@pytest.mark.parametrize(
    ("attributes", "session"),
    [
        ({c.SESSION_ID: "s", c.USER_ID: "u"}, "s"),
        ({c.USER_ID: "u", c.ENDUSER_PSEUDO_ID: "v"}, user_hash("u")),
        ({c.USER_ID: 42}, user_hash("42")),
        ({c.SESSION_ID: "  ", c.ENDUSER_PSEUDO_ID: "v"}, user_hash("v")),
        ({c.CLIENT_ADDRESS: "203.0.113.9", c.USER_AGENT_ORIGINAL: "A"}, user_hash("203.0.113.9\nA")),
        ({}, "service:shop"),
    ],
)
def test_there_always_is_a_session(attributes: dict[str, Any], session: str) -> None:
    """Its own, its user's, its visitor's, its service's: the same at any time, and in both requests."""
    assert body("e", attributes)["session_id"] == session
    assert body("page_view", attributes)["sid"] == session


def test_a_session_without_anything() -> None:
    """Not even a service."""
    assert session_of(Event(name="e")) == "service"


def test_the_hash_is_the_old_clients() -> None:
    """So that what a user does here and there is one story."""
    assert user_hash("user@example.com") == "b4c9a289323b21a0"


def test_what_has_no_place_is_not_sent() -> None:
    """Neither who somebody is nor where they are."""
    attributes = {
        c.USER_ID: "u",
        c.USER_EMAIL: "a@b.example",
        c.USER_FULL_NAME: "Ann",
        c.CLIENT_ADDRESS: "203.0.113.9",
        c.ENDUSER_PSEUDO_ID: "v",
        c.REDACTED: ["x"],
        c.DESTINATION: "opentrace",
        "plan": "pro",
    }
    assert body("e", attributes)["payload"] == {"plan": "pro"}


def test_properties_bear_the_names_that_people_gave_them() -> None:
    """Nested values stay nested; a property of one's own wins over an alias of ours; the body is a property."""
    attributes = {c.CATEGORY: "payment", c.DURATION_MS: 5, "a": {"b": [1, None, {"c": True}]}, "method": "card"}
    assert body("e", attributes, body="text")["payload"] == {
        "category": "payment",
        "duration_ms": 5,
        "a": {"b": [1, None, {"c": True}]},
        "method": "card",
        "body": "text",
    }
    assert body("e", {c.CATEGORY: "x", "category": "mine"})["payload"] == {"category": "mine"}
    assert body("e", {"a": 1}, body={"a": 2, "b": 3})["payload"] == {"a": 1, "b": 3}


@pytest.mark.parametrize(
    ("properties", "amount"),
    [
        ({"revenue": 9.99}, 9.99),
        ({"revenue": "9.99"}, "9.99"),
        ({"revenue": " 7 "}, "7"),
        ({"revenue": -5}, -5),
        ({"amount": 1, "revenue": 2}, 1),
        ({"amount": None, "revenue": 2}, 2),
        ({"order": {"total": 3}}, 3),
        ({"revenue": "much", "order": {"total": 4}}, 4),
        ({"revenue": True}, None),
        ({"revenue": "1e999"}, None),
        ({"revenue": float("nan")}, None),
        ({"revenue": 0}, None),
        ({"order": 5}, None),
    ],
)
def test_amount(properties: dict[str, Any], amount: Any) -> None:
    """What the revenue report adds up comes from the properties that the settings name, the first that is one."""
    payload = body("purchase", properties, Site("p", ("revenue", "order.total")))["payload"]
    assert payload.get("amount") == amount
    assert {key: payload[key] for key in properties if key not in {"amount", "revenue"}} == {
        key: value for key, value in properties.items() if key not in {"amount", "revenue"}
    }


def test_numbers_that_json_does_not_have_lose_no_event() -> None:
    """They are null, which no report takes for a number; bytes are base64; a surrogate is no longer one."""
    item = item_of(
        line("e", {"nan": float("nan"), "list": [float("inf"), b"ab"], "s": "\ud800", "big": 2**64}).event, SITE
    )
    assert json.loads(item.json)["payload"] == {
        "nan": None,
        "list": [None, "YWI="],
        "s": "\ufffd",
        "big": "18446744073709551616",
    }


def test_id_and_time_only_where_they_are_asked_for() -> None:
    """The server has no field for them."""
    event = line("e", {"a": 1}).event
    found = json.loads(item_of(event, Site("p", ids=True)).json)["payload"]
    assert found == {"a": 1, "footspan.uid": event.uid, "footspan.time": "2026-01-01T00:00:00.123Z"}


@pytest.mark.parametrize(
    ("given", "sent"),
    [("Mozilla/5.0 (X11)", "Mozilla/5.0 (X11)"), ("a\r\nX-Evil: 1", ""), ("caf\u00e9", ""), ("", ""), (" x ", "x")],
)
def test_the_visitors_user_agent_is_a_header(given: str, sent: str) -> None:
    """The server stores that of the request; what no header can carry is left out."""
    assert item_of(line("e", {c.USER_AGENT_ORIGINAL: given}).event, SITE).user_agent == sent


def test_an_events_own_project_wins() -> None:
    """An old client's call may name one."""
    event = line("e", {c.WIRE: {"opentrace": {"project": "other"}}}).event
    assert item_of(event, SITE).project == "other"
    assert item_of(line("e").event, Site()).project == ""
