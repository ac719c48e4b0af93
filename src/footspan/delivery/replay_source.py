"""What a replay reads: the segments of a spool, a file of rejected events, any file of OTLP JSON lines.

Only read, a line at a time; where the last replay stopped is an offset into each file.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from footspan.config.policy import DEFAULT
from footspan.otlp_json import LogLine, explode
from footspan.processors.foreign import cleaned
from footspan.processors.redaction import Redactor
from footspan.spool import blank
from footspan.spool.layout import FormatError, Layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from footspan.config.policy import Policy
    from footspan.privacy import Pseudonymiser

MAX_LINE: Final = 16 * 1024 * 1024
"""Bytes of a line; a longer one is taken for damage."""

_HEAD: Final = 4096

_PACKED: Final = {b"\x1f\x8b": "gzip -d", b"\x28\xb5\x2f\xfd": "zstd -d", b"PK\x03\x04": "unzip -p", b"BZh": "bzip2 -d"}
"""How packed files begin, and what unpacks them."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One file.

    Attributes:
        path: Where it is.
        key: What it is called in a replay's notes, however it may be renamed.
        size: Bytes it had when the replay began.
    """

    path: Path
    key: str
    size: int


@dataclass(frozen=True, slots=True)
class Found:
    """What one line holds.

    Attributes:
        events: Its events.
        piece: The file.
        end: Where the next line starts.
        damaged: Whether it holds something that is no event.
    """

    events: list[LogLine]
    piece: Piece
    end: int
    damaged: bool = False


@dataclass(slots=True)
class Source:
    """Files to replay, in order.

    Attributes:
        name: What people call it.
        identity: Tells it from every other source.
        pieces: Its files.
        foreign: Whether somebody else wrote them, so that they must be redacted.
        policy: What they are then held to.
        pseudonymiser: What makes the tokens that the policy asks for.
    """

    name: str
    identity: str
    pieces: list[Piece]
    foreign: bool
    policy: Policy = DEFAULT
    pseudonymiser: Pseudonymiser | None = None
    _redactor: Redactor = field(init=False)

    def __post_init__(self) -> None:
        self._redactor = Redactor(None, self.policy, pseudonymiser=self.pseudonymiser)

    def only(self, piece: Piece) -> Source:
        """The same with one of its files."""
        return replace(self, pieces=[piece])

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(piece.size for piece in self.pieces)

    def read(self, offsets: Mapping[str, int]) -> Iterator[Found]:
        """The lines behind the offsets.

        Args:
            offsets: Where to begin in each file, by its key; at its start where it is not named.

        Raises:
            OSError: A file cannot be read. One that is gone by now, as a segment may be, is passed over.
        """
        for piece in self.pieces:
            with suppress(FileNotFoundError):
                yield from self._read(piece, offsets.get(piece.key, 0))

    def _read(self, piece: Piece, start: int) -> Iterator[Found]:
        with piece.path.open("rb") as file:
            file.seek(start if start <= piece.size else 0)  # it is another file by now
            # Not beyond what was there at the beginning: behind a service at work there would be no end.
            while file.tell() < piece.size and (line := file.readline(MAX_LINE)):
                if line.endswith(b"\n"):
                    yield self._found(line, piece, file.tell())
                elif len(line) >= MAX_LINE:
                    while line and not line.endswith(b"\n"):
                        line = file.readline(MAX_LINE)
                    yield Found([], piece, file.tell(), damaged=True)
                else:
                    found = self._found(line, piece, file.tell())
                    if found.events and not found.damaged:  # else it is being written, or its writer died
                        yield found

    def _found(self, line: bytes, piece: Piece, end: int) -> Found:
        text = line.strip()
        if not text or blank.is_blank(text):
            return Found([], piece, end)
        if not self.foreign:
            events = explode(text)
            return Found(events, piece, end, damaged=not events)
        try:
            return Found(list(cleaned(text, self._redactor)), piece, end)
        except ValueError:
            return Found([], piece, end, damaged=True)


def open_source(path: Path, policy: Policy = DEFAULT, pseudonymiser: Pseudonymiser | None = None) -> Source:
    """A spool's folder, or a file.

    Args:
        path: Where.
        policy: What events that somebody else wrote are held to.
        pseudonymiser: What makes the tokens that it asks for.

    Raises:
        OSError: It cannot be read.
        ValueError: It is a folder that is no spool, or a file that cannot be read as it is.
    """
    path = spool_in(path.absolute())
    if path.is_dir():
        if not is_spool(path):
            raise ValueError("this folder is no spool: it has no file FORMAT. Name a service's own folder, or a file")
        try:
            Layout(path).check()
        except FormatError as error:
            raise ValueError(str(error)) from None
        return Source(str(path), f"spool {path.resolve()}", _segments(path / "events"), foreign=False)
    if path.exists() and not path.is_file():
        raise ValueError("this is no file that can be read twice. Name a service's own folder, or a file")
    with path.open("rb") as file:
        head = file.read(max(map(len, _PACKED)))
    for mark, unpack in _PACKED.items():
        if head.startswith(mark):
            raise ValueError(f"it is packed; unpack it first, as by `{unpack} {path.name}`")
    ours = path.parent.name in {"events", "rejected"} and is_spool(path.parent.parent)
    identity = f"file {path.resolve()}"
    return Source(str(path), identity, [_piece(path)], foreign=not ours, policy=policy, pseudonymiser=pseudonymiser)


def rejected_of(spool: Path, destination: str) -> Source:
    """The events of a spool that a destination refused.

    Args:
        spool: The spool's folder.
        destination: The destination's id.
    """
    names = (f"{destination}.old.jsonl", f"{destination}.jsonl")
    paths = [spool / "rejected" / name for name in names if (spool / "rejected" / name).is_file()]
    identity = f"rejected {(spool / 'rejected').resolve()} {destination}"
    return Source(str(spool / "rejected" / names[1]), identity, [_piece(path) for path in paths], foreign=False)


def spool_in(path: Path) -> Path:
    """The only spool in a folder, such as a client's ``telemetry-queue.ndjson.d``; else the path itself."""
    found = [mark.parent for mark in path.glob("*/FORMAT") if is_spool(mark.parent)]
    return found[0] if len(found) == 1 and not is_spool(path) else path


def is_spool(path: Path) -> bool:
    """Whether a folder is one service's spool."""
    return (path / "FORMAT").is_file() and (path / "events").is_dir()


def _segments(folder: Path) -> list[Piece]:
    """The segments, those with the oldest first events first."""
    found = []
    for entry in os.scandir(folder):
        if entry.name.endswith(".jsonl") and entry.is_file():
            piece = Piece(Path(entry.path), entry.name, entry.stat().st_size)
            found.append((_first_time(piece.path), entry.name, piece))
    return [piece for _, _, piece in sorted(found, key=lambda item: item[:2])]


def _first_time(path: Path) -> int:
    try:
        with path.open("rb") as file:
            line = file.readline(MAX_LINE)
    except FileNotFoundError:
        return 0
    return LogLine(line).time_ns if line.endswith(b"\n") else 0


def _piece(path: Path) -> Piece:
    with path.open("rb") as file:
        head = file.readline(_HEAD)
        size = os.fstat(file.fileno()).st_size
    return Piece(path, key_of(head), size)


def key_of(head: bytes) -> str:
    """What a file is called that begins with a line; of a long one only the first part counts."""
    return hashlib.sha256(head[:_HEAD]).hexdigest()[:16]
