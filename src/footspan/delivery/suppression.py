"""The last look before a request: events that were forgotten, and events of people who were.

Whoever was forgotten has an entry in the spool's list (:mod:`footspan.spool.forgetting.suppressed`), which holds for
every process that sends from this spool: for events in its memory, for those written since, and for replays. Without a
list it costs one look at a file's time stamp for each request.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any, Final

from footspan.otlp_json.bulk import Lines
from footspan.spool.blank import FORGOTTEN, Blank
from footspan.spool.forgetting import suppressed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from footspan.otlp_json import LogLine
    from footspan.spool.forgetting.person import Person

SUPPRESSED: Final = "suppressed"
"""The reason under which an event is counted that was whole, and whose person is to be forgotten."""

WITHHELD: Final = frozenset({FORGOTTEN, SUPPRESSED})
"""Neither is the destination's doing, and neither kind of event is kept anywhere."""


class Gate:
    """Says which events may not be sent.

    Args:
        roots: The folders of the spools whose lists hold.
        clock: Says what time it is (seconds since the epoch).
    """

    def __init__(self, roots: Iterable[str], clock: Callable[[], float] = time.time) -> None:
        self._paths = {root: suppressed.path_of(root) for root in roots}
        self._clock = clock
        self._stamps: dict[str, tuple[int, int, int] | None] = dict.fromkeys(self._paths)
        self._until = float("inf")
        self._people: list[Person] = []
        self._version = 0

    @property
    def version(self) -> int:
        """Another number each time that the lists say something else. Looks at them.

        Raises:
            SuppressionError: One cannot be read; what may be sent is not known then.
        """
        stamps = {root: _stamp(path) for root, path in self._paths.items()}
        now = self._clock()
        if stamps != self._stamps or now >= self._until:
            lists = [listed for root, stamp in stamps.items() if stamp and (listed := suppressed.read(root))]
            ends = [entry.expires for listed in lists for entry in listed.entries if entry.expires is not None]
            self._people = [person for listed in lists if (person := listed.everybody(now))]
            self._until = min((end for end in ends if end > now), default=float("inf"))
            self._stamps = stamps
            self._version += 1
        return self._version

    def concerns(self, events: Sequence[LogLine]) -> bool:
        """Whether any of these may have to be withheld, by the lists as last looked at."""
        return bool(events) and (bool(self._people) or any(isinstance(each, Blank) for each in _single(events)))

    def reason(self, event: LogLine) -> str:
        """Why an event may not be sent; empty where it may."""
        if isinstance(event, Blank):
            return FORGOTTEN
        try:
            return SUPPRESSED if any(person.owns(event) for person in self._people) else ""
        except ValueError:  # whose it is cannot be told
            return SUPPRESSED

    def keeps_out(self, event: LogLine) -> bool:
        """Whether an event may not even be kept among the refused ones."""
        try:
            self.version  # noqa: B018 - a look at the lists
        except OSError:
            return True
        return bool(self.reason(event))


def _single(events: Sequence[LogLine]) -> Iterable[LogLine]:
    """Those of some events that were read one by one, as blank records are."""
    return events.singles() if isinstance(events, Lines) else events


def _stamp(path: str) -> tuple[int, int, int] | None:
    """What changes when a file does; ``None`` where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - quicker, and done for each request
    except FileNotFoundError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns


def without_withheld(refused: dict[str, Any]) -> dict[str, Any]:
    """Of figures by reason those that are a destination's doing."""
    return {reason: count for reason, count in refused.items() if reason not in WITHHELD}
