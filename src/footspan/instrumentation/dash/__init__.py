"""Dash: page views, interactions and failures of callbacks.

* ``reading``: what a request to a Dash app means, a pure function; ``ids``, ``pages``, ``places`` are its parts.
"""

from __future__ import annotations

from footspan.instrumentation.dash.reading import App, Asked, FullLoad, Navigation, Run, read

__all__ = ["App", "Asked", "FullLoad", "Navigation", "Run", "read"]
