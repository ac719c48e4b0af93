"""``Pipeline``: one service's road from a draft to its destinations."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from footspan import _guard, _platform
from footspan import conventions as c
from footspan._version import __version__
from footspan.config.coherence import incoherent
from footspan.otlp_json import LogLine, encode_line, encode_record, encode_suffix
from footspan.pipeline.host import host_for
from footspan.pipeline.metrics import Appended
from footspan.privacy.epochs import epochs_for
from footspan.processors import DropEvent
from footspan.processors.categories import Categories
from footspan.processors.consent import ConsentGate
from footspan.processors.context import add_context
from footspan.processors.redaction import Redactor
from footspan.processors.sampling import Sampler

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from footspan.config import DestinationSettings, Settings
    from footspan.delivery.lanes import Lane
    from footspan.delivery.suppression import Gate
    from footspan.destinations.base import Destination
    from footspan.destinations.logging import LoggingDestination
    from footspan.processors import Draft, Processor

_CACHE_SIZE = 4096
_LONGEST = 512
"""Characters of a name and what else decides where an event goes; longer ones are not worth the memory."""

_LANE_SHARE = 0.25
"""What each lane gets of the time there is at exit; the rest is for the events."""


def _decides(draft: Draft) -> tuple[Any, Any, Any] | None:
    """What routing looks at, where it may be remembered: texts of some length, and no object of the host's."""
    found = (draft.name, draft.attributes.get(c.CATEGORY), draft.attributes.get(c.DESTINATION))
    length = 0
    if c.CONSENT in draft.attributes:
        return None
    for each in found:
        if each is not None:
            if type(each) is not str:
                return None
            length += len(each)
    return found if length <= _LONGEST else None


class Pipeline:
    """One service's road from a draft to its destinations.

    Args:
        settings: What to build. Building it touches the disk and starts no thread.

    Raises:
        ConfigurationError: A destination cannot be built from its settings.
    """

    def __init__(self, settings: Settings) -> None:  # noqa: PLR0915 - every part, once
        for error in incoherent(settings):
            raise error
        with _platform.importing():
            from footspan.delivery import Courier, accepts  # noqa: PLC0415 - a disabled pipeline needs neither
            from footspan.delivery.once import Once  # noqa: PLC0415
            from footspan.destinations import build_destination  # noqa: PLC0415
            from footspan.destinations.tightening import tightened  # noqa: PLC0415
            from footspan.spool import open_spool  # noqa: PLC0415
            from footspan.spool.base import Target  # noqa: PLC0415

        self.settings = settings
        self.immediate: list[tuple[Target, LoggingDestination]] = []
        self.destinations: list[Destination] = []
        targets: list[Target] = []
        for declared in settings.destinations:
            if not declared.enabled:
                continue
            built: Any = build_destination(declared)
            target = Target(built.id, declared.name, declared.type, declared.events, declared.consent.passes)
            if declared.type == "logging":
                self.immediate.append((target, built))
            else:
                self.destinations.append(built)
                targets.append(target)
        self._forgotten: Gate | None = None
        self._accepts = accepts
        self._tightened = tightened
        self._targets = targets
        self.spool = open_spool(settings, targets, accepts)
        layout = getattr(self.spool, "layout", None)
        if self.immediate and layout is not None:
            from footspan.delivery.suppression import Gate  # noqa: PLC0415 - for those that write at once

            self._forgotten = Gate([layout.root])
        self.appended = Appended(self.spool) if settings.metrics else None
        turn = None
        if settings.courier == "process":
            from footspan.delivery.spawned import turn_for  # noqa: PLC0415 - few processes spawn one

            turn = turn_for(self.spool, targets, settings)
        carry = settings.courier != "external"
        self.courier = Courier(
            self.spool, self.destinations, exit_timeout=settings.exit_timeout, carry=carry, turn=turn
        )
        pseudonymiser = epochs_for(settings.privacy.pseudonyms)
        self.redactor = Redactor(self.spool.count, settings.privacy.rules, pseudonymiser=pseudonymiser)
        self.categories = Categories(settings.categories)
        self.consent = ConsentGate(settings, self.categories.of, self.spool.count, pseudonymiser)
        self.sampler: Sampler | None = None
        if settings.sampling.enabled and not settings.debug:
            self.sampler = Sampler(settings.sampling, self.categories.of)
        self.by_kind = tuple(each for each in (self.categories, self.consent, self.sampler) if each)
        self.processors: list[Processor] = [add_context, *self.by_kind, self.redactor]
        self._foreign_processors = [each for each in self.processors if each is not add_context]
        self._suffixes: dict[tuple[int, int], tuple[Any, Any, bytes]] = {}
        self._taken: dict[tuple[Any, Any, Any], bool] = {}
        self._unrouted: set[str] = set()
        self._here = threading.local()
        self._lanes: dict[str, Lane] = {}
        self._opening = _guard.QuietLock()
        self._stopping: list[Callable[[float], None]] = []
        self._stopped = False
        self._ending = Once()
        _platform.on_fork(self._after_fork)
        self.courier.start()

    def process(self, draft: Draft, resource: Any, scope: Any) -> bool:
        """Take a draft through the processors to the spool.

        Args:
            draft: The event; changed in place.
            resource: The SDK resource it belongs to.
            scope: The instrumentation scope it was emitted under.

        Returns:
            Whether it was kept. A processor that fails drops the event, since what it should have removed may still be
            in it.
        """
        if not self._passes(draft, self.processors):
            return False
        self._keep(draft, self.suffix(resource, scope))
        return True

    def receive(self, draft: Draft, suffix: bytes, dropped: int = 0) -> bool:
        """Take a draft of another process, which says itself where and in what circumstances it happened.

        Args:
            draft: The event, with its id; changed in place. Nothing of this process's context is added.
            suffix: Its resource and scope, redacted and encoded.
            dropped: How many attributes it had lost on its way here.

        Returns:
            As :meth:`process`.
        """
        if not self._passes(draft, self._foreign_processors):
            return False
        self._keep(draft, suffix, dropped)
        return True

    def _passes(self, draft: Draft, processors: Sequence[Processor]) -> bool:
        """Whether the processors let a draft through; one that they drop is counted."""
        try:
            for processor in processors:
                processor(draft)
        except DropEvent as drop:
            self.spool.count(drop.reason)
            return False
        except Exception:
            self.spool.count("dropped")
            raise
        return True

    def _keep(self, draft: Draft, suffix: bytes, dropped: int = 0) -> None:
        """Append a draft to the spool, and tell those who care."""
        line = encode_line(
            encode_record(
                name=draft.name,
                time_ns=draft.time_ns,
                attributes=draft.attributes,
                observed_ns=draft.observed_ns,
                body=draft.body,
                severity_number=draft.severity_number,
                severity_text=draft.severity_text,
                trace_id=draft.trace_id,
                span_id=draft.span_id,
                flags=draft.flags,
                dropped=dropped,
            ),
            suffix,
        )
        self.spool.append(line)
        self.courier.wake()
        taken = self._is_taken(draft)
        if taken is None or self.immediate:
            taken = self._look(draft, line)
        if not taken:
            self.spool.count("unrouted")

    def suffix(self, resource: Any, scope: Any) -> bytes:
        """The line's cached end. The objects are kept with it, so that their ids cannot come to mean others."""
        key = (id(resource), id(scope))
        known = self._suffixes.get(key)
        if known is not None:
            return known[2]
        attributes: dict[str, Any] = dict(getattr(resource, "attributes", None) or {})
        attributes[c.TELEMETRY_DISTRO_NAME] = "footspan"
        attributes[c.TELEMETRY_DISTRO_VERSION] = __version__
        if self.settings.service.name:
            attributes[c.SERVICE_NAME] = self.settings.service.name
        if self.settings.service.version:
            attributes[c.SERVICE_VERSION] = self.settings.service.version
        attributes = {**host_for(self.settings), **attributes}
        clean, _ = self.redactor.mapping(attributes)
        text = self.redactor.text
        suffix = encode_suffix(
            clean,
            text(str(getattr(scope, "name", None) or "")),
            text(str(getattr(scope, "version", None) or "")),
            self.redactor.mapping(getattr(scope, "attributes", None) or {})[0] or None,
            text(str(getattr(resource, "schema_url", None) or "")),
            text(str(getattr(scope, "schema_url", None) or "")),
        )
        if len(self._suffixes) > _CACHE_SIZE:
            self._suffixes.clear()
        self._suffixes[key] = (resource, scope, suffix)
        return suffix

    def _is_taken(self, draft: Draft) -> bool | None:
        """Whether any destination takes such an event, remembered by what routing looks at; ``None``: not seen yet."""
        decides = _decides(draft)
        return None if decides is None else self._taken.get(decides)

    def _look(self, draft: Draft, line: bytes) -> bool:
        """Route an event: to the destinations that write at once, and for the first look at a new kind of event."""
        stored = LogLine(line.rstrip(b"\n"))
        taken = any(self._accepts(target, stored) for target in self._targets)
        for target, destination in self.immediate:
            if self._accepts(target, stored):
                taken = True
                self._write(destination, stored)
        if not taken and stored.name not in self._unrouted and len(self._unrouted) < _CACHE_SIZE:
            self._unrouted.add(stored.name)
            _guard.logger.warning(
                "footspan: no destination takes events named %.200r: they stay in the spool until max_age", stored.name
            )
        decides = _decides(draft)
        if decides is not None and len(self._taken) < _CACHE_SIZE:
            self._taken[decides] = taken
        return taken

    def takers(self, stored: LogLine) -> tuple[bool, bool]:
        """Whether any destination takes an event, and whether one of those writes at once."""
        immediate = any(self._accepts(target, stored) for target, _ in self.immediate)
        return immediate or any(self._accepts(target, stored) for target in self._targets), immediate

    def _write(self, destination: LoggingDestination, stored: LogLine) -> None:
        """Write at once, but not from inside such a write: a log handler that tracks would never come to an end."""
        if getattr(self._here, "writing", False):
            return
        if self._forgotten is not None and self._forgotten.keeps_out(stored):
            return
        self._here.writing = True
        try:
            allowed = self._tightened(destination, stored)
            if allowed is not None:
                destination.write(allowed.event)
        finally:
            self._here.writing = False

    def lane(self, name: str, destinations: Sequence[DestinationSettings]) -> Lane:
        """The spool's lane of spans or of plain logs, opened by the first call.

        Args:
            name: ``spans`` or ``logs``.
            destinations: Settings of the ``otlp`` destinations it is for.

        Raises:
            ConfigurationError: One of them cannot be used.
        """
        lane = self._lanes.get(name)
        if lane is None:
            from footspan.delivery.lanes import Lane  # noqa: PLC0415 - few pipelines have one

            with self._opening:
                lane = self._lanes.get(name)
                if lane is None:
                    lane = self._lanes[name] = Lane(name, self.settings, destinations, self.spool)
        return lane

    def _after_fork(self) -> None:
        self._opening = _guard.QuietLock()  # another thread of the parent may have held it
        self._ending.forked()

    def on_stop(self, callback: Callable[[float], None]) -> None:
        """Have ``callback`` called with the deadline (``time.monotonic()`` seconds) when the pipeline stops."""
        self._stopping.append(callback)

    def flush(self, timeout: float) -> dict[str, int]:
        """Wait until every destination has what was waiting at the call.

        Args:
            timeout: Seconds to wait at the most.

        Returns:
            Events still waiting, by destination name; what waits in a lane, by ``<destination name>/<lane>``.
        """
        deadline = time.monotonic() + (0.0 if self._stopped else timeout)  # once stopped, nobody here carries any more
        left = self.courier.flush(deadline - time.monotonic())
        for name, lane in list(self._lanes.items()):
            there = lane.courier.flush(max(0.0, deadline - time.monotonic()))
            left.update((f"{destination}/{name}", count) for destination, count in there.items())
        return left

    def status(self) -> Mapping[str, Any]:
        """What became of every event: see ``docs/delivery.md``."""
        lanes = {name: lane.courier.status() for name, lane in list(self._lanes.items())}
        return {**self.courier.status(), **({"lanes": lanes} if lanes else {})}

    def shutdown(self, timeout: float | None = None) -> None:
        """Deliver what can be delivered within ``exit_timeout``, then stop, once. What remains waits on disk.

        A second call waits for the end of the first, unless it interrupts it.

        Args:
            timeout: Seconds to spend; ``exit_timeout`` when not given.
        """
        budget = self.settings.exit_timeout if timeout is None else timeout
        if self._ending.begin(budget):
            self._stopped = True
            try:
                self._shut_down(time.monotonic() + budget)
            finally:
                self._ending.end()

    def _shut_down(self, deadline: float) -> None:
        for callback in self._stopping:
            with _guard.guard("stop"):
                callback(deadline)
        for lane in list(self._lanes.values()):
            with _guard.guard("shutdown"):
                lane.courier.shutdown(max(0.0, deadline - time.monotonic()) * _LANE_SHARE)
        with _guard.guard("shutdown"):
            self.courier.shutdown(max(0.0, deadline - time.monotonic()))
        for destination in self.destinations:
            with _guard.guard("shutdown"):
                destination.close()

    def close(self) -> None:
        """Stop at once and let the spool go to the next writer."""
        self.shutdown(0.0)
        with _guard.guard("shutdown"):
            self.spool.close()
        for lane in list(self._lanes.values()):
            with _guard.guard("shutdown"):
                lane.close()
