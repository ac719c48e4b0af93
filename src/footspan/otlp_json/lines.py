"""The stored line, read: by position where it is ours, parsed and written anew where it is not.

Ours are told by their beginning. Inside a JSON string every quote has a backslash before it, so ``,"`` and ``{"`` never
occur in data, and a search for a mark that holds one of them finds the structure and nothing else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from footspan import conventions as c
from footspan.event import Event
from footspan.otlp_json.parse import Decoded, decode, parse_parts
from footspan.otlp_json.records import NO_NAME, PREFIX, SUFFIX_MARK, encode_line, encode_record, encode_suffix
from footspan.otlp_json.text import loads

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    _Layout: TypeAlias = tuple[re.Match[bytes], int]

_STRING = rb'"([^"\\]*(?:\\.[^"\\]*)*)"'
_TEXT = re.compile(_STRING)
_HEAD = re.compile(
    re.escape(PREFIX)
    + rb'\{"timeUnixNano":"(\d{1,20})","eventName":'
    + _STRING
    + rb',"attributes":\[(?:\{"key":"log\.record\.uid","value":\{"stringValue":'
    + _STRING
    + rb"\}\})?"
)
_TEXT_OF = b'{"key":"%b","value":{"stringValue":'
_CATEGORY = _TEXT_OF % c.CATEGORY.encode()
_DESTINATION = _TEXT_OF % c.DESTINATION.encode()
_UID_KEY = b'{"key":"%b"' % c.LOG_RECORD_UID.encode()
_REDACTED = b'{"key":"%b","value":{"arrayValue":{"values":[' % c.REDACTED.encode()
_REDACTED_END = re.compile(rb'\]\}\}\}(?:,\{"key":|\],"|\]\}\Z)')
_ITEM = b'{"stringValue":'
_LIST = b'{"arrayValue":'
_NESTED = b'{"kvlistValue":'

# In one record of ours, an object that follows another in an array is a KeyValue or an AnyValue; elsewhere in the line
# none follows another.
_SECOND = re.compile(rb'\},\{(?!"key":|"(?:string|int|double|bool|bytes|array|kvlist)Value":|\})')
_ROOT = b'{"resourceLogs":'
_END = b"}]}"
_NOTHING = b'%b{"timeUnixNano":"0","eventName":"","attributes":[]}%b{}}],"resource":{}}]}' % (PREFIX, SUFFIX_MARK)


class LogLine:
    """One stored line that holds one event. A line that holds several, or none, goes through :func:`explode` first.

    Attributes:
        line: The line as it was given, without its newline.
    """

    __slots__ = ("_category", "_cut", "_destination", "_event", "_head", "_ours", "_redacted", "line")

    def __init__(self, line: bytes, found: _Layout | None = None) -> None:
        self.line = line.rstrip(b"\r\n")
        self._ours = b""
        self._cut = 0
        self._head: tuple[int, str, str] | None = None
        self._event: Event | None = None
        self._category: str | None = None
        self._destination: str | None = None
        self._redacted: int | None = None
        if found is not None:  # whoever looked at the line before us need not have done so in vain
            self._ours = self.line
            self._take(found)

    def __repr__(self) -> str:
        return f"<LogLine of {len(self.line)} bytes>"  # its content is nobody's but the destination's

    @property
    def time_ns(self) -> int:
        """When it happened, nanoseconds since the epoch."""
        return (self._head or self._read())[0]

    @property
    def name(self) -> str:
        """The event's name; empty for a plain log record."""
        return (self._head or self._read())[1]

    @property
    def uid(self) -> str:
        """``log.record.uid``; empty when the writer set none."""
        return (self._head or self._read())[2]

    @property
    def record(self) -> bytes:
        """The log record's JSON object, in our order."""
        self._head or self._read()
        return self._ours[len(PREFIX) : self._cut]

    @property
    def suffix(self) -> bytes:
        """What follows the record: the same bytes for the same scope and resource."""
        self._head or self._read()
        return self._ours[self._cut :]

    @property
    def category(self) -> str:
        """The category the event names, else the one its name stands for."""
        if self._category is None:
            self._category = self._attribute(_CATEGORY, c.CATEGORY) or c.category_of(self.name)
        return self._category

    @property
    def destination(self) -> str:
        """The one destination the event is for; empty when it is for all."""
        if self._destination is None:
            self._destination = self._attribute(_DESTINATION, c.DESTINATION)
        return self._destination

    @property
    def redacted(self) -> int:
        """How many keys the redactor removed or changed."""
        if self._redacted is None:
            self._redacted = self._count_redacted()
        return self._redacted

    @property
    def event(self) -> Event:
        """The event, parsed at first use. A line damaged in the middle gives its name, uid and time."""
        if self._event is None:
            self._head or self._read()
            try:
                self._event = parse_parts(self.record, self.suffix)
            except ValueError:
                time_ns, name, uid = self._head or (0, "", "")
                self._event = Event(name=name, uid=uid, time_ns=time_ns)
        return self._event

    def _read(self) -> tuple[int, str, str]:
        """Find the parts of the line, after writing it anew where it is not ours."""
        self._ours = self.line
        found = _layout(self._ours)
        if found is None:
            written = explode(self.line)
            self._ours = written[0].line if written else _NOTHING
            found = _layout(self._ours)
            assert found is not None
        return self._take(found)

    def _take(self, found: _Layout) -> tuple[int, str, str]:
        """Keep what the parts of the line say."""
        head, self._cut = found
        time_ns, name, uid = int(head[1]), _unquote(head[2]), _unquote(head[3])
        self._head = (time_ns, name, uid)
        if not name or (head[3] is None and self._ours.find(_UID_KEY, 0, self._cut) >= 0):
            self._head = (time_ns, name or self.event.name, uid or self.event.uid)
        return self._head

    def text(self, name: str) -> str:
        """A text attribute of the event; empty where it has none of this name, or one that is no text."""
        return self._attribute(_TEXT_OF % name.encode(), name)

    def _attribute(self, mark: bytes, name: str) -> str:
        """A text attribute of the record's own, not one inside another attribute's value."""
        self._head or self._read()
        start = self._ours.find(mark, 0, self._cut)
        if start < 0:
            return ""
        if self._ours.find(_NESTED, 0, self._cut) >= 0:
            value = self.event.attributes.get(name)
            return value if isinstance(value, str) else ""
        text = _TEXT.match(self._ours, start + len(mark))
        return _unquote(text[1]) if text else ""

    def _count_redacted(self) -> int:
        self._head or self._read()
        start = self._ours.find(_REDACTED, 0, self._cut)
        if start < 0:
            return 0
        end = _REDACTED_END.search(self._ours, start, self._cut)
        inner = start + len(_REDACTED)
        if (
            end is None
            or self._ours.find(_NESTED, 0, self._cut) >= 0
            or self._ours.find(_LIST, inner, end.start()) >= 0
        ):
            keys = self.event.attributes.get(c.REDACTED)
            return sum(isinstance(key, str) for key in keys) if isinstance(keys, list) else 0
        return self._ours.count(_ITEM, start, end.start())


def explode(line: bytes) -> list[LogLine]:
    """The events of a line, each as a line of its own in our format.

    A line of ours costs a look at its beginning and end; any other is parsed and written anew. Where a writer died in
    the middle of a line and the next one went on in it, what is whole is found.

    Args:
        line: A stored line, one of a Collector's file exporter, or anything.

    Returns:
        One :class:`LogLine` for each log record; none for garbage. Never raises an ``Exception``.
    """
    line = line.strip()
    if line.find(_ROOT, 1) > 0:
        head, *tails = line.split(_ROOT)
        return [found for piece in (head, *(_ROOT + tail for tail in tails)) for found in explode(piece)]
    found = _whole(line)
    if found is not None:
        return [LogLine(line, found)]
    if not line.startswith(b"{"):
        return []
    try:
        return list(_written_anew(decode(line)))
    except ValueError:
        return []


def _layout(line: bytes) -> _Layout | None:
    """The parts a line of ours begins with, and where its suffix starts; ``None`` if it is not ours."""
    head = _HEAD.match(line)
    if head is None or not line.endswith(_END):
        return None
    cut = line.find(SUFFIX_MARK, head.end())
    return None if cut < 0 else (head, cut)


def _whole(line: bytes) -> _Layout | None:
    """The same for a line that is whole and holds one record. Zeros are what a crash leaves in a file."""
    found = _layout(line)
    return found if found and _SECOND.search(line) is None and b"\0" not in line else None


def _written_anew(records: Iterable[Decoded]) -> Iterable[LogLine]:
    suffixes: dict[tuple[int, int], bytes] = {}
    for decoded in records:
        event = decoded.event
        group = (id(event.resource), id(decoded.scope_attributes))  # shared by the records of one scope
        suffix = suffixes.get(group)
        if suffix is None:
            suffix = suffixes[group] = encode_suffix(
                event.resource,
                event.scope_name,
                event.scope_version,
                decoded.scope_attributes,
                decoded.resource_schema_url,
                decoded.scope_schema_url,
            )
        record = encode_record(
            name=event.name or NO_NAME,
            time_ns=event.time_ns,
            attributes=event.attributes,
            observed_ns=event.observed_ns,
            body=event.body,
            severity_number=event.severity_number,
            severity_text=event.severity_text,
            trace_id=int(event.trace_id or "0", 16),
            span_id=int(event.span_id or "0", 16),
            flags=event.flags,
            dropped=decoded.dropped,
        )
        yield LogLine(encode_line(record, suffix))


def _unquote(text: bytes | None) -> str:
    """The inside of a JSON string as text."""
    if not text:
        return ""
    try:
        return text.decode() if b"\\" not in text else str(loads(b'"%b"' % text))
    except ValueError:
        return text.decode(errors="replace")  # damaged on disk
