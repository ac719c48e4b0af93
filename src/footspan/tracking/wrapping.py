"""Functions of every kind, wrapped so that a watch goes along with each run.

The wrapper is a function of the same kind as what it wraps, so that frameworks which ask (``inspect``, Flask, pytest)
get the same answer. Exceptions are raised on as they come, results are handed on, and a generator's caller can send,
throw and close as before.
"""

from __future__ import annotations

import functools
import inspect
import sys
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Generator

    from footspan.tracking.tracker import Tracker
    from footspan.tracking.watching import Watch

    Make = Callable[[tuple[Any, ...], dict[str, Any]], Watch]


def wrap(function: Callable[..., Any], tracker: Tracker, make: Make) -> Callable[..., Any]:
    """A function that does what ``function`` does, watched.

    Args:
        function: A function of any kind, or an object that can be called like one.
        tracker: Whose ``_off`` says that nothing is watched.
        make: Makes the watch of one run.
    """
    if _is(inspect.isasyncgenfunction, function):
        return _of_async_generator(function, tracker, make)
    if _is(inspect.iscoroutinefunction, function):
        return _of_coroutine(function, tracker, make)
    if _is(inspect.isgeneratorfunction, function):
        wrapper = _of_generator(function, tracker, make)
        if getattr(getattr(function, "__code__", None), "co_flags", 0) & inspect.CO_ITERABLE_COROUTINE:
            return types.coroutine(wrapper)
        return wrapper
    return _of_function(function, tracker, make)


def _is(test: Callable[[Any], bool], function: Any) -> bool:
    """Whether a function, or what is run when an object is called, is of a kind."""
    return test(function) or (
        not isinstance(function, (types.FunctionType, types.MethodType, functools.partial, types.BuiltinFunctionType))
        and test(type(function).__call__)
    )


def _of_function(function: Callable[..., Any], tracker: Tracker, make: Make) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if tracker._off:  # noqa: SLF001 - the tracker's own decorators
            return function(*args, **kwargs)
        watch = make(args, kwargs)
        watch.begin()
        watch.resume()
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            watch.end(error)
            raise
        if type(result) is types.CoroutineType:  # the work has not begun: another decorator hid that it is asynchronous
            watch.suspend()
            return _finish(result, watch)
        watch.end(None, result)
        return result

    return wrapper


def _of_coroutine(function: Callable[..., Any], tracker: Tracker, make: Make) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        if tracker._off:  # noqa: SLF001 - as above
            return await function(*args, **kwargs)
        work = function(*args, **kwargs)
        watch = make(args, kwargs)
        watch.begin()
        return await _finish(work, watch)

    return wrapper


async def _finish(work: Awaitable[Any], watch: Watch) -> Any:
    watch.resume()
    try:
        result = await work
    except BaseException as error:
        watch.end(error)
        raise
    watch.end(None, result)
    return result


def _of_generator(function: Callable[..., Any], tracker: Tracker, make: Make) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if tracker._off:  # noqa: SLF001 - as above
            return (yield from function(*args, **kwargs))
        work = function(*args, **kwargs)
        watch = make(args, kwargs)
        watch.begin()
        try:
            result = yield from _Steps(work, watch)
        except BaseException as error:
            watch.end(error)
            raise
        watch.end(None, result)
        return result

    return wrapper


class _Steps:
    """A generator whose span is current while it runs, and not while it waits for its consumer."""

    __slots__ = ("_watch", "_work")

    def __init__(self, work: Generator[Any, Any, Any], watch: Watch) -> None:
        self._work = work
        self._watch = watch

    def __iter__(self) -> _Steps:
        return self

    def __next__(self) -> Any:
        return self._step(self._work.__next__)

    def send(self, value: Any) -> Any:
        return self._step(self._work.send, value)

    def throw(self, kind: Any, value: Any = None, trace_back: types.TracebackType | None = None) -> Any:
        error = kind
        if not isinstance(kind, BaseException):  # the three arguments of old, which Python 3.12 warns of
            error = value if isinstance(value, BaseException) else kind() if value is None else kind(value)
        if trace_back is not None:
            error = error.with_traceback(trace_back)
        return self._step(self._work.throw, error)

    def close(self) -> None:
        self._step(self._work.close)

    def _step(self, work: Callable[..., Any], *args: Any) -> Any:
        self._watch.resume()
        try:
            return work(*args)
        finally:
            self._watch.suspend()


def _of_async_generator(function: Callable[..., Any], tracker: Tracker, make: Make) -> Callable[..., Any]:
    @functools.wraps(function)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        work = function(*args, **kwargs)
        watch = make(args, kwargs)
        if not tracker._off:  # noqa: SLF001 - as above
            watch.begin()
        try:
            # What `yield from` does for generators, by hand.
            step: Coroutine[Any, Any, Any] = _first(work)
            while True:
                try:
                    value = await _stepped(step, watch)
                except StopAsyncIteration:
                    break
                thrown: BaseException | None = None
                try:
                    sent = yield value
                except BaseException as error:  # noqa: BLE001 - handed on below, outside: else it would be its context
                    thrown = error
                step = work.asend(sent) if thrown is None else await _thrown(work, thrown, watch)
        except BaseException as error:
            watch.end(error)
            raise
        watch.end(None)

    return wrapper


def _first(work: AsyncGenerator[Any, Any]) -> Coroutine[Any, Any, Any]:
    """The first step of an asynchronous generator that the event loop is not told of.

    The loop closes those it knows when it ends, all at once: it knows ours, and that one closes this one.
    """
    hooks = sys.get_asyncgen_hooks()
    sys.set_asyncgen_hooks(None, None)
    try:
        return work.asend(None)
    finally:
        sys.set_asyncgen_hooks(*hooks)


async def _thrown(work: AsyncGenerator[Any, Any], error: BaseException, watch: Watch) -> Coroutine[Any, Any, Any]:
    """The step that hands an exception on; the end, where it says that there shall be no more steps."""
    if isinstance(error, GeneratorExit):
        await _stepped(work.aclose(), watch)
        raise error
    return work.athrow(error)


async def _stepped(step: Awaitable[Any], watch: Watch) -> Any:
    watch.resume()
    try:
        return await step
    finally:
        watch.suspend()
