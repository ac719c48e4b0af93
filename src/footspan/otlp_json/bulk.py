"""Many stored lines at once: a batch that is counted, cut and joined without a look at any single line.

A line of ours whose shape was checked is kept as the bytes between two marks that all such lines share; what follows it
is the same object for all lines of one scope and resource. So joining a thousand of them is one native call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, overload

from footspan import conventions as c
from footspan.otlp_json.lines import LogLine
from footspan.otlp_json.records import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

OPENING: Final = PREFIX + b'{"timeUnixNano":"'
"""What every line of ours begins with."""

# Whole beginnings of what is looked for: the longer a text is, the less of the data has to be looked at.
CODE_MARK: Final = b'"%b","value":{"stringValue":"' % c.CAMPAIGN_START_CODE.encode()
"""What a line has that bears a start code."""
WIRE_MARK: Final = b'{"key":"%b","value":{"kvlistValue":{"values":[' % c.WIRE.encode()
"""What a line has that bears what one old client's wire format alone needs."""
CONSENT_MARK: Final = b'{"key":"%b","value":' % c.CONSENT.encode()
"""What a line has that bears what a person agreed to."""

_RECORD: Final = OPENING[len(PREFIX) :]
_BETWEEN: Final = b"}," + _RECORD
_GROUP: Final = len(b'{"resourceLogs":[')
_REDACTED: Final = b'{"key":"%b","value"' % c.REDACTED.encode()


class Lines(Sequence[LogLine]):
    """Stored lines in the order in which they leave; each is made a :class:`LogLine` when somebody asks for it.

    Args:
        parts: For each line what stands between :data:`OPENING` and its suffix, or the line itself where its shape is
            not ours or was not checked.
        suffixes: For each part what follows it, from the record's closing brace on, without the newline; anything for
            a line.
        clean: The redactor is known to have changed none of them.
        ordinary: None of them is known to have one of the marks below.
    """

    __slots__ = ("_clean", "_ordinary", "_parts", "_size", "_suffixes")

    def __init__(
        self, parts: list[bytes | LogLine], suffixes: list[bytes], *, clean: bool = False, ordinary: bool = False
    ) -> None:
        self._parts = parts
        self._suffixes = suffixes
        self._clean = clean
        self._ordinary = ordinary
        self._size: int | None = None

    def __repr__(self) -> str:
        return f"<{len(self._parts)} lines>"

    def __len__(self) -> int:
        return len(self._parts)

    @overload
    def __getitem__(self, index: int) -> LogLine: ...
    @overload
    def __getitem__(self, index: slice) -> Lines: ...
    def __getitem__(self, index: int | slice) -> LogLine | Lines:
        """One line, or a stretch of them."""
        if isinstance(index, slice):
            parts, suffixes = self._parts[index], self._suffixes[index]
            return Lines(parts, suffixes, clean=self._clean, ordinary=self._ordinary)
        part = self._parts[index]
        if type(part) is bytes:
            # Kept, so that what is found out about it is found out once.
            part = self._parts[index] = LogLine(OPENING + part + self._suffixes[index])
        return part  # type: ignore[return-value] # mypy does not narrow by type()

    @property
    def size(self) -> int:
        """Bytes of the stored lines, newlines included."""
        if self._size is None:
            if self._uniform():
                frame = len(OPENING) + len(self._suffixes[0]) + 1
                self._size = sum(map(len, self._parts)) + frame * len(self._parts)  # type: ignore[arg-type]
            else:
                frame = len(OPENING) + 1
                self._size = sum(
                    len(part) + len(suffix) + frame if isinstance(part, bytes) else len(part.line) + 1
                    for part, suffix in zip(self._parts, self._suffixes, strict=True)
                )
        return self._size

    @property
    def redacted(self) -> int:
        """How many keys the redactor removed or changed in all of them."""
        if self._clean:
            return 0
        return sum(
            self[index].redacted
            for index, part in enumerate(self._parts)
            if not isinstance(part, bytes) or part.rfind(_REDACTED) >= 0
        )

    def holds(self, mark: bytes) -> bool:
        """Whether some record has one of the marks; see :func:`holds`."""
        return not self._ordinary and any(
            mark in (part if isinstance(part, bytes) else part.line) for part in self._parts
        )

    def singles(self) -> Iterator[LogLine]:
        """Those that were looked at one by one."""
        return (part for part in (() if self._ordinary else self._parts) if not isinstance(part, bytes))

    def groups(self) -> dict[bytes, list[bytes]]:
        """The records of each suffix (as :attr:`LogLine.suffix` gives it)."""
        found: dict[bytes, list[bytes]] = {}
        for part, suffix in zip(self._parts, self._suffixes, strict=True):
            if isinstance(part, bytes):
                found.setdefault(suffix[1:], []).append(b"%b%b}" % (_RECORD, part))
            else:
                found.setdefault(part.suffix, []).append(part.record)
        return found

    def joined(self) -> bytes | None:
        """All lines as one, if they were checked and end alike."""
        if not self._uniform():
            return None
        parts = [*self._parts]
        parts[0] = OPENING + parts[0]  # type: ignore[operator] # bytes, all of them
        parts[-1] += self._suffixes[0]  # type: ignore[operator]
        return _BETWEEN.join(parts)  # type: ignore[arg-type]

    def _uniform(self) -> bool:
        """Whether all lines were checked and end alike."""
        suffixes = self._suffixes
        return (
            bool(suffixes) and suffixes.count(suffixes[0]) == len(suffixes) and set(map(type, self._parts)) == {bytes}
        )


def holds(lines: Sequence[LogLine], mark: bytes) -> bool:
    """Whether some of these lines has one of the marks above, whichever is asked for."""
    if isinstance(lines, Lines):
        return lines.holds(mark)
    return any(mark in line.line for line in lines)


def merge(lines: Sequence[LogLine]) -> bytes:
    """One ``ExportLogsServiceRequest`` for some lines, without parsing them.

    Lines with equal suffixes share a resource and a scope, in the order of the first of them; inside such a group the
    order is kept.
    """
    if isinstance(lines, Lines):
        joined = lines.joined()
        if joined is not None:
            return joined
        groups = lines.groups()
    else:
        groups = {}
        for line in lines:
            groups.setdefault(line.suffix, []).append(line.record)
    written = [b"%b%b%b" % (PREFIX[_GROUP:], b",".join(records), suffix[:-2]) for suffix, records in groups.items()]
    return b"%b%b]}" % (PREFIX[:_GROUP], b",".join(written))
