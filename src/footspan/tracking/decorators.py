"""Decorators and context managers that time and watch a piece of work: what a tracker offers of them."""

from __future__ import annotations

import functools
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from footspan.tracking.arguments import Arguments
from footspan.tracking.watching import Duration, Error, Function, Told, Watch
from footspan.tracking.wrapping import wrap

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType
    from typing import ParamSpec

    from footspan.tracking.tracker import Tracker

    P = ParamSpec("P")

T = TypeVar("T")
R = TypeVar("R")

_open: ContextVar[tuple[tuple[Watched, Watch], ...]] = ContextVar("footspan_watched", default=())
"""The blocks that are open here: threads and tasks that share a decorator do not see each other's."""


class Watched:
    """A decorator that is a context manager too, plain or asynchronous; made by ``track_duration`` and its siblings."""

    def __init__(
        self,
        call: str,
        watch: type[Watch],
        tracker: Tracker,
        name: str | None,
        properties: Mapping[str, Any],
        include_args: bool | Iterable[str],  # noqa: FBT001 - as the decorators take it
        include_result: bool,  # noqa: FBT001 - the same
    ) -> None:
        self._call = call
        self._watch = watch
        self._name = name
        self._include_args = include_args if isinstance(include_args, (bool, str)) else tuple(include_args)
        self._told = Told(tracker, "function.block" if name is None else name, properties, result=include_result)
        self._entered: list[Watch] = []

    # -- as a decorator ------------------------------------------------------------------------------------------------

    @overload
    def __call__(self, function: staticmethod[P, R], /) -> staticmethod[P, R]: ...
    @overload
    def __call__(self, function: classmethod[T, P, R], /) -> classmethod[T, P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Callable[P, R]: ...
    def __call__(self, function: Any, /) -> Any:
        """Watch every call of a function, a coroutine function, a generator function of either kind, a callable object.

        Raises:
            TypeError: It is a class, or nothing that can be called.
            ConfigurationError: ``include_args`` names what the function does not take.
        """
        if isinstance(function, (staticmethod, classmethod)):
            inner = self._decorate(function.__func__, skip_first=isinstance(function, classmethod))
            return type(function)(inner)
        return self._decorate(function)

    def _decorate(self, function: Any, *, skip_first: bool = False) -> Callable[..., Any]:
        if isinstance(function, type):
            raise TypeError(f"{self._call} cannot decorate the class {function.__name__}: decorate its methods.")
        if not callable(function):
            raise TypeError(
                f"{self._call} cannot decorate a {type(function).__name__}, only what can be called: "
                "put it directly above the function, below decorators such as @property."
            )
        told = self._told
        name, module = _names(function)
        told = Told(
            told.tracker,
            f"function.{name}" if self._name is None else told.name,
            told.properties,
            Arguments(function, self._include_args, skip_first=skip_first) if self._include_args else None,
            told.result,
            {"function": name, "module": module},
        )
        return wrap(function, told.tracker, functools.partial(self._watch, told))

    # -- as a context manager ------------------------------------------------------------------------------------------

    def __enter__(self) -> None:
        watch = self._watch(self._told)
        if not self._told.tracker._off:  # noqa: SLF001 - the tracker's own decorators
            watch.begin()
            watch.resume()
        self._entered.append(watch)
        _open.set((*_open.get(), (self, watch)))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_back: TracebackType | None
    ) -> None:
        here = _open.get()
        mine = [entry for entry in here if entry[0] is self and entry[1] in self._entered]
        if mine:
            watch = mine[-1][1]
            _open.set(tuple(entry for entry in here if entry[1] is not watch))
        elif self._entered:  # entered in another context, as fixtures and exit stacks may be
            watch = self._entered[-1]
        else:
            return
        self._entered.remove(watch)
        watch.end(error)

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_back: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace_back)


def _names(function: Any) -> tuple[str, str]:
    """A function's name and module; those of what a ``partial`` calls, or of an object's class."""
    while isinstance(function, functools.partial):
        function = function.func
    named = function if isinstance(getattr(function, "__name__", None), str) else type(function)
    return named.__name__, str(getattr(named, "__module__", ""))


class Decorators:
    """The decorators of a tracker; all are context managers too, by ``with`` and ``async with``.

    ``include_args`` (``True``, or the names of some) and ``include_result`` have the events bear the call's arguments
    as ``arg_<name>`` and its result as ``result``, redacted and cut short. Every other keyword is a property.
    """

    def track_duration(
        self,
        event_prefix: str,
        *,
        include_args: bool | Iterable[str] = False,
        include_result: bool = False,
        **properties: Any,
    ) -> Watched:
        """Time a function or a block: ``.started``, then ``.completed`` or ``.failed``, inside one span.

        Args:
            event_prefix: The events' common prefix and the span's name.
            include_args: Whether the events bear the arguments, or which of them.
            include_result: Whether ``.completed`` bears the result.
            **properties: Properties of all three events.

        Returns:
            A decorator, usable in a ``with`` statement too. ``.completed`` has ``duration_ms`` and ``success``;
            ``.failed`` has ``error_type``, ``error_message`` and ``stack_trace`` besides. The exception is raised on
            untouched. Work that is called off (a cancelled task, Ctrl-C) neither completes nor fails.

        Raises:
            TypeError: It stands above a function without a prefix.
        """
        _check("track_duration", event_prefix)
        return self._watched("track_duration", Duration, event_prefix, properties, include_args, include_result)

    @overload
    def track_function(self, event_name: staticmethod[P, R], /) -> staticmethod[P, R]: ...
    @overload
    def track_function(self, event_name: classmethod[T, P, R], /) -> classmethod[T, P, R]: ...
    @overload
    def track_function(self, event_name: Callable[P, R], /) -> Callable[P, R]: ...
    @overload
    def track_function(
        self,
        event_name: str | None = None,
        *,
        include_args: bool | Iterable[str] = False,
        include_result: bool = False,
        **properties: Any,
    ) -> Watched: ...
    def track_function(
        self,
        event_name: Any = None,
        *,
        include_args: bool | Iterable[str] = False,
        include_result: bool = False,
        **properties: Any,
    ) -> Any:
        """One event per call, with ``duration_ms`` and ``success``; on an error ``error_type`` and category ``error``.

        Args:
            event_name: The event's name; without one (``@track_function`` bare) it is ``function.<name>``.
            include_args: Whether the event bears the arguments, or which of them.
            include_result: Whether the event bears the result.
            **properties: Properties of the event.
        """
        bare = None if event_name is None or isinstance(event_name, str) else event_name
        name = None if bare is not None else event_name
        watched = self._watched("track_function", Function, name, properties, include_args, include_result)
        return watched if bare is None else watched(bare)

    def track_error(self, event_name: str, *, include_args: bool | Iterable[str] = False, **properties: Any) -> Watched:
        """Nothing on success; on an error one event with its stack trace. The exception is raised on untouched.

        Args:
            event_name: The event's name.
            include_args: Whether the event bears the arguments, or which of them.
            **properties: Properties of the event.

        Raises:
            TypeError: It stands above a function without a name.
        """
        _check("track_error", event_name)
        return self._watched("track_error", Error, event_name, properties, include_args, include_result=False)

    def _watched(
        self,
        call: str,
        watch: type[Watch],
        name: str | None,
        properties: Mapping[str, Any],
        include_args: bool | Iterable[str],  # noqa: FBT001 - as the decorators take it
        include_result: bool,  # noqa: FBT001 - the same
    ) -> Watched:
        return Watched(call, watch, cast("Tracker", self), name, properties, include_args, include_result)


def _check(call: str, name: Any) -> None:
    """Refuse a bare decorator, which would put itself in the function's place."""
    if not isinstance(name, str):
        raise TypeError(f"{call} needs a name, and got a {type(name).__name__}: write @{call}('its.name').")
