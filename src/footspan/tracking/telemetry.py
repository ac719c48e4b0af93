"""``Telemetry``: tracking and context behind one object, for code that likes to hold one."""

from __future__ import annotations

from typing import Any

from footspan.processors import context as ambient
from footspan.tracking.tracker import default_tracker


class Telemetry:
    """The process's tracker and its context; see :meth:`get_instance`."""

    @staticmethod
    def get_instance() -> Telemetry:
        """The one instance of the process."""
        return _instance

    track = staticmethod(default_tracker.track)
    track_event = staticmethod(default_tracker.track_event)
    page_view = staticmethod(default_tracker.page_view)
    identify = staticmethod(default_tracker.identify)
    track_exception = staticmethod(default_tracker.track_exception)

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
