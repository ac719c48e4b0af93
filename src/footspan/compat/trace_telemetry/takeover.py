"""The other SDK's queue file, drained once: into the spool beside it, in its order, whatever ends the process.

The file is renamed first, so that nobody appends to it any more. Then stretch after stretch becomes a segment: written
aside, noted, moved into the spool by a rename. The note comes before the rename, so a successor that finds the segment
still aside moves it, and one that does not goes on behind it: no event is lost, and none is there twice. At the end the
file gets the name under which it is kept, with the lines in it that were no events.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard
from footspan.compat.trace_telemetry.lines import Writer, events_in
from footspan.compat.trace_telemetry.roads import passes_of, unaddressed
from footspan.otlp_json.text import dumps, loads
from footspan.processors import DropEvent
from footspan.spool import files, locks, segments
from footspan.spool.disk import DiskSpool
from footspan.spool.pipelines import Pipelines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from footspan.pipeline import Pipeline
    from footspan.spool.layout import Layout

STRETCH: Final = 4 * 1024 * 1024
"""Bytes of the file that become one segment."""

LONGEST_LINE: Final = 16 * 1024 * 1024


class Takeover:
    """Drains what the other SDK left at a path. Any thread or process may try; one at a time does.

    Args:
        path: The queue's path.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._going = f"{path}.migrating"
        self._folder = f"{path}.d"
        self._note = f"{self._folder}/migrating.json"
        self._parent = str(Path(path).parent)

    def run(self, pipeline: Pipeline) -> None:
        """Drain the file, if there is one, and say so.

        Raises:
            OSError: The disk refuses; what was done stays done.
        """
        if not isinstance(pipeline.spool, DiskSpool) or not self._is_due():
            return
        lock = locks.acquire(f"{self._folder}/migrating.lock")
        if lock is None:
            return  # somebody else is at it
        try:
            while self._begin():
                self._drain(pipeline, pipeline.spool.layout)
        finally:
            lock.release()

    def _is_due(self) -> bool:
        return os.path.lexists(self._going) or _is_file(self._path)

    def _begin(self) -> bool:
        """Have the file under its passing name, if there is one or anybody left one there."""
        if not os.path.lexists(self._going):
            files.discard(self._note)  # its file was finished
            if not _is_file(self._path):
                return False
            files.rename(self._path, self._going)
            files.sync_directory(self._parent)
        return True

    def _drain(self, pipeline: Pipeline, layout: Layout) -> None:
        target = unaddressed(pipeline.destinations[0].name, passes_of(pipeline))
        writer = Writer(pipeline.redactor, pipeline.consent)
        layout.prepare(sync=True)
        note = self._resume(layout)
        # Again for what a process of the other SDK had begun to append when the file was renamed.
        while Path(self._going).stat().st_size > note["offset"]:
            for end, lines in self._stretches(note["offset"]):
                data = bytearray()
                for event in (event for line in lines for event in events_in(line)):
                    if event is None:
                        note["bad"] += 1
                        continue
                    try:
                        data += writer.line(event)
                        note["good"] += 1
                    except DropEvent as drop:
                        note["dropped"][drop.reason] = note["dropped"].get(drop.reason, 0) + 1
                note.update(offset=end, segment="")
                if data:
                    owner = segments.new_owner(Pipelines(layout).write([target], sync=True))
                    note["segment"] = segments.first(owner).name
                    files.replace(self._aside(note), bytes(data), sync=True)
                files.replace(self._note, dumps(note), sync=True)
                self._move(layout, note)
        self._finish(pipeline, note)

    def _resume(self, layout: Layout) -> dict[str, Any]:
        """What was done of the file under its passing name."""
        note: dict[str, Any] = {"offset": 0, "good": 0, "bad": 0, "dropped": {}, "segment": ""}
        with suppress(FileNotFoundError):
            note.update(loads(files.read_all(self._note)))
        for path in Path(self._folder).glob("migrating-*"):
            if str(path) != self._aside(note):  # of a stretch that was never noted
                files.discard(str(path))
        self._move(layout, note)
        return note

    def _aside(self, note: dict[str, Any]) -> str:
        return f"{self._folder}/migrating-{note['segment']}"

    def _move(self, layout: Layout, note: dict[str, Any]) -> None:
        """Have the noted segment in the spool."""
        if note["segment"]:
            with suppress(FileNotFoundError):  # it is there already, or was there and is delivered
                files.rename(self._aside(note), layout.segment(note["segment"]))
                files.sync_directory(layout.events)  # before the next: the power may go in between
                files.sync_directory(self._folder)

    def _stretches(self, offset: int) -> Iterator[tuple[int, list[bytes]]]:
        """Runs of whole lines and where each ends; a last line without an end belongs to the last run."""
        with Path(self._going).open("rb") as file:
            file.seek(offset)
            lines: list[bytes] = []
            begun = offset
            while line := _line(file):
                lines.append(line)
                if file.tell() - begun >= STRETCH:
                    yield file.tell(), lines
                    begun, lines = file.tell(), []
            if lines:
                yield file.tell(), lines

    def _finish(self, pipeline: Pipeline, note: dict[str, Any]) -> None:
        """Give the file the name under which it is kept."""
        kept, number = f"{self._path}.migrated", 1
        while os.path.lexists(kept):
            number += 1
            kept = f"{self._path}.migrated.{number}"
        files.rename(self._going, kept)
        files.sync_directory(self._parent)
        files.discard(self._note)
        if note["bad"]:
            pipeline.spool.count("unreadable", note["bad"])
        for reason, number in note["dropped"].items():
            pipeline.spool.count(reason, number)
        _guard.logger.log(
            logging.WARNING if note["bad"] else logging.INFO,
            "footspan: %d events were taken over from %s, %d may not be, %d lines were none; the file is kept as %s",
            note["good"],
            self._path,
            sum(note["dropped"].values()),
            note["bad"],
            Path(kept).name,
        )


def _is_file(path: str) -> bool:
    place = Path(path)
    return place.is_file() and place.stat().st_size > 0


def _line(file: Any) -> bytes:
    """The next line; of one that is too long to be an event, its beginning."""
    line: bytes = file.readline(LONGEST_LINE)
    if len(line) >= LONGEST_LINE and not line.endswith(b"\n"):
        while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
            pass
    return line
