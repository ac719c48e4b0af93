"""One event as the object that a Dash-Tracker endpoint takes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destinations.making import TIME_NS, line
from footspan import conventions as c
from footspan.destinations.dash_tracker.document import document_of, encoded
from footspan.destinations.dash_tracker.wire import wire_user
from footspan.event import Event
from servers.dash_tracker.events import FIELDS, problem

PAGE = {c.URL_FULL: "https://shop.example/a/b?x=1&y=%20#part", c.URL_PATH: "/a/b", c.URL_QUERY: "x=1&y=%20"}


def data(name: str = "cart.opened", attributes: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """The ``data`` of an event."""
    found: dict[str, Any] = document_of(line(name, attributes, **fields).event)["data"]
    return found


def test_every_field_is_there() -> None:
    """A server may ask for each."""
    document = document_of(line("ping").event)
    assert list(document) == ["event", "data", "timestamp"]
    assert list(document["data"]) == [*FIELDS, "user_id", "email", "full_name"]
    assert (document["event"], document["timestamp"]) == ("ping", "2026-01-01T00:00:00.123456+00:00")
    assert document["data"]["app_name"] == "shop"
    assert document["data"]["user_id"] == document["data"]["email"] == document["data"]["full_name"] == "anonymous"


def test_a_page_view_in_the_words_of_a_request() -> None:
    """The address taken apart as Flask does."""
    found = data(c.EVENT_PAGE_VIEW, {**PAGE, c.HTTP_REQUEST_HEADER_REFERER: ["https://a.example/"]})
    assert found["url"] == "https://shop.example/a/b?x=1&y=%20#part"
    assert found["base_url"] == "https://shop.example/a/b"
    assert found["url_root"] == "https://shop.example/"
    assert (found["path"], found["full_path"], found["endpoint"]) == ("/a/b", "/a/b?x=1&y=%20", "/a/b")
    assert (found["referrer"], found["method"]) == ("https://a.example/", "GET")


@pytest.mark.parametrize(
    ("url", "path", "root"),
    [("https://h", "/", "https://h/"), ("/only", "/only", ""), ("", "", ""), ("http://[", "", "")],
)
def test_half_an_address(url: str, path: str, root: str) -> None:
    """What an event does not say is empty."""
    found = data(c.EVENT_PAGE_VIEW, {c.URL_FULL: url})
    assert (found["path"], found["url_root"], found["full_path"]) == (path, root, f"{path}?" if path else "")


def test_who() -> None:
    """Identity has fields here."""
    found = data("x", {c.USER_ID: "u", c.USER_EMAIL: "a@b.c", c.USER_FULL_NAME: "A B", c.CLIENT_ADDRESS: "::1"})
    assert (found["user_id"], found["email"], found["full_name"], found["ip"]) == ("u", "a@b.c", "A B", "::1")


def test_properties_keep_their_names() -> None:
    """Standard attributes under the names that people write; nothing of footspan's own book-keeping."""
    found = data("x", {c.SESSION_ID: "s", "footspan.utm.source": "news", "total": 3, c.REDACTED: ["a"]})
    assert list(found)[-3:] == ["session_id", "utm_source", "total"]


def test_a_property_with_the_name_of_a_field() -> None:
    """The field stays what the format says, and the property is not lost."""
    found = data("x", {"path": "/mine", "method": "card", "properties": {"a": 1}})
    assert (found["path"], found["method"]) == ("", "")
    assert found["properties"] == {"path": "/mine", "method": "card", "a": 1}
    assert data("x", {"path": "/mine", "properties": 3})["properties"] == {"path": "/mine", "properties": 3}


def test_time() -> None:
    """Six digits, or none where there are none; microseconds are cut, not rounded."""
    assert document_of(line(time_ns=TIME_NS // 10**9 * 10**9).event)["timestamp"] == "2026-01-01T00:00:00+00:00"
    assert document_of(line(time_ns=TIME_NS + 999).event)["timestamp"] == "2026-01-01T00:00:00.123457+00:00"
    assert document_of(Event(name="x", observed_ns=10**9))["timestamp"] == "1970-01-01T00:00:01+00:00"
    assert document_of(Event(name="x", time_ns=2**64))["timestamp"].endswith("+00:00")


def test_spelling() -> None:
    """As the old client's: spaces, ASCII; what JSON does not have is null or text."""
    assert encoded({"a": "ä\U0001f9c0", "b": [1, 2.5]}) == '{"a": "\\u00e4\\ud83e\\uddc0", "b": [1, 2.5]}'
    assert encoded({"a": [float("nan"), {"b": float("inf")}]}) == '{"a": [null, {"b": null}]}'
    assert encoded({"a": b"\0\xff"}) == '{"a": "AP8="}'


WIRE = {
    "event": "page_interaction",
    "app_name": "Mine",
    "request": {"path": "/now", "method": "POST", "stranger": 1},
    "interaction": {"inputs": []},
}


def test_what_the_drop_in_client_says() -> None:
    """It overrules what the page says, and nothing else is added."""
    attributes, user = wire_user({"user_id": 7, "email": None, "team": "x"})
    wire = {"dash": {**WIRE, **user}}
    document = document_of(line("whatever", {**attributes, "more": 1, **PAGE, c.WIRE: wire}).event)
    found = document["data"]
    assert document["event"] == "page_interaction"
    assert list(found) == [*FIELDS, "user_id", "email", "team", "interaction"]
    assert found["app_name"] == "Mine"
    assert (found["path"], found["method"], found["url"]) == ("/now", "POST", PAGE[c.URL_FULL])
    assert (found["user_id"], found["email"], found["team"]) == (7, None, "x")


def test_nobody_is_no_user_elsewhere() -> None:
    """Who is not known bears no id; what another attribute means stays apart."""
    user = {"user_id": "anonymous", "email": "a@b.c", "team": "anonymous", "url.full": "mine"}
    attributes, wire = wire_user(user)
    assert attributes == {c.USER_EMAIL: "a@b.c", "team": "anonymous"}
    assert wire == {"user": list(user), "values": {"url.full": "mine"}}
    found = data("x", {**attributes, c.WIRE: {"dash": wire}})
    assert {name: found[name] for name in user} == user


@pytest.mark.parametrize(
    ("user", "attributes", "values"),
    [
        ({"id": "a", "user_id": "b"}, {c.USER_ID: "a"}, {"user_id": "b"}),
        ({"user_id": "a", "id": "a"}, {c.USER_ID: "a"}, None),
        ({"user_id": "a", "id": "anonymous"}, {c.USER_ID: "a"}, {"id": "anonymous"}),
    ],
)
def test_two_names_for_one_thing(user: dict[str, str], attributes: dict[str, str], values: Any) -> None:
    """``id`` and ``user_id`` may be the same or not."""
    found, wire = wire_user(user)
    assert (found, wire.get("values")) == (attributes, values)
    written = data("x", {**found, c.WIRE: {"dash": wire}})
    assert {name: written[name] for name in user} == user


@pytest.mark.parametrize(
    "wire",
    [None, 3, {}, {"dash": 3}, {"dash": {"user": 3, "request": 3}}, {"dash": {"user": [3, [], ["x"]], "values": 3}}],
)
def test_whatever_stands_there(wire: Any) -> None:
    """Anybody may write an attribute."""
    assert problem(encoded(document_of(line("x", {c.WIRE: wire}).event)).encode()) == ""


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from([*c.PROPERTY_NAMES, *FIELDS, c.HTTP_ROUTE, c.WIRE, "properties"]) | st.text(max_size=5)


@given(name=st.text(max_size=8), attributes=st.dictionaries(names, json_values, max_size=6), body=json_values)
def test_any_event_is_one_that_a_server_takes(name: str, attributes: dict[str, Any], body: Any) -> None:
    """By the document's own rules."""
    assert problem(encoded(document_of(line(name, attributes, body=body).event)).encode()) == ""
