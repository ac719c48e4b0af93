"""The command as a process: what survives its death, and how it ends."""

from __future__ import annotations

import http.client
import re
import signal
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from gateway.running import JSON, record, request
from programs import start, until
from spooled import spooled

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Mapping

    from servers.otlp import OtlpSink

pytestmark = pytest.mark.slow

COMMAND = "from footspan.cli import main; main()"
LIMIT = 20.0


class Command:
    """A running ``footspan gateway``."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        assert process.stdout is not None
        self.first = process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", self.first)
        assert found, f"{self.first}{process.communicate(timeout=LIMIT)}"
        self.port = int(found[1])

    def begin(self, body: bytes, sent: int | None = None) -> http.client.HTTPConnection:
        """A request of which only some may have been sent yet."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT)
        connection.putrequest("POST", "/v1/logs")
        connection.putheader("Content-Type", JSON)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        connection.send(body[:sent])
        return connection

    def end(self, number: int) -> tuple[int, str]:
        """End it by a signal: exit code, and what it said on the way."""
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=LIMIT)
        return self.process.returncode, out + err


@contextmanager
def running(env: Mapping[str, str] | None = None) -> Iterator[Command]:
    """The command on a free port; killed at the end if it still lives."""
    process = start(COMMAND, env, "gateway", "--port", "0")
    try:
        yield Command(process)
    finally:
        process.kill()
        with process:  # closes the pipes and waits
            pass


def send_until_it_dies(gateway: Command, sender: int, acknowledged: list[str], stop: threading.Event) -> None:
    """One event after the other; notes those that were answered with 200."""
    number = 0
    while not stop.is_set():
        uid = f"{sender}-{number}"
        number += 1
        try:
            connection = gateway.begin(request(record(uid=uid)))
            status = connection.getresponse().status
            connection.close()
        except (OSError, http.client.HTTPException):
            return
        if status == 200:
            acknowledged.append(uid)


def test_a_kill_loses_nothing_acknowledged() -> None:
    """Of all events that were answered with 200 before a SIGKILL in the middle of traffic, all are on disk."""
    acknowledged: list[str] = []
    stop = threading.Event()
    with running() as gateway:
        arguments = [(gateway, number, acknowledged, stop) for number in range(4)]
        senders = [threading.Thread(target=send_until_it_dies, args=each) for each in arguments]
        for sender in senders:
            sender.start()
        try:
            assert until(lambda: len(acknowledged) >= 300)
            gateway.process.send_signal(signal.SIGKILL)
            gateway.process.wait(LIMIT)
        finally:
            stop.set()
            for sender in senders:
                sender.join(LIMIT)

    assert len(acknowledged) >= 300
    assert set(acknowledged) <= {event.uid for event in spooled()}


def test_the_next_gateway_delivers_what_a_killed_one_left(otlp_sink: OtlpSink) -> None:
    """Started from anywhere, with no name given, it finds the same spool."""
    env = {"FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": otlp_sink.url}
    otlp_sink.faults.down()
    with running(env) as gateway:
        assert "otlp" in gateway.process.stdout.readline()  # type: ignore[union-attr] # a pipe
        connection = gateway.begin(request(*(record(uid=str(n)) for n in range(25))))
        assert 200 == connection.getresponse().status
        gateway.process.kill()
        gateway.process.wait(LIMIT)
        connection.close()
    otlp_sink.faults.up()
    with running(env):
        assert otlp_sink.wait_for(lambda: len(otlp_sink.events) >= 25, timeout=LIMIT)

    assert {str(n) for n in range(25)} == {event["uid"] for event in otlp_sink.events}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_request_under_way_is_answered(number: int) -> None:
    """A signal ends it with exit code 0 once the requests that had begun have their answers; new ones are refused."""
    body = request(record(uid="under way"))
    with running() as gateway:
        connection = gateway.begin(body, 20)
        time.sleep(0.3)  # until the gateway has begun to read it
        gateway.process.send_signal(number)
        assert until(lambda: refused(gateway))
        assert gateway.process.poll() is None
        connection.send(body[20:])

        assert 200 == connection.getresponse().status
        connection.close()
        out, err = gateway.process.communicate(timeout=LIMIT)
    assert (0, True) == (gateway.process.returncode, "stopped" in err)
    assert "Traceback" not in out + err
    assert ["under way"] == [event.uid for event in spooled()]


def refused(gateway: Command) -> bool:
    """Whether it takes no new connection."""
    try:
        gateway.begin(b"{}").close()
    except ConnectionRefusedError:
        return True
    return False


def test_dead_destinations_do_not_hold_up_the_end(otlp_sink: OtlpSink) -> None:
    """The courier is stopped within ``exit_timeout``; what it has not delivered is on disk."""
    otlp_sink.faults.hang(30.0, times=100, stored=False)
    env = {"FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": otlp_sink.url, "FOOTSPAN_EXIT_TIMEOUT": "1"}
    with running(env) as gateway:
        connection = gateway.begin(request(record(uid="u")))
        assert 200 == connection.getresponse().status
        connection.close()
        assert otlp_sink.wait_for(lambda: bool(otlp_sink.requests))
        started = time.monotonic()
        code, said = gateway.end(signal.SIGTERM)

        assert (0, True) == (code, time.monotonic() - started < 4.0), said
    assert ["u"] == [event.uid for event in spooled()]
