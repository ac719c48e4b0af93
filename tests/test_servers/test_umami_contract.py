"""What the contract says beyond the recordings: refusals, order of checks, batches, partial writes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from servers.umami import UmamiServer
from test_servers.replay import Reply, call, claims
from test_servers.sending import AGENT, HALF_PAST, UNKNOWN, item, post, send

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def umami() -> Iterator[UmamiServer]:
    """A running server with a fixed clock."""
    with UmamiServer(env={"APP_SECRET": "secret"}, now=lambda: HALF_PAST) as server:
        yield server


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "field", "text"),
    [
        ({"website": "x"}, "website", "Invalid UUID"),
        ({"website": 5}, "website", "Invalid input: expected string, received number"),
        ({"name": "n" * 51}, "name", "Too big: expected string to have <=50 characters"),
        ({"name": "\U0001f600" * 26}, "name", "Too big: expected string to have <=50 characters"),
        ({"name": True}, "name", "Invalid input: expected string, received boolean"),
        ({"tag": "t" * 51}, "tag", "Too big: expected string to have <=50 characters"),
        ({"language": "l" * 36}, "language", "Too big: expected string to have <=35 characters"),
        ({"title": {}}, "title", "Invalid input: expected string, received object"),
        ({"url": "http://"}, "url", "Invalid URL."),
        ({"url": "https://exa mple/"}, "url", "Invalid URL."),
        ({"referrer": "//["}, "referrer", "Invalid URL."),
        ({"data": []}, "data", "Invalid input: expected record, received array"),
        ({"timestamp": "soon"}, "timestamp", "Invalid input: expected number, received NaN"),
        ({"id": None}, "id", "Invalid input: expected string, received null"),
        ({"lcp": -1}, "lcp", "Too small: expected number to be >=0"),
        ({"cls": 101}, "cls", "Too big: expected number to be <=100"),
    ],
)
def test_schema(umami: UmamiServer, payload: dict[str, Any], field: str, text: str) -> None:
    """A field of a wrong type or length is named with the reason, and nothing is stored."""
    reply = send(umami, **payload)
    error = reply.json()["error"]
    assert (
        reply.status, error["message"], error["code"], error["status"],
    ) == (400, "Bad request", "bad-request", 400)  # fmt: skip
    assert {field: {"errors": [text]}} == error["properties"]["payload"]["properties"]
    assert not any(umami.rows.values())


def test_all_wrong_fields_are_named(umami: UmamiServer) -> None:
    """Several wrong fields come in one answer; a missing source is named unless a field has the wrong type."""
    too_long: dict[str, object] = {"name": "n" * 51, "screen": "s" * 12}
    wrong_type = too_long | {"name": 5}
    reply = post(umami, "/api/send", {"type": "event", "payload": too_long})
    assert {"name", "screen", "website"} == _fields(reply)
    reply = post(umami, "/api/send", {"type": "event", "payload": wrong_type})
    assert {"name", "screen"} == _fields(reply)


def _fields(reply: Reply) -> set[str]:
    return set(reply.json()["error"]["properties"]["payload"]["properties"])


@pytest.mark.parametrize(
    ("body", "received"),
    [(b"null", "null"), (b'"x"', "string"), (b"[]", "array"), (b"NaN", "undefined"), (b"{", "undefined")],
)
def test_bodies_that_are_no_object(umami: UmamiServer, body: bytes, received: str) -> None:
    """The type found is named; what is no JSON counts as absent."""
    errors = call(umami, "POST", "/api/send", body, {"User-Agent": AGENT}).json()["error"]["errors"]
    assert [f"Invalid input: expected object, received {received}"] == errors


def test_unknown_keys_are_ignored(umami: UmamiServer) -> None:
    """Keys of later versions do no harm."""
    assert post(umami, "/api/send", {**item(name="e"), "future": 1}).status == 200
    assert send(umami, future={"x": 1}).status == 200


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD"])
@pytest.mark.parametrize("path", ["/api/send", "/api/batch"])
def test_only_post(umami: UmamiServer, method: str, path: str) -> None:
    """Other methods get 405 without a body; CORS is open."""
    reply = call(umami, method, path)
    assert (reply.status, reply.body, reply.headers["access-control-allow-origin"]) == (405, b"", "*")


def test_redirect_keeps_the_query(umami: UmamiServer) -> None:
    """A slash at the end is redirected with 308."""
    reply = call(umami, "POST", "/api/batch/?a=1", b"[]")
    assert (reply.status, reply.headers["location"]) == (308, "/api/batch?a=1")


# -- order of checks ---------------------------------------------------------------------------------------------------


def test_order_of_checks() -> None:
    """Schema, website, location, bot, ignored address: the first that objects answers."""
    env = {"GEOLITE_DB_PATH": "none", "IGNORE_IP": "203.0.113.0/24, 10.0.0.1"}
    with UmamiServer(env=env) as server:
        bot, public = {"userAgent": "curl/8.5.0"}, {"ip": "203.0.113.1"}
        assert send(server, website=UNKNOWN, name=5, **bot).json()["error"]["message"] == "Bad request"
        assert send(server, website=UNKNOWN, **bot, **public).json()["error"]["message"] == "Website not found."
        assert send(server, **bot, **public).status == 500
        assert send(server, ip="10.0.0.1", **bot).json() == {"beep": "boop"}
        assert send(server, ip="10.0.0.1").status == 403
        assert server.rows["session"] == []
        assert server.bots == 1


# -- batches -----------------------------------------------------------------------------------------------------------


def test_a_batch_of_bots_has_no_token(umami: UmamiServer) -> None:
    """Bots count as processed, and the key ``cache`` is missing when there were only bots."""
    reply = post(umami, "/api/batch", [item(), item()], user_agent="python-requests/2.32.3")
    assert reply.json() == {"size": 2, "processed": 2, "errors": 0, "details": []}
    assert umami.bots == 2


def test_a_batch_gives_the_first_token(umami: UmamiServer) -> None:
    """The token is that of the first item that was stored."""
    bot = item(userAgent="curl/8.5.0")
    reply = post(umami, "/api/batch", [bot, item(id="a"), item(id="b")]).json()
    assert umami.rows["session"][0]["session_id"] == claims(reply["cache"])["sessionId"]


def test_the_token_applies_to_a_whole_batch(umami: UmamiServer) -> None:
    """With a token no item of a batch creates its session."""
    token = send(umami, id="a").json()["cache"]
    post(umami, "/api/batch", [item(id="b", name="x"), item(id="c", name="y")], x_umami_cache=token)
    assert [row["distinct_id"] for row in umami.rows["session"]] == ["a"]
    assert [umami.session_of(event) for event in umami.events()] == [None, None]


def test_a_token_of_another_server_is_ignored(umami: UmamiServer) -> None:
    """Only tokens signed with the server's secret count."""
    with UmamiServer(env={"APP_SECRET": "other"}) as other:
        token = send(other).json()["cache"]
    assert post(umami, "/api/send", item(website=UNKNOWN), x_umami_cache=token).status == 400


@pytest.mark.parametrize(("later", "kept"), [(1800, True), (1801, False)])
def test_a_token_keeps_its_visit_for_half_an_hour(later: float, kept: bool) -> None:
    """After thirty minutes the visit is that of the hour again."""
    clock = [HALF_PAST + 1200]
    with UmamiServer(now=lambda: clock[0]) as server:
        first = send(server, id="a").json()
        clock[0] += later
        second = post(server, "/api/send", item(id="a"), x_umami_cache=first["cache"]).json()
    assert kept is (first["visitId"] == second["visitId"])


# -- what is stored ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "model", "tables"),
    [
        ({"data": {"a": "v" * 501}, "name": "e"}, "EventData", {"website_event": 1, "event_data": 0}),
        ({"data": {"revenue": "1e20", "currency": "EUR"}, "name": "e"}, "Revenue", {"event_data": 2, "revenue": 0}),
        ({"url": "/?utm_term=" + "u" * 256}, "WebsiteEvent", {"session": 1, "website_event": 0}),
        ({"url": "https://" + "h" * 101 + ".example/"}, "WebsiteEvent", {"session": 1, "website_event": 0}),
    ],
)
def test_partial_writes(umami: UmamiServer, payload: dict[str, Any], model: str, tables: dict[str, int]) -> None:
    """A value too large for its column is a 500 after everything before it was stored."""
    reply = send(umami, **payload)
    assert (500, model) == (reply.status, reply.json()["error"]["errorObject"]["meta"]["modelName"])
    assert tables == {name: len(umami.rows[name]) for name in tables}


@pytest.mark.parametrize("payload", [{"id": "i" * 51}, {"browser": "b" * 21}, {"language": "a\0"}])
def test_a_session_that_does_not_fit(umami: UmamiServer, payload: dict[str, Any]) -> None:
    """Nothing at all is stored when the session is refused."""
    assert send(umami, **payload).status == 500
    assert not any(umami.rows.values())


def test_revenue_needs_a_name(umami: UmamiServer) -> None:
    """Without a name the answer is 500 after the event and its data were written."""
    assert send(umami, data={"revenue": 5, "currency": "EUR"}).status == 500
    assert tuple(len(umami.rows[name]) for name in ("website_event", "event_data", "revenue")) == (1, 2, 0)


def test_a_date_that_is_none(umami: UmamiServer) -> None:
    """A text in the form of a date that is no date is a 500; the event row stays."""
    reply = send(umami, name="e", data={"at": "2026-13-01T00:00:00"})
    assert (reply.status, reply.json()["error"]["errorObject"]["name"]) == (500, "RangeError")
    assert (len(umami.rows["website_event"]), len(umami.rows["event_data"])) == (1, 0)


@pytest.mark.parametrize(
    ("value", "text", "kind"),
    [
        (0.00005, "0.0001", 2),
        (-0.00005, "-0.0001", 2),
        (1.005, "1.0050", 2),
        ([1.0, 1e21, 1e-7, "é", {"b": 1, "1": None}], '[1,1e+21,1e-7,"é",{"1":null,"b":1}]', 5),
        ("2026-01-02T24:00:00", "2026-01-03T00:00:00.000Z", 4),
        ("2026-01-02T03:04:05.678+02:00", "2026-01-02T01:04:05.678Z", 4),
        ("\ud800x", "\ufffdx", 1),
    ],
)
def test_data_values(umami: UmamiServer, value: object, text: str, kind: int) -> None:
    """Values are stored as the real server writes them."""
    assert send(umami, name="e", data={"k": value}).status == 200
    (row,) = umami.rows["event_data"]
    assert (text, kind) == (row["string_value"], row["data_type"])


def test_data_of(umami: UmamiServer) -> None:
    """The helper gives an event's data in Python's types."""
    send(umami, name="e", data={"n": 1, "yes": True, "text": "x", "deep": {"list": [1]}, "none": None})
    (event,) = umami.events("e")
    expected = {"n": 1.0, "yes": True, "text": "x", "deep.list": "[1]", "none": "null"}
    assert expected == umami.data_of(event["event_id"])


def test_kinds_of_events(umami: UmamiServer) -> None:
    """Page views, custom events, links, pixels and vitals are kept apart."""
    sources = [{"type": "event", "payload": {kind: UNKNOWN}} for kind in ("link", "pixel")]
    for body in (item(), item(name="e"), *sources, item("performance", lcp=1.5)):
        assert post(umami, "/api/send", body).status == 200
    assert [row["event_type"] for row in umami.rows["website_event"]] == [1, 2, 3, 4, 5]
    assert (len(umami.page_views()), len(umami.events())) == (1, 1)


def test_identify_overwrites_by_key(umami: UmamiServer) -> None:
    """A later value replaces the earlier one; a bad one leaves those before it in place."""
    send(umami, "identify", id="a", data={"plan": "free", "seats": 1})
    assert send(umami, "identify", id="a", data={"plan": "pro", "bad": "v" * 501, "seats": 2}).status == 500
    rows = {row["data_key"]: row["string_value"] for row in umami.rows["session_data"]}
    assert rows == {"plan": "pro", "seats": "1.0000"}
