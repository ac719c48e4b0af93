"""Where a service's spool lives."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from footspan import _guard, _platform
from footspan.spool import files
from footspan.spool.layout import FormatError, Layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from footspan.config import Settings

IN_MEMORY: Final = "events are kept in memory only: they end with the process"
"""What is said where there is no place for a spool."""

_MOST = 80
_PLAIN = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


def folder_name(service: str) -> str:
    """A service's name as a file name that no other service has.

    Letters, digits, ``.``, ``_`` and ``-`` stay; every other byte of the UTF-8 form becomes ``%XX``. What would be
    longer than 80 characters is cut, and a digest of the whole name tells it from others; so it does where the file
    system takes ``Shop`` for ``shop``.
    """
    raw = service.encode("utf-8", "surrogatepass")
    safe = "".join(chr(byte) if byte in _PLAIN else f"%{byte:02X}" for byte in raw)
    if not safe.strip("."):
        safe = safe.replace(".", "%2E")
    if len(safe) > _MOST or (_platform.CASE_BLIND and safe != safe.lower()):
        return f"{safe[:_MOST]}-{_digest(raw)}"
    return safe


def unnamed_service() -> str:
    """What stands for the name of a service that has none: its program and the folder it runs in."""
    program = Path(sys.argv[0] if sys.argv else "")
    name = program.parent.name if program.stem == "__main__" else program.stem
    try:
        folder = os.getcwdb()
    except OSError:
        folder = b""
    return f"{'python' if name in ('', '-c', '-m', '-') else name}-{_digest(folder)}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:8]


def locate(settings: Settings) -> Layout | None:
    """The service's folder, made and checked, at the first place that will do; ``None`` when none will.

    What belongs to somebody else is never written to. Says once what was wrong with a place that was passed over.
    """
    service = folder_name(settings.spool.folder or settings.service.name or unnamed_service())
    for parent, shared in _places(settings):
        try:
            if not _own_parent(parent, shared=shared):
                raise PermissionError(f"{parent} belongs to another user")
            layout = Layout(parent / service)
            layout.prepare()
        except (OSError, FormatError) as error:
            _guard.warn_once(
                f"spool at {parent}",
                "footspan: no spool under %s (%s): %s",
                parent,
                _cause(error),
                IN_MEMORY if has_one_place(settings) else "the next place is tried",
            )
            continue
        return layout
    return None


def existing(settings: Settings) -> list[Layout]:
    """Spools that are there already, at the places where :func:`locate` would look; makes and changes nothing.

    Says once which are passed over because another user or another version of footspan has them.

    Args:
        settings: Where to look; with a service name, only that service's spool.

    Returns:
        One layout a service, by the service folder's name.
    """
    name = settings.spool.folder or settings.service.name
    wanted = folder_name(name) if name else None
    found: dict[str, Layout] = {}
    for parent, _ in _places(settings):
        for mark in parent.glob("*/FORMAT"):
            folder = mark.parent
            if wanted in {None, folder.name} and _usable(folder):
                found.setdefault(folder.name, Layout(folder))
    return [found[name] for name in sorted(found)]


def _usable(folder: Path) -> bool:
    """Whether a spool is ours and of a format that we know."""
    try:
        owner = folder.stat().st_uid
        if owner != os.geteuid():
            raise PermissionError(f"it belongs to the user with the id {owner}: run as that one")
        Layout(folder).check()
    except FileNotFoundError:  # deleted just now
        return False
    except (OSError, FormatError) as error:
        cause = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        _guard.warn_once(f"spool in {folder}", "footspan: the spool in %s is left alone: %s", folder, cause)
        return False
    return True


def _places(settings: Settings) -> Iterator[tuple[Path, bool]]:
    """The folders that may hold services' spools, and whether a folder is the operator's rather than ours."""
    if settings.spool.directory is not None:
        yield Path(settings.spool.directory).absolute(), True
        if has_one_place(settings):
            return
    else:
        home = _platform.state_home()
        if home is not None:
            yield home / "footspan", False
    yield Path(tempfile.gettempdir()) / f"footspan-{os.geteuid()}", False


def has_one_place(settings: Settings) -> bool:
    """Whether a spool may lie at one place only: elsewhere there may be another folder of its name."""
    return settings.spool.directory is not None and settings.spool.folder is not None


def _own_parent(path: Path, *, shared: bool) -> bool:
    files.make_directories(str(path if shared else path.parent))
    if not shared:
        return files.own_directory(str(path))
    link, found = path.lstat(), path.stat()
    trusted = {0, os.geteuid()}
    # In a folder where everybody may rename, somebody could put a folder of theirs in place of ours.
    open_to_all = stat.S_IMODE(found.st_mode) & stat.S_IWOTH and not stat.S_IMODE(found.st_mode) & stat.S_ISVTX
    return link.st_uid in trusted and found.st_uid in trusted and not open_to_all


def _cause(error: BaseException) -> str:
    return error.strerror or type(error).__name__ if isinstance(error, OSError) else str(error)
