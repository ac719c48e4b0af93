"""The application on a socket, until a signal."""

from __future__ import annotations

import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.applications import Starlette

_STOP_TIMEOUT: Final = 10
"""Seconds that requests under way have for their end."""

_KEEP_ALIVE: Final = 75
"""Seconds an idle connection is kept: longer than a sender waits between two batches."""

_BACKLOG: Final = 1024


def listen(host: str, port: int) -> socket.socket:
    """A socket that accepts connections from now on; they wait until :func:`serve` runs.

    Args:
        host: The address or name to listen on.
        port: The port; 0 for a free one.

    Raises:
        OSError: That address cannot be had.
    """
    (family, _, _, _, address), *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return socket.create_server(address[:2], family=family, backlog=_BACKLOG)


def url_of(listening: socket.socket) -> str:
    """The address that a sender on this machine uses."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def server_of(app: Starlette) -> uvicorn.Server:
    """The application in a server that is not started yet."""
    config = uvicorn.Config(
        app,
        lifespan="on",
        log_config=None,
        log_level="critical",  # its trace-backs may quote what was sent; what fails is reported without that
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_STOP_TIMEOUT,
    )
    return uvicorn.Server(config)


def serve(app: Starlette, listening: socket.socket) -> None:
    """Serve until SIGINT or SIGTERM; requests under way are answered first. A second SIGINT does not wait.

    Args:
        app: The application.
        listening: The socket from :func:`listen`; closed at the end.
    """
    server = server_of(app)
    with _signals_stop(server):
        server.run(sockets=[listening])


@contextmanager
def _signals_stop(server: uvicorn.Server) -> Iterator[None]:
    """Make a signal the server's end and not the process's, before uvicorn listens to signals and after.

    Uvicorn raises the signal that ended it once more when it is done, which would cut short what comes after.
    """

    def stop(_: int, __: object) -> None:
        server.should_exit = True

    former = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
