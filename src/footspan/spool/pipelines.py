"""Pipelines: which destinations the events of a segment are for, decided by whoever wrote them.

A segment's name begins with the fingerprint of its writer's set of destinations; ``pipelines/<fingerprint>.json``
spells the set out. The fingerprint is taken of the contents, so a file that was changed or damaged is found out.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from typing import TYPE_CHECKING, Any

from footspan.otlp_json.text import dumps, loads
from footspan.spool import files
from footspan.spool.base import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from footspan.spool.layout import Layout

FORMAT = 1
_RETRY = 1.0
_SAFE_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")


def is_safe_id(identifier: str) -> bool:
    """Whether a destination's id can name a file; one that cannot gets no cursor."""
    return _SAFE_ID.fullmatch(identifier) is not None


def encode(targets: Iterable[Target]) -> bytes:
    """A set of destinations as the file holds it: the same bytes for the same set, in whatever order it came."""
    entries = [
        {
            "id": target.id,
            "name": target.name,
            "type": target.type,
            "events": None if target.events is None else sorted(set(target.events)),
            **({"consent": sorted(set(target.passes))} if target.passes else {}),
        }
        for target in targets
    ]
    entries.sort(key=dumps)
    return dumps({"format": FORMAT, "destinations": entries})


def decode(data: bytes) -> tuple[Target, ...]:
    """Read what :func:`encode` wrote.

    Raises:
        ValueError: The bytes are no such file.
    """
    try:
        content = loads(data)
        return tuple(_target(entry) for entry in content["destinations"])
    except (KeyError, TypeError) as error:
        raise ValueError("no pipeline") from error


def _target(entry: Mapping[str, Any]) -> Target:
    events = entry["events"]
    patterns = None if events is None else tuple(str(pattern) for pattern in events)
    passes = tuple(str(purpose) for purpose in entry.get("consent") or ())
    return Target(str(entry["id"]), str(entry["name"]), str(entry["type"]), patterns, passes)


def fingerprint(targets: Iterable[Target]) -> str:
    """12 hex digits that name a set of destinations."""
    return _digest(encode(targets))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


class Pipelines:
    """The pipelines of a spool, read once each."""

    __slots__ = ("_known", "_layout", "_missing")

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._known: dict[str, tuple[Target, ...]] = {}
        self._missing: dict[str, float] = {}

    def write(self, targets: Sequence[Target], *, sync: bool = False) -> str:
        """Make sure that a set is on disk (with ``sync``, on the medium) and whole; its fingerprint.

        Raises:
            OSError: It cannot be written.
        """
        data = encode(targets)
        name = _digest(data)
        path = self._path(name)
        try:
            whole = files.read_all(path) == data
        except OSError:
            whole = False
        if not whole:
            files.replace(path, data, sync=sync)
        elif sync:  # its writer may have had no need to
            files.sync_file(path)
            files.sync_directory(self._layout.pipelines)
        return name

    def targets(self, name: str) -> tuple[Target, ...] | None:
        """The destinations of a fingerprint; ``None`` while nobody can tell, because the file is missing or damaged."""
        known = self._known.get(name)
        if known is not None:
            return known
        if time.monotonic() < self._missing.get(name, 0.0):
            return None
        try:
            data = files.read_all(self._path(name))
            known = decode(data) if _digest(data) == name else None
        except (OSError, ValueError):
            known = None
        if known is None:
            self._missing[name] = time.monotonic() + _RETRY
        else:
            self._known[name] = known
        return known

    def names(self) -> list[str]:
        """Every fingerprint there is a file of."""
        try:
            return sorted(entry[:-5] for entry in os.listdir(self._layout.pipelines) if entry.endswith(".json"))
        except OSError:
            return []

    def of(self, name: str, identifier: str) -> tuple[Target, ...]:
        """The entries of one destination in a pipeline; empty when it is none of them."""
        return tuple(target for target in self.targets(name) or () if target.id == identifier)

    def _path(self, name: str) -> str:
        return f"{self._layout.pipelines}/{name}.json"
