"""The register: what is waiting, delivered and lost, for every destination, whoever carries for it.

Nothing here is counted as it happens. Figures come from the segments, the cursors and the record of evictions, so that
they add up after any crash.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from footspan._guard import QuietLock, report
from footspan.spool import counted, heartbeat
from footspan.spool.census import Census
from footspan.spool.evictions import Evictions
from footspan.spool.journal import Fold, JournalView
from footspan.spool.reading import Tape, read_line
from footspan.spool.segments import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from footspan.otlp_json import LogLine
    from footspan.spool.base import Target
    from footspan.spool.feed import DiskFeed
    from footspan.spool.layout import Layout
    from footspan.spool.pipelines import Pipelines
    from footspan.spool.segments import Listing, Segment


_TRIES = 5
"""Looks at figures that change meanwhile, until two of them agree."""

_LOOK = 1024 * 1024
"""Bytes read in search of a segment's oldest waiting event."""


class Register:
    """Reads a spool's figures. Any thread may ask.

    Args:
        layout: The spool.
        pipelines: The destinations of each segment.
        targets: The destinations that are named even if no segment is for them.
        accepts: Whether a destination takes an event.
    """

    def __init__(
        self,
        layout: Layout,
        pipelines: Pipelines,
        targets: Iterable[Target],
        accepts: Callable[[Target, LogLine], bool],
    ) -> None:
        self._layout = layout
        self._pipelines = pipelines
        self._targets = tuple(targets)
        self._accepts = accepts
        self._watch = Watch(layout.events)
        self._views: dict[str, JournalView] = {}
        self._censuses: dict[str, Census] = {}
        self._lock = QuietLock()
        self.feeds: dict[str, DiskFeed] = {}
        self.evictions = Evictions(layout)

    def forked(self) -> None:
        """Start anew in a child: the lock's owner and the feeds are the parent's."""
        self._lock = QuietLock()
        self.feeds = {}
        self._views, self._censuses = {}, {}

    def listing(self) -> Listing:
        """The segments there are.

        Raises:
            OSError: The folder cannot be read.
        """
        with self._lock:
            return self._watch.listing()

    def segments(self) -> tuple[Segment, ...]:
        """The segments there are; none when nobody can tell."""
        try:
            return self.listing().segments
        except OSError:
            return ()

    def targets(self) -> dict[str, Target]:
        """Every destination that a segment or this process names, or that ever got something, by its id.

        An own entry wins over one that a segment names, and that over what is left of older settings.
        """
        found: dict[str, Target] = {}
        named = {segment.fingerprint for segment in self.segments()}
        for fingerprint in self._pipelines.names():
            for target in () if fingerprint in named else self._pipelines.targets(fingerprint) or ():
                if os.path.exists(f"{self._layout.destination(target.id)}/cursor.jsonl"):
                    found[target.id] = target
        for fingerprint in named:
            for target in self._pipelines.targets(fingerprint) or ():
                found[target.id] = target
        found.update((target.id, target) for target in reversed(self._targets))
        return found

    def fold(self, identifier: str) -> Fold:
        """What a destination's journal adds up to now."""
        feed = self.feeds.get(identifier)
        if feed is not None and feed.open:
            return feed.fold
        with self._lock:
            view = self._views.get(identifier)
            if view is None:
                view = self._views[identifier] = JournalView(f"{self._layout.destination(identifier)}/cursor.jsonl")
            with suppress(OSError):
                view.refresh()
            return view.fold

    def is_evicted(self, name: str) -> bool:
        """Whether a segment was deleted, or is about to be, before every destination had it."""
        with self._lock:
            return name in self.evictions

    def last_eviction(self) -> dict[str, Any] | None:
        """The newest record of an eviction."""
        with self._lock, suppress(OSError):
            return self.evictions.last
        return None

    def compact_evictions(self) -> None:
        """Sum up the record of evictions as far as no journal can still change it.

        Raises:
            OSError: It cannot be read or written.
        """
        there: set[str] = set()
        folds: dict[str, Fold] = {}

        def lost(name: str, taken: dict[str, int]) -> dict[str, int] | None:
            if not folds:  # now that nobody else writes
                there.update(segment.name for segment in self.listing().segments)
            for identifier in taken.keys() - folds.keys():
                feed = self.feeds.get(identifier)
                view = JournalView(f"{self._layout.destination(identifier)}/cursor.jsonl")
                folds[identifier] = feed.fold if feed is not None and feed.open else view.refresh()
            if name in there or any(folds[identifier].may_change(name) for identifier in taken):
                return None
            return {
                identifier: max(0, count - folds[identifier].dealt_with(name)) for identifier, count in taken.items()
            }

        with self._lock:
            self.evictions.compact(lost)

    def taken(self, segment: Segment, identifier: str) -> int:
        """How many events of a segment a destination takes.

        Raises:
            OSError: The segment cannot be read.
        """
        with self._lock:
            census = self._census(segment, identifier)
            return 0 if census is None else census.waiting(identifier, Fold(), segment.name)

    def behind(self, identifier: str) -> bool:
        """Whether some segment is longer than what a destination has acknowledged of it. Reads no event."""
        fold = self.fold(identifier)
        for segment in self.segments():
            with suppress(OSError):
                if self._pipelines.of(segment.fingerprint, identifier) and fold.gaps(
                    segment.name, 0, os.stat(self._layout.segment(segment.name)).st_size
                ):
                    return True
        return False

    def waiting(self, identifier: str, fold: Fold | None = None) -> int:
        """How many events a destination takes and has not acknowledged."""
        fold = fold or self.fold(identifier)
        return sum(self.waiting_in(segment, identifier, fold) for segment in self.segments())

    def waiting_in(self, segment: Segment, identifier: str, fold: Fold) -> int:
        """The same for one segment."""
        with self._lock:
            census = self._census(segment, identifier)
            if census is None:
                return 0
            try:
                return census.waiting(identifier, fold, segment.name)
            except FileNotFoundError:
                return 0
            except OSError as error:
                report("count of waiting events", error)
                return 0

    def acknowledged(self, segment: Segment) -> int | None:
        """The offset up to which every destination has a segment; ``None`` when it is for nobody, or nobody knows."""
        targets = self._pipelines.targets(segment.fingerprint)
        if not targets:
            return None
        offsets = []
        for identifier in {target.id for target in targets}:
            cursor = self.fold(identifier).cursors.get(segment.name)
            offsets.append(cursor.offset if cursor else 0)
        return min(offsets)

    def forget(self, segment: Segment) -> None:
        """The segment is deleted.

        Raises:
            OSError: What is kept about it cannot be.
        """
        with self._lock:
            self._censuses.pop(segment.name, None)
        counted.forget(self._layout.segment_counts(segment.name))

    def destination(self, identifier: str, target: Target) -> dict[str, Any]:
        """The ledger of one destination, of one moment: carriers and other processes go on meanwhile."""
        for _ in range(_TRIES):
            there, fold = self.segments(), self.fold(identifier)
            changes = fold.changes
            figures = self._figures(identifier, fold, there)
            if not changes & 1 and changes == fold.changes and there == self.segments():
                break
        return {
            "name": target.name,
            "type": target.type,
            **figures,
            "carrier": heartbeat.read(self._layout.destination(identifier)),
        }

    def _figures(self, identifier: str, fold: Fold, there: Sequence[Segment]) -> dict[str, Any]:
        tally, refused = fold.tally, dict(fold.tally.refused)
        behind = {segment: self.waiting_in(segment, identifier, fold) for segment in there}
        waiting = sum(behind.values())
        lost: dict[str, int] = {}
        with self._lock, suppress(OSError):
            lost = self.evictions.lost(identifier, {segment.name for segment in there}, fold.dealt_with)
        oldest = [self._oldest(segment, identifier, fold) for segment, count in behind.items() if count]
        return {
            "accepted": tally.delivered + sum(refused.values()) + waiting + sum(lost.values()),
            "delivered": tally.delivered,
            "waiting": waiting,
            "oldest": min(filter(None, oldest), default=None),
            "refused": refused,
            "evicted": sum(lost.values()),
            "evicted_by": lost,
            "skipped": tally.skipped,
            "redacted": tally.redacted,
            "unreadable": fold.unreadable,
        }

    def _oldest(self, segment: Segment, identifier: str, fold: Fold) -> float | None:
        """When the first event happened that a destination does not have of a segment, seconds since the epoch."""
        targets = self._pipelines.of(segment.fingerprint, identifier)
        path = self._layout.segment(segment.name)
        with suppress(OSError):
            for start, end in fold.gaps(segment.name, 0, os.stat(path).st_size):
                tape = Tape(path, start, 4096)
                while tape.position < min(end, start + _LOOK) and (line := tape.line()) is not None:
                    for event in read_line(line).events:
                        if any(self._accepts(target, event) for target in targets):
                            return event.time_ns / 1e9
            return os.stat(path).st_mtime
        return None

    def size(self) -> int:
        """Bytes of all segments."""
        total = 0
        for segment in self.segments():
            with suppress(FileNotFoundError):
                total += os.stat(self._layout.segment(segment.name)).st_size
        return total

    def _census(self, segment: Segment, identifier: str) -> Census | None:
        census = self._censuses.get(segment.name)
        if census is None:
            targets = self._pipelines.targets(segment.fingerprint)
            if not targets or all(target.id != identifier for target in targets):
                return None
            if len(self._censuses) > 2 * len(self.segments()) + 16:
                there = {s.name for s in self.segments()}
                self._censuses = {name: kept for name, kept in self._censuses.items() if name in there}
            path = self._layout.segment(segment.name)
            beside = self._layout.segment_counts(segment.name)
            census = self._censuses[segment.name] = Census(path, targets, self._accepts, beside)
        return census
