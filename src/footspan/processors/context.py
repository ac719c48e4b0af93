"""Who and where, said once: values that every event of a request, a task or the process bears.

Two layers. The base is the process's: every thread sees it. A scope lies on top of it and belongs to a ``with`` block,
a request or an asyncio task; what is set inside one changes that one only. Values live in a ``ContextVar`` of our own:
OpenTelemetry's baggage would leave the process in HTTP headers.
"""

from __future__ import annotations

import functools
import inspect
import weakref
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

from footspan import _guard, _platform
from footspan.processors.scopes import Scope, Values
from footspan.processors.surroundings import flask_request, in_task, tell_of_requests

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from footspan.emit import Draft

F = TypeVar("F", bound="Callable[..., Any]")


_EMPTY = Values()
_scope: ContextVar[Values | None] = ContextVar("footspan_scope", default=None)
_base: Values = _EMPTY
_lock = _guard.QuietLock()  # for who changes the base; whoever reads it needs none
_listeners: weakref.WeakSet[Any] = weakref.WeakSet()


def _new_lock() -> None:
    """Another thread of the parent may have held it."""
    global _lock  # noqa: PLW0603 - the one lock of this module
    _lock = _guard.QuietLock()


_platform.on_fork(_new_lock)


def ambient() -> Values:
    """What an event emitted here and now would bear, by attribute name. Not to be changed."""
    scope = _scope.get()
    if scope is None:
        return _base
    base = _base
    if not base:
        return scope
    merged = scope.merged
    if merged is None or merged[0] is not base:
        merged = scope.merged = (base, scope.on(base))
    return merged[1]


class context:  # noqa: N801 - reads as the statement it is
    """Open a scope: every event inside bears these values, on top of those outside it.

    For a ``with`` block, or as a decorator of a function or a coroutine function. The values before are back when it
    ends, whatever happens in it.

    Args:
        **fields: ``user_id``, ``session_id``, ``request_id``, ``email``, ``url``, ``ip``, … or any attribute name.
            ``None``: events inside do not bear it, though those outside may.
    """

    __slots__ = ("_fields", "_opened")

    def __init__(self, **fields: Any) -> None:
        self._fields = fields
        self._opened: list[Scope] = []

    def __enter__(self) -> None:
        """Open the scope."""
        self._opened.append(enter(self._fields))

    def __exit__(self, *_: object) -> None:
        """Close it. Where several threads share one object, each closes its own."""
        scope = _innermost(self._opened)
        if scope is not None:
            self._opened.remove(scope)
            leave(scope)

    def __call__(self, function: F) -> F:
        """Open it around every call of a function.

        Raises:
            TypeError: It is a generator function, whose work begins when the call is over.
        """
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError("context cannot decorate a generator function: write `with context(…)` around its use.")
        wrapper: Any
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                with context(**self._fields):
                    return await function(*args, **kwargs)

        else:

            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                with context(**self._fields):
                    return function(*args, **kwargs)

        return wrapper  # type: ignore[no-any-return] # the same signature as the function's


def enter(fields: Mapping[str, Any]) -> Scope:
    """Open a scope by hand; give it back to :func:`leave`."""
    outer = _scope.get()
    return _open((_EMPTY if outer is None else outer).changed(fields, Scope(outer, inner=True)))


class Held:
    """The scope of a request that is served in steps, open during each ``with`` block and not in between.

    Args:
        fields: What is known of the request, as for :class:`context`.
    """

    __slots__ = ("_scope", "_token", "_values")

    def __init__(self, fields: Mapping[str, Any]) -> None:
        outer = _scope.get()
        self._scope = Scope(outer)
        self._values = (_EMPTY if outer is None else outer).changed(fields, self._scope)
        _tell(self._values)

    def __enter__(self) -> None:
        """Go on in the scope."""
        self._token = _scope.set(self._values)

    def __exit__(self, *_: object) -> None:
        """Stop, and keep what was set."""
        values = _scope.get()
        self._values = Values(scope=self._scope) if values is None else values
        _scope.reset(self._token)


def enter_request(fields: Mapping[str, Any]) -> Scope:
    """Open the scope of a whole request, for middleware: what it says, and what is set in it, goes for its span too."""
    outer = _scope.get()
    values = (_EMPTY if outer is None else outer).changed(fields, Scope(outer))
    scope = _open(values)
    _tell(values)
    return scope


def take(values: Values) -> Scope:
    """Open a scope with values that were current elsewhere, for who carries them."""
    return _open(Values(values, removed=values.removed, scope=Scope(_scope.get(), inner=True)))


def _open(values: Values) -> Scope:
    scope = values.scope
    assert scope is not None
    scope.token = _scope.set(values)
    return scope


def leave(scope: Scope) -> None:
    """Close a scope, and those inside it that nobody closed.

    One that is not open here (its stream was closed in another thread, it was closed before) is left as it is.
    """
    token = scope.token
    if token is None or _innermost((scope,)) is None:
        return
    try:
        _scope.reset(token)
    except (RuntimeError, ValueError):  # opened in the context that this one is a copy of
        _scope.set(scope.outer)
    else:
        scope.outer = scope.token = None  # else a task that reschedules itself in a scope would keep them all


def _innermost(scopes: Iterable[Scope]) -> Scope | None:
    """The innermost of some scopes that is open here."""
    values = _scope.get()
    while values is not None and values.scope is not None:
        if values.scope in scopes:
            return values.scope
        values = values.scope.outer
    return None


def held() -> Values:
    """The values of the current scope, the base's not among them; what :func:`take` takes."""
    values = _current()
    return _EMPTY if values is None else values


def _current() -> Values | None:
    """The values of the scope that this runs in, opened or not; ``None`` outside any."""
    values = _scope.get()
    if values is not None and (values.scope is None or values.scope.request is None):
        return values
    request = flask_request()
    if request is not None:
        with _guard.guard("context"):
            tell_of_requests(_begin_request, _end_request)
    if values is not None:
        _begin_request()
        values = _scope.get()
        if values is not None:
            return values
    if request is not None:
        return Values(scope=Scope(None, request=request))
    return Values() if in_task() else None


def _request_scope(values: Values | None) -> Scope | None:
    """The innermost scope that a Flask request has among those open here."""
    while values is not None and values.scope is not None:
        if values.scope.request is not None:
            return values.scope
        values = values.scope.outer
    return None


def _begin_request() -> None:
    """Nothing of another request may be seen in this one: neither of the one before it nor of one that called it."""
    values = _scope.get()
    owner = _request_scope(values)
    request = flask_request()
    if owner is None or owner.is_of(request):
        return
    if owner.is_over():
        _scope.set(owner.outer)
    elif request is not None:
        _scope.set(Values(scope=Scope(values, request=request)))


def _end_request() -> None:
    """End the scope of the current request, with all that was opened in it."""
    owner = _request_scope(_scope.get())
    if owner is not None and owner.is_of(flask_request()):
        _scope.set(owner.outer)


def set_context(**fields: Any) -> None:
    """Add values to the current scope; what is not named stays.

    The current scope is the innermost of a ``with context(...)`` block, a middleware's or Flask's request, an asyncio
    task. Outside any, values are added to the process-wide base, which every thread sees.

    Args:
        **fields: As for :class:`context`. ``None`` takes a value away: ``set_context(user_id=None)`` logs out.
    """
    global _base  # noqa: PLW0603 - the base is replaced, never changed, so that readers need no lock
    values = _current()
    if values is None:
        with _lock:
            _base = Values(_base.changed(fields, None))
    else:
        values = values.changed(fields, values.scope)
        _scope.set(values)
        _tell(values)


def clear_context() -> None:
    """Forget the values of the current scope, or of the process-wide base outside any."""
    global _base  # noqa: PLW0603 - see set_context
    values = _current()
    if values is None:
        with _lock:
            _base = _EMPTY
    else:
        _scope.set(Values(scope=values.scope))


def on_change(listener: Any) -> None:
    """Have ``listener.changed(values)`` called when values of a whole scope change. Held weakly."""
    _listeners.add(listener)


def _tell(values: Values) -> None:
    for listener in tuple(_listeners):
        with _guard.guard("context"):
            listener.changed(values)


def unit() -> Scope | None:
    """What tells the unit of work here from others: the innermost scope within one, if any."""
    values = _scope.get()
    while values is not None and values.scope is not None:
        if values.scope.inner:
            return values.scope
        values = values.scope.outer
    return None


def reset() -> None:
    """Forget every value here, scope and base."""
    global _base  # noqa: PLW0603 - see set_context
    _base = _EMPTY
    _scope.set(None)


def add_context(draft: Draft) -> None:
    """The processor: what the event does not say itself, the context says."""
    values = ambient()
    if values:
        attributes = draft.attributes
        for key, value in values.items():
            if key not in attributes:
                attributes[key] = value
