"""``Event``: one product event as every room below the spool reads it, whoever wrote it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from footspan import conventions as c

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An OpenTelemetry log record with an event name, its resource and its scope, decoded.

    Attributes:
        name: The event name; empty for a plain log record.
        uid: ``log.record.uid``; empty when the writer set none.
        time_ns: When it happened, nanoseconds since the epoch; 0 when unknown.
        observed_ns: When it was seen, nanoseconds since the epoch; 0 when unknown.
        attributes: Attribute name to plain Python value (``str``, ``bool``, ``int``, ``float``, ``bytes``, ``None``,
            lists and dicts of these), ``log.record.uid`` included.
        body: The record's body, the same kinds of value.
        severity_number: OpenTelemetry's 1 to 24; 0 when unset.
        severity_text: The severity as its writer spelt it.
        trace_id: 32 lower-case hex digits, or empty.
        span_id: 16 lower-case hex digits, or empty.
        flags: W3C trace flags.
        resource: The resource's attributes.
        scope_name: The instrumentation scope's name.
        scope_version: The instrumentation scope's version.
    """

    name: str
    uid: str = ""
    time_ns: int = 0
    observed_ns: int = 0
    attributes: Mapping[str, Any] = field(default_factory=dict)
    body: Any = None
    severity_number: int = 0
    severity_text: str = ""
    trace_id: str = ""
    span_id: str = ""
    flags: int = 0
    resource: Mapping[str, Any] = field(default_factory=dict)
    scope_name: str = ""
    scope_version: str = ""

    @property
    def category(self) -> str:
        """The category the event names, else the one its name stands for."""
        category = self.attributes.get(c.CATEGORY)
        return category if isinstance(category, str) and category else c.category_of(self.name)

    def text(self, attribute: str) -> str:
        """An attribute as text: a string itself, the first string of a list, a number's decimal form, else empty."""
        value = self.attributes.get(attribute)
        if isinstance(value, (list, tuple)):
            value = value[0] if value else None
        if isinstance(value, str):
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return str(value)
        return ""
