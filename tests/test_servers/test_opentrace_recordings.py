"""Every recorded exchange with a real OpenTrace server, sent again: the recordings judge the stand-in."""

from __future__ import annotations

import gzip
import http.client
import json
import re
from pathlib import Path
from typing import Any, Final

import pytest

from servers.opentrace import CAMPAIGN, PROJECT, OpenTraceServer

GOLDEN: Final = Path(__file__).parents[1] / "golden" / "opentrace-server"
CASES: Final = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(GOLDEN.glob("*.json"))}
AGENT: Final = "python-requests/{VERSION}"


def _event(name: Any = "e", payload: Any = None, session: Any = None, project: str = PROJECT, **utm: Any) -> bytes:
    """What the client of the recordings sends for a business event."""
    body = {"name": name, "project_id": project, "payload": payload or {}}
    body |= {f"utm_{field}": utm.get(field) for field in ("source", "medium", "campaign")}
    return json.dumps({**body, "session_id": session}).encode()


def _collect(name: str, meta: Any, user: str, project: str = PROJECT, **clicks: Any) -> bytes:
    """The same for what a browser would send."""
    body = {"type": name, "rid": project, "meta": meta, "fbclid": None, "ttclid": None, **clicks}
    return json.dumps({**body, "sid": user} if user else body).encode()


# The calls of the recordings, by the bodies that the client makes of them.
_CALLS: Final[dict[str, bytes]] = {
    "bot_start": _event(
        "bot_start", {"bot_param": "utm_a1B2c3"}, "777", source="telegram", medium="bot", campaign="spring"
    ),
    "bot_start_unknown": _event("bot_start", None, "777"),
    "capture_bad_rid": _collect("e", {}, "", "nobody"),
    "capture_purchase_new_session": _collect("purchase", {"amount": 1, "email": "a@b.c"}, "u2", fbclid="FB9"),
    "capture_purchase_same_session": _collect("purchase", {"amount": 49.99}, "u1"),
    "capture_user": _collect("signup", {"plan": "pro"}, "42"),
    "event_basic": _event("server_booted", {"version": "1.0.0"}),
    "event_big_payload": _event("big", {"k": "x" * 2_000_000}),
    "event_full": _event(
        "add_to_cart",
        {"product_name": "Premium", "value": 49.99},
        "b4c9a289323b21a0",
        source="google",
        medium="cpc",
        campaign="bf",
    ),
    "event_name_none": _event(None),
    "event_payload_list": _event(payload=[1, 2]),
    "event_purchase": _event("purchase", None, "u1"),
    "event_session_int": _event(session=5),
    "event_surrogate_name": _event("\ud800"),
    "event_unknown_project": _event(project="does_not_exist"),
}


def _send(server: OpenTraceServer, method: str, path: str, body: bytes | None, **headers: str) -> tuple[int, Any, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, body, {"User-Agent": AGENT, **given})
        response = connection.getresponse()
        return response.status, response.headers, response.read().decode()
    finally:
        connection.close()


def _body(name: str, case: dict[str, Any]) -> bytes:
    if name in _CALLS:
        return _CALLS[name]
    if name == "raw_event_gzip":
        return gzip.compress(b'{"name": "n", "project_id": "p"}')
    given = case["request_body"]
    return given.encode() if isinstance(given, str) else json.dumps(given).encode()


@pytest.mark.parametrize("name", CASES)
def test_recording(name: str) -> None:
    """Status, headers, body, stored rows and the server's own log are those of the real server."""
    case = CASES[name]
    headers = {"Content-Type": "text/plain" if name == "raw_collect_text_plain" else "application/json"}
    if name == "raw_collect_origin":
        headers["Origin"] = "https://shop.example"
    if name == "raw_collect_xff":
        headers["X-Forwarded-For"] = "203.0.113.9"
    if name == "raw_event_gzip":
        headers["Content-Encoding"] = "gzip"
    with OpenTraceServer(doubled=["dup"]) as server:
        if name == "capture_purchase_same_session":
            _send(server, "POST", "/api/v1/collect", _collect("e", {}, "u1", fbclid="FB1", ttclid="TT1"), **headers)
            server.forget()
        for answer in case["answers"]:
            method, _, url = answer["url"].partition(" ")
            body = _body(name, case) if method == "POST" else None
            status, got, text = _send(server, method, url.removeprefix("{HOST}"), body, **headers)
            assert (answer["status"], answer["body"]) == (status, text)
            for header, value in answer["headers"].items():
                assert value == got[header], header
        rows, log = server.rows, server.log
    assert [_plain(row) for row in case["stored_rows"]] == [_plain(row) for row in rows]
    assert case["system_log_rows"] == log


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row without the server's time; a session drawn by chance and a long payload as the recordings have them."""
    kept = {key: value for key, value in row.items() if key != "timestamp"}
    kept["session_id"] = re.sub(r"^ss_\d{4}$", "ss_{4 DIGITS}", kept["session_id"])
    if len(kept["payload"]) > 1_000:
        kept["payload"] = f"{kept['payload'][:20]}... ({len(kept['payload'])} characters)"
    return kept


def test_no_call_is_made_up() -> None:
    """Each body above belongs to a recording of that name."""
    assert set(_CALLS) <= set(CASES)


def test_campaigns_by_their_codes() -> None:
    """One prefix is taken off, a path inside a code leads nowhere, two campaigns with one code are an error."""
    with OpenTraceServer(campaigns={"a b": CAMPAIGN, "utm_x": CAMPAIGN}, doubled=["dup"]) as server:
        for path, status in (("a%20b", 200), ("utm_a%20b", 200), ("utm_x", 404), ("dup", 500), ("..%2Fx", 404)):
            assert _send(server, "GET", f"/api/campaigns/resolve/{path}", None)[0] == status, path
        assert server.asked == ["a%20b", "utm_a%20b", "utm_x", "dup", "..%2Fx"]


def test_other_ways_in() -> None:
    """A preflight is answered, rules are a list, wrong methods and paths are errors, text is no event."""
    with OpenTraceServer() as server:
        asks = {"Origin": "https://shop.example", "Access-Control-Request-Method": "POST"}
        status, headers, text = _send(server, "OPTIONS", "/api/v1/collect", None, **asks)
        assert (status, text, headers["access-control-allow-origin"]) == (200, "OK", "https://shop.example")
        assert headers["access-control-allow-methods"] == "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"
        assert headers["access-control-max-age"] == "600"
        assert _send(server, "GET", f"/api/v1/rules/{PROJECT}", None)[::2] == (200, "[]")
        assert _send(server, "GET", "/api/v1/event", None)[0] == 405
        assert _send(server, "POST", "/api/v1/nothing", b"{}")[0] == 404
        assert _send(server, "POST", "/api/v1/event", _event(), Content_Type="text/plain")[0] == 422
        assert _send(server, "POST", "/api/v1/event", b"[]", Content_Type="application/json")[0] == 422
        _, _, text = _send(server, "POST", "/api/v1/collect", b"[]")
        assert json.loads(text)["status"] == "error"
        assert server.rows == []
        _send(server, "POST", "/api/v1/event", _event(payload={"amount": "9.50"}), Content_Type="application/json")
        assert server.revenue() == 9.5
