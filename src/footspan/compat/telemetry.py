"""The telemetry module's names, for an app that imports them from ``shared.telemetry``.

What its document names are footspan's own calls. What only its code had is here besides, so that an app that used it
moves over as well: ``reraise=`` of ``track_error``, ``get_context``, ``disable`` and ``enable``, ``ip_address``.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeVar, overload

import footspan
from footspan import (
    EventCategory,
    track,
    track_duration,
    track_event,
    track_function,
)
from footspan import conventions as c
from footspan.processors.context import ambient, context
from footspan.tracking import default_tracker

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterable
    from typing import ParamSpec

    from footspan.tracking.decorators import Watched

    P = ParamSpec("P")

R = TypeVar("R")

__all__ = [
    "EventCategory",
    "Telemetry",
    "track",
    "track_duration",
    "track_error",
    "track_event",
    "track_function",
]

_FIELDS: Final = (
    "user_id",
    "session_id",
    "request_id",
    "hostname",
    "path",
    "referrer",
    "user_agent",
    "ip_address",
)
"""What the module's context had, whether it was set or not."""


class Telemetry(footspan.Telemetry):
    """The process's tracker and its context, with the telemetry module's names; see :meth:`get_instance`."""

    _disabled = False

    @staticmethod
    def get_instance() -> Telemetry:
        """The one instance of the process."""
        return _instance

    def set_context(self, **fields: Any) -> None:
        """See :func:`footspan.set_context`; ``ip_address`` is ``ip``."""
        super().set_context(**_renamed(fields))

    def context(self, **fields: Any) -> context:
        """See :class:`footspan.context`; ``ip_address`` is ``ip``."""
        return super().context(**_renamed(fields))

    def get_context(self) -> dict[str, Any]:
        """What an event would bear here and now, by the names it was set with; the module's own fields always."""
        found: dict[str, Any] = dict.fromkeys(_FIELDS)
        for attribute, value in ambient().items():
            name = c.PROPERTY_NAMES.get(attribute, attribute)
            alone = attribute in c.STRING_LIST_ATTRIBUTES and isinstance(value, (list, tuple)) and len(value) == 1
            found["ip_address" if name == "ip" else name] = value[0] if alone else value
        return found

    def disable(self) -> None:
        """Record nothing with the module's calls until :meth:`enable`."""
        if not default_tracker._off:  # noqa: SLF001 - what the settings switched off is not switched on by `enable`
            self._disabled = True
            default_tracker.switch_off()

    def enable(self) -> None:
        """Take :meth:`disable` back. What the settings switched off stays off."""
        if self._disabled:
            self._disabled = False
            default_tracker.forget()


class Forgiving(Protocol):
    """What ``track_error(reraise=False)`` makes of a function."""

    @overload
    def __call__(
        self, function: Callable[P, Coroutine[Any, Any, R]], /
    ) -> Callable[P, Coroutine[Any, Any, R | None]]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Callable[P, R | None]: ...


@overload
def track_error(
    event_name: str, *, reraise: Literal[True] = True, include_args: bool | Iterable[str] = False, **properties: Any
) -> Watched: ...
@overload
def track_error(
    event_name: str, *, reraise: Literal[False], include_args: bool | Iterable[str] = False, **properties: Any
) -> Forgiving: ...
def track_error(
    event_name: str, *, reraise: bool = True, include_args: bool | Iterable[str] = False, **properties: Any
) -> Any:
    """See :func:`footspan.track_error`.

    Args:
        event_name: The event's name.
        reraise: ``False``: the function returns ``None`` where it fails. For functions and coroutine functions.
        include_args: Whether the event bears the arguments, or which of them.
        **properties: Properties of the event.
    """
    watched = footspan.track_error(event_name, include_args=include_args, **properties)
    return watched if reraise else lambda function: _forgiving(watched(function))


def _forgiving(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that returns ``None`` where it would fail."""
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function) or not callable(function):
        raise TypeError("track_error(reraise=False) takes functions and coroutine functions only.")

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*args: Any, **kwargs: Any) -> Any:
            try:
                return await function(*args, **kwargs)
            except Exception:  # noqa: BLE001 - the caller asked for it, and the event tells of it
                return None

        return awaited

    @functools.wraps(function)
    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception:  # noqa: BLE001 - as above
            return None

    return called


def _renamed(fields: dict[str, Any]) -> dict[str, Any]:
    return {"ip" if name == "ip_address" else name: value for name, value in fields.items()}


_instance = Telemetry()
