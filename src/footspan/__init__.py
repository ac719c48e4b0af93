"""Product analytics on OpenTelemetry: one call becomes a standard event, on disk before it returns."""

from __future__ import annotations

from footspan._version import __version__
from footspan.config.errors import ConfigurationError
from footspan.tracking import (
    EventCategory,
    Telemetry,
    Tracker,
    clear_context,
    context,
    default_tracker,
    flush_after,
    set_context,
    track_duration,
    track_error,
    track_function,
)

init = default_tracker.init
track = default_tracker.track
track_event = default_tracker.track_event
page_view = default_tracker.page_view
identify = default_tracker.identify
track_exception = default_tracker.track_exception
flush = default_tracker.flush
status = default_tracker.status
shutdown = default_tracker.shutdown

__all__ = [
    "ConfigurationError",
    "EventCategory",
    "Telemetry",
    "Tracker",
    "__version__",
    "clear_context",
    "context",
    "flush",
    "flush_after",
    "identify",
    "init",
    "page_view",
    "set_context",
    "shutdown",
    "status",
    "track",
    "track_duration",
    "track_error",
    "track_event",
    "track_exception",
    "track_function",
]
