"""What the context is made of: values by attribute name, and the scope that they belong to."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from footspan import conventions as c

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextvars import Token


class Scope:
    """One opened scope: what it is told apart by, and what lay there before it.

    Attributes:
        outer: The values to go back to.
        inner: Whether it lies within a unit of work, as ``with context(...)`` does; a request or a task is one itself.
        token: What :func:`leave` resets to.
        request: Flask's request that it ends with, if it was opened by setting context in one.
    """

    __slots__ = ("inner", "outer", "request", "token")

    token: Token[Values | None] | None

    def __init__(self, outer: Values | None, *, inner: bool = False, request: Any = None) -> None:
        self.outer = outer
        self.inner = inner
        self.token = None
        self.request = None if request is None else weakref.ref(request)

    def is_of(self, request: Any) -> bool:
        """Whether this is the scope of a Flask request."""
        return request is not None and self.request is not None and self.request() is request

    def is_over(self) -> bool:
        """Whether its request has been torn down, even where that failed half way."""
        request = None if self.request is None else self.request()
        # Flask takes the request out of its environment last of all, whatever failed before.
        return request is None or request.environ.get("werkzeug.request") is None


class Values(dict[str, Any]):
    """Values by attribute name, which nobody changes: whoever changes the context puts others in their place.

    Attributes:
        merged: A base, and what it makes together with these values; kept for the next time.
        removed: Names that events do not bear here, whatever the base says.
        scope: The scope they are of; ``None`` for the base, and for a task's that opened none.
        written: Room for whoever writes them again and again.
    """

    __slots__ = ("merged", "removed", "scope", "written")

    merged: tuple[Values, Values] | None
    written: Any

    def __init__(
        self, *values: Mapping[str, Any], removed: frozenset[str] = frozenset(), scope: Scope | None = None
    ) -> None:
        super().__init__()
        for each in values:
            self.update(each)
        self.merged = self.written = None
        self.removed = removed
        self.scope = scope

    def on(self, base: Values) -> Values:
        """These values on top of a base."""
        if not self and not self.removed:
            return base
        kept = {key: value for key, value in base.items() if key not in self.removed} if self.removed else base
        return Values(kept, self)

    def changed(self, fields: Mapping[str, Any], scope: Scope | None) -> Values:
        """These values with others set, and those that are ``None`` removed."""
        attributes = to_attributes(fields)
        nothing = {c.REQUEST_ALIASES.get(key, key) for key, value in fields.items() if value is None} - set(attributes)
        values = Values(self, attributes, removed=self.removed.difference(attributes) | nothing, scope=scope)
        for name in nothing:
            values.pop(name, None)
        return values


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
