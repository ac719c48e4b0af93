"""The bots of a process: where an update's handling begins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from footspan import _guard
from footspan._version import __version__
from footspan.instrumentation.telegram.handling import Handling, Way
from footspan.instrumentation.telegram.people import People
from footspan.tracking.in_force import settings_in_force
from footspan.tracking.tracker import default_tracker

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import TracerProvider

    from footspan.instrumentation.telegram.updates import Facts
    from footspan.tracking.tracker import Tracker


class Bots:
    """What an instrumentor keeps of a library's bots.

    Args:
        tracer_provider: What makes spans; the global one when not given.
        tracker: What records events; the module functions' tracker when not given.
        message_text: Whether events bear a message's text; the setting ``telegram.message_text`` when not given.
        user_id: ``keyed``, ``hash`` or ``raw``; the setting ``telegram.user_id`` when not given.
    """

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        tracker: Tracker | None = None,
        message_text: bool | None = None,
        user_id: str | None = None,
        **_: Any,
    ) -> None:
        self._tracer = trace.get_tracer("footspan.instrumentation.telegram", __version__, tracer_provider)
        self._tracker = tracker
        self._message_text = message_text
        self._user_id = user_id
        self._way: Way | None = None

    def begin(self, facts: Callable[[], Facts], **details: Any) -> Handling | None:
        """Begin an update or a job; never raises.

        Args:
            facts: Reads what it says.
            **details: As for :class:`Handling`.

        Returns:
            ``None`` where nothing is recorded.
        """
        if (self._tracker or default_tracker)._off or not is_instrumentation_enabled():  # noqa: SLF001 - one package
            return None
        with _guard.guard("telegram update"):
            way = self._found_way()
            return None if way is None else Handling(way, facts(), **details)
        return None

    def _found_way(self) -> Way | None:
        settings = settings_in_force()
        if not settings.enabled:
            return None
        way = self._way
        # Settings that come into force in place of equal ones must not cost anybody their session.
        if way is None or not way.people.suits(settings):
            with_text = settings.telegram.message_text if self._message_text is None else self._message_text
            way = Way(self._tracer, self._tracker, People(settings, self._tracker, self._user_id), with_text)
            self._way = way
        return way

    def close(self) -> None:
        """End every session."""
        way, self._way = self._way, None
        if way is not None:
            with _guard.guard("telegram sessions"):
                way.people.close()
