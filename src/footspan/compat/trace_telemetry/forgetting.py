"""The other SDK's queue file, and what is left of one, when a person is forgotten.

A client keeps them beside its spool: the file itself until it is taken over, the file that is being taken over, the
segment that was made of it last, and the files that were. Their lines are made blank where they are, so that whoever
reads them finds nothing in that place.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from glob import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from footspan.compat.trace_telemetry.lines import Writer, events_in
from footspan.compat.trace_telemetry.roads import FOLDER
from footspan.otlp_json import LogLine
from footspan.spool import locks
from footspan.spool.forgetting.lines import Blanked
from footspan.spool.forgetting.sweep import QUEUE, BusyError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from footspan.spool.forgetting.lines import Blanking


def beside(root: str) -> QueueFiles | None:
    """The queue files of a client's spool; ``None`` where a spool is no such client's."""
    folder, name = os.path.split(root)
    return QueueFiles(folder) if name == FOLDER and folder.endswith(".d") else None


class QueueFiles:
    """What stands beside a client's spool.

    Args:
        folder: The client's folder, ``<queue_path>.d``.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._path = Path(folder.removesuffix(".d"))
        self._writer = Writer(_AsItIs(), lambda _: None)

    def files(self) -> list[tuple[str, str]]:
        """See :class:`footspan.spool.forgetting.sweep.Beside`."""
        ends = [self._path, *sorted(self._path.parent.glob(f"{escape(self._path.name)}.migrat*"))]
        made = sorted(Path(self._folder).glob("migrating-*.jsonl"))
        return [
            *((QUEUE, str(path)) for path in ends if path.is_file()),
            *(("events", str(path)) for path in made),
        ]

    @contextmanager
    def held(self) -> Iterator[None]:
        """See :class:`footspan.spool.forgetting.sweep.Beside`."""
        lock = locks.acquire(f"{self._folder}/migrating.lock")
        if lock is None:
            raise BusyError
        try:
            yield
        finally:
            lock.release()

    def line(self, line: bytes, blanking: Blanking) -> Blanked:
        """See :class:`footspan.spool.forgetting.sweep.Beside`."""
        mine, others, damaged = 0, [], False
        for event in events_in(line):
            if event is None:
                damaged = blanking.names(line)
            elif blanking.owns(LogLine(self._writer.line(event).rstrip(b"\n"))):
                mine += 1
            else:
                others.append(event)
        if not mine and not damaged:
            return Blanked(None)
        rest = "".join(json.dumps(event, ensure_ascii=False, separators=(",", ":")) for event in others)
        made = rest.encode("utf-8", "surrogatepass")
        if len(made) > len(line):
            return Blanked(None, mine, failed=True)
        return Blanked(made.ljust(len(line)), mine, damaged and not mine)


class _AsItIs:
    """Changes nothing: what is in a file is compared as it is."""

    def __call__(self, draft: Any) -> None:
        """Nothing."""

    def mapping(self, attributes: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """The same."""
        return dict(attributes), []
