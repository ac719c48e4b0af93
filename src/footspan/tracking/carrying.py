"""``carry``: context and trace for work that another thread does.

A thread pool's threads see the process-wide base and nothing of whoever submits. What is carried is footspan's context
and the current span, not every context variable: a worker must not find a web framework's request that has long ended.
"""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, TypeVar

from opentelemetry import context as otel_context

from footspan.processors.context import held, leave, take
from footspan.processors.scopes import Values

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec

    from opentelemetry.context import Context

    P = ParamSpec("P")

R = TypeVar("R")


def carry(function: Callable[P, R]) -> Callable[P, R]:
    """Bind a function to the context and the span that are current now, wherever and whenever it runs.

    Each call runs in a scope of its own: what it sets is seen by nobody else. The process-wide base is the one in force
    when it runs.

    Args:
        function: A function or a coroutine function. The result can be pickled if the function can; the span stays
            behind then, since it is this process's.

    Returns:
        A callable with the same arguments and result; a coroutine function for a coroutine function.
    """
    carried = _Carried(function, held(), otel_context.get_current())
    if not inspect.iscoroutinefunction(function):
        return carried

    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        with carried.scope():
            return await function(*args, **kwargs)

    return wrapper  # type: ignore[return-value] # R is the coroutine


class _Carried:
    """A function and what it was bound to."""

    def __init__(self, function: Callable[..., Any], values: Values, context: Context | None) -> None:
        self._function = function
        self._values = values
        self._context = context
        functools.update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function with what it was bound to."""
        with self.scope():
            return self._function(*args, **kwargs)

    def scope(self) -> _Bound:
        """For a ``with`` block that runs with what it was bound to."""
        return _Bound(self._values, self._context)

    def __reduce__(self) -> tuple[Any, ...]:
        """For another process: the values, which are texts and numbers as a rule, without the span."""
        return _unpickled, (self._function, dict(self._values), self._values.removed)


def _unpickled(function: Callable[..., Any], values: dict[str, Any], removed: frozenset[str]) -> _Carried:
    return _Carried(function, Values(values, removed=removed), None)


class _Bound:
    """A scope with values of elsewhere, and the span of there."""

    __slots__ = ("_context", "_scope", "_token", "_values")

    def __init__(self, values: Values, context: Context | None) -> None:
        self._values = values
        self._context = context

    def __enter__(self) -> None:
        self._token = None if self._context is None else otel_context.attach(self._context)
        self._scope = take(self._values)

    def __exit__(self, *_: object) -> None:
        leave(self._scope)
        if self._token is not None:
            otel_context.detach(self._token)
