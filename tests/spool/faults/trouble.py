"""Disks that are really in trouble: small, read-only, full; and processes that lose their descriptors."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


def mount(*arguments: object) -> bool:
    """Mount something; whether that is allowed here."""
    if os.geteuid():
        return False
    done = subprocess.run(["mount", *map(str, arguments)], capture_output=True, check=False)
    return not done.returncode


@contextlib.contextmanager
def small_disk(place: Path, size: str = "256k") -> Iterator[Path]:
    """A file system of this size; the test is skipped where none can be mounted."""
    place.mkdir()
    if not mount("-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", place):
        pytest.skip("no file system can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True, capture_output=True)


def remount(place: Path, mode: str) -> None:
    """Make a file system ``ro`` or ``rw``."""
    subprocess.run(["mount", "-o", f"remount,{mode}", str(place)], check=True, capture_output=True)


def fill(place: Path) -> Path:
    """Use up what is free; the file to delete for it to be free again."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))
    return ballast


def spool_numbers(root: Path) -> list[int]:
    """The descriptors of ours below a folder."""
    found = []
    for entry in list(Path("/proc/self/fd").iterdir()):
        with contextlib.suppress(OSError):
            if str(entry.readlink()).startswith(f"{root}/"):
                found.append(int(entry.name))
    return sorted(found)
