"""One time for a whole request, whatever a server does with it."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from destinations.test_http import listening, post, read_request
from footspan.destinations.base import FaultKind

if TYPE_CHECKING:
    from footspan.destinations.base import Answer


@pytest.mark.parametrize(
    ("begin", "drop"),
    [
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 O", b"K"),
        (b"HTTP/1.1 200 OK\r\nX-Drop: ", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1", b"0"),
    ],
)
@pytest.mark.parametrize("pause", [0.05, 0.001])
def test_no_part_of_an_answer_that_drips_in_outlasts_the_time(begin: bytes, drop: bytes, pause: float) -> None:
    """What comes before the body and between its pieces counts as well, however fast it drips."""
    done = threading.Event()

    def serve(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(begin)
        with suppress(OSError):
            while not done.wait(pause):
                connection.sendall(drop)

    with listening(serve) as url:
        found: list[Answer | FaultKind] = []
        client = threading.Thread(target=lambda: found.append(post(url, timeout=0.3)), daemon=True)
        client.start()
        client.join(10)
        done.set()
        assert found == [FaultKind.READ_TIMEOUT]


def test_a_body_that_is_taken_in_drop_by_drop_does_not_outlast_the_time() -> None:
    """Each single piece is taken in time; since the whole was not, nothing can be stored."""
    done = threading.Event()

    def serve(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with suppress(OSError):
            while not done.wait(0.01) and connection.recv(65536):
                pass

    with listening(serve) as url:
        found: list[Answer | FaultKind] = []
        body = b"x" * 50_000_000
        client = threading.Thread(target=lambda: found.append(post(url, 0.5, body)), daemon=True)
        client.start()
        client.join(10)
        done.set()
        assert found == [FaultKind.CONNECT_TIMEOUT]
