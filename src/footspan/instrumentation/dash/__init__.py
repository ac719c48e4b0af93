"""Dash: page views, interactions and failures of callbacks.

* ``reading``: what a request to a Dash app means, a pure function; ``ids``, ``pages``, ``places`` are its parts, and
  ``asking`` puts Flask's request into its terms.
* ``visits``: whether what a browser reports is a move, a pure function; ``memory``: where that is remembered.
* ``apps``, ``callbacks``: the Dash apps of a server, and what their callbacks did.
* ``watching``, ``emitting``: from a request to events; ``recorders``: what is left to others.
* ``instrumentor``, ``options``: ``DashInstrumentor``; ``hooks``: how Dash finds it by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from footspan.instrumentation.dash.reading import App, Asked, FullLoad, Navigation, Run, read

if TYPE_CHECKING:
    from footspan.instrumentation.dash.instrumentor import DashInstrumentor

__all__ = ["App", "Asked", "DashInstrumentor", "FullLoad", "Navigation", "Run", "read"]


def __getattr__(name: str) -> Any:
    """The instrumentor loads OpenTelemetry's instrumentation, which reading needs none of."""
    if name == "DashInstrumentor":
        from footspan.instrumentation.dash.instrumentor import DashInstrumentor  # noqa: PLC0415 - as above

        return DashInstrumentor
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
