"""Which attribute becomes which field of a Umami request."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from destinations.making import CHROME, line
from footspan import conventions as c
from footspan.destinations.umami.payload import Item, Site, distinct_id, item_of
from servers.umami import WEBSITE_ID


def item(name: str = "cart.opened", attributes: dict[str, Any] | None = None, **fields: Any) -> Item:
    """One event, stored, read back and translated."""
    options = {key: fields.pop(key) for key in ("hostname", "tag", "amounts", "currency", "old") if key in fields}
    return item_of(line(name, attributes, **fields).event, Site(WEBSITE_ID, **options))


def payload(name: str = "cart.opened", attributes: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """The payload of one event."""
    found = item(name, attributes, **fields).body["payload"]
    assert isinstance(found, dict)
    return found


def test_an_event_is_its_name_its_second_and_its_properties() -> None:
    """Nothing else is sent for an event that says nothing else."""
    assert item("cart.opened", {"items": 3, c.REQUEST_ID: "r1"}).body == {
        "type": "event",
        "payload": {
            "website": WEBSITE_ID,
            "name": "cart.opened",
            "timestamp": 1_767_225_600,
            "data": {"items": 3, "request_id": "r1"},
        },
    }


def test_a_page_view_has_no_name() -> None:
    """An empty name is what makes a page view of an event in Umami."""
    sent = payload(
        c.EVENT_PAGE_VIEW,
        {
            c.URL_FULL: "https://shop.example/cart?x=1",
            c.PAGE_TITLE: "Cart",
            c.HTTP_REQUEST_HEADER_REFERER: ["https://search.example/?q=1"],
            c.HTTP_REQUEST_METHOD: "GET",
        },
    )
    assert sent == {
        "website": WEBSITE_ID,
        "timestamp": 1_767_225_600,
        "hostname": "shop.example",
        "url": "/cart?x=1",
        "referrer": "https://search.example/?q=1",
        "title": "Cart",
        "data": {"method": "GET"},
    }


def test_identify_describes_the_user() -> None:
    """Its traits become session data; the visitor's fields come along, the page's do not."""
    found = item(c.EVENT_IDENTIFY, {c.USER_ID: "u1", "plan": "pro", c.CLIENT_ADDRESS: "192.0.2.1", c.URL_PATH: "/x"})
    assert found.identifies
    assert found.body == {
        "type": "identify",
        "payload": {
            "website": WEBSITE_ID,
            "id": "u1",
            "ip": "192.0.2.1",
            "timestamp": 1_767_225_600,
            "data": {"plan": "pro"},
        },
    }
    assert "data" not in item(c.EVENT_IDENTIFY, {c.USER_ID: "u1"}).body["payload"]


def test_email_and_name_of_a_person_never_leave() -> None:
    """Umami's format has no field for them, not even among the properties."""
    for name in (c.EVENT_IDENTIFY, c.EVENT_PAGE_VIEW, "x"):
        found = item(name, {c.USER_EMAIL: "ann@example.com", c.USER_FULL_NAME: "Ann Example", c.USER_ID: "u1"})
        assert b"ann" not in found.json.lower()


def test_the_visitor_is_sent_with_every_event() -> None:
    """A session keeps what its first event says."""
    sent = payload(
        attributes={
            c.USER_ID: "u1",
            c.CLIENT_ADDRESS: "203.0.113.7",
            c.USER_AGENT_ORIGINAL: CHROME,
            c.BROWSER_LANGUAGE: "de-AT",
            c.SCREEN: "1920x1080",
        }
    )
    fields = {name: sent[name] for name in ("id", "ip", "userAgent", "language", "screen")}
    assert fields == {
        "id": "u1",
        "ip": "203.0.113.7",
        "userAgent": CHROME,
        "language": "de-AT",
        "screen": "1920x1080",
    }
    assert "data" not in sent


def test_a_long_user_id_becomes_the_same_uuid_every_time() -> None:
    """51 characters are a 500; the hash stays the same so that the visitor does."""
    assert distinct_id("u" * 50) == "u" * 50
    assert distinct_id("u" * 51) == distinct_id("u" * 51) != distinct_id("v" * 51)
    assert uuid.UUID(distinct_id("u" * 51)).version == 5
    assert payload(attributes={c.USER_ID: 42})["id"] == "42"


@pytest.mark.parametrize(
    ("address", "ip"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 2001:DB8::1 ", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("fe80::1%eth0", "fe80::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("not-an-ip", None),
        ("192.0.2.1:80", None),
        ("", None),
    ],
)
def test_only_valid_addresses_are_sent(address: str, ip: str | None) -> None:
    """Servers before 3.0 refuse the event for anything else; and what is no address is no property either."""
    sent = payload(attributes={c.CLIENT_ADDRESS: address})
    assert ip == sent.get("ip")
    assert "data" not in sent


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("en-US,en;q=0.9", "en-US"),
        ("de;q=0.8", "de"),
        ("pt_BR", "pt-BR"),
        ("*", None),
        ("x" * 40, None),
        ("en-aaaaaaaa-bbbbbbbb-cccccccc-dddddddd-eeeeeeee", "en-aaaaaaaa-bbbbbbbb-cccccccc"),
    ],
)
def test_the_first_language_is_sent(header: str, language: str | None) -> None:
    """A whole Accept-Language header is a 400 that costs the event."""
    assert language == payload(attributes={c.BROWSER_LANGUAGE: header}).get("language")
    assert language == payload(attributes={"http.request.header.accept-language": [header]}).get("language")


@pytest.mark.parametrize(
    ("value", "screen"), [("800x600", "800x600"), ("1920 \u00d7 1080", "1920x1080"), ("111111x1", None), ("big", None)]
)
def test_a_screen_is_two_numbers(value: str, screen: str | None) -> None:
    """Eleven characters at most, or a 400."""
    assert screen == payload(attributes={c.SCREEN: value}).get("screen")


def test_the_setting_names_the_host_before_the_event_does() -> None:
    """Behind a proxy an event knows an inner name; without a setting the event's own stands, if it is one."""
    inner = {c.SERVER_ADDRESS: "app-7.internal", c.URL_FULL: "https://shop.example/x"}
    assert payload(attributes=inner, hostname="www.shop.example")["hostname"] == "www.shop.example"
    assert payload(attributes=inner)["hostname"] == "app-7.internal"
    assert payload(attributes={**inner, c.SERVER_ADDRESS: "no host"})["hostname"] == "shop.example"
    assert "hostname" not in payload(attributes={c.SERVER_ADDRESS: "no host"})


def test_the_event_names_the_tag_before_the_setting_does() -> None:
    """The setting is for events that bear none; 50 characters fit."""
    assert payload(attributes={c.TAG: "exp-a"}, tag="prod")["tag"] == "exp-a"
    assert payload(tag="prod")["tag"] == "prod"
    assert payload(attributes={c.TAG: "t" * 60})["tag"] == "t" * 50


def test_a_long_name_is_cut_and_kept_whole_among_the_properties() -> None:
    """51 characters are a 400."""
    name = "checkout." + "step" * 20
    sent = payload(name)
    assert len(sent["name"]) == 50
    assert sent["name"].startswith("checkout.step")
    assert sent["data"] == {"event_name": name}
    assert payload(name, {"event_name": "mine"})["data"] == {"event_name": "mine"}


def test_a_record_without_a_name_is_no_page_view() -> None:
    """A plain log record of a foreign pipeline must not count as a visit."""
    foreign = line("placeholder").line.replace(b'"eventName":"placeholder"', b'"eventName":""')
    from footspan.otlp_json import LogLine  # noqa: PLC0415 - only this test rebuilds a line

    assert item_of(LogLine(foreign).event, Site(WEBSITE_ID)).body["payload"]["name"] == "log"


def test_titles_lose_what_the_database_refuses() -> None:
    """Umami decodes titles: an escaped NUL would become a real one."""
    assert payload(attributes={c.PAGE_TITLE: "a%00b\0c" + "t" * 600})["title"].startswith("abct")
    assert len(payload(attributes={c.PAGE_TITLE: "t" * 600})["title"]) == 500
    assert payload(attributes={c.PAGE_TITLE: "100% sure"})["title"] == "100% sure"


def test_utm_attributes_go_into_the_address_only() -> None:
    """They have columns of their own, filled from the query."""
    sent = payload(attributes={"footspan.utm.source": "news", "footspan.click_id.gclid": "g1", c.URL_PATH: "/a"})
    assert sent["url"] == "/a?utm_source=news&gclid=g1"
    assert "data" not in sent


def test_a_mapping_as_body_adds_properties_and_any_other_body_is_one() -> None:
    """Data that is no mapping is the record's body; attributes win over it."""
    assert payload(body={"a": 1, "b": 2}, attributes={"a": 0})["data"] == {"a": 0, "b": 2}
    assert payload(body=[1, 2])["data"] == {"body": [1, 2]}


def test_book_keeping_is_no_property() -> None:
    """The id, the routing and the redaction note are ours."""
    assert "data" not in payload(attributes={c.DESTINATION: "umami", c.REDACTED: ["password"]})


def test_unknown_times_are_left_out() -> None:
    """Umami then takes the moment of arrival; a time beyond the calendar is a 500."""
    assert payload(time_ns=1_700_000_000_999_999_999)["timestamp"] == 1_700_000_000
    far = line(time_ns=2**63).event
    assert item_of(far, Site(WEBSITE_ID)).body["payload"]["timestamp"] == 9_223_372_036


def test_revenue_is_known_before_sending() -> None:
    """It decides whether a request may be repeated."""
    assert item("order.paid", {"revenue": 5, "currency": "eur"}).revenue
    assert not item("order.paid", {"revenue": 5}).revenue
    assert not item(c.EVENT_PAGE_VIEW, {"revenue": 5, "currency": "eur"}).revenue
    assert not item(c.EVENT_IDENTIFY, {"revenue": 5, "currency": "eur"}).revenue
