"""Stored spans: one ended span a line, read by position as stored events are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from footspan.otlp_json.lines import LogLine
from footspan.otlp_json.records import SUFFIX_MARK
from footspan.otlp_json.text import loads

if TYPE_CHECKING:
    from collections.abc import Sequence

SPAN_ROOT: Final = b'{"resourceSpans":['
NO_EVENT: Final = "/spans"
"""Where a span wants to go, in place of a destination's name: to no destination of events, for none can have it."""

_PREFIX: Final = SPAN_ROOT + b'{"scopeSpans":[{"spans":['
_END: Final = re.compile(rb'"endTimeUnixNano":"(\d{1,20})"')
_GROUP: Final = len(SPAN_ROOT)


def span_line_of(span: bytes, suffix: bytes) -> bytes:
    """The stored line, newline included, of an encoded span and what follows it."""
    return b"%b%b%b\n" % (_PREFIX, span, suffix)


class SpanLine(LogLine):
    """One stored span, for whoever carries lines and asks for little more than their time."""

    __slots__ = ()

    def __init__(self, line: bytes) -> None:
        super().__init__(line)
        found = _END.search(self.line)
        self._head = (int(found[1]) if found else 0, "", "")
        self._category, self._destination, self._redacted = "", NO_EVENT, 0

    @property
    def record(self) -> bytes:
        """The span's JSON object."""
        return self.line[len(_PREFIX) : self._suffix_at()]

    @property
    def suffix(self) -> bytes:
        """What follows the span: the same bytes for the same scope and resource."""
        return self.line[self._suffix_at() :]

    def _suffix_at(self) -> int:
        if not self._cut:
            self._cut = self.line.find(SUFFIX_MARK, len(_PREFIX))
        return self._cut


def span_line(line: bytes) -> SpanLine | None:
    """A stored line as a span, or ``None`` when it is not one whole span of ours.

    Args:
        line: A line that begins with :data:`SPAN_ROOT`, without its newline.
    """
    if not line.startswith(_PREFIX) or line.find(SPAN_ROOT, 1) > 0 or line.find(SUFFIX_MARK, len(_PREFIX)) < 0:
        return None
    try:
        loads(line)
    except ValueError:
        return None
    return SpanLine(line)


def merge_spans(lines: Sequence[LogLine]) -> bytes:
    """One ``ExportTraceServiceRequest`` for some stored spans; those of one scope and resource share both."""
    groups: dict[bytes, list[bytes]] = {}
    for line in lines:
        groups.setdefault(line.suffix, []).append(line.record)
    written = [b"%b%b%b" % (_PREFIX[_GROUP:], b",".join(records), suffix[:-2]) for suffix, records in groups.items()]
    return b"%b%b]}" % (SPAN_ROOT, b",".join(written))
