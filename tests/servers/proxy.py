"""A proxy on loopback: takes CONNECT and whole addresses, asks for a password if told to, and remembers both."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

_PATIENCE = 20.0
_CHUNK = 65_536


class Proxy:
    """A context manager.

    Args:
        refuse: The status with which it answers every request instead of passing it on; 0 for none.
        authorization: The ``Proxy-Authorization`` that it wants; 407 without.

    Attributes:
        requests: The first line of each request, as it came in.
    """

    def __init__(self, *, refuse: int = 0, authorization: str = "") -> None:
        self.requests: list[str] = []
        self._refuse = refuse
        self._authorization = authorization
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://{self.address}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(_PATIENCE)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        self._open.add(client)
        with client, contextlib.suppress(OSError):
            client.settimeout(_PATIENCE)
            head = b""
            while b"\r\n\r\n" not in head:
                more = client.recv(_CHUNK)
                if not more:
                    return
                head += more
            first, _, rest = head.partition(b"\r\n")
            self.requests.append(first.decode("latin-1"))
            method, target, _ = first.decode("latin-1").split()
            status = self._refuse
            if (
                self._authorization
                and f"proxy-authorization: {self._authorization}".lower().encode() not in rest.lower()
            ):
                status = 407
            if status:
                client.sendall(f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                return
            self._pass_on(client, method, target, rest)
        self._open.discard(client)

    def _pass_on(self, client: socket.socket, method: str, target: str, rest: bytes) -> None:
        if method == "CONNECT":
            host, _, port = target.rpartition(":")
        else:
            parts = urlsplit(target)
            host, port = str(parts.hostname), str(parts.port)
        with socket.create_connection((host, int(port)), timeout=_PATIENCE) as server:
            self._open.add(server)
            if method == "CONNECT":
                client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            else:
                path = target[target.index("/", len("http://")) :]
                server.sendall(f"{method} {path} HTTP/1.1\r\n".encode() + rest)
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            back.join(_PATIENCE)
            self._open.discard(server)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    for each in (source, sink):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
