"""Lines of JSON with a checksum at their end, so that a torn or damaged one shows."""

from __future__ import annotations

import re
import zlib
from typing import Any

from footspan.otlp_json.text import dumps, loads

_CHECKED = re.compile(rb'(\{.+),"crc":"([0-9a-f]{8})"\}', re.DOTALL)


def encode(operation: dict[str, Any]) -> bytes:
    """An operation as a line, newline included."""
    body = dumps(operation)[:-1]
    return b'%b,"crc":"%08x"}\n' % (body, zlib.crc32(body))


def decode(line: bytes) -> dict[str, Any] | None:
    """The operation of a line, or ``None`` for a torn or damaged one."""
    match = _CHECKED.fullmatch(line)
    if match is None or zlib.crc32(match[1]) != int(match[2], 16):
        return None
    try:
        operation = loads(match[1] + b"}")
    except ValueError:
        return None
    return operation if isinstance(operation, dict) else None
