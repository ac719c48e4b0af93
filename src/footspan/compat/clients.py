"""What the drop-in clients share: a destination of their own, and the process's pipeline besides.

An object of an old SDK names where its events go: a host, a key. That destination is its own, so its events take a
pipeline of their own there. As a standard event each also goes to the process's pipeline, which may have destinations
that the old SDK knew nothing of.
"""

from __future__ import annotations

import sys
import threading
import time
import weakref
from collections import OrderedDict
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard, _platform
from footspan import conventions as c
from footspan.emit import SEVERITY_ERROR, SEVERITY_INFO, emit_event
from footspan.tracking import Tracker, default_tracker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from opentelemetry.context import Context

    from footspan.destinations.base import Destination
    from footspan.pipeline import Pipeline

KEPT: Final = 32
"""Pipelines that stay open although no client of theirs may be left: apps make clients anew for every request."""

_lock = threading.Lock()
_kept: OrderedDict[str, Tracker] = OrderedDict()
_users: weakref.WeakKeyDictionary[Tracker, weakref.WeakSet[Client]] = weakref.WeakKeyDictionary()


def _forked() -> None:
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it
    _lock = threading.Lock()


_platform.on_fork(_forked)


class Client:
    """An old SDK's object: events go to a destination of its own, and to the process's destinations.

    Its destination is called ``<kind>client`` (``opentraceclient``), which is the name that warnings and ``status``
    tell. No key of a destination that file or environment name gets there. It delivers where it is made, in a thread:
    nobody else knows its address. Clients with the same settings share a pipeline.

    Args:
        kind: The type of the destination.
        options: Its options, as they would stand in the file; those that are ``None`` are left out.
        apart: Events go to the client's own pipeline in any case, because it has a spool that somebody looks after.
            Otherwise they do not where the process's pipeline has a destination in the very same place.
        place: The options that make the place, where those are fewer than what makes two destinations different: an
            event may itself say the rest.
        **settings: Further settings of the pipeline, by their names in the file, and ``service_name``.

    Raises:
        ConfigurationError: An option or a setting cannot be used.
    """

    def __init__(
        self,
        kind: str,
        options: Mapping[str, Any],
        *,
        apart: bool = False,
        place: Sequence[str] | None = None,
        **settings: Any,
    ) -> None:
        self.kind = kind
        self.name: Final = self.name_of(kind)
        given = {"type": kind, **{key: value for key, value in options.items() if value is not None}}
        self._settings: dict[str, Any] = {"courier": "thread", "debug": False, **settings}
        self._settings["destinations"] = {self.name: given}
        self._apart = apart
        self._place = place
        self._closed = False
        self._tracker = _tracker(self._settings, self)

    @staticmethod
    def name_of(kind: str) -> str:
        """What the destination of clients of this type is called."""
        return f"{kind.rpartition(':')[2].replace('_', '').lower()}client"

    @property
    def tracker(self) -> Tracker:
        """The tracker with the client's own pipeline."""
        return self._tracker

    @property
    def pipeline(self) -> Pipeline | None:
        """The client's own pipeline; ``None`` while tracking is off or after :meth:`close`."""
        slot = self._tracker._slot  # noqa: SLF001 - a tracker's way to its pipeline
        return None if slot is None or self._closed else slot.pipeline

    @property
    def destination(self) -> Destination | None:
        """Where the client's events go; ``None`` while tracking is off."""
        pipeline = self.pipeline
        return pipeline.destinations[0] if pipeline is not None and pipeline.destinations else None

    @property
    def carriers(self) -> list[Destination]:
        """What delivers the client's events here: its own destination, and the process's in the same place."""
        own, others = self.destination, _process_pipeline()
        return [] if own is None else [own, *self._there(others)]

    def emit(
        self,
        name: str,
        attributes: Mapping[str, Any],
        *,
        time_ns: int | None = None,
        body: Any = None,
        error: bool = False,
        context: Context | None = None,
    ) -> str:
        """Record one event. Never raises.

        Args:
            name: Its name.
            attributes: Its attributes, under their conventional names; the caller's own data under their own.
            time_ns: When it happened (nanoseconds since the epoch); now when not given.
            body: The record's body.
            error: Whether it tells of a failure.
            context: The OpenTelemetry context it happened in; the current one when not given.

        Returns:
            The event's id; empty when tracking is off.
        """
        uid = ""
        with _guard.guard(self.kind):
            pipeline = self.pipeline
            if pipeline is None:
                return ""
            others = _process_pipeline()
            shared = bool(self._there(others))
            more: dict[str, Any] = {
                "time_ns": time_ns,
                "severity_number": SEVERITY_ERROR if error else SEVERITY_INFO,
                "body": body,
                "context": context,
            }
            if self._apart or not shared:
                slot = self._tracker._slot  # noqa: SLF001 - see `pipeline`
                uid = emit_event(name, attributes, emitter=None if slot is None else slot.emitter, **more)
            if others is not None and not (self._apart and shared):
                uid = emit_event(name, {**attributes, c.LOG_RECORD_UID: uid} if uid else attributes, **more)
        return uid

    def track(self, name: str, properties: Mapping[str, Any]) -> bool:
        """Record an event that needs nothing but its properties, the quick way, where nobody else gets it.

        Args:
            name: Its name.
            properties: Texts, numbers and flags, none of them under a name that ``track()`` takes for another.

        Returns:
            Whether that could be done. Else nothing was recorded, and :meth:`emit` does it.
        """
        with _guard.guard(self.kind):
            return not self._closed and _process_pipeline() is None and bool(self._tracker.track(name, **properties))
        return False

    def _there(self, pipeline: Pipeline | None) -> list[Destination]:
        """The process's destinations in the same place as the client's own."""
        own = self.destination
        if pipeline is None or own is None:
            return []
        return [each for each in pipeline.destinations if each.id == own.id or self._same_place(each, own)]

    def _same_place(self, one: Destination, other: Destination) -> bool:
        return (
            bool(self._place)
            and one.type == other.type
            and all(one.settings.options.get(each) == other.settings.options.get(each) for each in self._place or ())
        )

    def flush(self, timeout: float = 5.0) -> int:
        """Wait until the client's destination has what was recorded so far.

        Args:
            timeout: Seconds to wait at the most.

        Returns:
            Events that still wait.
        """
        began = time.monotonic()
        waiting = sum(self._tracker.flush(timeout).values())
        others = _process_pipeline()
        there = {each.name for each in self._there(others)}
        if others is not None and there:
            left = others.flush(max(0.0, timeout - (time.monotonic() - began)))
            waiting += sum(count for name, count in left.items() if name in there)
        return waiting

    def status(self) -> Mapping[str, Any]:
        """What became of every event in the client's own pipeline; see ``docs/delivery.md``."""
        return self._tracker.status()

    def close(self, timeout: float | None = None) -> None:
        """Deliver what can be delivered in time, and record nothing any more. What remains waits on disk.

        The pipeline ends with the last client that shares it.

        Args:
            timeout: Seconds to spend; the setting ``exit_timeout`` when not given.
        """
        pipeline = self.pipeline
        self._closed = True
        with _lock:
            users = _users.get(self._tracker, ())
            shared = any(each is not self and not each._closed for each in users)  # noqa: SLF001 - one of our own
            if not shared:
                for key in [key for key, kept in _kept.items() if kept is self._tracker]:
                    del _kept[key]
        if not shared:
            self._tracker.close(timeout)
        elif pipeline is not None:
            pipeline.flush(pipeline.settings.exit_timeout if timeout is None else timeout)


def _tracker(settings: Mapping[str, Any], user: Client) -> Tracker:
    """The tracker with these settings, of the newest :data:`KEPT`; noted who uses it."""
    # A representation tells apart whatever settings tell apart; two that differ in it alone only share no pipeline.
    key = repr(sorted(settings.items()))
    with _lock:
        found = _kept.get(key)
        if found is not None and found._pipeline() is not None:  # noqa: SLF001 - whether it was closed
            _kept.move_to_end(key)
            _users.setdefault(found, weakref.WeakSet()).add(user)
            return found
        made = _kept[key] = Tracker(**settings)
        _users[made] = weakref.WeakSet((user,))
        _kept.move_to_end(key)
        # Whoever still has a client of the oldest has its tracker, too; else it closes itself.
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
        return made


def _process_pipeline() -> Pipeline | None:
    """The process's pipeline, if it has destinations; started by the first event, where settings name any."""
    with nullcontext() if "footspan.pipeline" in sys.modules else _platform.importing():
        from footspan.pipeline import get_pipeline  # noqa: PLC0415 - loaded with the client's own pipeline

    found = get_pipeline()
    if found is None and _settings_name_destinations():
        default_tracker._ready()  # noqa: SLF001 - what its first call does
        found = get_pipeline()
    return found if found is not None and (found.destinations or found.immediate) else None


_named: list[bool] = []


def _settings_name_destinations() -> bool:
    """Whether environment or file name a destination that is none of a client's. Looked at once."""
    if not _named:
        _named.append(False)
        with _guard.guard("start"):
            from footspan.config.load import load_settings  # noqa: PLC0415 - loaded with the client's own pipeline

            _named[0] = any(each.enabled for each in load_settings().destinations)
    return _named[0]


def reset() -> None:
    """Forget what is kept; for tests."""
    with _lock:
        _kept.clear()
        _users.clear()
    _named.clear()
