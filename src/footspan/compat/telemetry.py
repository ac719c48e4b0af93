"""The telemetry module's names, for an app that imports them from ``shared.telemetry``.

The calls are footspan's own, made to match: ``track(name, **properties)``, ``track_event(name, mapping)``, the three
decorators, ``Telemetry.get_instance()`` and ``EventCategory``.
"""

from __future__ import annotations

from footspan import (
    EventCategory,
    Telemetry,
    track,
    track_duration,
    track_error,
    track_event,
    track_function,
)

__all__ = [
    "EventCategory",
    "Telemetry",
    "track",
    "track_duration",
    "track_error",
    "track_event",
    "track_function",
]
