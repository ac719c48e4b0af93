"""The register: what is waiting, delivered and lost, for every destination, whoever carries for it.

Nothing here is counted as it happens. Figures come from the segments, the cursors and the record of evictions, so that
they add up after any crash.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from footspan._guard import QuietLock, report
from footspan.spool import heartbeat
from footspan.spool.census import Census
from footspan.spool.journal import JournalView
from footspan.spool.segments import Watch
from footspan.spool.sidefiles import Evictions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from footspan.otlp_json import LogLine
    from footspan.spool.base import Target
    from footspan.spool.feed import DiskFeed
    from footspan.spool.journal import Fold
    from footspan.spool.layout import Layout
    from footspan.spool.pipelines import Pipelines
    from footspan.spool.segments import Listing, Segment


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
        """Every destination that a segment or this process names, by its id; an own entry wins."""
        found: dict[str, Target] = {}
        for fingerprint in {segment.fingerprint for segment in self.segments()}:
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
        """The segment is deleted."""
        with self._lock:
            self._censuses.pop(segment.name, None)

    def destination(self, identifier: str, target: Target, lost: int) -> dict[str, Any]:
        """The ledger of one destination."""
        fold = self.fold(identifier)
        tally, waiting = fold.tally, self.waiting(identifier, fold)
        refused = dict(tally.refused)
        return {
            "name": target.name,
            "type": target.type,
            "accepted": tally.delivered + sum(refused.values()) + waiting + lost,
            "delivered": tally.delivered,
            "waiting": waiting,
            "refused": refused,
            "evicted": lost,
            "skipped": tally.skipped,
            "redacted": tally.redacted,
            "unreadable": fold.unreadable,
            "carrier": heartbeat.read(self._layout.destination(identifier)),
        }

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
            census = self._censuses[segment.name] = Census(path, targets, self._accepts)
        return census
