"""The instrumentor for the published package ``dash-user-tracker``: an app that imports it sends through footspan.

``opentelemetry-instrument`` loads it by the entry point ``dash_user_tracker``. The package is left as it is with
``OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=dash_user_tracker``, and where footspan is switched off. A tracker keeps its
class and what it can be asked; its analytics stay the package's own. One that was made before keeps working as it did.
"""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.instrumentation.dependencies import DependencyConflictError, get_dependency_conflicts
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined] # untyped

from footspan import _guard
from footspan.compat.dash_user_tracker import ignoring
from footspan.compat.dash_user_tracker.http_repository import HttpTrackerRepository
from footspan.compat.dash_user_tracker.tracker import Tracker
from footspan.config import ConfigurationError
from footspan.instrumentation.loading import when_loaded
from footspan.instrumentation.startup import settings_in_force

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_OURS: Final = "_footspan_tracker"
_FUNCTIONS: Final = {
    "add_ignore_routes": ignoring.add_ignore_routes,
    "ignore_callback": ignoring.ignore_callback,
}
_KEPT: Final = (
    "app",
    "app_name",
    "tracker_endpoint",
    "api_key",
    "enable_page_view_tracking",
    "enable_page_interaction_tracking",
)


class DashUserTrackerInstrumentor(BaseInstrumentor):  # type: ignore[misc] # untyped
    """The entry point ``dash_user_tracker`` of ``opentelemetry_instrumentor``."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """The versions whose calls are known."""
        return ("dash-user-tracker >= 1.2, < 2",)

    def _instrument(self, **kwargs: Any) -> None:  # noqa: ARG002 - the base class's signature
        # Auto-instrumentation checks an extra that this package does not have, so nobody has looked yet.
        conflict = get_dependency_conflicts(self.instrumentation_dependencies())
        if conflict is not None:
            raise DependencyConflictError(conflict)
        if settings_in_force() is None:
            return
        self._before: list[tuple[Any, str, Any]] = []
        self._unwish = when_loaded("dash_user_tracker", self._wrap)

    def _wrap(self) -> None:
        package = sys.modules["dash_user_tracker"]
        kind = package.Tracker
        self._change(kind, "__init__", _making(kind.__init__, package))
        self._change(kind, "set_user_provider", _providing(kind.set_user_provider))
        # The package's modules import from each other by name.
        for module in [each for name, each in sys.modules.items() if name.partition(".")[0] == "dash_user_tracker"]:
            for name, ours in _FUNCTIONS.items():
                if callable(vars(module).get(name)):
                    self._change(module, name, ours)

    def _change(self, owner: Any, name: str, ours: Any) -> None:
        self._before.append((owner, name, vars(owner)[name]))
        setattr(owner, name, ours)

    def _uninstrument(self, **kwargs: Any) -> None:  # noqa: ARG002 - the base class's signature
        if hasattr(self, "_unwish"):
            self._unwish()
            for owner, name, original in self._before:
                setattr(owner, name, original)
            self._before = []


def _making(original: Callable[..., None], package: Any) -> Callable[..., None]:
    """Makes a tracker of ours behind an object of the package's class; the package's own where that cannot be."""

    @functools.wraps(original)
    def made(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            tracker = Tracker(*_converted(args, package), **_converted_by_name(kwargs, package))
        except ConfigurationError as error:
            _guard.logger.error("footspan leaves a Dash tracker as it is: %s", error)
            original(self, *args, **kwargs)
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, the app gets the tracker that it asked for
            _guard.report("dash tracker", error)
            original(self, *args, **kwargs)
            return
        vars(self).update({name: getattr(tracker, name) for name in _KEPT})
        self.repository = self.analytics = None
        if tracker.repository is not None:
            given = kwargs.get("repository") or next((each for each in args if _is_repository(each, package)), None)
            self.repository = given or package.HttpTrackerRepository(tracker.tracker_endpoint, tracker.api_key)
            self.analytics = package.TrackerAnalytics(repository=self.repository)
        setattr(self, _OURS, tracker)

    return made


def _providing(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def provided(self: Any, user_provider: Any) -> None:
        tracker: Tracker | None = vars(self).get(_OURS)
        if tracker is None:
            original(self, user_provider)
        else:
            tracker.set_user_provider(user_provider)

    return provided


def _converted(args: Collection[Any], package: Any) -> list[Any]:
    """Arguments for ours: the package's own repository becomes ours, another's stays what it is."""
    return [_ours(each, package) for each in args]


def _converted_by_name(kwargs: dict[str, Any], package: Any) -> dict[str, Any]:
    return {name: _ours(each, package) for name, each in kwargs.items()}


def _is_repository(value: Any, package: Any) -> bool:
    return isinstance(value, package.HttpTrackerRepository.__mro__[1])


def _ours(value: Any, package: Any) -> Any:
    http = package.HttpTrackerRepository
    if isinstance(value, http) and type(value).save_event is http.save_event:
        return HttpTrackerRepository(value.endpoint, value.api_key)
    return value
