"""``ContextSpanProcessor``: who a span is about, on every span."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Final

from opentelemetry import trace
from opentelemetry.sdk.trace import Span, SpanProcessor
from opentelemetry.trace import SpanKind

from footspan import _guard
from footspan import conventions as c
from footspan.processors.context import ambient, on_change, unit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from opentelemetry.context import Context

    from footspan.processors.scopes import Scope

NAMES: Final = (c.USER_ID, c.SESSION_ID, c.REQUEST_ID)

_ENTRANCES: Final = frozenset({SpanKind.SERVER, SpanKind.CONSUMER})


class ContextSpanProcessor(SpanProcessor):
    """Puts the context's user, session and request id on every span as it starts.

    A request's own span starts before anybody knows who asks. So what ``set_context`` or our middleware says later goes
    on it as well: on the local root span, if that is a server's or a consumer's, if it lacks the value, and if it was
    started in the same unit of work. An inner ``with context(...)`` block is another one: it may be about somebody
    else. What a span says itself is never changed.

    Add it before processors that export: ``provider.add_span_processor(ContextSpanProcessor())``.
    """

    def __init__(self) -> None:
        self._roots: weakref.WeakKeyDictionary[Span, weakref.ref[Span]] = weakref.WeakKeyDictionary()
        self._units: weakref.WeakKeyDictionary[Span, Scope | None] = weakref.WeakKeyDictionary()
        on_change(self)

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Put the values on a span. Never raises."""
        with _guard.guard("context on spans"):
            _fill(span, ambient())
            root = self._root_of(trace.get_current_span(parent_context))
            if root is None and span.kind in _ENTRANCES:
                root = span
                self._units[span] = unit()
            if root is not None:
                self._roots[span] = weakref.ref(root)

    def _root_of(self, span: trace.Span) -> Span | None:
        known = self._roots.get(span) if isinstance(span, Span) else None
        return None if known is None else known()

    def changed(self, values: Mapping[str, Any]) -> None:
        """Put values on the span of the request that they were set in."""
        root = self._root_of(trace.get_current_span())
        if root is not None and root.is_recording() and self._units.get(root) is unit():
            _fill(root, values)


def _fill(span: Span, values: Mapping[str, Any]) -> None:
    if not values or not span.is_recording():
        return
    attributes = span.attributes or {}
    for name in NAMES:
        value = values.get(name)
        if value is not None and name not in attributes:
            span.set_attribute(name, value if isinstance(value, (str, bool, int, float)) else str(value))
