"""The console as a destination: one line for each event, readable or JSON."""

from __future__ import annotations

import sys
from base64 import b64encode
from datetime import datetime, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar, TextIO

from footspan._guard import guard
from footspan.destinations.base import Destination, Outcome, Verdict
from footspan.destinations.readable import line_of, properties_of
from footspan.otlp_json.text import dumps

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.config import DestinationSettings
    from footspan.event import Event
    from footspan.otlp_json import LogLine


class ConsoleDestination(Destination):
    """Prints events to standard error, so that a program's own output stays what it was.

    Attributes:
        format: ``text`` (time, name, properties) or ``json`` (one compact object).
    """

    type: ClassVar[str] = "console"
    plain_logs: ClassVar[bool] = True
    default_linger: ClassVar[float] = 0.0
    max_concurrency: ClassVar[int] = 1

    def __init__(self, settings: DestinationSettings) -> None:
        super().__init__(settings)
        self.format = str(settings.options.get("format") or "text")

    def send(self, events: Sequence[LogLine], timeout: float) -> Outcome:  # noqa: ARG002 - printing has no time limit
        """Print some events, oldest first, in one write."""
        lines: list[str] = []
        refused: dict[int, Outcome] = {}
        for index, event in enumerate(events):
            line = ""
            with guard("console.format"):
                line = self.line(event.event)
            if line:
                lines.append(f"{line}\n")
            else:
                refused[index] = Outcome(Verdict.REFUSED, "unencodable")
        stream: TextIO | None = sys.stderr
        try:
            if stream is None:
                return Outcome(Verdict.PARK, "no_console")
            _write(stream, "".join(lines))
        except (OSError, ValueError):  # a broken pipe; a closed file
            return Outcome(Verdict.PARK, "console_closed")
        return Outcome(Verdict.DELIVERED, items=refused)

    def line(self, event: Event) -> str:
        """One event as one line, without its end."""
        if self.format == "json":
            return dumps(_object(event)).decode()
        return f"{_time(event)} {line_of(event)}"


def _write(stream: TextIO, text: str) -> None:
    try:
        stream.write(text)
    except UnicodeEncodeError:  # a terminal of another encoding
        encoding = stream.encoding or "ascii"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def _object(event: Event) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "time": _time(event),
        "name": event.name,
        "uid": event.uid,
        "category": event.category,
        "trace_id": event.trace_id,
        "properties": _printable(properties_of(event)),
    }
    return {name: value for name, value in fields.items() if value != ""}


def _time(event: Event) -> str:
    """When it happened, UTC, in milliseconds; a dash when unknown or beyond the calendar."""
    nanoseconds = event.time_ns or event.observed_ns
    second = _second(nanoseconds // 1_000_000_000) if nanoseconds else ""
    return f"{second}.{nanoseconds // 1_000_000 % 1000:03d}Z" if second else "-"


@lru_cache(maxsize=16)
def _second(seconds: int) -> str:
    """A second since the epoch; empty beyond the calendar."""
    try:
        return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S}"
    except (OverflowError, OSError, ValueError):
        return ""


def _printable(value: Any) -> Any:
    """Plain data as JSON has it: bytes in base64, numbers that have no JSON as text."""
    if isinstance(value, dict):
        return {str(key): _printable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_printable(item) for item in value]
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if (isinstance(value, float) and value - value != 0) or (isinstance(value, int) and value.bit_length() > 63):  # noqa: PLR2004 - 64-bit integers
        return str(value)
    return value
