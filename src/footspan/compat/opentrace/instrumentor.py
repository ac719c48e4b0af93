"""The instrumentor for the published package ``opentrace``: an app that imports it sends through footspan, unchanged.

``opentelemetry-instrument`` loads it by the entry point ``opentrace``. The package is left as it is with
``OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=opentrace``, and where footspan is switched off. Each object of the package's
class keeps its own host and project, subclasses keep what they override, and objects made before keep working.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.instrumentation.dependencies import DependencyConflictError, get_dependency_conflicts
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined] # untyped

from footspan import _guard
from footspan.compat.opentrace.client import OpenTrace
from footspan.config import ConfigurationError
from footspan.instrumentation.startup import settings_in_force

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_CALLS: Final = ("track_event", "capture", "resolve_bot_param")
"""What is taken over. ``track`` calls ``capture``, and ``get_user_hash`` sends nothing."""
_OURS: Final = "_footspan_client"


class OpenTraceInstrumentor(BaseInstrumentor):  # type: ignore[misc] # untyped
    """The entry point ``opentrace`` of ``opentelemetry_instrumentor``."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """The versions whose calls are known."""
        return ("opentrace >= 1.2, < 2",)

    def _instrument(self, **kwargs: Any) -> None:  # noqa: ARG002 - the base class's signature
        # Auto-instrumentation checks an extra that this package does not have, so nobody has looked yet.
        conflict = get_dependency_conflicts(self.instrumentation_dependencies())
        if conflict is not None:
            raise DependencyConflictError(conflict)
        if settings_in_force() is None:
            return
        import opentrace  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415 - the app's package, if it has it

        self._patched: type[Any] = opentrace.OpenTrace
        self._before: dict[str, Any] = {
            name: vars(self._patched)[name] for name in ("__init__", *_CALLS) if name in vars(self._patched)
        }
        for name, original in self._before.items():
            setattr(self._patched, name, _remembering(original) if name == "__init__" else _instead_of(name, original))

    def _uninstrument(self, **kwargs: Any) -> None:  # noqa: ARG002 - the base class's signature
        for name, original in getattr(self, "_before", {}).items():
            setattr(self._patched, name, original)
        self._before = {}


def _remembering(original: Callable[..., None]) -> Callable[..., None]:
    """The original's constructor; what was asked for ``debug``, which it does not keep, is kept."""
    signature = inspect.signature(original)

    @functools.wraps(original)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        with _guard.guard("opentrace"):
            given = signature.bind(self, *args, **kwargs).arguments
            client = _made(self, debug=bool(given.get("debug")))
            setattr(self, _OURS, client)

    return wrapper


def _instead_of(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """A call that goes to footspan; to the original where footspan cannot take it."""

    @functools.wraps(original)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        client = None
        with _guard.guard("opentrace"):
            client = _client(self)
        if client is None:
            return original(self, *args, **kwargs)
        return getattr(client, name)(*args, **kwargs)

    return wrapper


def _client(self: Any) -> OpenTrace | None:
    """What sends for an object of the original's class."""
    if _OURS not in vars(self):  # made before it was instrumented
        setattr(self, _OURS, _made(self))
    client: OpenTrace | None = vars(self)[_OURS]
    if client is not None:
        client.project_id = self.project_id  # an app may have changed it
    return client


def _made(self: Any, *, debug: bool = False) -> OpenTrace | None:
    try:
        return OpenTrace(self.host, self.project_id, debug)
    except ConfigurationError as error:
        _guard.logger.error("footspan leaves an OpenTrace object as it is: %s", error)
        return None
