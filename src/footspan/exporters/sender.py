"""Some lines to one destination, inside the time of one export, and an honest account of what became of them.

A standard exporter knows no spool: what it cannot deliver in its time is lost to its caller, who must hear of it. What
the destination refused for the event's own sake is another matter: nobody could have delivered that. It is counted and
named once, and the export is still a success. Three refused single events with nothing accepted between them no longer
look like the events' fault; then the export has failed.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from dataclasses import dataclass, field
from functools import partial
from random import SystemRandom
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, TypeVar

from footspan import _platform
from footspan._guard import report, warn_once
from footspan.destinations.base import Destination, Outcome, Verdict
from footspan.destinations.sending import send
from footspan.exporters.clock import LEAST_SECONDS, Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from footspan.otlp_json import LogLine

_Given = TypeVar("_Given")

FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 5.0
AGAIN_LIMIT: Final = 16
"""Times in a row that a destination may ask for another request at once."""

DOUBT_AFTER: Final = 3
"""Refused single events in a row at which the destination is suspected."""

_draw: Final = SystemRandom().uniform  # the host may have seeded the other one
_INNOCENT: Final = frozenset({"http_413", "grpc_resource_exhausted", "unencodable"})
"""Reasons that cast no doubt on the destination: the event is too large, or cannot be written at all."""


@dataclass(slots=True)
class _Reading:
    """What one outcome says of the lines it is about."""

    delivered: int = 0
    unknown: int = 0
    refused: list[tuple[LogLine, str]] = field(default_factory=list)
    doubts: int = 0
    waiting: list[LogLine] = field(default_factory=list)
    gravest: Outcome = field(default_factory=lambda: Outcome(Verdict.DELIVERED))


class Nowhere(Destination):
    """Takes the place of a destination where telemetry is switched off: nothing is for it."""

    type: ClassVar[str] = "nowhere"

    def send(self, events: Sequence[LogLine], timeout: float) -> Outcome:  # noqa: ARG002 - nothing gets here
        """Take nothing."""
        return Outcome(Verdict.DELIVERED)


class Sender:
    """What every exporter here has: a destination, a clock, and counts.

    Args:
        destination: Where lines go.
        timeout: Seconds that one export may take; ``None`` for the destination's own.
    """

    def __init__(self, destination: Destination, timeout: float | None) -> None:
        self.destination = destination
        self.clock = Clock(destination.timeout if timeout is None else timeout)
        self._streak = 0
        self._counts: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._lock = threading.Lock()
        _platform.on_fork(self._forked)

    def _forked(self) -> None:
        self._lock = threading.Lock()

    @property
    def off(self) -> bool:
        """Whether telemetry is switched off, so that everything is passed over."""
        return isinstance(self.destination, Nowhere)

    def status(self) -> dict[str, Any]:
        """What became of everything so far: ``delivered``, ``failed``, ``passed_over``, and ``refused`` by reason.

        Besides, where there were any, ``redaction_failed``: values that a rule broke on and a constant stands for.
        """
        with self._lock:
            counts = {name: self._counts[name] for name in ("delivered", "failed", "passed_over")}
            broken = {name: self._counts[name] for name in ("redaction_failed",) if self._counts[name]}
            return {**counts, "refused": dict(self._refused), **broken}

    def count(self, name: str, number: int = 1) -> None:
        """Count something under one of the names of :meth:`status`."""
        if number:
            with self._lock:
                self._counts[name] += number

    def refuse(self, name: str, reason: str) -> None:
        """Count an event that nobody could deliver, and say so once for each reason."""
        with self._lock:
            self._refused[reason] += 1
        warn_once(
            f"exporter.refused.{self.destination.id}.{reason}",
            "footspan: %s does not take %s (%s); what else it refuses for this reason is counted, not logged",
            self.destination.name,
            f"event {name}" if name else "a span or log record",
            reason,
        )

    def made(self, make: Callable[[_Given], LogLine | None], given: Sequence[_Given]) -> list[LogLine]:
        """The lines of what an exporter was given; what cannot be written is refused, what is no line passed over."""
        lines = [self._attempt(make, each) for each in given]
        self.count("passed_over", lines.count(None))
        return [line for line in lines if line]

    def _attempt(self, make: Callable[[_Given], LogLine | None], given: _Given) -> LogLine | Literal[False] | None:
        try:
            return make(given)
        except Exception as error:  # noqa: BLE001 - one that cannot be written must not cost the batch
            report("encoding for an exporter", error)
            self.refuse("", "unencodable")
            return False

    def deliver(self, lines: Sequence[LogLine], end: float) -> bool:
        """Send lines in cuts of the destination's size, and again what it asks for again.

        Args:
            lines: The lines, oldest first.
            end: The latest moment this may take, by the monotonic clock.

        Returns:
            Whether every one was taken, or refused for its own sake.
        """
        runs: deque[list[LogLine]] = deque([list(lines)] if lines else [])
        unknown = again = 0
        doubtful = False
        pause = FIRST_PAUSE
        while runs and (left := self.clock.left(end)) > LEAST_SECONDS:
            cut = self._cut(runs)
            outcome = self.clock.call(partial(send, self.destination, cut, left), end)
            if outcome is None:
                unknown += len(cut)
                break
            reading = self._read(cut, outcome)
            unknown += reading.unknown
            doubtful = self._suspects(reading)
            if doubtful:
                unknown += len(reading.waiting)
                break
            if not reading.waiting:
                again, pause = 0, FIRST_PAUSE
                continue
            if reading.gravest.verdict is Verdict.REFUSED:
                half = (len(reading.waiting) + 1) // 2
                runs.extendleft(part for part in (reading.waiting[half:], reading.waiting[:half]) if part)
                continue
            runs.appendleft(reading.waiting)
            again += 1
            if reading.gravest.verdict is Verdict.AGAIN and again <= AGAIN_LIMIT:
                continue
            asked = reading.gravest.retry_after
            seconds = pause * _draw(0.8, 1.2) if asked is None else asked
            pause = min(2 * pause, LONGEST_PAUSE)
            if reading.gravest.verdict is Verdict.PARK or not self.clock.pause(seconds, end):
                break
        failed = unknown + sum(map(len, runs))
        self.count("failed", failed)
        return not failed and not doubtful

    def _cut(self, runs: deque[list[LogLine]]) -> list[LogLine]:
        """Take as many of the first run's lines as one request carries."""
        run = runs.popleft()
        size = count = 0
        for line in run[: max(1, self.destination.max_items)]:
            size += len(line.line) + 1
            if count and size > self.destination.max_bytes:
                break
            count += 1
        if count < len(run):
            runs.appendleft(run[count:])
        return run[:count]

    def _read(self, lines: list[LogLine], outcome: Outcome) -> _Reading:
        """Whose fate an outcome settles, who goes again, and the outcome that decides how."""
        reading = _Reading()
        for index, line in enumerate(lines):
            fate = outcome.items.get(index, outcome)
            named = index in outcome.items
            if fate.verdict is Verdict.DELIVERED:
                reading.delivered += 1
            elif fate.verdict is Verdict.AMBIGUOUS and self.destination.on_ambiguous_for(line) == "drop":
                reading.unknown += 1
            elif fate.verdict is Verdict.REFUSED and (named or len(lines) == 1):
                reading.refused.append((line, fate.reason))
                # One that an answer names among others is the event's fault, unless the whole was refused as well.
                reading.doubts += fate.reason not in _INNOCENT and (not named or outcome.verdict is Verdict.REFUSED)
            else:
                reading.waiting.append(line)
                # A pause counts for all; only where nothing asks for one is a refused request cut at once.
                known = reading.gravest.verdict
                if known in (Verdict.DELIVERED, Verdict.REFUSED) or fate.verdict is Verdict.PARK:
                    reading.gravest = fate
        self.count("delivered", reading.delivered)
        for line, reason in reading.refused:
            self.refuse(line.name, reason)
        return reading

    def _suspects(self, reading: _Reading) -> bool:
        """Whether so many single events were refused in a row that the destination is at fault."""
        with self._lock:
            self._streak = 0 if reading.delivered else self._streak + reading.doubts
            suspects = bool(reading.doubts) and self._streak >= DOUBT_AFTER
        if suspects:
            warn_once(
                f"exporter.doubt.{self.destination.id}",
                "footspan: %s refuses every event (%s): see whether its address and its settings are right",
                self.destination.name,
                reading.refused[-1][1],
            )
        return suspects
