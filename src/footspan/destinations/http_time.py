"""One time for a whole request, where the standard library has one for each look at the socket.

``http.client`` starts its time anew with every piece that is sent or received, so a server that lets the status line,
the headers or the frames of a chunked answer drip in, or that takes a body in drop by drop, holds a request for hours.
"""

from __future__ import annotations

import http.client
import io
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

if TYPE_CHECKING:
    import socket

REST_SECONDS: Final = 0.25
"""Time for what has arrived already when the time is up: who was stopped meanwhile reads on, once."""


class TimedBody(io.BytesIO):
    """A request's body that is not read beyond its time.

    Args:
        body: The bytes.
        deadline: When the request must be over, monotonic seconds.

    Attributes:
        sent: Whether all of it was sent: the connection asked for more after it had taken the last piece.
    """

    def __init__(self, body: bytes, deadline: float) -> None:
        super().__init__(body)
        self._deadline = deadline
        self._size = len(body)
        self.sent = False

    def read(self, size: int | None = -1, /) -> bytes:
        """The next bytes.

        Raises:
            TimeoutError: Some are left, and there is no time for them.
        """
        if self.tell() < self._size and time.monotonic() > self._deadline:
            raise TimeoutError
        piece = super().read(size)
        self.sent = self.sent or not piece
        return piece


class _TimedStream(io.RawIOBase):
    """A socket's answers, within the time that the socket has when the answer begins."""

    def __init__(self, stream: io.RawIOBase, sock: socket.socket) -> None:
        self._stream = stream
        self._sock = sock
        self._timeout = sock.gettimeout()
        self._deadline = time.monotonic() + (self._timeout or 0.0)
        self._late = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._timeout:
            left = self._deadline - time.monotonic()
            if left <= 0:
                if self._late:
                    raise TimeoutError
                self._late = True
                self._deadline, left = time.monotonic() + REST_SECONDS, REST_SECONDS
            self._sock.settimeout(left)
        return self._stream.readinto(buffer)

    def close(self) -> None:
        if not self.closed:
            with suppress(OSError):  # the connection may be used again, or be closed already
                self._sock.settimeout(self._timeout)
            self._stream.close()
        super().close()


class _TimedResponse(http.client.HTTPResponse):
    """An answer whose status line and headers count as well."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        stream: Any = self.fp
        self.fp = io.BufferedReader(_TimedStream(stream.detach(), sock))


class _Connection(HTTPConnection):
    response_class = _TimedResponse


class _SecureConnection(HTTPSConnection):
    response_class = _TimedResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS: Final = {"http": _Pool, "https": _SecurePool}


class TimedAdapter(HTTPAdapter):
    """``requests``' adapter with connections that keep to a request's time."""

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pools."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:
        """The pools of connections through a proxy."""
        manager = super().proxy_manager_for(proxy, **options)
        manager.pool_classes_by_scheme = _POOLS
        return manager
