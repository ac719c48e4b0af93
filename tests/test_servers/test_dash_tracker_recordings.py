"""Every recorded request of Dash-Tracker's own client, sent again: the recordings judge the stand-in."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any, Final

import pytest

from servers.dash_tracker import DashTrackerServer
from servers.dash_tracker.events import FIELDS, problem

GOLDEN: Final = Path(__file__).parents[1] / "golden" / "dash"
MOMENT: Final = "2025-01-30T20:29:28.543062+00:00"
RECORDED: Final[dict[str, Any]] = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted(GOLDEN.glob("*.json"))
}


def requests_of(name: str) -> list[dict[str, Any]]:
    """What the client sent in a case, in order."""
    case = RECORDED[name]
    return [*(case.get("preceding_requests") or ()), *([case["request"]] if case.get("request") else ())]


EVENTS: Final = [
    name
    for name in RECORDED
    if name != "analytics_repo_save_event" and any(r["method"] == "POST" for r in requests_of(name))
]
QUERIES: Final = [name for name in RECORDED if any(r["method"] == "GET" for r in requests_of(name))]


def call(
    server: DashTrackerServer, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    """One request; the status and the answer's JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    try:
        connection.request(method, path, None if body is None else body.encode(), headers or {})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def replay_event(name: str) -> None:
    """Each event of a case is taken, and kept as it is."""
    with DashTrackerServer() as server:
        for request in requests_of(name):
            body = request["body"].replace("{TIMESTAMP}", MOMENT)
            headers = {key: value for key, value in request["headers"] if key in {"X-API-Key", "Content-Type"}}
            assert call(server, "POST", "/track", body, headers) == (200, {}), (name, server.problems)
            assert server.events[-1] == json.loads(body)


@pytest.mark.parametrize("name", EVENTS)
def test_events(name: str) -> None:
    """Every event is the documented one to the stand-in."""
    replay_event(name)


@pytest.mark.parametrize("name", QUERIES)
def test_queries(name: str) -> None:
    """Every query is understood, and answered in the form that the client could read."""
    (request,) = requests_of(name)
    with DashTrackerServer() as server:
        status, answer = call(server, "GET", request["path"].replace("/api", "/track", 1))
    assert status == 200
    recorded = RECORDED[name]["server_answer"]["body"]
    if RECORDED[name].get("raises") or name in {"analytics_count_object_answer", "analytics_user_activity_empty"}:
        return  # an answer that this server does not give
    assert type(answer) is type(recorded)
    if isinstance(answer, dict):
        assert set(answer) == set(recorded)


def test_nothing_is_left_out() -> None:
    """Whatever sent a request is replayed by a test of this module."""
    sent = {name for name in RECORDED if requests_of(name)}
    assert sent == {*EVENTS, *QUERIES, "analytics_repo_save_event"}
    assert len(sent) > 50


EVENT = {
    "event": "page_view",
    "data": {**dict.fromkeys(FIELDS, "x"), "user_id": 7},
    "timestamp": MOMENT,
}


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({}, ""),
        ({"event": ""}, "without a name"),
        ({"more": 1}, "not event, data, timestamp"),
        ({"data": {}}, "other fields"),
        ({"data": {**dict.fromkeys(FIELDS, "x"), "path": None}}, "path is no text"),
        ({"data": {**dict.fromkeys(FIELDS, "x"), "referrer": None}}, ""),
        ({"timestamp": "2025-01-30T20:29:28Z"}, "another form"),
        ({"timestamp": "2025-01-30T20:29:28+00:00"}, ""),
        ({"timestamp": None}, "none"),
    ],
)
def test_what_is_no_event(change: dict[str, Any], found: str) -> None:
    """The stand-in refuses what the document does not allow."""
    seen = problem(json.dumps({**EVENT, **change}).encode())
    assert bool(seen) is bool(found)
    assert found in seen


@pytest.mark.parametrize("body", [b"{", '{"a": "ä"}'.encode(), json.dumps(EVENT, indent=1).encode(), b"NaN"])
def test_what_is_spelt_otherwise(body: bytes) -> None:
    """The same holds for the spelling."""
    assert problem(body)


def test_the_queries_count() -> None:
    """They are answered from the events that came."""
    with DashTrackerServer(key="k") as server:
        headers = {"X-API-Key": "k", "Content-Type": "application/json"}
        for user, path in ((1, "/a"), ("u 2/x", "/b"), (1, "/a")):
            event = {**EVENT, "data": {**dict.fromkeys(FIELDS, "x"), "path": path, "user_id": user, "email": "e"}}
            assert call(server, "POST", "/track", json.dumps(event), headers)[0] == 200

        def ask(path: str) -> Any:
            return call(server, "GET", f"/track/page-views{path}", headers=headers)[1]

        assert ask("")["count"] == 3
        assert [row["path"] for row in ask("?limit=1")["data"]] == ["/a"]
        assert ask("/user/u%202%2Fx")["count"] == 1
        assert ask("/path?path=/a")["count"] == 2
        assert (ask("/user-count"), ask("/user-count?path=/b"), ask("/page-count?user_id=1")) == (2, 1, 1)
        assert ask("?start=2025-02-01T00:00:00")["count"] == 0
        assert ask("?start=2025-01-01&end=2025-01-31T00:00:00%2B00:00")["count"] == 3
        assert call(server, "GET", "/track/page-views")[0] == 401
        assert call(server, "GET", "/track/page-views/user/", headers=headers)[0] == 404
        assert call(server, "GET", "/track", headers=headers)[0] == 405
        assert call(server, "POST", "/elsewhere", "{}", headers)[0] == 404
        assert call(server, "POST", "/track", "{}", {"X-API-Key": "k"})[0] == 415
