"""``flush_after``: deliver before a handler's answer is given, where the platform may freeze the process after it."""

from __future__ import annotations

import functools
import inspect
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar, overload

from footspan import _guard
from footspan.config.errors import ConfigurationError
from footspan.tracking.tracker import default_tracker

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import ParamSpec

    from footspan.tracking.tracker import Tracker

    P = ParamSpec("P")

R = TypeVar("R")

BUDGET: Final = 1.0
"""Seconds that a flush may take."""

RESERVE: Final = 0.1
"""Seconds of the platform's deadline that are left to the platform and to the way back."""

_LAMBDA_DEADLINE: Final = "get_remaining_time_in_millis"


@overload
def flush_after(handler: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def flush_after(
    *, budget: float = BUDGET, tracker: Tracker | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
@overload
def flush_after(
    *, budget: float = BUDGET, remaining: Callable[P, float], tracker: Tracker | None = None
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def flush_after(
    handler: Any = None, /, *, budget: float = BUDGET, remaining: Any = None, tracker: Tracker | None = None
) -> Any:
    """Flush after each call of a function or coroutine function, within a budget; for serverless handlers.

    The handler's result and its exceptions pass through untouched. Where events remain, that is logged once; they are
    kept as ``durability`` says. A coroutine function's event loop is not blocked: the flush waits in a thread.

    Args:
        handler: The function, where the decorator is used bare.
        budget: Seconds that the flush may take.
        remaining: Called with the handler's arguments, says how many seconds the platform leaves: a tenth of a second
            of them is not used. AWS Lambda's context among the arguments is asked by itself.
        tracker: Whose events; the process's when not given.

    Returns:
        The function with the same signature, or a decorator.

    Raises:
        ConfigurationError: The budget is no number of seconds.
    """
    given: Any = budget
    if isinstance(given, bool) or not isinstance(given, (int, float)) or not given >= 0:
        raise ConfigurationError("flush_after(budget)", type(budget).__name__, "Give seconds, 0 or more.")

    of = default_tracker if tracker is None else tracker

    def decorate(function: Any) -> Any:
        wrapper: Any
        if _is_async(function):

            @functools.wraps(function)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                try:
                    return await function(*args, **kwargs)
                finally:
                    await _flush_in_thread(of, _seconds(budget, remaining, args, kwargs))

        else:

            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                try:
                    return function(*args, **kwargs)
                finally:
                    _flush(of, _seconds(budget, remaining, args, kwargs))

        return wrapper

    return decorate if handler is None else decorate(handler)


def _is_async(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(type(function).__call__)


def _seconds(budget: float, remaining: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> float:
    """What the flush may take now."""
    with _guard.guard("time left"):
        left: Any = None
        if remaining is not None:
            left = remaining(*args, **kwargs)
        else:
            for each in (*args, *kwargs.values()):
                ask = getattr(each, _LAMBDA_DEADLINE, None)
                if callable(ask):
                    left = ask() / 1000
                    break
        if isinstance(left, (int, float)):
            return max(0.0, min(budget, left - RESERVE))
    return budget


def _flush(tracker: Tracker, seconds: float) -> None:
    began = time.monotonic()
    left = sum(tracker.flush(seconds).values())
    if left:
        _guard.warn_once(
            "flush_after",
            "footspan: %d events were still waiting after %.1f s; the next flush takes them along (said once)",
            left,
            time.monotonic() - began,
        )


async def _flush_in_thread(tracker: Tracker, seconds: float) -> None:
    import asyncio  # noqa: PLC0415 - programs without coroutines need none of it

    try:
        asyncio.get_running_loop()
    except RuntimeError:  # another library's loop, to which we cannot hand a thread
        _flush(tracker, seconds)
        return
    await asyncio.to_thread(_flush, tracker, seconds)
