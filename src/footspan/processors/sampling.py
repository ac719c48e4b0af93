"""Keep a share of sessions, users or traces whole, and never drop an error.

A key (a session, a user, a trace) has a number that every process in every language computes alike, and an event is
kept when that number reaches the threshold of its rate: so what is kept at one rate is kept at every higher one, too.
Numbers and thresholds are those of OpenTelemetry's consistent probability sampling (specification, "TraceState:
Probability Sampling"): 56 bits, kept when ``R >= T``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c
from footspan.emit import SEVERITY_ERROR
from footspan.patterns import matcher, remember
from footspan.processors import DropEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from footspan.config import SamplingSettings
    from footspan.emit import Draft

_BITS: Final = 56
_SPACE: Final = 1 << _BITS

_TRACE: Final = ""
"""Stands for the trace among the attributes that may be the key."""

_KEYS: Final[dict[str, tuple[str, ...]]] = {
    "session": (c.SESSION_ID, c.USER_ID, c.ENDUSER_PSEUDO_ID, _TRACE),
    "user": (c.USER_ID, c.ENDUSER_PSEUDO_ID, c.SESSION_ID, _TRACE),
    "trace": (_TRACE, c.SESSION_ID, c.USER_ID, c.ENDUSER_PSEUDO_ID),
}
"""What is looked for, in order; where an event has none of it, its own id decides."""


def threshold(rate: float) -> int:
    """The least number that is kept at a rate."""
    return _SPACE - round(rate * _SPACE)


def number_of_trace(trace_id: int) -> int:
    """The number of a trace: the last 56 bits of its id, which the W3C's trace context wants to be random."""
    return trace_id & _SPACE - 1


def number_of_text(key: str) -> int:
    """The number of a session, a user or an event: the first 56 bits of the SHA-256 of its UTF-8 text."""
    from hashlib import sha256  # noqa: PLC0415 - only sampling needs it

    return int.from_bytes(sha256(key.encode("utf-8", "replace")).digest()[: _BITS // 8], "big")


class Share:
    """What one rule keeps.

    Args:
        rate: The share, 0 to 1.
        by: What is kept as a whole: ``session``, ``user`` or ``trace``.
    """

    __slots__ = ("_keys", "_threshold", "everything", "rate")

    def __init__(self, rate: float, by: str) -> None:
        self.rate = rate
        self._threshold = threshold(rate)
        self.everything = not self._threshold
        self._keys = _KEYS[by]

    def has(self, draft: Draft) -> bool:
        """Whether an event is in the share."""
        return _number(draft, self._keys) >= self._threshold


def _number(draft: Draft, keys: tuple[str, ...]) -> int:
    attributes = draft.attributes
    for name in keys:
        if name == _TRACE:
            if draft.trace_id:
                return number_of_trace(draft.trace_id)
        elif text := _text(attributes.get(name)):
            return number_of_text(text)
    return number_of_text(_text(attributes.get(c.LOG_RECORD_UID)))


def _text(value: Any) -> str:
    """An id as text; numbers in decimal. What is neither is none."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


class Sampler:
    """A processor that drops what is outside its share.

    Args:
        settings: The rate, what it is counted by, and the rules for some events.
        category_of: The category that an event's name stands for.
    """

    def __init__(self, settings: SamplingSettings, category_of: Callable[[str], str] = c.category_of) -> None:
        self._category_of = category_of
        self._otherwise = Share(settings.rate, settings.by)
        self._rules = [(matcher(rule.events), Share(rule.rate, rule.by or settings.by)) for rule in settings.rules]
        self._known: dict[tuple[str, str], Share] = {}
        self.keeps_some = any(share.everything for share in (self._otherwise, *(share for _, share in self._rules)))
        """Whether there may be kinds of events that are always kept, errors aside."""

    def __call__(self, draft: Draft) -> None:
        """Mark a kept event with its rate, where that is less than 1.

        Raises:
            DropEvent: The event is not in the share (counted ``sampled_out``).
        """
        share = self._share(draft.name, draft.attributes, draft.severity_number)
        if share is None or share.everything:
            return
        if not share.has(draft):
            raise DropEvent("sampled_out")
        before = draft.attributes.get(c.SAMPLING_RATE)
        if not isinstance(before, float) or not before < share.rate:  # it was sampled on its way here, too
            draft.attributes[c.SAMPLING_RATE] = share.rate

    def keeps(self, name: str, attributes: Mapping[str, Any], severity: int) -> bool:
        """Whether every event of a kind is kept, and none is marked.

        Args:
            name: The events' name.
            attributes: Those that all of them have alike.
            severity: The events' severity.
        """
        share = self._share(name, attributes, severity)
        return share is None or share.everything

    def _share(self, name: Any, attributes: Mapping[str, Any], severity: int) -> Share | None:
        """What is kept of such events; ``None`` for errors, which are kept whatever the rules say."""
        if severity >= SEVERITY_ERROR or c.ERROR_TYPE in attributes:
            return None
        if not isinstance(name, str):
            name = ""
        category = attributes.get(c.CATEGORY)
        if not isinstance(category, str) or not category:
            category = self._category_of(name)
        if category == "error":
            return None
        share = self._known.get((name, category))
        if share is None:
            share = self._find(name, category)
            remember(self._known, (name, category), share, len(name) + len(category))
        return share

    def _find(self, name: str, category: str) -> Share:
        for takes, share in self._rules:
            if takes(name, category):
                return share
        return self._otherwise
