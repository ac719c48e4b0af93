"""The HTTP side: connections kept alive, chunked bodies, recording, waiting, control paths."""

from __future__ import annotations

import http.client
import json
import socket
import statistics
import threading
import time
from typing import TYPE_CHECKING

import pytest

from servers.umami import UmamiServer
from test_servers.replay import call

if TYPE_CHECKING:
    from collections.abc import Iterator

_AGENT = "Mozilla/5.0 (X11; Linux x86_64) footspan/1.0"


@pytest.fixture
def umami() -> Iterator[UmamiServer]:
    """A running server."""
    with UmamiServer() as server:
        yield server


def _body(server: UmamiServer) -> bytes:
    return json.dumps({"type": "event", "payload": {"website": server.website, "url": "/", "name": "e"}}).encode()


def test_one_connection_serves_many_requests(umami: UmamiServer) -> None:
    """HTTP/1.1 with keep-alive, also after an error and after an unread-looking body."""
    connection = http.client.HTTPConnection("127.0.0.1", umami.port, timeout=5)
    try:
        connection.connect()
        local = connection.sock.getsockname()
        for method, path in [("POST", "/api/send"), ("POST", "/api/nope"), ("GET", "/api/send"), ("POST", "/api/send")]:
            connection.request(method, path, _body(umami), {"User-Agent": _AGENT})
            connection.getresponse().read()
        assert local == connection.sock.getsockname()
    finally:
        connection.close()
    assert [request.status for request in umami.requests] == [200, 404, 405, 200]


def test_answers_are_quick(umami: UmamiServer) -> None:
    """Head and body leave together: no request waits for a delayed acknowledgement (40 ms each)."""
    connection = http.client.HTTPConnection("127.0.0.1", umami.port, timeout=5)
    try:
        times = []
        for _ in range(30):
            started = time.monotonic()
            connection.request("GET", "/api/heartbeat")
            connection.getresponse().read()
            times.append(time.monotonic() - started)
        assert statistics.median(times) < 0.03
    finally:
        connection.close()


def test_chunked_body(umami: UmamiServer) -> None:
    """A body without a length arrives whole."""
    connection = http.client.HTTPConnection("127.0.0.1", umami.port, timeout=5)
    try:
        halves = iter([_body(umami)[:30], _body(umami)[30:]])
        connection.request("POST", "/api/send", halves, {"User-Agent": _AGENT}, encode_chunked=True)
        assert connection.getresponse().status == 200
    finally:
        connection.close()
    assert _body(umami) == umami.requests[0].body


def test_half_a_request_is_none(umami: UmamiServer) -> None:
    """A client that hangs up in the middle of its body leaves no trace."""
    with socket.create_connection(("127.0.0.1", umami.port), timeout=5) as client:
        client.sendall(b"POST /api/send HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
    assert call(umami, "GET", "/api/heartbeat").status == 200
    assert [request.path for request in umami.requests] == ["/api/heartbeat"]


def test_head_has_no_body(umami: UmamiServer) -> None:
    """A HEAD request gets a head only, so that the connection stays in step."""
    connection = http.client.HTTPConnection("127.0.0.1", umami.port, timeout=5)
    try:
        connection.request("HEAD", "/nowhere")
        assert connection.getresponse().read() == b""
        connection.request("GET", "/api/heartbeat")
        assert connection.getresponse().read() == b'{"ok":true}'
    finally:
        connection.close()


def test_recorded_requests(umami: UmamiServer) -> None:
    """Method, path with query, headers in lower case, body, time and answer are kept."""
    before = time.time()
    call(umami, "POST", "/api/send?x=1", _body(umami), {"User-Agent": _AGENT, "X-One": "1"})
    (request,) = umami.requests
    assert (
        request.method,
        request.path,
        request.headers["x-one"],
        request.status,
    ) == ("POST", "/api/send?x=1", "1", 200)
    assert request.json()["payload"]["name"] == "e"
    assert before <= request.time <= time.time()


def test_wait_for(umami: UmamiServer) -> None:
    """Waiting ends as soon as the test holds, and with False when it never does."""
    sender = threading.Timer(0.1, call, (umami, "POST", "/api/send", _body(umami), {"User-Agent": _AGENT}))
    sender.start()
    assert umami.wait_for(umami.events, timeout=5)
    sender.join()
    assert not umami.wait_for(umami.page_views, timeout=0.05)


def test_forget(umami: UmamiServer) -> None:
    """Requests and rows are dropped, the website stays known."""
    call(umami, "POST", "/api/send", _body(umami), {"User-Agent": _AGENT})
    umami.forget()
    assert not umami.requests
    assert not any(umami.rows.values())
    assert call(umami, "POST", "/api/send", _body(umami), {"User-Agent": _AGENT}).status == 200


def test_control_paths(umami: UmamiServer) -> None:
    """Another process reads rows and requests, and drops them, by path."""
    call(umami, "POST", "/api/send", _body(umami), {"User-Agent": _AGENT})
    rows = call(umami, "GET", "/_test/rows").json()
    (request,) = call(umami, "GET", "/_test/requests").json()
    assert [row["event_name"] for row in rows["website_event"]] == ["e"]
    assert ("POST", 200, _body(umami).decode()) == (request["method"], request["status"], request["body"])
    assert call(umami, "POST", "/_test/forget").status == 200
    assert call(umami, "GET", "/_test/requests").json() == []
    assert call(umami, "GET", "/_test/nothing").status == 404


def test_a_server_cannot_be_reached_after_its_end() -> None:
    """Leaving the block frees the port."""
    with UmamiServer() as server:
        port = server.port
    with pytest.raises(ConnectionRefusedError):
        call(server, "GET", "/api/heartbeat")
    with UmamiServer(port=port) as again:
        assert call(again, "GET", "/api/heartbeat").status == 200
