"""The calls people write: ``Tracker`` and its module functions, decorators, categories, context."""

from __future__ import annotations

import sys

from footspan.processors import context as _ambient
from footspan.processors.context import clear_context, context, set_context
from footspan.tracking.carrying import carry
from footspan.tracking.categories import EventCategory
from footspan.tracking.serverless import flush_after
from footspan.tracking.telemetry import Telemetry
from footspan.tracking.tracker import Tracker, default_tracker

track_duration = default_tracker.track_duration
track_function = default_tracker.track_function
track_error = default_tracker.track_error

__all__ = [
    "EventCategory",
    "Telemetry",
    "Tracker",
    "carry",
    "clear_context",
    "context",
    "default_tracker",
    "flush_after",
    "reset",
    "set_context",
    "track_duration",
    "track_error",
    "track_function",
]

_KEEPING = ("footspan.tracking.consent", "footspan.tracking.in_force", "footspan.tracking.salts")
"""Modules that keep something once they are loaded."""


def reset() -> None:
    """Forget the default tracker's state and the ambient context; for tests."""
    default_tracker.forget()
    _ambient.reset()
    for name in _KEEPING:
        if name in sys.modules:
            sys.modules[name].reset()
