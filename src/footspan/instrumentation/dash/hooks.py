"""The entry point of Dash's own: Dash (3 and later) loads this when a process makes its first app.

The app is watched where file, environment or code say where events go, and only then; so an app needs nothing but the
package and an address. ``dash.enabled: false``, or the instrumentor's name in
``OTEL_PYTHON_DISABLED_INSTRUMENTATIONS``, leaves every app alone. Whatever fails here must not cost the app.
"""

from __future__ import annotations

import os
from typing import Any, Final

from footspan import _guard

NAME: Final = "footspan_dash"
_DISABLED: Final = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"


def offer(app: Any) -> None:
    """Watch an app that Dash is making, if events go anywhere."""
    with _guard.guard("dash hook"):
        disabled = {each.strip() for each in os.environ.get(_DISABLED, "").split(",")}
        if not disabled & {NAME, "*"}:
            from footspan.instrumentation.dash.instrumentor import watching  # noqa: PLC0415 - first where it is needed

            watching.offer(app)


def register() -> None:
    """Have Dash call us for every app it makes."""
    with _guard.guard("dash hook"):
        from dash import hooks  # noqa: PLC0415 - the one who loads this

        hooks.setup()(offer)


register()
