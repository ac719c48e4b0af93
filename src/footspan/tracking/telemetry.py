"""``Telemetry``: tracking and context behind one object, for code that likes to hold one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from footspan import conventions as c
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

    def page_view(self, url: str | None = None, **properties: Any) -> str:
        """See :func:`footspan.page_view`."""
        return default_tracker.page_view(url, **properties)

    def identify(self, user_id: Any, **traits: Any) -> str:
        """See :func:`footspan.identify`."""
        return default_tracker.identify(user_id, **traits)

    def track_exception(
        self, exc: BaseException, event_name: str = c.EVENT_EXCEPTION, extra_data: Any = None, **properties: Any
    ) -> str:
        """See :func:`footspan.track_exception`."""
        return default_tracker.track_exception(exc, event_name, extra_data, **properties)

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
