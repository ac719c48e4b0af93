"""Payloads beyond what an event can hold: what does not fit is left out, and the event arrives as the call meant it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from footspan.compat.opentrace import OpenTrace
from footspan.otlp_json.sanitise import MAX_TEXT

if TYPE_CHECKING:
    from compat.opentrace.recordings import Recorder


def sent(client: OpenTrace, server: Recorder) -> dict[str, Any]:
    """The one body that arrived."""
    assert client.flush(20) == 0
    [body] = server.bodies
    found: dict[str, Any] = json.loads(body)
    return found


@pytest.mark.parametrize("count", [600, 20_000])
def test_a_payload_of_many_entries_costs_the_event_nothing_else(count: int, server: Recorder) -> None:
    """Project, session and campaign stay; of the entries as many as an event has room for."""
    client = OpenTrace(server.url, "p")
    client.track_event("a", payload={f"k{n}": n for n in range(count)}, session_id="s", utm_source="google")
    body = sent(client, server)

    assert (body["project_id"], body["session_id"], body["utm_source"]) == ("p", "s", "google")
    assert list(body["payload"].items()) == [(f"k{n}", n) for n in range(len(body["payload"]))]
    assert len(body["payload"]) > 500


def test_a_capture_with_many_entries_keeps_who_it_was(server: Recorder) -> None:
    """And the click that brought them."""
    client = OpenTrace(server.url, "p")
    client.capture("a", {f"k{n}": n for n in range(600)}, user_id=7, fbclid="fb", url="https://shop.example/")
    body = sent(client, server)

    assert (body["rid"], body["sid"], body["fbclid"], body["url"]) == ("p", "7", "fb", "https://shop.example/")


@pytest.mark.parametrize(
    "payload",
    [{f"k{n}": "x" * 60_000 for n in range(30)}, {"session.id": 1, **{f"k{n}": "x" * 60_000 for n in range(30)}}],
)
def test_a_payload_of_megabytes_loses_entries_and_no_more(payload: dict[str, Any], server: Recorder) -> None:
    """Those that stay are whole, and in their order."""
    client = OpenTrace(server.url, "p")
    client.track_event("a", payload=payload, session_id="s")
    body = sent(client, server)

    assert (body["project_id"], body["session_id"]) == ("p", "s")
    assert list(body["payload"].items()) == [item for item in payload.items() if item[0] in body["payload"]]
    assert len(body["payload"]) > 10


def test_a_list_of_megabytes_is_left_out(server: Recorder) -> None:
    """The event arrives and says so."""
    client = OpenTrace(server.url, "p")
    client.capture("a", ["x" * 60_000] * 30, user_id="u")

    assert sent(client, server) == {
        "type": "a",
        "rid": "p",
        "meta": "[too large]",
        "fbclid": None,
        "ttclid": None,
        "sid": "u",
    }


def test_a_payload_that_plays_an_attribute_is_kept_once(server: Recorder) -> None:
    """However large it is besides."""
    payload = {"a": 1, "session.id": 1, **{f"k{n}": "x" * 60_000 for n in range(12)}, "user.id": "u", "z": 2}
    client = OpenTrace(server.url, "p")
    client.track_event("a", payload=payload)

    assert json.dumps(payload) == json.dumps(sent(client, server)["payload"])


def test_a_long_text_is_cut(server: Recorder) -> None:
    """At the length at which every text is."""
    client = OpenTrace(server.url, "p")
    client.track_event("a", payload={"k": "x" * 2_000_000})

    assert len(sent(client, server)["payload"]["k"]) == MAX_TEXT
