"""An old client's event: its body is what the recordings have, whatever stands around the call."""

from __future__ import annotations

from typing import Any

import pytest

from destinations.making import line
from footspan import conventions as c
from footspan.destinations.opentrace.payloads import Site, item_of

AROUND: dict[str, Any] = {
    c.SESSION_ID: "ambient",
    c.USER_ID: "u",
    c.URL_FULL: "https://shop.example/",
    c.USER_AGENT_ORIGINAL: "Mozilla/5.0 (X11)",
    "footspan.utm.source": "ambient",
    "footspan.click_id.fbclid": "ambient",
    "plan": "ambient",
}
RESOLVED = {"utm_source": "telegram", "utm_medium": "bot", "utm_campaign": "spring", "utm_content": "banner"}


def sent(wire: dict[str, Any], own: dict[str, Any] | None = None, name: str = "e") -> tuple[str, bytes]:
    """Where it goes and what leaves, inside a context."""
    attributes = {**AROUND, **(own or {}), c.WIRE: {"opentrace": {"parity": True, "given": list(own or ()), **wire}}}
    item = item_of(line(name, attributes).event, Site("p", ("plan",), ids=True))
    assert item.user_agent == ""
    return item.endpoint, item.json


EMPTY = b'"utm_source": null, "utm_medium": null, "utm_campaign": null'


@pytest.mark.parametrize(
    ("session", "written"),
    [({}, b"null"), ({"session": None}, b"null"), ({"session": 5}, b"5"), ({"session": ""}, b'""')],
)
def test_a_session_goes_out_as_it_was_given(session: dict[str, Any], written: bytes) -> None:
    """Also where the server would rather have another."""
    body = b'{"name": "e", "project_id": "p", "payload": {}, ' + EMPTY + b', "session_id": ' + written + b"}"
    assert sent({"endpoint": "event", **session}) == ("event", body)


def test_collect_has_a_session_only_where_one_was_given() -> None:
    """And click ids always, null where none were."""
    start = b'{"type": "e", "rid": "other", "meta": {"k": 1}, "fbclid": null, "ttclid": null'
    wire = {"endpoint": "collect", "project": "other"}
    assert sent(wire, {"k": 1}) == ("collect", start + b"}")
    assert sent({**wire, "session": "42"}, {"k": 1}) == ("collect", start + b', "sid": "42"}')


def test_a_payload_keeps_its_order_and_its_numbers() -> None:
    """Attributes as listed, or the payload verbatim; integers of any size are numbers again."""
    own = {"b": 1.5, "a": -0.0, "exp": 1e22, "n": None}
    _, body = sent({"endpoint": "event"}, own)
    assert b'"payload": {"b": 1.5, "a": -0.0, "exp": 1e+22, "n": null}' in body
    payload = {"email": "x", "big": "12345678901234567890", "l": [1, {"x": "-9999999999999999999"}], "not": "12"}
    paths = [["big"], ["l", 1, "x"], ["l", 7], ["missing"], ["not", "deeper"], "nonsense", [None]]
    _, body = sent({"endpoint": "event", "payload": payload, "integers": paths})
    assert (
        b'"payload": {"email": "x", "big": 12345678901234567890, "l": [1, {"x": -9999999999999999999}], "not": "12"}'
    ) in body


def test_a_redacted_integer_stays_what_it_is() -> None:
    """The redactor's word is not the client's number."""
    _, body = sent({"endpoint": "event", "payload": {"pan": "[redacted]"}, "integers": [["pan"]]})
    assert b'{"pan": "[redacted]"}' in body


@pytest.mark.parametrize("payload", [[1, 2], "text", 7])
def test_a_payload_that_is_no_mapping(payload: Any) -> None:
    """Goes out as it is; the server says what it thinks of it."""
    _, body = sent({"endpoint": "event", "payload": payload, "resolved": RESOLVED})
    assert b'"payload": ' + str(payload).replace("text", '"text"').encode() + b"," in body


@pytest.mark.parametrize("payload", [{}, [], "", None, 0])
def test_an_empty_payload_is_an_empty_object(payload: Any) -> None:
    """Of whatever kind it was."""
    assert b'"payload": {}' in sent({"endpoint": "event", "payload": payload})[1]


def test_a_name_that_no_event_can_bear() -> None:
    """A number, or nothing."""
    assert sent({"endpoint": "event", "name": 5})[1].startswith(b'{"name": 5,')
    assert sent({"endpoint": "collect", "name": ""})[1].startswith(b'{"type": "",')


def test_a_resolved_code_fills_what_was_not_given() -> None:
    """Three fields and the code as it was; a manual medium wins over the campaign's."""
    code = {c.CAMPAIGN_START_CODE: "utm_a1", "k": 1}
    _, body = sent({"endpoint": "event", "resolved": RESOLVED}, code)
    assert (
        b'"payload": {"k": 1, "bot_param": "utm_a1"}, "utm_source": "telegram", "utm_medium": "bot", '
        b'"utm_campaign": "spring"'
    ) in body
    _, body = sent({"endpoint": "event", "resolved": RESOLVED}, {**code, "footspan.utm.medium": "mine"})
    assert b'"utm_source": "telegram", "utm_medium": "mine", "utm_campaign": "spring"' in body
    _, body = sent({"endpoint": "event", "resolved": dict.fromkeys(RESOLVED)}, code)
    assert b'"bot_param": "utm_a1"}, ' + EMPTY in body


def test_an_unresolved_code_leaves_nothing() -> None:
    """As the client had it: the event alone."""
    _, body = sent({"endpoint": "event"}, {c.CAMPAIGN_START_CODE: "utm_a1"})
    assert b'"payload": {}, ' + EMPTY in body


def test_collect_takes_campaigns_and_pages_that_were_given() -> None:
    """By the short names."""
    own = {"footspan.utm.source": "google", c.URL_FULL: "https://a.example/", "footspan.click_id.ttclid": "T"}
    assert sent({"endpoint": "collect"}, own)[1] == (
        b'{"type": "e", "rid": "p", "meta": {}, "fbclid": null, "ttclid": "T", "url": "https://a.example/", '
        b'"utm_s": "google"}'
    )


def test_without_a_list_of_what_was_given_all_of_it_was() -> None:
    """But for what has a meaning of its own."""
    attributes = {
        c.WIRE: {"opentrace": {"parity": True}},
        c.USER_ID: "u",
        c.CATEGORY: "user",
        "footspan.utm.medium": "m",
        "k": 1,
    }
    body = item_of(line("e", attributes).event, Site("p")).json
    assert b'"payload": {"k": 1}, "utm_source": null, "utm_medium": "m"' in body


@pytest.mark.parametrize("wire", [5, "x", [], {"opentrace": []}, {"opentrace": {"parity": "yes", "given": 3}}])
def test_nonsense_is_passed_over(wire: Any) -> None:
    """Such an event is a native one."""
    item = item_of(line("e", {c.SESSION_ID: "s", c.WIRE: wire, "k": 1}).event, Site("p"))
    assert item.body["session_id"] == "s"
    assert item.body["payload"] == {"k": 1}


def test_nonsense_inside_an_old_clients_event() -> None:
    """Costs nobody the event."""
    wire = {"parity": True, "endpoint": 7, "project": 9, "given": [1, None, "k"], "integers": 3, "resolved": "x"}
    item = item_of(line("e", {c.WIRE: {"opentrace": wire}, "k": 1}).event, Site("p"))
    assert item.json == b'{"name": "e", "project_id": "p", "payload": {"k": 1}, ' + EMPTY + b', "session_id": null}'
