"""Blank records: what stands in the place of an event that was forgotten, as long as its line was.

``{"footspanBlank":[<record>],"resourceLogs":[]}`` and spaces up to the newline. To any other reader of OTLP JSON that
is an empty request. The record has a name, its hour, and what decides where an event goes, so that every destination
counts it as before; a carrier that comes to it counts it as ``forgotten`` and sends nothing. In a line with events of
others, those stay, under ``resourceLogs``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from footspan import conventions as c
from footspan.otlp_json import LogLine, encode_line, encode_record, encode_suffix, merge
from footspan.otlp_json.records import NO_NAME
from footspan.otlp_json.text import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

MARK: Final = b'{"footspanBlank":['
"""How a line begins that holds blank records."""

GAP: Final = b" " * 24
"""What ends a line that is being overwritten just now: its first part may still be read as it was."""

FORGOTTEN: Final = "forgotten"
"""The reason under which a destination counts an event that was made blank before it had it."""

ROUTING: Final = (c.CATEGORY, c.DESTINATION, c.CONSENT, c.PURPOSE)
"""The attributes that say where an event goes."""

_OTHERS: Final = b'],"resourceLogs":['
_ROOT: Final = b'{"resourceLogs":['
_HOUR: Final = 3_600_000_000_000
_SUFFIX: Final = encode_suffix({}, "")
_TORN: Final = re.compile(rb'"timeUnixNano":"(\d{1,20})","eventName":("(?:[^"\\]|\\.)*")')


class Blank(LogLine):
    """One blank record, for whoever counts events."""

    __slots__ = ()


def blank_of(event: LogLine, unspeakable: Collection[str] = ()) -> Blank:
    """What stands in an event's place.

    Args:
        event: The event.
        unspeakable: Names and texts that may not stand there either.
    """
    if isinstance(event, Blank):
        return event
    attributes: dict[str, object] = {}
    if event.destination:
        attributes[c.DESTINATION] = event.destination
    found = event.event.attributes
    attributes.update((key, found[key]) for key in ROUTING if found.get(key) is not None)
    kept = {key: value for key, value in attributes.items() if not (isinstance(value, str) and value in unspeakable)}
    return _made("" if event.name in unspeakable else event.name, event.time_ns, kept)


def _made(name: str, time_ns: int, attributes: dict[str, object]) -> Blank:
    record = encode_record(name=name or NO_NAME, time_ns=time_ns - time_ns % _HOUR, attributes=attributes)
    return Blank(encode_line(record, _SUFFIX))


def rendered(blanks: Sequence[LogLine], others: Sequence[LogLine], size: int) -> bytes | None:
    """A line of exactly ``size`` bytes (its newline not counted); ``None`` where all that does not fit.

    Args:
        blanks: Its blank records.
        others: Its events of somebody else.
        size: How long it is to be.
    """
    rest = merge(others)[len(_ROOT) :] if others else b"]}"
    for records in ([blank.record for blank in blanks], []):
        line = b"%b%b%b%b" % (MARK, b",".join(records), _OTHERS, rest)
        if len(line) <= size:
            return line.ljust(size)
    return None


def read_blanks(line: bytes) -> list[Blank]:
    """The blank records of a line that begins with :data:`MARK`."""
    end = line.find(_OTHERS, len(MARK))
    try:
        records = loads(b"[%b]" % line[len(MARK) : end]) if end >= 0 else [{}]
        return [Blank(encode_line(dumps(record), _SUFFIX)) for record in records]
    except ValueError:
        return [torn_blank(line)]


def torn_blank(line: bytes) -> Blank:
    """What can be told of a line that was half overwritten."""
    found = _TORN.search(line)
    if found is None:
        return _made("", 0, {})
    try:
        name = str(loads(found[2]))
    except ValueError:
        name = ""
    return _made(name, int(found[1]), {})


def is_being_blanked(line: bytes) -> bool:
    """Whether a line is one of ours whose end is blank already, and whose beginning is not."""
    if not (line.endswith(GAP) and line.startswith(b'{"resource')):
        return False
    try:
        loads(line)
    except ValueError:
        return True
    return False


def is_blank(line: bytes) -> bool:
    """Whether a line holds nothing but blank records, or is about to."""
    return is_being_blanked(line) or (line.startswith(MARK) and not has_others(line))


def has_others(line: bytes) -> bool:
    """Whether a line with blank records holds events as well."""
    return not line.rstrip().endswith(_OTHERS + b"]}")
