"""``DashInstrumentor``: page views, interactions and failures of Dash apps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.dependencies import DependencyConflictError, get_dependency_conflicts
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined] # untyped

from footspan import _guard
from footspan.instrumentation.dash.options import options_of
from footspan.instrumentation.dash.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Collection

    from footspan.tracking.tracker import Tracker

watching = Watching()


class DashInstrumentor(BaseInstrumentor):  # type: ignore[misc] # untyped
    """The entry point ``footspan_dash`` of ``opentelemetry_instrumentor``.

    ``instrument()`` is for every Dash app of the process, made before or after. Both calls take options, which stand
    above the settings:

    * ``page_views``, ``interactions``, ``values``, ``errors``: whether those are recorded;
    * ``ignore_routes``: paths, such as ``/admin/*``, that are left out with what is done there;
    * ``ignore_callbacks``: callbacks that are left out, by function name or outputs;
    * ``tracker``: what records; the module functions' tracker when not given.

    Raises:
        ConfigurationError: An option cannot be used.
    """

    def instrumentation_dependencies(self) -> Collection[str]:
        """The versions that are known."""
        return ("dash >= 2.18",)

    def _instrument(self, **kwargs: Any) -> None:
        # Auto-instrumentation checks an extra that this package does not have, so nobody has looked yet.
        conflict = get_dependency_conflicts(self.instrumentation_dependencies())
        if conflict is not None:
            raise DependencyConflictError(conflict)
        options = options_of(kwargs)
        with _guard.guard("dash instrumentation"):
            watching.watch(None, options, kwargs.get("tracker"))

    def _uninstrument(self, **kwargs: Any) -> None:  # noqa: ARG002 - the base class's signature
        watching.stop()

    @staticmethod
    def instrument_app(app: Any, tracker: Tracker | None = None, **options: Any) -> None:
        """Watch one app. Doing it again replaces its options.

        Args:
            app: The Dash app.
            tracker: What records; the module functions' tracker when not given.
            **options: As for ``instrument()``.

        Raises:
            ConfigurationError: An option cannot be used.
        """
        asked = options_of(options, alone=True)
        with _guard.guard("dash instrumentation"):
            watching.watch(app, asked, tracker)

    @staticmethod
    def uninstrument_app(app: Any) -> None:
        """Watch an app no more that ``instrument_app`` named."""
        with _guard.guard("dash instrumentation"):
            watching.stop(app)


def reset() -> None:
    """Watch nothing; for tests."""
    instrumentor = DashInstrumentor()
    if instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.uninstrument()
    watching.stop()
