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


class Values(dict[str, Any]):
    """Values by attribute name, which nobody changes: whoever changes the context puts others in their place.

    Attributes:
        merged: A base, and what it makes together with these values; kept for the next time.
        written: Room for whoever writes them again and again.
    """

    __slots__ = ("merged", "written")

    merged: tuple[Values, Values] | None
    written: Any

    def __init__(self, *values: Mapping[str, Any]) -> None:
        super().__init__()
        for each in values:
            self.update(each)
        self.merged = self.written = None


_EMPTY = Values()
_scope: ContextVar[Values | None] = ContextVar("footspan_scope", default=None)
_base: Values = _EMPTY


def to_attributes(fields: Mapping[str, Any], aliases: Mapping[str, str] = c.REQUEST_ALIASES) -> dict[str, Any]:
    """Keywords as a person writes them, under the attribute names they stand for; ``None`` values are left out."""
    attributes: dict[str, Any] = {}
    for key, value in fields.items():
        if value is None:
            continue
        name = aliases.get(key, key)
        attributes[name] = _as_list(value) if name in c.STRING_LIST_ATTRIBUTES else value
    return attributes


def _as_list(value: Any) -> Any:
    """A value that conventions type as a list of texts; a list of our own, which nobody else changes."""
    return [value] if isinstance(value, str) else list(value) if type(value) is list else value


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
        merged = scope.merged = (base, Values(base, scope))
    return merged[1]


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


def enter(fields: Mapping[str, Any]) -> Token[Values | None]:
    """Open a scope by hand, for middleware; give the token back to :func:`leave`."""
    outer = _scope.get() or _EMPTY
    return _scope.set(Values(outer, to_attributes(fields)))


def leave(token: Token[Values | None]) -> None:
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
        _base = Values(_base, to_attributes(fields))
    else:
        _scope.set(Values(scope, to_attributes(fields)))


def clear_context() -> None:
    """Forget the values of the current scope, or of the process-wide base outside any."""
    global _base  # noqa: PLW0603 - see set_context
    if _scope.get() is None:
        _base = _EMPTY
    else:
        _scope.set(Values())


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
