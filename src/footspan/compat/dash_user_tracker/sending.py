"""Where a tracker's events go: to an endpoint, to a repository of one's own, or to standard output."""

from __future__ import annotations

import sys
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from footspan import _guard, _platform
from footspan import conventions as c
from footspan.compat.clients import Client
from footspan.compat.dash_user_tracker.http_repository import HttpTrackerRepository
from footspan.compat.dash_user_tracker.own import KIND, name_of
from footspan.emit import Draft, emit_event

if TYPE_CHECKING:
    from collections.abc import Mapping

DESTINATION: Final = "dash_tracker"

_lock = threading.Lock()
_keys: Final[dict[str, list[str | None]]] = {}
"""The keys that this process has had for each endpoint, in their order."""


def _forked() -> None:
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it
    _lock = threading.Lock()


_platform.on_fork(_forked)


class Sender(Protocol):
    """What takes a tracker's events."""

    @property
    def place(self) -> str:
        """Stands for where they go."""
        ...

    @property
    def spool(self) -> Any:
        """Where they wait; ``None`` where they do not."""
        ...

    def record(self, name: str, attributes: Mapping[str, Any], *, time_ns: int | None, everywhere: bool) -> None:
        """Record one event.

        Args:
            name: Its name.
            attributes: Its attributes.
            time_ns: When it happened; now when ``None``.
            everywhere: Whether it goes to the process's destinations as well.
        """
        ...

    def count(self, what: str) -> None:
        """Count something that went wrong, for ``status``."""
        ...

    def flush(self, timeout: float = 5.0) -> int:
        """Wait until what was recorded so far has been delivered; returns how many events still wait."""
        ...

    def status(self) -> Mapping[str, Any]:
        """What became of every event."""
        ...


class Sent(Client):
    """Events to an endpoint or to a repository of one's own, through the spool."""

    @property
    def place(self) -> str:
        """See :class:`Sender`."""
        own = self.destination
        return "" if own is None else own.id

    @property
    def spool(self) -> Any:
        """See :class:`Sender`."""
        return None if self.pipeline is None else self.pipeline.spool

    def record(self, name: str, attributes: Mapping[str, Any], *, time_ns: int | None, everywhere: bool) -> None:
        """See :class:`Sender`."""
        if everywhere:
            self.emit(name, attributes, time_ns=time_ns)
            return
        if len(self.carriers) > 1:  # who tells the process's destinations tells this one
            return
        slot = self.tracker._slot  # noqa: SLF001 - a tracker's way to its pipeline
        if slot is not None and self.pipeline is not None:
            emit_event(name, attributes, time_ns=time_ns, emitter=slot.emitter)

    def count(self, what: str) -> None:
        """See :class:`Sender`."""
        pipeline = self.pipeline
        if pipeline is not None:
            pipeline.spool.count(what)


class Printed:
    """Events to standard output, each a line of JSON, at once; and to the process's destinations, where it has any."""

    place: Final = "stdout"
    spool: Final = None

    def __init__(self) -> None:
        from footspan.config.load import load_settings  # noqa: PLC0415 - loaded when a process starts tracking
        from footspan.privacy.epochs import epochs_for  # noqa: PLC0415 - the same
        from footspan.processors.consent import ConsentGate  # noqa: PLC0415 - the same
        from footspan.processors.redaction import Redactor  # noqa: PLC0415 - the same

        settings = load_settings()
        tokens = epochs_for(settings.privacy.pseudonyms)
        self._enabled = settings.enabled
        # Standard output is none of the destinations: what is said of all of them holds.
        self._consent = ConsentGate(replace(settings, destinations=()), pseudonymiser=tokens)
        self._redactor = Redactor(None, settings.privacy.rules, pseudonymiser=tokens)
        self._counts: dict[str, int] = {}

    def record(self, name: str, attributes: Mapping[str, Any], *, time_ns: int | None, everywhere: bool) -> None:
        """See :class:`Sender`."""
        if not self._enabled:
            return
        from footspan.compat import clients  # noqa: PLC0415 - its way to the process's pipeline

        moment = time.time_ns() if time_ns is None else time_ns
        with _guard.guard("dash tracker"):
            self._print(name, attributes, moment)
        if everywhere and clients._process_pipeline() is not None:  # noqa: SLF001 - of this room
            emit_event(name, attributes, time_ns=moment)

    def _print(self, name: str, attributes: Mapping[str, Any], moment: int) -> None:
        from footspan.destinations.dash_tracker.document import document_of, encoded  # noqa: PLC0415 - loaded by now
        from footspan.event import Event  # noqa: PLC0415 - the same
        from footspan.otlp_json import plain  # noqa: PLC0415 - the same
        from footspan.processors import DropEvent  # noqa: PLC0415 - the same
        from footspan.processors.context import ambient  # noqa: PLC0415 - the same

        said = ambient()
        told = {c.CONSENT: said[c.CONSENT]} if c.CONSENT in said else {}
        draft = Draft(name, moment, moment, {**told, **attributes})
        try:
            self._consent(draft)
        except DropEvent as drop:
            self.count(drop.reason)
            return
        clean, _ = self._redactor.mapping(draft.attributes)
        event = Event(name=name, time_ns=moment, attributes={key: plain(value) for key, value in clean.items()})
        try:
            sys.stdout.write(encoded(document_of(event)) + "\n")
            sys.stdout.flush()
        except (OSError, ValueError, AttributeError):  # closed, broken, or not there
            self.count("unprinted")

    def count(self, what: str) -> None:
        """See :class:`Sender`."""
        self._counts[what] = self._counts.get(what, 0) + 1

    def flush(self, timeout: float = 5.0) -> int:  # noqa: ARG002 - nothing waits
        """See :class:`Sender`."""
        return 0

    def status(self) -> Mapping[str, Any]:
        """See :class:`Sender`."""
        return {"counts": dict(self._counts)}


def sender_for(repository: Any, **settings: Any) -> Sender:
    """What takes the events of a tracker with this repository; ``None``: standard output.

    Args:
        repository: Any repository. One that posts as :class:`HttpTrackerRepository` does becomes a destination of its
            own kind, which can be carried by any process; every other is called in this one.
        **settings: Settings of the pipeline.

    Raises:
        ConfigurationError: The address cannot be used, or the object is no repository.
    """
    if repository is None:
        return Printed()
    if (
        isinstance(repository, HttpTrackerRepository)
        and type(repository).save_event is HttpTrackerRepository.save_event
    ):
        return _sent_to(repository.endpoint, repository.api_key, settings)
    return Sent(KIND, {"repository": name_of(repository)}, **settings)


def _sent_to(endpoint: str, key: str | None, settings: dict[str, Any]) -> Sent:
    """What sends to an endpoint with a key.

    Whoever delivers first takes along what waits in its spool for an endpoint, and has one key. So events for further
    keys of an endpoint wait in spools of their own: the second key's in ``<service>.2``, which is the same one each
    time that the same program runs.
    """
    with _lock:
        known = _keys.setdefault(endpoint, [])
        if key not in known:
            known.append(key)
        number = known.index(key) + 1
    if number > 1:
        from footspan.config.load import load_settings  # noqa: PLC0415 - loaded when a process starts tracking
        from footspan.spool.location import unnamed_service  # noqa: PLC0415 - the same

        found = load_settings()
        folder = found.spool.folder or found.service.name or unnamed_service()
        settings = {**settings, "spool": {"folder": f"{folder}.{number}"}}
    return Sent(DESTINATION, {"url": endpoint, "api_key": key}, **settings)


def reset() -> None:
    """Forget which keys there were; for tests."""
    with _lock:
        _keys.clear()
