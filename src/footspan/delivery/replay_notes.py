"""How far a replay has come, kept in a file, so that one that was interrupted goes on where it stopped."""

from __future__ import annotations

import hashlib
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from footspan import _platform
from footspan.otlp_json.text import dumps, loads
from footspan.spool import files, locks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from footspan.spool.locks import RecordLock

FORMAT = 1


class BusyError(Exception):
    """Another process is at work on the same replay."""


class Notes:
    """The offsets of one replay: one source, one destination, one selection.

    Attributes:
        path: The file.
        offsets: Where to go on in each of the source's files, by its key.
        dealt: Ids of events behind the offsets that were dealt with already.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.offsets: dict[str, int] = {}
        self.dealt: set[str] = set()
        self._lock: RecordLock | None = None

    def open(self, *, restart: bool = False) -> None:
        """Read the file and keep others from the same replay.

        Args:
            restart: Begin at the start, whatever the file says.

        Raises:
            BusyError: Another process has it.
            OSError: The folder or the file cannot be used.
        """
        files.make_directories(str(self.path.parent.parent))
        if not files.own_directory(str(self.path.parent)):
            raise PermissionError(13, "the folder belongs to another user", str(self.path.parent))
        self._lock = locks.acquire(f"{self.path}.lock")
        if self._lock is None:
            raise BusyError
        if not restart:
            self.read()

    def read(self) -> None:
        """Read the file; one that is missing or damaged says nothing."""
        try:
            found = loads(self.path.read_bytes())
            offsets = {str(key): int(value) for key, value in found["offsets"].items()}
            dealt = {str(uid) for uid in found["dealt"]}
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return
        self.offsets, self.dealt = offsets, dealt

    def save(self) -> None:
        """Write the file, whole or not at all; nothing unless it was opened.

        Raises:
            OSError: It cannot be written.
        """
        if self._lock is None:
            return
        content: dict[str, Any] = {"format": FORMAT, "offsets": self.offsets, "dealt": sorted(self.dealt)}
        files.replace(str(self.path), dumps(content))

    def close(self) -> None:
        """Let others have it."""
        if self._lock is not None:
            self._lock.release(delete=True)
            self._lock = None


def notes_for(identity: str, destination: str, selection: Sequence[str]) -> Notes:
    """The notes of a replay.

    Args:
        identity: The source's.
        destination: The destination's id.
        selection: What is chosen of the source, as text.
    """
    digest = hashlib.sha256("\n".join((identity, destination, *selection)).encode("utf-8", "surrogatepass"))
    return Notes(_folder() / f"{digest.hexdigest()[:24]}.json")


def _folder() -> Path:
    return (_platform.state_home() or Path(tempfile.gettempdir())) / "footspan-replay"


def rename_pieces(names: Mapping[str, str]) -> None:
    """Note that files are known by other keys than before, in every replay that is not running.

    Args:
        names: The new key by the old one.
    """
    for path in _folder().glob("*.json"):
        notes = Notes(path)
        with suppress(BusyError, OSError):
            notes.open()
            try:
                if any(key in notes.offsets for key in names):
                    notes.offsets = {names.get(key, key): offset for key, offset in notes.offsets.items()}
                    notes.save()
            finally:
                notes.close()
