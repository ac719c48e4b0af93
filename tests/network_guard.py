"""Nothing in the tests reaches beyond this machine: connections and name look-ups are stopped, and fail the test."""

from __future__ import annotations

import ipaddress
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock

if TYPE_CHECKING:
    from collections.abc import Iterator

_UNRESOLVABLE = (".invalid", ".test", ".example", "example.com", "example.org", "example.net")
"""Reserved names (RFC 2606): looking one up answers "unknown name" here as everywhere, without asking a server."""


class NetworkBlockedError(ConnectionRefusedError):
    """Something tried to leave this machine. To the code under test it is a server that does not listen."""


def is_local(host: object) -> bool:
    """Whether an address or name stands for this machine."""
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name is None or name in {"", "localhost", socket.gethostname()}:
        return True
    try:
        return isinstance(name, str) and ipaddress.ip_address(name.partition("%")[0]).is_loopback
    except ValueError:
        return False


@contextmanager
def blocked_network() -> Iterator[list[str]]:
    """Let connections reach loopback and Unix sockets only.

    Yields:
        What was tried beyond that. The caller fails when it is not empty: the code under test may swallow the error.
    """
    attempts: list[str] = []
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def check(sock: socket.socket, address: Any) -> None:
        if sock.family in {socket.AF_INET, socket.AF_INET6} and not is_local(address[0]):
            attempts.append(f"connect to {address[0]}")
            raise NetworkBlockedError(attempts[-1])

    def guarded_connect(sock: socket.socket, address: Any) -> None:
        check(sock, address)
        connect(sock, address)

    def guarded_connect_ex(sock: socket.socket, address: Any) -> int:
        check(sock, address)
        return connect_ex(sock, address)

    def guarded_getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        if not is_local(host):
            name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
            if name.rstrip(".").endswith(_UNRESOLVABLE):
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            if not _is_address(name):  # an address needs no look-up; connecting to it is what counts
                attempts.append(f"look up {name}")
                raise NetworkBlockedError(attempts[-1])
        return getaddrinfo(host, *args, **kwargs)

    with (
        mock.patch.object(socket.socket, "connect", guarded_connect),
        mock.patch.object(socket.socket, "connect_ex", guarded_connect_ex),
        mock.patch.object(socket, "getaddrinfo", guarded_getaddrinfo),
    ):
        yield attempts


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
