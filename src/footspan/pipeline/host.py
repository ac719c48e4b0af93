"""The machine's name, system and addresses, for destinations whose format has a place for them.

Looked up once, when the first event is written, and never over the network. What a resource says of its host already
(by a detector, by ``OTEL_RESOURCE_ATTRIBUTES``) stays as it is.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c
from footspan.config.options import DESTINATION_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from footspan.config import Settings

_ADDRESS_OF: Final = 0x8915  # SIOCGIFADDR, netdevice(7)
_NAME_LENGTH: Final = 15
_ROUTES: Final = Path("/proc/net/route")
_ADDRESSES_6: Final = Path("/proc/net/if_inet6")
_GLOBAL: Final = "00"
_ELSEWHERE: Final = ("192.0.2.1", 9)  # reserved for documentation (RFC 5737); nothing is ever sent there


def host_for(settings: Settings) -> Mapping[str, Any]:
    """Attributes of the host, for the resource; empty where no enabled destination tells of it."""
    kinds = (DESTINATION_TYPES.get(each.type) for each in settings.destinations if each.enabled)
    return _host() if any(kind is not None and kind.tells_host for kind in kinds) else {}


@cache
def _host() -> dict[str, Any]:
    import platform  # noqa: PLC0415 - few destinations tell of the host

    found: dict[str, Any] = {}
    with suppress(Exception):  # whatever a system's own answers do to the library
        found[c.HOST_NAME] = socket.gethostname()
    with suppress(Exception):
        found[c.OS_DESCRIPTION] = platform.platform()
    with suppress(Exception):
        found[c.HOST_IP] = addresses()
    return {name: value for name, value in found.items() if value}


def addresses() -> list[str]:
    """The machine's own addresses, without loopback; first the one that it reaches others by."""
    return _by_interface() if sys.platform == "linux" else _by_route()


def _by_interface() -> list[str]:
    import fcntl  # noqa: PLC0415 - not on every platform

    outward = _outward()
    names = sorted((name for _, name in socket.if_nameindex()), key=lambda name: name not in outward)
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for name in names:
            request = struct.pack("256s", name.encode()[:_NAME_LENGTH])
            with suppress(OSError):  # an interface without an address
                found.append(socket.inet_ntoa(fcntl.ioctl(asking.fileno(), _ADDRESS_OF, request)[20:24]))
    found += _wider()
    return [each for each in dict.fromkeys(found) if not ipaddress.ip_address(each).is_loopback]


def _outward() -> set[str]:
    """The interfaces with a default route."""
    with suppress(OSError):
        lines = (line.split() for line in _ROUTES.read_text().splitlines()[1:])
        return {line[0] for line in lines if line[1:2] == ["00000000"]}
    return set()


def _wider() -> list[str]:
    """Addresses of IPv6 that are more than local."""
    with suppress(OSError):
        lines = (line.split() for line in _ADDRESSES_6.read_text().splitlines())
        return [str(ipaddress.ip_address(bytes.fromhex(line[0]))) for line in lines if line[3:4] == [_GLOBAL]]
    return []


def _by_route() -> list[str]:
    """The address that a datagram would leave from; none is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.connect(_ELSEWHERE)
        return [asking.getsockname()[0]]
