"""What is on the medium: which names and bytes are left of a folder when the power goes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from random import Random

Names = dict[str, tuple[int, bool]]
"""The entries of a directory: name to number and whether it is a directory itself."""


class Image:
    """What there is at one moment: by the medium, and by the kernel's memory.

    Attributes:
        names: Of each directory, by its number.
        data: Of each file.
    """

    def __init__(self, names: dict[int, Names], data: dict[int, bytes]) -> None:
        self.names = names
        self.data = data


class Platter:
    """Follows a folder through its changes. Only what is asked for is synced: bytes by file, names by directory.

    Args:
        base: A folder that outlives everything. What is in it is followed.
    """

    def __init__(self, base: Path) -> None:
        self.base = base
        self.base_number = base.stat().st_ino
        self._synced = Image({}, {})
        self._held: dict[int, int] = {}

    def __call__(self, number: int, name: str, operation: Any, *arguments: Any) -> Any:
        """Do one operation, and note what it brings to the medium."""
        if name == "sync_data":
            with Path(f"/proc/self/fd/{arguments[0]}").open("rb") as file:
                self._synced.data[os.fstat(arguments[0]).st_ino] = file.read()
            return None
        if name == "sync_names":
            self._synced.names[os.fstat(arguments[0]).st_ino] = _names(arguments[0])
            return None
        result = operation(*arguments)
        if name == "mkdir" or (name == "open_file" and arguments[1] & os.O_CREAT):
            self._hold(arguments[0])
        return result

    def _hold(self, path: str) -> None:
        """Keep a number from being given to another file. An ``O_PATH`` descriptor leaves locks alone."""
        number = Path(path).stat().st_ino
        if number not in self._held:
            self._held[number] = os.open(path, os.O_PATH)

    def close(self) -> None:
        """Let the files go."""
        for descriptor in self._held.values():
            os.close(descriptor)

    def synced(self) -> Image:
        """What the medium holds now."""
        return Image(dict(self._synced.names), dict(self._synced.data))

    def current(self) -> Image:
        """What the kernel shows now."""
        image = Image({}, {})
        for path in (self.base, *self.base.rglob("*")):
            if path.is_dir():
                image.names[path.stat().st_ino] = _names(path)
            else:
                image.data[path.stat().st_ino] = path.read_bytes()
        return image

    def some_of(self, chance: Random) -> Image:
        """What the medium may hold: all that was synced, and any part of what was not."""
        synced, current = self._synced, self.current()
        names = {
            number: dict(_some_names(synced.names.get(number, {}), current.names.get(number, {}), chance))
            for number in {*synced.names, *current.names}
        }
        data = {
            number: _some_bytes(synced.data.get(number, b""), current.data.get(number, b""), chance)
            for number in {*synced.data, *current.data}
        }
        return Image(names, data)

    def restore(self, image: Image, to: Path) -> None:
        """Make a folder as it is found after the machine's next start."""
        to.mkdir()
        self._restore(image, self.base_number, to)

    def _restore(self, image: Image, number: int, to: Path) -> None:
        for name, (child, is_directory) in image.names.get(number, {}).items():
            if is_directory:
                (to / name).mkdir(0o700)
                self._restore(image, child, to / name)
            else:
                (to / name).write_bytes(image.data.get(child, b""))
                (to / name).chmod(0o600)


def _names(directory: int | Path) -> Names:
    with os.scandir(directory) as entries:
        return {entry.name: (entry.inode(), entry.is_dir()) for entry in entries}


def _some_names(synced: Names, current: Names, chance: Random) -> Iterable[tuple[str, tuple[int, bool]]]:
    for name in sorted({*synced, *current}):
        found = chance.choice((synced, current)).get(name)
        if found is not None:
            yield name, found


def _some_bytes(synced: bytes, current: bytes, chance: Random) -> bytes:
    if not current.startswith(synced):  # changed in place, or deleted
        return chance.choice((synced, current or synced))
    new = len(current) - len(synced)
    kept = current[: len(synced) + chance.randint(0, new)]
    zeros = len(current) - len(kept) if chance.random() < 0.3 else 0  # the size got there, the bytes did not
    return kept + bytes(zeros)
