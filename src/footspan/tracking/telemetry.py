"""``Telemetry``: tracking and context behind one object, for code that likes to hold one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from footspan.processors import context as ambient
from footspan.tracking.tracker import default_tracker

if TYPE_CHECKING:
    from collections.abc import Mapping


class Telemetry:
    """The process's tracker and its context; see :meth:`get_instance`."""

    @staticmethod
    def get_instance() -> Telemetry:
        """The one instance of the process."""
        return _instance

    def track(self, event_name: str, /, **properties: Any) -> str:
        """See :func:`footspan.track`."""
        return default_tracker.track(event_name, **properties)

    def track_event(self, event_name: str, properties: Mapping[str, Any] | None = None) -> str:
        """See :func:`footspan.track_event`."""
        return default_tracker.track_event(event_name, properties)

    def set_context(self, **fields: Any) -> None:
        """See :func:`footspan.set_context`."""
        ambient.set_context(**fields)

    def clear_context(self) -> None:
        """See :func:`footspan.clear_context`."""
        ambient.clear_context()

    def context(self, **fields: Any) -> ambient.context:
        """See :class:`footspan.context`."""
        return ambient.context(**fields)


_instance = Telemetry()
