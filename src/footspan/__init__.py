"""Product analytics on OpenTelemetry: one call becomes a standard event, on disk before it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from footspan._version import __version__
from footspan.config.errors import ConfigurationError
from footspan.tracking import (
    EventCategory,
    Telemetry,
    Tracker,
    carry,
    clear_context,
    context,
    default_tracker,
    flush_after,
    set_context,
    track_duration,
    track_error,
    track_function,
)

if TYPE_CHECKING:
    from footspan.instrumentation.web_sessions import AsgiSessions, FlaskSessions, end_session
    from footspan.instrumentation.web_sessions.links import link
    from footspan.processors.span_context import ContextSpanProcessor
    from footspan.tracking.attribution import attribution_of
    from footspan.tracking.executor import CarryingExecutor
    from footspan.tracking.identity import get_keyed_user_hash, get_user_hash
    from footspan.tracking.middleware_asgi import AsgiMiddleware
    from footspan.tracking.middleware_wsgi import WsgiMiddleware
    from footspan.tracking.sessions import Sessions

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
    "AsgiMiddleware",
    "AsgiSessions",
    "CarryingExecutor",
    "ConfigurationError",
    "ContextSpanProcessor",
    "EventCategory",
    "FlaskSessions",
    "Sessions",
    "Telemetry",
    "Tracker",
    "WsgiMiddleware",
    "__version__",
    "attribution_of",
    "carry",
    "clear_context",
    "context",
    "end_session",
    "flush",
    "flush_after",
    "get_keyed_user_hash",
    "get_user_hash",
    "identify",
    "init",
    "link",
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

_LAZY = {
    "AsgiMiddleware": "tracking.middleware_asgi",
    "AsgiSessions": "instrumentation.web_sessions",
    "CarryingExecutor": "tracking.executor",
    "ContextSpanProcessor": "processors.span_context",
    "FlaskSessions": "instrumentation.web_sessions",
    "Sessions": "tracking.sessions",
    "WsgiMiddleware": "tracking.middleware_wsgi",
    "attribution_of": "tracking.attribution",
    "end_session": "instrumentation.web_sessions",
    "get_keyed_user_hash": "tracking.identity",
    "get_user_hash": "tracking.identity",
    "link": "instrumentation.web_sessions.links",
}
"""Names whose modules are loaded when they are first used: few programs need them, or they load the SDK."""


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - runs once per name

    value = globals()[name] = getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY})
