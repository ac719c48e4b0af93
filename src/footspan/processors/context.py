"""Who and where, said once: values that every event of a request, a task or the process bears.

Two layers. ``context(...)`` opens a scope that ends with its block, and so does a web request; ``set_context`` inside a
scope changes that scope only. Outside any scope ``set_context`` changes the process-wide base, which every thread sees.
Values live in a ``ContextVar`` of our own: OpenTelemetry's baggage would leave the process in HTTP headers.
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any

from footspan import conventions as c

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from footspan.emit import Draft

_EMPTY: dict[str, Any] = {}
_scope: ContextVar[dict[str, Any] | None] = ContextVar("footspan_scope", default=None)
_base: dict[str, Any] = _EMPTY


def to_attributes(fields: Mapping[str, Any], aliases: Mapping[str, str] = c.REQUEST_ALIASES) -> dict[str, Any]:
    """Keywords as a person writes them, under the attribute names they stand for; ``None`` values are left out."""
    attributes: dict[str, Any] = {}
    for key, value in fields.items():
        if value is None:
            continue
        name = aliases.get(key, key)
        lone_string = name in c.STRING_LIST_ATTRIBUTES and isinstance(value, str)
        attributes[name] = [value] if lone_string else value
    return attributes


def ambient() -> Mapping[str, Any]:
    """What an event emitted here and now would bear, by attribute name."""
    scope = _scope.get()
    if scope is None:
        return _base
    return {**_base, **scope} if _base else scope


@contextmanager
def context(**fields: Any) -> Iterator[None]:
    """Open a scope: every event inside bears these values, on top of those outside it.

    Args:
        **fields: ``user_id``, ``session_id``, ``request_id``, ``email``, ``url``, ``ip``, … or any attribute name.
    """
    token = enter(fields)
    try:
        yield
    finally:
        leave(token)


def enter(fields: Mapping[str, Any]) -> Token[dict[str, Any] | None]:
    """Open a scope by hand, for middleware; give the token back to :func:`leave`."""
    outer = _scope.get() or _EMPTY
    return _scope.set({**outer, **to_attributes(fields)})


def leave(token: Token[dict[str, Any] | None]) -> None:
    """Close a scope. A scope opened in another context is left as it is: there is nothing to close here."""
    try:
        _scope.reset(token)
    except ValueError:
        _scope.set(None)


def set_context(**fields: Any) -> None:
    """Add values to the current scope, or to the process-wide base outside any; what is not named stays."""
    global _base  # noqa: PLW0603 - the base is replaced, never changed, so that readers need no lock
    scope = _scope.get()
    if scope is None:
        _base = {**_base, **to_attributes(fields)}
    else:
        _scope.set({**scope, **to_attributes(fields)})


def clear_context() -> None:
    """Forget the values of the current scope, or of the process-wide base outside any."""
    global _base  # noqa: PLW0603 - see set_context
    if _scope.get() is None:
        _base = _EMPTY
    else:
        _scope.set({})


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
