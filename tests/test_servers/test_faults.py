"""Faults: what a client sees of each, what is stored all the same, and that each ends."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from servers.umami import UmamiServer
from test_servers.replay import Reply, call

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servers.otlp import OtlpSink

_AGENT = "Mozilla/5.0 (X11; Linux x86_64) footspan/1.0"


@pytest.fixture
def umami() -> Iterator[UmamiServer]:
    """A running server."""
    with UmamiServer() as server:
        yield server


def _event(server: UmamiServer, name: str = "e") -> bytes:
    return json.dumps({"type": "event", "payload": {"website": server.website, "url": "/", "name": name}}).encode()


def _send(server: UmamiServer, name: str = "e") -> Reply:
    return call(server, "POST", "/api/send", _event(server, name), {"User-Agent": _AGENT})


def _becomes(server: UmamiServer, *, down: bool) -> bool:
    """Whether the server is down, or up, within some seconds."""
    deadline = time.monotonic() + 5
    while server.faults.is_down is not down and time.monotonic() < deadline:
        time.sleep(0.01)
    return server.faults.is_down is down


def test_down_refuses_and_up_listens_on_the_same_port(umami: UmamiServer) -> None:
    """While a server is down connections are refused; it comes back under the same address, its rows kept."""
    url = umami.url
    _send(umami, "before")
    umami.faults.down()
    assert umami.faults.is_down
    with pytest.raises(ConnectionRefusedError):
        _send(umami)
    umami.faults.up()
    assert _send(umami, "after").status == 200
    assert (url, False) == (umami.url, umami.faults.is_down)
    assert [event["event_name"] for event in umami.events()] == ["before", "after"]


def test_down_keeps_the_port_reserved(umami: UmamiServer) -> None:
    """Nobody else can listen on the port in the meantime."""
    umami.faults.down()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", umami.port))


def test_down_closes_open_connections(umami: UmamiServer) -> None:
    """A connection kept alive from before does not go on."""
    connection = http.client.HTTPConnection("127.0.0.1", umami.port, timeout=5)
    try:
        connection.request("GET", "/api/heartbeat")
        assert connection.getresponse().read() == b'{"ok":true}'
        umami.faults.down()
        connection.auto_open = 0
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            _ask_again(connection)
    finally:
        connection.close()


def _ask_again(connection: http.client.HTTPConnection) -> None:
    connection.request("GET", "/api/heartbeat")
    connection.getresponse()


def test_down_for_some_time(umami: UmamiServer) -> None:
    """With ``seconds`` the server comes up by itself."""
    umami.faults.down(0.2)
    assert _becomes(umami, down=False)
    assert _send(umami).status == 200


def test_down_and_up_again_and_again(umami: UmamiServer) -> None:
    """Both are idempotent and can be repeated."""
    for _ in range(3):
        umami.faults.down()
        umami.faults.down()
        umami.faults.up()
        umami.faults.up()
        assert _send(umami).status == 200


def test_scripted_answer(umami: UmamiServer) -> None:
    """The answer is replaced as often as ordered, nothing is stored, then the real ones come again."""
    umami.faults.answer(503, b"busy", {"Retry-After": "7"}, times=2)
    replies = [_send(umami) for _ in range(3)]
    assert [reply.status for reply in replies] == [503, 503, 200]
    assert (replies[0].headers["retry-after"], replies[0].body) == ("7", b"busy")
    assert len(umami.events()) == 1
    assert [request.status for request in umami.requests] == [503, 503, 200]


def test_answer_after_storing(umami: UmamiServer) -> None:
    """An ambiguous failure: the event is stored and the answer says error."""
    umami.faults.answer(502, stored=True)
    assert _send(umami).status == 502
    assert len(umami.events()) == 1


def test_fault_for_one_path(umami: UmamiServer) -> None:
    """A fault for one path waits for a request to it; others pass by."""
    umami.faults.answer(500, path="/api/batch")
    assert _send(umami).status == 200
    assert call(umami, "POST", "/api/batch", b"[]").status == 500
    assert call(umami, "POST", "/api/batch", b"[]").status == 200


@pytest.mark.parametrize(("stored", "events"), [(True, 1), (False, 0)])
def test_reset(umami: UmamiServer, stored: bool, events: int) -> None:
    """The connection is reset, after or before the request was handled."""
    umami.faults.reset(stored=stored)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        _send(umami)
    assert events == len(umami.events())
    assert _send(umami).status == 200


def test_reset_comes_in_the_middle_of_the_answer(umami: UmamiServer) -> None:
    """The client gets the head and the beginning of the body, then a reset."""
    umami.faults.reset()
    body = _event(umami)
    head = f"POST /api/send HTTP/1.1\r\nHost: x\r\nUser-Agent: {_AGENT}\r\nContent-Length: {len(body)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", umami.port), timeout=5) as client:
        client.sendall(head.encode() + body)
        received = client.recv(65_536)
        assert received.startswith(b"HTTP/1.1 200")
        assert not received.endswith(b"}")
        with pytest.raises(ConnectionResetError):
            client.recv(65_536)


@pytest.mark.parametrize(("stored", "events"), [(True, 1), (False, 0)])
def test_hang_outlasts_the_client(umami: UmamiServer, stored: bool, events: int) -> None:
    """A client with a time-out gives up; whether its event is stored is the order's choice."""
    umami.faults.hang(0.6, stored=stored)
    connection = http.client.HTTPConnection("127.0.0.1", umami.port, timeout=0.1)
    try:
        connection.request("POST", "/api/send", _event(umami), {"User-Agent": _AGENT})
        with pytest.raises(TimeoutError):
            connection.getresponse()
    finally:
        connection.close()
    assert events == len(umami.events())


def test_hang_ends_with_an_answer(umami: UmamiServer) -> None:
    """A patient client gets its answer in the end."""
    umami.faults.hang(0.2)
    started = time.monotonic()
    assert _send(umami).status == 200
    assert time.monotonic() - started >= 0.2


def test_hanging_does_not_hold_up_the_end() -> None:
    """A server can be stopped while it lets a client hang."""
    with UmamiServer() as server:
        server.faults.hang(30, stored=False)
        client = threading.Thread(target=_impatient, args=(server,))
        client.start()
        assert server.wait_for(lambda: server.requests)
        started = time.monotonic()
    client.join(5)
    assert not client.is_alive()
    assert time.monotonic() - started < 5


def _impatient(server: UmamiServer) -> None:
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        _send(server)


def test_latency_counts_per_item(umami: UmamiServer) -> None:
    """A batch takes as long as its items together."""
    umami.faults.latency = 0.05
    batch = b"[" + b",".join([_event(umami)] * 4) + b"]"
    started = time.monotonic()
    assert call(umami, "POST", "/api/batch", batch, {"User-Agent": _AGENT}).json()["processed"] == 4
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize("status", [404, 405])
def test_no_batch(umami: UmamiServer, status: int) -> None:
    """The batch path is missing, the single one works; clear() brings it back."""
    umami.faults.no_batch(status)
    assert status == call(umami, "POST", "/api/batch", b"[]").status
    assert _send(umami).status == 200
    umami.faults.clear()
    assert call(umami, "POST", "/api/batch", b"[]").status == 200


def test_clear_ends_everything(umami: UmamiServer) -> None:
    """After clear() the server is up, quick, and answers by itself."""
    umami.faults.answer(500, times=5)
    umami.faults.latency = 5
    umami.faults.down()
    umami.faults.clear()
    assert _send(umami).status == 200
    assert umami.faults.latency == 0


@pytest.mark.parametrize(
    ("call_it", "complaint"),
    [
        (lambda faults: faults.hang(61), "seconds"),
        (lambda faults: faults.down(-1), "seconds"),
        (lambda faults: setattr(faults, "latency", 1e9), "latency"),
        (lambda faults: faults.answer(500, times=0), "times"),
        (lambda faults: faults.no_batch(500), "status"),
        (lambda faults: faults.apply({"fault": "nonsense"}), "no such fault"),
    ],
)
def test_faults_are_bounded(umami: UmamiServer, call_it: Any, complaint: str) -> None:
    """What is out of bounds is refused at once, by the name of the value."""
    with pytest.raises(ValueError, match=complaint):
        call_it(umami.faults)


def _order(server: UmamiServer | OtlpSink, **command: object) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    try:
        connection.request("POST", "/_test/faults", json.dumps(command))
        return connection.getresponse().status
    finally:
        connection.close()


def test_faults_over_http(umami: UmamiServer) -> None:
    """Another process orders the same faults by path; orders and questions are neither recorded nor faulty."""
    assert _order(umami, fault="answer", status=429, body="slow down", headers={"Retry-After": "1"}, times=1) == 200
    assert _order(umami, fault="no_batch", status=405) == 200
    assert _order(umami, fault="latency", seconds=0.01) == 200
    reply = _send(umami)
    assert (reply.status, reply.headers["retry-after"]) == (429, "1")
    assert call(umami, "POST", "/api/batch", b"[]").status == 405
    assert _order(umami, fault="clear") == 200
    assert call(umami, "POST", "/api/batch", b"[]").status == 200
    assert [request.path for request in umami.requests] == ["/api/send", "/api/batch", "/api/batch"]


def test_down_over_http_comes_back(umami: UmamiServer) -> None:
    """The order is answered first, then the server is away for the seconds named."""
    assert _order(umami, fault="down", seconds=0.3) == 200
    assert _becomes(umami, down=True)
    assert _becomes(umami, down=False)
    assert _send(umami).status == 200


@pytest.mark.parametrize("command", [{}, {"fault": "down"}, {"fault": "hang", "seconds": 99}, {"fault": "answer"}])
def test_wrong_orders_are_refused(umami: UmamiServer, command: dict[str, object]) -> None:
    """An order that names no fault, lacks a value or is out of bounds gets 400 and changes nothing."""
    assert _order(umami, **command) == 400
    assert _send(umami).status == 200


def test_a_bug_of_the_stand_in_reaches_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception inside a server is no answer of the real one: leaving the block raises."""
    server = UmamiServer().start()
    monkeypatch.setattr(server, "handle", lambda request: 1 / 0)
    assert _send(server).status == 599
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        server.stop()
