"""Events, lines and settings for tests of destinations."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

from footspan import conventions as c
from footspan.config import BatchSettings, DestinationSettings
from footspan.otlp_json import LogLine, encode_line, encode_record, encode_suffix

if TYPE_CHECKING:
    from collections.abc import Mapping

TIME_NS = 1_767_225_600_123_456_789
"""2026-01-01T00:00:00.123Z."""

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"

_numbers = count(1)


def line(name: str = "cart.opened", attributes: Mapping[str, Any] | None = None, **fields: Any) -> LogLine:
    """One stored event."""
    uid = f"0190a000-0000-7000-8000-{next(_numbers):012d}"
    record = encode_record(
        name=name,
        time_ns=fields.pop("time_ns", TIME_NS),
        attributes={c.LOG_RECORD_UID: uid, **(attributes or {})},
        **fields,
    )
    suffix = encode_suffix({c.SERVICE_NAME: "shop"}, "footspan", "0.1.0")
    return LogLine(encode_line(record, suffix).rstrip(b"\n"))


def settings(kind: str, *, timeout: float = 5.0, on_ambiguous: Any = None, **options: Any) -> DestinationSettings:
    """Settings of one destination."""
    return DestinationSettings(
        name=kind,
        type=kind,
        on_ambiguous=on_ambiguous,
        timeout=timeout,
        batch=BatchSettings(),
        options=options,
    )
