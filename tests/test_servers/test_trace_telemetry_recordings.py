"""What the real client of TraceTelemetry sent, sent again: the recordings judge the stand-in."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import pytest

from servers.trace_telemetry import TraceTelemetryServer
from servers.trace_telemetry.contract import KEYS

if TYPE_CHECKING:
    from collections.abc import Mapping

GOLDEN: Final = Path(__file__).parents[1] / "golden" / "tracetelemetry"
ID: Final = "0190a000000070008000000000000001"


def recordings() -> dict[str, dict[str, Any]]:
    """Every recorded request that carries events, by the case's name."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(GOLDEN.glob("*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        requests = [*(case.get("preceding_requests") or ()), *([case["request"]] if case.get("request") else ())]
        for number, request in enumerate(each for each in requests if each["body"]):
            found[f"{path.stem}.{number}"] = request
    return found


def filled(text: str) -> str:
    """A recorded text with the values that the recorder took out put back."""
    return text.replace("{ID}", ID).replace("{TIMESTAMP}", "2025-01-30T20:29:28.543062Z")


def headers_of(request: Mapping[str, Any]) -> dict[str, str]:
    """A recorded request's headers, but for those that are the connection's own."""
    return {name: value for name, value in request["headers"] if name.lower() not in {"host", "content-length"}}


def send(server: TraceTelemetryServer, method: str, path: str, headers: Mapping[str, str], body: str) -> int:
    """Send a request; returns the status of its answer."""
    place = urlsplit(server.url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=5)
    try:
        connection.request(method, path, body.encode(), dict(headers))
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


CASES = recordings()


@pytest.mark.parametrize("name", CASES)
def test_a_recorded_request_is_taken(name: str) -> None:
    """Every request of the real client is one that the contract allows, and its events are what it held."""
    request = CASES[name]
    headers = headers_of(request)
    with TraceTelemetryServer(path=request["path"], api_key=headers.get("X-API-Key", "")) as server:
        assert send(server, request["method"], request["path"], headers, filled(request["body"])) == 202
        assert server.problems == []
        received = server.received
    assert [{**each, "id": "{ID}", "timestampUtc": "{TIMESTAMP}"} for each in received] == request["body_json"]


def test_there_are_recordings() -> None:
    """A folder that is not there would pass."""
    assert len(CASES) >= 20


BODY: Final = filled(CASES["track_dict.0"]["body"])
HEADERS: Final = headers_of(CASES["track_dict.0"])


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda body: body[1:-1], "the body is no array of events"),
        (lambda _: "[]", "the body is no array of events"),
        (lambda body: f'{{"events": {body}}}', "the body is no array of events"),
        (lambda body: body[:-1], "the body is no JSON"),
        (lambda body: body.replace("99.9", "NaN"), "the body is no JSON"),
        (lambda body: body.replace(": ", ":"), "the JSON is spelt otherwise"),
        (lambda body: body.replace("purchase", "k\u00e4se"), "the JSON is spelt otherwise"),
        (lambda body: body.replace("timestampUtc", "timestamp"), "an event has other keys, or in another order"),
        (lambda body: body.replace('"id"', '"Id"'), "an event has other keys, or in another order"),
        (lambda body: body.replace('"countryCode": ""', '"countryCode": null'), "no text: countryCode"),
        (lambda body: body.replace('"countryCode": ""', '"countryCode": "Spain"'), "countryCode is written otherwise"),
        (lambda body: body.replace(ID, ID.upper().replace("0", "F")), "id is written otherwise"),
        (lambda body: body.replace(ID, "1"), "id is written otherwise"),
        (lambda body: body.replace(".543062Z", "+00:00"), "timestampUtc is written otherwise"),
        (lambda body: body.replace(".543062Z", ".543Z"), "timestampUtc is written otherwise"),
        (lambda body: body.replace(".543062Z", ".000000Z"), "timestampUtc is written otherwise"),
    ],
)
def test_what_the_client_never_sends_is_refused(change: Any, problem: str) -> None:
    """One thing changed in a recorded request."""
    with TraceTelemetryServer(api_key="secret-key") as server:
        assert send(server, "POST", "/telemetry", HEADERS, change(BODY)) == 400
        assert server.problems == [problem]
        assert server.received == []


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/telemetry/", {}, 404),
        ("POST", "/telemetry?a=b", {}, 404),
        ("GET", "/telemetry", {}, 405),
        ("POST", "/telemetry", {"X-API-Key": "another"}, 401),
        ("POST", "/telemetry", {"X-API-Key": ""}, 401),
        ("POST", "/telemetry", {"Content-Type": "text/plain"}, 400),
        ("POST", "/telemetry", {"Content-Encoding": "gzip"}, 400),
    ],
)
def test_what_goes_astray(method: str, path: str, headers: dict[str, str], status: int) -> None:
    """Another address, another method, another key, another kind of body."""
    with TraceTelemetryServer(api_key="secret-key") as server:
        assert send(server, method, path, {**HEADERS, **headers}, BODY) == status


def test_a_key_that_nobody_wants_is_refused() -> None:
    """Without a key of its own the endpoint takes no request with one: the client sends none then."""
    with TraceTelemetryServer() as server:
        assert send(server, "POST", "/telemetry", HEADERS, BODY) == 401


def test_sizes_and_events_that_are_refused() -> None:
    """A body over the limit gets a 413; a request with an event that the endpoint dislikes a 400, as a whole."""
    with TraceTelemetryServer(api_key="secret-key", max_body=len(BODY) - 1) as server:
        assert send(server, "POST", "/telemetry", HEADERS, BODY) == 413
        server.max_body = len(BODY)
        server.refused = {"purchase"}
        assert send(server, "POST", "/telemetry", HEADERS, BODY) == 400
        server.refused = ()
        assert [send(server, "POST", "/telemetry", HEADERS, BODY) for _ in range(2)] == [202, 202]
        assert (len(server.received), len(server.events)) == (2, 1)


def test_other_shapes() -> None:
    """Capitals, as the .NET client has them, and an object around the array."""
    body = BODY
    for key in KEYS:
        body = body.replace(f'"{key}"', f'"{key[0].upper()}{key[1:]}"')
    with TraceTelemetryServer(api_key="secret-key", pascal=True, wrapper="events") as server:
        assert send(server, "POST", "/telemetry", HEADERS, f'{{"events": {body}}}') == 202
        assert send(server, "POST", "/telemetry", HEADERS, body) == 400
        assert [event["name"] for event in server.received] == ["purchase"]
