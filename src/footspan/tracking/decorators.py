"""Decorators and context managers that time and watch a piece of work.

The host's exceptions pass through untouched, and a cancelled coroutine is neither completed nor failed.
"""

from __future__ import annotations

import functools
import inspect
import sys
import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar, overload

from opentelemetry import trace

from footspan import _guard
from footspan import conventions as c
from footspan._version import __version__
from footspan.emit import SCOPE_NAME
from footspan.tracking.tracker import default_tracker, exception_properties, now_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager
    from types import TracebackType

F = TypeVar("F", bound="Callable[..., Any]")


class _Watch:
    """One run of watched work: enter, then leave with what happened.

    ``suspends`` says that the work stops and goes on between, as a generator's does. Nothing may be left current in
    the context then: whoever consumes the generator would run inside its span.
    """

    def __enter__(self) -> None:
        with _guard.guard("decorator"):
            self._begin()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_back: TracebackType | None
    ) -> None:
        with _guard.guard("decorator"):
            self._end(error)

    def _begin(self) -> None:
        """What happens before the work."""

    def _end(self, error: BaseException | None) -> None:
        """What happens after it."""


def _is_cancelled(error: BaseException | None) -> bool:
    """Whether the work was called off: that is no outcome of it."""
    if isinstance(error, GeneratorExit):
        return True
    asyncio = sys.modules.get("asyncio")  # nothing can be cancelled where nobody has loaded it
    return asyncio is not None and isinstance(error, asyncio.CancelledError)


class _Duration(_Watch):
    def __init__(self, prefix: str, properties: Mapping[str, Any], *, suspends: bool = False) -> None:
        self._prefix = prefix
        self._properties = dict(properties)
        self._suspends = suspends
        self._start = 0.0
        self._span: trace.Span | None = None
        self._current: AbstractContextManager[trace.Span] | None = None

    def _begin(self) -> None:
        self._start = time.perf_counter()
        self._span = trace.get_tracer(SCOPE_NAME, __version__).start_span(self._prefix)
        if not self._suspends:
            # The exception is told by the `.failed` event; the span gets its status only, by hand.
            current = trace.use_span(self._span, record_exception=False, set_status_on_exception=False)
            current.__enter__()
            self._current = current
        self._emit("started", {})
        self._start = time.perf_counter()

    def _end(self, error: BaseException | None) -> None:
        elapsed = now_ms(self._start)
        try:
            if error is None:
                self._emit("completed", {"duration_ms": elapsed, "success": True})
            elif not _is_cancelled(error):
                self._emit(
                    "failed", {"duration_ms": elapsed, "success": False, **exception_properties(error)}, failed=True
                )
        finally:
            if self._current is not None:
                self._current.__exit__(None, None, None)
            if self._span is not None:
                if error is not None and not _is_cancelled(error):
                    self._span.set_status(trace.Status(trace.StatusCode.ERROR, type(error).__name__))
                self._span.end()

    def _emit(self, suffix: str, measured: dict[str, Any], *, failed: bool = False) -> None:
        default_tracker._emit(  # noqa: SLF001 - the tracker's own decorators
            f"{self._prefix}.{suffix}",
            {**self._properties, **measured},
            c.MEASUREMENT_ALIASES,
            error=failed,
            context=None if self._span is None else trace.set_span_in_context(self._span),
        )


class _Function(_Watch):
    def __init__(self, name: str, properties: Mapping[str, Any], *, suspends: bool = False) -> None:  # noqa: ARG002 - as all
        self._name = name
        self._properties = dict(properties)
        self._start = 0.0

    def _begin(self) -> None:
        self._start = time.perf_counter()

    def _end(self, error: BaseException | None) -> None:
        if _is_cancelled(error):
            return
        measured: dict[str, Any] = {"duration_ms": now_ms(self._start), "success": error is None}
        if error is not None:
            measured["error_type"] = type(error).__name__
            measured["category"] = "error"
        default_tracker._emit(self._name, {**self._properties, **measured}, c.MEASUREMENT_ALIASES)  # noqa: SLF001 - as above


class _Error(_Watch):
    def __init__(self, name: str, properties: Mapping[str, Any], *, suspends: bool = False) -> None:  # noqa: ARG002 - as all
        self._name = name
        self._properties = dict(properties)

    def _end(self, error: BaseException | None) -> None:
        if error is not None and not _is_cancelled(error):
            default_tracker.track_exception(error, self._name, self._properties)


class Watched:
    """A decorator that is a context manager too; made by ``track_duration`` and its siblings."""

    def __init__(self, make: Callable[..., _Watch], name: str, properties: Mapping[str, Any]) -> None:
        self._make = make
        self._name = name
        self._properties = properties
        # Those open here: threads and tasks that share one such object do not see each other's.
        self._open: ContextVar[tuple[_Watch, ...]] = ContextVar("footspan_watched", default=())

    def __call__(self, function: F) -> F:
        """Watch every call of a function, a coroutine function, a generator or an async generator function."""
        return _wrap(function, functools.partial(self._make, self._name, self._properties))

    def __enter__(self) -> None:
        watch = self._make(self._name, self._properties)
        watch.__enter__()
        self._open.set((*self._open.get(), watch))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_back: TracebackType | None
    ) -> None:
        *outer, watch = self._open.get()
        self._open.set(tuple(outer))
        watch.__exit__(kind, error, trace_back)


def _wrap(function: F, make: Callable[..., _Watch]) -> F:
    wrapper: Any
    if isinstance(function, (staticmethod, classmethod)):
        return type(function)(_wrap(function.__func__, make))
    if inspect.isasyncgenfunction(function):

        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with make(suspends=True):
                async for item in function(*args, **kwargs):
                    yield item

    elif inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            with make():
                return await function(*args, **kwargs)

    elif inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with make(suspends=True):
                return (yield from function(*args, **kwargs))

    else:

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with make():
                return function(*args, **kwargs)

    return wrapper  # type: ignore[no-any-return] # the same signature as the function's


def track_duration(event_prefix: str, **properties: Any) -> Watched:
    """Time a function or a block: ``.started``, then ``.completed`` or ``.failed``, inside one span.

    Args:
        event_prefix: The events' common prefix and the span's name.
        **properties: Properties of all three events.

    Returns:
        A decorator, usable in a ``with`` statement too. ``.completed`` has ``duration_ms`` and ``success``; ``.failed``
        has ``error_type``, ``error_message`` and ``stack_trace`` besides. The exception is raised on untouched.
    """
    return Watched(_Duration, event_prefix, properties)


@overload
def track_function(event_name: F) -> F: ...
@overload
def track_function(event_name: str | None = None, **properties: Any) -> Watched: ...
def track_function(event_name: Any = None, **properties: Any) -> Any:
    """One event per call, with ``duration_ms`` and ``success``; on an error ``error_type`` and category ``error``.

    Args:
        event_name: The event's name; without one (``@track_function`` bare) it is ``function.<name>``.
        **properties: Properties of the event.
    """
    if callable(event_name):
        name = f"function.{getattr(event_name, '__name__', 'unnamed')}"
        return Watched(_Function, name, properties)(event_name)
    if event_name is None:
        return lambda function: Watched(_Function, f"function.{function.__name__}", properties)(function)
    return Watched(_Function, event_name, properties)


def track_error(event_name: str, **properties: Any) -> Watched:
    """Nothing on success; on an error one event with its stack trace. The exception is raised on untouched.

    Args:
        event_name: The event's name.
        **properties: Properties of the event.
    """
    return Watched(_Error, event_name, properties)
