"""A small MaxMind DB file (format 2.0), written by hand: https://maxmind.github.io/MaxMind-DB/."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MARKER: Final = b"\xab\xcd\xefMaxMind.com"
_STRING, _UINT16, _UINT32, _MAP, _UINT64, _ARRAY = 2, 5, 6, 7, 9, 11
_GAP: Final = 16
_RECORD_BITS: Final = 24


def write_database(path: Path, networks: Mapping[str, Any], *, version: int = 6) -> str:
    """Write a database.

    Args:
        path: Where.
        networks: What stands under each network, none inside another.
        version: 4 or 6: which addresses the file knows. One of version 6 has those of version 4 under ``::/96``.

    Returns:
        The path as text.
    """
    data = bytearray()
    nodes: list[list[int | None]] = [[None, None]]
    ends: list[tuple[int, int, int]] = []
    for text, record in networks.items():
        network = ipaddress.ip_network(text)
        wide = version == 6 and network.version == 4
        bits = format(int(network.network_address), f"0{network.max_prefixlen}b")[: network.prefixlen]
        node = 0
        path_bits = [int(bit) for bit in ("0" * 96 if wide else "") + bits]
        for bit in path_bits[:-1]:
            following = nodes[node][bit]
            if following is None:
                following = nodes[node][bit] = len(nodes)
                nodes.append([None, None])
            node = following
        ends.append((node, path_bits[-1], len(data)))
        data += _encoded(record)
    count = len(nodes)
    places = {(node, bit): count + _GAP + offset for node, bit, offset in ends}
    tree = b"".join(
        places.get((number, bit), count if target is None else target).to_bytes(_RECORD_BITS // 8, "big")
        for number, node in enumerate(nodes)
        for bit, target in enumerate(node)
    )
    about = {
        "binary_format_major_version": _Number(_UINT16, 2),
        "binary_format_minor_version": _Number(_UINT16, 0),
        "build_epoch": _Number(_UINT64, 1_767_225_600),
        "database_type": "Test-Country",
        "description": {"en": "Made up for tests"},
        "ip_version": _Number(_UINT16, version),
        "languages": ["en"],
        "node_count": _Number(_UINT32, count),
        "record_size": _Number(_UINT16, _RECORD_BITS),
    }
    path.write_bytes(tree + bytes(_GAP) + bytes(data) + _MARKER + _encoded(about))
    return str(path)


class _Number:
    """A number of a certain type."""

    def __init__(self, kind: int, value: int) -> None:
        self.kind = kind
        self.value = value


def _encoded(value: Any) -> bytes:
    if isinstance(value, str):
        text = value.encode()
        return _control(_STRING, len(text)) + text
    if isinstance(value, dict):
        return _control(_MAP, len(value)) + b"".join(_encoded(each) for pair in value.items() for each in pair)
    if isinstance(value, list):
        return _control(_ARRAY, len(value)) + b"".join(map(_encoded, value))
    assert isinstance(value, _Number)
    digits = value.value.to_bytes(8, "big").lstrip(b"\0")
    return _control(value.kind, len(digits)) + digits


def _control(kind: int, size: int) -> bytes:
    """The byte or bytes before a value: its type and its size, which must be below 285 here."""
    extended = b"" if kind < 8 else bytes([kind - 7])
    first = (kind if kind < 8 else 0) << 5
    return bytes([first | size]) + extended if size < 29 else bytes([first | 29]) + extended + bytes([size - 29])
