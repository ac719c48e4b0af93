"""The socket side of a stand-in: accept, parse HTTP/1.1, send; close and listen again on the same port."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from servers.http import Answer

    Serve = Callable[[str, str, dict[str, str], bytes], tuple[Answer | None, bool]]

IDLE_SECONDS: Final = 60.0
MAX_BODY: Final = 64 * 1024 * 1024
_RESET: Final = struct.pack("ii", 1, 0)
"""SO_LINGER of zero seconds: closing the socket sends a reset instead of an ordinary end."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, serve: Serve, port: int, tls: ssl.SSLContext | None = None) -> None:
        self.serve = serve
        self.tls = tls
        self.connections: set[socket.socket] = set()
        self.guard = threading.Lock()
        super().__init__(("127.0.0.1", port), _Handler, bind_and_activate=False)
        self.server_bind()

    def server_bind(self) -> None:
        # Not HTTPServer's: that one looks up the host's name, which may ask the network.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def finish_request(self, request: Any, client_address: Any) -> None:
        if self.tls is None:
            super().finish_request(request, client_address)
            return
        # In the connection's own thread: a client that is slow to shake hands holds up nobody.
        request.settimeout(IDLE_SECONDS)
        with self.tls.wrap_socket(request, server_side=True) as secure:
            super().finish_request(secure, client_address)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self.guard:
            self.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self.guard:
            self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        # A client that hangs up is its right; anything else is a bug and should be seen.
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def drop_connections(self) -> None:
        with self.guard:
            for connection in self.connections:
                with contextlib.suppress(OSError):  # the client was quicker
                    connection.shutdown(socket.SHUT_RDWR)

    def wait_idle(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with self.guard:
                if not self.connections:
                    return
            time.sleep(0.005)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = IDLE_SECONDS
    disable_nagle_algorithm = True
    server: _Server

    def version_string(self) -> str:
        return "stand-in"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the overridden name
        """Say nothing: requests are recorded, not printed."""

    def __getattr__(self, name: str) -> Any:
        # The base class looks for do_GET, do_POST, ...: every method there is goes the same way.
        if name.startswith("do_"):
            return self._do
        raise AttributeError(name)

    def _do(self) -> None:
        body = self._read_body()
        if body is None:
            return
        headers: dict[str, str] = {}
        for name, value in self.headers.items():
            key = name.lower()
            headers[key] = f"{headers[key]}, {value}" if key in headers else value
        answer, reset = self.server.serve(self.command, self.path, headers, body)
        if answer is None:
            self._end(reset=reset)
            return
        data = self._encode(answer)
        if reset:
            self.wfile.write(data[: max(len(data) - max(len(answer.body) // 2, 1), 1)])
            self._end(reset=True)
            return
        self.wfile.write(data)

    def _encode(self, answer: Answer) -> bytes:
        """Head and body in one piece: two writes would wait for each other's acknowledgement."""
        has_body = self.command != "HEAD" and answer.status not in {204, 304} and answer.status >= 200
        self.send_response_only(answer.status)
        self.send_header("Date", self.date_time_string())
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status not in {204, 304} and "Content-Length" not in answer.headers:
            self.send_header("Content-Length", str(len(answer.body)))
        lines: list[bytes] = self._headers_buffer
        head = b"".join(lines) + b"\r\n"
        lines.clear()
        return head + answer.body if has_body else head

    def _end(self, *, reset: bool) -> None:
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            # The request's own shutdown would end the connection in good order before the reset.
            self.connection.close()

    def _read_body(self) -> bytes | None:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if not 0 <= length <= MAX_BODY:
            self.send_error(413 if length > 0 else 400)
            self.close_connection = True
            return None
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True  # the client hung up in the middle: there is no request
            return None
        return body

    def _read_chunks(self) -> bytes | None:
        body = b""
        while len(body) <= MAX_BODY:
            try:
                size = int(self.rfile.readline(1024).split(b";")[0], 16)
            except ValueError:
                break
            if not size:
                while self.rfile.readline(1024).strip():
                    pass
                return body
            body += self.rfile.read(size)
            self.rfile.readline(8)
        self.close_connection = True
        return None


class Listener:
    """A port of 127.0.0.1 that can refuse connections for a while and still stay ours.

    While it is closed the port is bound but not listened on: connections are refused, and nobody else can take it.
    """

    def __init__(self, serve: Serve, port: int, tls: ssl.SSLContext | None = None) -> None:
        self._serve = serve
        self._tls = tls
        self._lock = threading.Lock()
        self._server = _Server(serve, port, tls)
        self._thread: threading.Thread | None = None
        self._ended = False
        self.port: int = self._server.server_port

    def open(self) -> None:
        """Listen and serve; does nothing while it does already."""
        with self._lock:
            if self._thread is None and not self._ended:
                self._server.server_activate()
                self._thread = threading.Thread(
                    target=self._server.serve_forever, args=(0.02,), name=f"stand-in-{self.port}", daemon=True
                )
                self._thread.start()

    def close(self) -> None:
        """Refuse connections and close the open ones, with the port kept."""
        with self._lock:
            if self._thread is not None:
                self._halt(0.2)
                self._server = _Server(self._serve, self.port, self._tls)

    def end(self) -> None:
        """Give up the port."""
        with self._lock:
            self._ended = True
            if self._thread is not None:
                self._halt(2)
            else:
                self._server.server_close()

    def _halt(self, patience: float) -> None:
        assert self._thread is not None
        self._server.shutdown()
        self._thread.join(5)
        self._thread = None
        self._server.server_close()
        self._server.drop_connections()
        self._server.wait_idle(patience)
