"""The destination against the stand-in: what its answers mean, and what is never sent twice."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from conformance.carrying import carry
from delivery.rig import Rig
from destinations.making import line, settings
from footspan import conventions as c
from footspan.config import ConfigurationError
from footspan.destinations import build_destination
from footspan.destinations.base import Answer, Outcome, Verdict
from footspan.destinations.opentrace import OpenTraceDestination
from footspan.destinations.opentrace.answers import read

if TYPE_CHECKING:
    from pathlib import Path

    from servers.opentrace import OpenTraceServer

JSON = {"Content-Type": "application/json"}
DOWN = b'{"status":"error","message":"Code: 210. Connection refused"}'


def make(server: OpenTraceServer, **options: Any) -> OpenTraceDestination:
    """A destination that leads to the stand-in."""
    found = build_destination(settings("opentrace", **{"url": server.url, "project_id": "p", **options}))
    assert isinstance(found, OpenTraceDestination)
    return found


def test_it_is_stored(opentrace_server: OpenTraceServer) -> None:
    """Both requests, with the headers of the old client and the visitor's user agent."""
    destination = make(opentrace_server, revenue=("revenue",))
    for event in (
        line("purchase", {c.SESSION_ID: "s", c.USER_AGENT_ORIGINAL: "Mozilla/5.0 (X11)", "revenue": "9.50"}),
        line(c.EVENT_PAGE_VIEW, {c.SESSION_ID: "s", c.URL_FULL: "https://a.example/b", "footspan.utm.source": "g"}),
    ):
        assert destination.send([event], 5.0) == Outcome(Verdict.DELIVERED)
    bought, seen = opentrace_server.rows
    assert (bought["event_type"], bought["session_id"], bought["user_agent"]) == ("purchase", "s", "Mozilla/5.0 (X11)")
    assert (seen["event_type"], seen["url"], seen["utm_source"]) == ("page_view", "https://a.example/b", "g")
    assert opentrace_server.revenue("p") == 9.5
    request = opentrace_server.requests[0]
    assert (request.headers["content-type"], request.headers["accept"]) == ("application/json", "*/*")
    assert "content-encoding" not in request.headers
    assert opentrace_server.requests[1].headers["user-agent"].startswith("footspan/")


@pytest.mark.parametrize(
    ("status", "body", "verdict", "reason"),
    [
        (200, b'{"status":"success"}', Verdict.DELIVERED, ""),
        (200, b"", Verdict.DELIVERED, ""),
        (200, b"ok", Verdict.DELIVERED, ""),
        (200, b"{}", Verdict.DELIVERED, ""),
        (200, b'{"status":"error","message":"timed out"}', Verdict.RETRY, "opentrace_error"),
        (200, b'{"status":"error"}', Verdict.RETRY, "opentrace_error"),
        (200, b'{"status":"error","message":"Invalid None value in non-Nullable column"}', Verdict.REFUSED, "*"),
        (200, b'{"status":"error","message":"object of type \'int\' has no len()"}', Verdict.REFUSED, "*"),
        (200, b"<html>", Verdict.PARK, "not_opentrace"),
        (200, b'{"sta', Verdict.AMBIGUOUS, "unreadable_answer"),
        (201, b"", Verdict.DELIVERED, ""),
        (302, b"", Verdict.PARK, "http_302"),
        (401, b"", Verdict.PARK, "http_401"),
        (404, b'{"detail":"Not Found"}', Verdict.PARK, "http_404"),
        (422, b"{}", Verdict.REFUSED, "http_422"),
        (400, b"{}", Verdict.REFUSED, "http_400"),
        (429, b"", Verdict.RETRY, "http_429"),
        (500, b"", Verdict.RETRY, "http_500"),
        (502, b"", Verdict.RETRY, "http_502"),
        (503, b"", Verdict.RETRY, "http_503"),
        (504, b"", Verdict.AMBIGUOUS, "http_504"),
    ],
)
def test_answers(status: int, body: bytes, verdict: Verdict, reason: str) -> None:
    """A 200 counts only where it says that it is one."""
    outcome = read(Answer(status, {"content-type": "text/html" if b"<" in body else "application/json"}, body))
    assert (outcome.verdict, outcome.reason) == (verdict, "opentrace_error" if reason == "*" else reason)


def test_a_storage_that_fails_for_a_while_loses_nothing(opentrace_server: OpenTraceServer) -> None:
    """The same event again, after a pause."""
    opentrace_server.faults.answer(200, DOWN, JSON, times=2)
    carried = carry(make(opentrace_server), [line("a"), line("b")])
    assert (carried.delivered, carried.rejected) == (2, [])
    assert [row["event_type"] for row in opentrace_server.rows] == ["a", "b"]


@pytest.mark.parametrize(("status", "reason"), [(200, "opentrace_error"), (500, "http_500")])
def test_an_event_that_it_always_fails_on_holds_up_nobody(
    opentrace_server: OpenTraceServer, status: int, reason: str
) -> None:
    """After four failures it is the event's fault."""
    opentrace_server.faults.answer(status, DOWN, JSON, times=4)
    carried = carry(make(opentrace_server), [line("poison"), line("b")])
    assert (carried.delivered, carried.rejected) == (1, [reason])
    assert Counter(each["name"] for each in opentrace_server.bodies) == {"poison": 4, "b": 1}


def test_no_answer_in_time_is_no_reason_to_send_again(opentrace_server: OpenTraceServer) -> None:
    """The server stores it, and knows no event again: by itself nothing is sent twice."""
    opentrace_server.faults.hang(3.0)
    destination = make(opentrace_server, timeout=0.3)
    carried = carry(destination, [line("slow")])
    assert (carried.delivered, carried.rejected, len(opentrace_server.requests)) == (0, ["ambiguous"], 1)
    assert destination.on_ambiguous == "drop"
    assert make(opentrace_server, on_ambiguous="retry").on_ambiguous == "retry"


def test_a_redirect_with_the_request_is_followed_on_the_same_server(opentrace_server: OpenTraceServer) -> None:
    """A 307 or 308 asks for the same request elsewhere; one to another server parks."""
    for status in (307, 308):
        opentrace_server.faults.answer(status, b"", {"Location": "/api/v1/collect"}, path="/api/v1/event")
        assert make(opentrace_server).send([line("e")], 5.0).verdict is Verdict.DELIVERED
    assert [request.path for request in opentrace_server.requests] == ["/api/v1/event", "/api/v1/collect"] * 2
    opentrace_server.forget()
    for location in ("http://127.0.0.2:9/api/v1/event", "//[", "https://127.0.0.1/x", ""):
        opentrace_server.faults.answer(307, b"", {"Location": location})
        assert make(opentrace_server).send([line("e")], 5.0) == Outcome(Verdict.PARK, "http_307")
    assert len(opentrace_server.requests) == 4


def test_an_event_without_a_project_is_refused(opentrace_server: OpenTraceServer) -> None:
    """It would be stored where nobody looks."""
    destination = make(opentrace_server, project_id=None)
    assert destination.send([line("e")], 5.0).items[0] == Outcome(Verdict.REFUSED, "no_project")
    assert opentrace_server.requests == []
    assert destination.send([line("e", {c.WIRE: {"opentrace": {"project": "own"}}})], 5.0).verdict is Verdict.DELIVERED


def test_one_event_a_request_whatever_the_settings_say(opentrace_server: OpenTraceServer) -> None:
    """The server takes no batches."""
    destination = make(opentrace_server)
    assert (destination.max_items, destination.concurrency) == (1, 2)
    assert destination.send([line("a"), line("b")], 5.0).verdict is Verdict.AGAIN
    assert opentrace_server.requests == []


def test_an_address_is_put_together_as_the_old_client_does(opentrace_server: OpenTraceServer) -> None:
    """A path in front stays, slashes at the end go."""
    assert make(opentrace_server, url="http://h.example/ot///").urls == {
        "event": "http://h.example/ot/api/v1/event",
        "collect": "http://h.example/ot/api/v1/collect",
    }
    with pytest.raises(ConfigurationError, match="url"):
        make(opentrace_server, url="")


def test_each_users_events_stay_in_order(opentrace_server: OpenTraceServer, tmp_path: Path) -> None:
    """With several requests at once; none is lost, none doubled."""
    opentrace_server.faults.latency = 0.002
    rig = Rig(tmp_path, [settings("opentrace", url=opentrace_server.url, project_id="p")])
    try:
        for number in range(60):
            rig.spool.append(line("e", {"n": number, c.USER_ID: f"u{number % 5}"}).line + b"\n")
        rig.courier.wake()
        deadline = time.monotonic() + 60.0
        while any(rig.courier.flush(5.0).values()):
            assert time.monotonic() < deadline
    finally:
        rig.close()
    arrived: dict[str, list[int]] = {}
    for row in opentrace_server.rows:
        arrived.setdefault(row["session_id"], []).append(json.loads(row["payload"])["n"])
    assert sorted(arrived.values()) == [list(range(user, 60, 5)) for user in range(5)]
