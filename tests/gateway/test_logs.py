"""Tests for footspan.gateway.logs and .app: every answer, over a real connection."""

from __future__ import annotations

import errno
import gzip
import http.client
import json
import os
import socket
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from footspan import _guard
from footspan.gateway import Limits
from footspan.otlp_json import LogLine
from footspan.spool import files
from gateway.running import JSON, PROTOBUF, TIME, Answer, Gateway, record, request
from programs import until
from spooled import spooled

if TYPE_CHECKING:
    from collections.abc import Iterator

KIB = 1024
SMALL = Limits(max_body=64 * KIB, max_in_flight=128 * KIB, read_timeout=10.0)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """A gateway with small limits."""
    with Gateway(SMALL) as running:
        yield running


def protobuf(name: str = "order.placed", uid: str = "u") -> bytes:
    """A request in protobuf."""
    service: Any = import_module("opentelemetry.proto.collector.logs.v1.logs_service_pb2")
    message = service.ExportLogsServiceRequest()
    logged = message.resource_logs.add().scope_logs.add().log_records.add(event_name=name, time_unix_nano=TIME)
    attribute = logged.attributes.add(key="log.record.uid")
    attribute.value.string_value = uid
    return bytes(message.SerializeToString())


def reason(answer: Answer) -> str:
    """The message of a ``google.rpc.Status`` in JSON."""
    assert answer.headers["content-type"] == JSON
    status = json.loads(answer.body)
    assert isinstance(status["code"], int)
    return str(status["message"])


@pytest.mark.parametrize("path", ["/v1/logs", "/v1/logs/"])
@pytest.mark.parametrize(
    ("media_type", "body", "success"),
    [
        (JSON, request(record(uid="u")), b"{}"),
        ("Application/JSON; charset=utf-8", request(record(uid="u")), b"{}"),
        (PROTOBUF, protobuf(), b""),
    ],
)
def test_accepted(gateway: Gateway, path: str, media_type: str, body: bytes, success: bytes) -> None:
    """200 with an empty response in the encoding of the request, and the event is on disk by then."""
    answer = gateway.ask("POST", path, body, {"Content-Type": media_type})

    assert (200, success) == (answer.status, answer.body)
    assert answer.headers["content-type"] == media_type.partition(";")[0].lower()
    assert [("order.placed", "u")] == [(event.name, event.uid) for event in spooled()]


@pytest.mark.parametrize(
    ("media_type", "body"),
    [(JSON, b"{}"), (JSON, request()), (JSON, b'{"resourceLogs":[{"scopeLogs":[]}]}'), (PROTOBUF, b"")],
)
def test_an_empty_request_is_a_success(gateway: Gateway, media_type: str, body: bytes) -> None:
    """It asks for nothing."""
    assert 200 == gateway.post(body, media_type).status
    assert [] == spooled()


@pytest.mark.parametrize(
    ("coding", "body"),
    [("gzip", gzip.compress(protobuf(), mtime=0)), ("deflate", zlib.compress(protobuf())), ("identity", protobuf())],
)
def test_codings(gateway: Gateway, coding: str, body: bytes) -> None:
    """What the SDKs' exporters can be set to."""
    assert 200 == gateway.post(body, PROTOBUF, Content_Encoding=coding).status
    assert len(spooled()) == 1


def test_chunks(gateway: Gateway) -> None:
    """A body need not say how long it is."""
    body = request(record(uid="u"))
    answer = gateway.ask("POST", "/v1/logs", iter([body[:10], body[10:]]), {"Content-Type": JSON})

    assert 200 == answer.status
    assert len(spooled()) == 1


def test_partial_success(gateway: Gateway) -> None:
    """Plain log records are rejected for ever; that is told once, not tried again."""
    answer = gateway.post(request(record(), record(None), record(None)))
    partial = json.loads(answer.body)["partialSuccess"]

    assert (200, "2") == (answer.status, partial["rejectedLogRecords"])
    assert "event name" in partial["errorMessage"]
    assert len(spooled()) == 1


@pytest.mark.parametrize(
    ("media_type", "body", "coding"),
    [
        (JSON, b"", "identity"),
        (JSON, b"[]", "identity"),
        (JSON, b'{"resourceLogs":[{', "identity"),
        (JSON, b'{"resourceLogs":{"scopeLogs":[]}}', "identity"),
        (JSON, b'{"resourceLogs":[{"scopeLogs":{"logRecords":[{}]}}]}', "identity"),
        (JSON, b"[" * 10_000, "identity"),
        (JSON, protobuf(), "identity"),
        (JSON, request(record()), "gzip"),
        (PROTOBUF, request(record()), "identity"),
        (PROTOBUF, gzip.compress(protobuf(), mtime=0)[:-3], "gzip"),
    ],
)
def test_undecodable(gateway: Gateway, media_type: str, body: bytes, coding: str) -> None:
    """400 with a Status in the encoding of the request; nothing of the body is in it."""
    answer = gateway.post(body, media_type, Content_Encoding=coding)

    assert (400, media_type) == (answer.status, answer.headers["content-type"])
    if media_type == PROTOBUF:
        status = import_module("google.rpc.status_pb2").Status.FromString(answer.body)
        assert (3, True) == (status.code, bool(status.message))
    else:
        assert reason(answer)
    assert [] == spooled()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v1/traces", 404),
        ("POST", "/v1/metrics", 404),
        ("POST", "/", 404),
        ("POST", "/v1/logs//", 404),
        ("GET", "/healthz/", 404),
        ("GET", "/v1/logs", 405),
        ("PUT", "/v1/logs/", 405),
        ("OPTIONS", "/v1/logs", 405),
        ("POST", "/healthz", 405),
    ],
)
def test_no_such_thing(gateway: Gateway, method: str, path: str, status: int) -> None:
    """404 and 405 say why, as a Status; nobody is sent elsewhere."""
    answer = gateway.ask(method, path, b"{}", {"Content-Type": JSON})

    assert status == answer.status
    assert reason(answer)
    assert (status == 405) == ("allow" in answer.headers)


@pytest.mark.parametrize("media_type", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp"])
def test_unknown_media_types(gateway: Gateway, media_type: str | None) -> None:
    """415, with the names of those that are taken."""
    answer = gateway.post(request(record()), media_type)

    assert 415 == answer.status
    assert PROTOBUF in reason(answer)


@pytest.mark.parametrize("coding", ["br", "snappy", "gzip, gzip"])
def test_unknown_codings(gateway: Gateway, coding: str) -> None:
    """415, with the names of those that are taken."""
    answer = gateway.post(request(record()), Content_Encoding=coding)

    assert 415 == answer.status
    assert "gzip" in reason(answer)


def test_too_large(gateway: Gateway) -> None:
    """413, whether that was announced, came in chunks or came out of a compressed body."""
    large = bytes(65 * KIB)
    headers = {"Content-Type": JSON}
    answers = [
        gateway.post(large),
        gateway.ask("POST", "/v1/logs", iter([large[:30_000], large[30_000:]]), headers),
        gateway.post(gzip.compress(large), Content_Encoding="gzip"),
        gateway.post(zlib.compress(large), Content_Encoding="deflate"),
    ]

    assert [413] * 4 == [answer.status for answer in answers]
    assert "smaller batches" in reason(answers[0])


@pytest.mark.parametrize(
    ("path", "media_type", "status"),
    [("/v1/logs", JSON, 413), ("/v1/traces", PROTOBUF, 404), ("/v1/logs", "text/plain", 415)],
)
def test_a_refused_sender_gets_to_the_answer(gateway: Gateway, path: str, media_type: str, status: int) -> None:
    """However much it still has to send: a connection cut in the middle would be taken for a fault of the network."""
    assert status == gateway.ask("POST", path, bytes(20 * KIB * KIB), {"Content-Type": media_type}).status


def test_whoever_asks_first_need_not_send(gateway: Gateway) -> None:
    """With ``Expect: 100-continue`` the refusal comes before the body."""
    head = f"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: {JSON}\r\nContent-Length: 99999\r\n"
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=4) as connection:
        connection.sendall(head.encode() + b"Expect: 100-continue\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 413 ")


def test_a_bomb_is_given_up() -> None:
    """A small body that would be 256 MiB is given up at the limit."""
    packer = zlib.compressobj(1, wbits=31)
    bomb = b"".join([*(packer.compress(bytes(4 * KIB * KIB)) for _ in range(64)), packer.flush()])
    with Gateway() as gateway:
        started = time.process_time()
        answer = gateway.post(bomb, PROTOBUF, Content_Encoding="gzip")

        assert 413 == answer.status
        assert time.process_time() - started < 2.0


def begin(gateway: Gateway, length: int, data: bytes) -> http.client.HTTPConnection:
    """A request of which only some has been sent yet."""
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=20)
    connection.putrequest("POST", "/v1/logs")
    connection.putheader("Content-Type", JSON)
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    connection.send(data)
    return connection


def test_bytes_in_flight_are_bounded(gateway: Gateway) -> None:
    """While others fill the gateway, 429 and when to come again; their requests are answered as ever."""
    body = request(record(uid="slow")) + b" " * (50 * KIB)
    slow = [begin(gateway, len(body), body[:-1]) for _ in range(2)]
    try:
        assert until(lambda: gateway.post(request(record()) + b" " * 20_000).status == 429)
        answer = gateway.post(request(record()) + b" " * 20_000)
        assert (429, "1") == (answer.status, answer.headers["retry-after"])
        for connection in slow:
            connection.send(body[-1:])
            assert connection.getresponse().status == 200
        assert 200 == gateway.post(request(record()) + b" " * 20_000).status
    finally:
        for connection in slow:
            connection.close()


def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    """503 after the time-out, since coming again helps; no thread was held meanwhile."""
    with Gateway(Limits(read_timeout=0.2)) as gateway:
        connection = begin(gateway, 100, b"{")
        answer = connection.getresponse()

        assert (503, "1") == (answer.status, answer.getheader("Retry-After"))
        connection.close()


def test_a_sender_that_leaves_is_no_trouble(gateway: Gateway) -> None:
    """Its bytes are given back, nothing of it is kept."""
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", gateway.port)) as connection:
            head = f"POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: {JSON}\r\nContent-Length: 60000\r\n\r\n"
            connection.sendall(head.encode() + b" " * 40_000)
    assert until(lambda: gateway.post(request(record()) + b" " * 60_000).status == 200)
    assert len(spooled()) == 1


def test_a_full_disk_is_not_acknowledged(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 and when to come again; the health check says so too. When there is room again, all is as before."""
    assert 200 == gateway.post(request(record(uid="before"))).status
    with monkeypatch.context() as patch:
        patch.setattr(files, "write", _full)
        answers = [gateway.post(request(record(uid=f"during-{n}"))) for n in range(3)]
        health = gateway.ask("GET", "/healthz")

        assert [(503, "2")] * 3 == [(answer.status, answer.headers["retry-after"]) for answer in answers]
        assert (503, {"status": "degraded"}) == (health.status, json.loads(health.body))
    assert until(lambda: gateway.ask("GET", "/healthz").status == 200)
    assert 200 == gateway.post(request(record(uid="after"))).status
    # The first to fail was noticed only after it was given to the spool, which had it wait; the others never got there.
    assert ["before", "during-0", "after"] == kept(gateway)


def kept(gateway: Gateway) -> list[str]:
    """The ids in the spool, past the line break with which a writer begins anew after a failed write."""
    (segment,) = (Path(gateway.pipeline.spool.status()["directory"]) / "events").glob("*.jsonl")  # type: ignore[arg-type]
    return [LogLine(line).uid for line in segment.read_bytes().split(b"\n") if line]


def _full(*_: Any) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_bug_of_ours_is_503(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    """After a 500 senders would drop their data. It is reported without what the exception quotes."""

    def broken(_: object) -> None:
        raise RuntimeError("quotes the payload")

    gateway.pipeline._foreign_processors.insert(0, broken)
    answer = gateway.post(request(record()))
    gateway.pipeline._foreign_processors.pop(0)

    assert (503, "2") == (answer.status, answer.headers["retry-after"])
    assert "quotes the payload" not in caplog.text + answer.body.decode()
    assert "RuntimeError" in caplog.text
    assert 200 == gateway.post(request(record())).status
    _guard.reset()


def test_a_bug_behind_the_health_check_is_503(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever route it is."""

    def broken() -> None:
        raise RuntimeError

    monkeypatch.setattr(files, "write", _full)
    monkeypatch.setattr(gateway.pipeline.spool, "maintain", broken)
    gateway.post(request(record()))

    assert 503 == gateway.ask("GET", "/healthz").status


def test_health(gateway: Gateway) -> None:
    """While events can be kept."""
    answer = gateway.ask("GET", "/healthz")

    assert (200, {"status": "ok"}) == (answer.status, json.loads(answer.body))


def test_senders_at_once(gateway: Gateway) -> None:
    """Requests in parallel lose nothing and mix nothing."""

    def send(sender: int) -> list[int]:
        records = [record(uid=f"{sender}-{n}") for n in range(10)]
        return [gateway.post(request(*records, resource={"sender": str(sender)})).status for _ in range(3)]

    with ThreadPoolExecutor(8) as senders:
        statuses = {status for answered in senders.map(send, range(8)) for status in answered}

    assert {200} == statuses
    assert all(event.uid.split("-")[0] == event.resource["sender"] for event in spooled())
    assert len(spooled()) == 8 * 3 * 10
