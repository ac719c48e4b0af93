"""A repository of somebody's own as a destination: it is told of events where the courier runs, in these processes.

Nobody can make such an object from settings, so processes that do not have it leave its events where they are.
"""

from __future__ import annotations

import asyncio
import threading
import weakref
from typing import TYPE_CHECKING, Any, ClassVar, Final

from footspan import _platform
from footspan._guard import report
from footspan.compat.dash_user_tracker.errors import TrackerError
from footspan.compat.dash_user_tracker.loops import Awaiter
from footspan.config import ConfigurationError
from footspan.config.options import Option
from footspan.config.values import TEXT
from footspan.destinations.base import Answer, Destination, Outcome, Verdict
from footspan.destinations.dash_tracker.document import document_of
from footspan.destinations.status import outcome_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.config import DestinationSettings
    from footspan.otlp_json import LogLine

KIND: Final = f"{__name__}:DashRepository"
"""The type of the destination in settings."""

# PEP 249 gives the exceptions of every database module these names.
_EVENTS_FAULT: Final = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError)
_EVENTS_FAULT_NAMES: Final = frozenset({"DataError", "IntegrityError", "NotSupportedError", "ProgrammingError"})

_lock = threading.Lock()
_known: weakref.WeakValueDictionary[str, Any] = weakref.WeakValueDictionary()


def _forked() -> None:
    global _lock  # noqa: PLW0603 - another thread of the parent may have held it
    _lock = threading.Lock()


_platform.on_fork(_forked)


def name_of(repository: Any) -> str:
    """What a repository is called in settings: by its class, and a number from the second of a class on.

    The same program gives the same names each time, so that what waits from an earlier run finds its repository.

    Raises:
        ConfigurationError: The object cannot be a repository.
    """
    kind = type(repository)
    if not callable(getattr(repository, "save_event", None)):
        raise ConfigurationError(
            "Tracker(repository)", f"a {kind.__name__} without save_event", "Extend TrackerRepository."
        )
    path = f"{kind.__module__}:{kind.__qualname__}"
    number = 1
    with _lock:
        while True:
            name = path if number == 1 else f"{path}#{number}"
            try:
                found = _known.setdefault(name, repository)
            except TypeError:
                break
            if found is repository:
                return name
            number += 1
    raise ConfigurationError(
        "Tracker(repository)",
        f"a {kind.__name__}, to which no weak reference can be made",
        "Extend TrackerRepository, or add __weakref__ to its __slots__.",
    )


class DashRepository(Destination):
    """A Dash-Tracker repository of one's own, in this process."""

    type: ClassVar[str] = "dashrepository"
    options: ClassVar[tuple[Option, ...]] = (
        Option(name="repository", kind=TEXT, help="What the repository is called here.", required=True, identity=True),
    )
    default_max_items: ClassVar[int] = 1
    max_concurrency: ClassVar[int] = 1

    def __init__(self, settings: DestinationSettings) -> None:
        super().__init__(settings)
        self.max_items = 1
        name = str(settings.options.get("repository") or "")
        self.repository: Any = _known.get(name)
        if self.repository is None:
            raise ConfigurationError(
                f"telemetry.destinations.{self.name}.repository",
                "a repository that this process does not have",
                "Hand the object to a Tracker.",
            )
        self._awaiter = Awaiter()

    def send(self, events: Sequence[LogLine], timeout: float) -> Outcome:
        """Hand the event to the repository."""
        (event,) = events
        try:
            self._awaiter.call(self.repository.save_event, document_of(event.event), timeout=timeout)
        except TimeoutError as error:
            report("repository", error)
            return Outcome(Verdict.AMBIGUOUS, "timeout")
        except (Exception, asyncio.CancelledError, SystemExit) as error:  # noqa: BLE001 - somebody else's code
            report("repository", error)
            return _outcome_of(error)
        return Outcome(Verdict.DELIVERED)

    def close(self) -> None:
        """End the loop on which the repository's coroutines run."""
        self._awaiter.close()


def _outcome_of(error: BaseException) -> Outcome:
    """Whose fault it is that the repository raised."""
    if isinstance(error, TrackerError) and error.status is not None:
        return outcome_of(Answer(error.status))
    name = type(error).__name__
    if isinstance(error, _EVENTS_FAULT) or any(kind.__name__ in _EVENTS_FAULT_NAMES for kind in type(error).__mro__):
        return Outcome(Verdict.REFUSED, f"repository_{name}"[:64])
    return Outcome(Verdict.PARK if isinstance(error, NotImplementedError) else Verdict.RETRY, f"repository_{name}"[:64])
