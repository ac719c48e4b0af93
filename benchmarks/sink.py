"""An OTLP/HTTP sink that costs its clients nothing: it answers at once, and counts what it took only when asked.

``with sink.running() as it:`` starts one in a process of its own and yields a handle: ``it.url``, ``it.stats()``.
``Sink`` is the same in a thread, with faults for the outage benchmark.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
import zlib
from typing import IO, TYPE_CHECKING, Any, Final, cast

import common

if TYPE_CHECKING:
    from collections.abc import Iterator

ANSWERS: Final = {True: (b"application/json", b"{}"), False: (b"application/x-protobuf", b"")}
MOST_KEPT: Final = 256 * 1024 * 1024
_EVENT: Final = common.EVENT.encode()


class Sink:
    """Listens on loopback, a thread for each connection.

    Attributes:
        status: What it answers.
        times: ``time.monotonic()`` of every request, or of every refused connection as far as it sees one.
    """

    def __init__(self) -> None:
        self.status = 200
        self.times: list[float] = []
        self._bodies: list[tuple[bool, bytes]] = []
        self._kept = 0
        self._events = 0
        self._bytes = 0
        self._lock = threading.Lock()
        self._connections: list[socket.socket] = []
        self._listener = self._listen(0)
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def _listen(self, port: int) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        listener.listen(64)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return listener

    def down(self) -> None:
        """Refuse connections from now on, and break those that are."""
        # Waking the thread that waits in accept() takes a shutdown; closing alone would leave the port listening.
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            connections, self._connections = self._connections, []
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                connection.shutdown(socket.SHUT_RDWR)

    def up(self) -> None:
        """Listen on the same port again."""
        self._listener = self._listen(self.port)

    def stats(self) -> dict[str, int]:
        """Requests, events and bytes of body since the last call."""
        with self._lock:
            self._count()
            found = {"requests": len(self.times), "events": self._events, "bytes": self._bytes}
            self.times, self._events, self._bytes = [], 0, 0
        return found

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection, connection.makefile("rb") as stream:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while stream.readline():
                headers = dict(_headers(stream))
                body = _body(stream, headers)
                status = self.status
                with self._lock:
                    self.times.append(time.monotonic())
                    if status == 200:
                        self._keep(headers.get(b"content-encoding") == b"gzip", body)
                kind, answer = ANSWERS[b"json" in headers.get(b"content-type", b"")]
                connection.sendall(
                    b"HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s"
                    % (status, kind, len(answer), answer)
                )

    def _keep(self, compressed: bool, body: bytes) -> None:  # noqa: FBT001 - one caller
        self._bodies.append((compressed, body))
        self._bytes += len(body)
        self._kept += len(body)
        if self._kept > MOST_KEPT:
            self._count()

    def _count(self) -> None:
        for compressed, body in self._bodies:
            self._events += (zlib.decompress(body, 31) if compressed else body).count(_EVENT)
        self._bodies, self._kept = [], 0


def _headers(stream: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.partition(b":")
        yield name.strip().lower(), value.strip().lower()


def _body(stream: IO[bytes], headers: dict[bytes, bytes]) -> bytes:
    if headers.get(b"transfer-encoding") != b"chunked":
        return stream.read(int(headers.get(b"content-length", b"0")))
    parts = []
    while size := int(stream.readline(), 16):
        parts.append(stream.read(size))
        stream.readline()
    stream.readline()
    return b"".join(parts)


class Handle:
    """A sink in another process."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.url = str(self._ask(None)["url"])

    def stats(self) -> dict[str, int]:
        """As :meth:`Sink.stats`."""
        return cast("dict[str, int]", self._ask("stats"))

    def _ask(self, question: str | None) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if question is not None:
            print(question, file=self._process.stdin, flush=True)
        return cast("dict[str, Any]", json.loads(self._process.stdout.readline()))


@contextlib.contextmanager
def running() -> Iterator[Handle]:
    """A sink in a process of its own, which ends with the block, or with us."""
    with subprocess.Popen(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    ) as process:
        try:
            yield Handle(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def main() -> None:
    """Serve until standard input ends."""
    sink = Sink()
    print(json.dumps({"url": sink.url}), flush=True)
    for _ in sys.stdin:
        print(json.dumps(sink.stats()), flush=True)


if __name__ == "__main__":
    main()
