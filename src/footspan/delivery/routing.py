"""Which destination takes which event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from footspan.patterns import Matcher, matcher

if TYPE_CHECKING:
    from footspan.otlp_json import LogLine
    from footspan.spool.base import Target

__all__ = ["Matcher", "accepts", "matcher"]


def accepts(target: Target, line: LogLine) -> bool:
    """Whether a destination takes an event.

    Args:
        target: The destination as the spool knows it.
        line: The event. One that names its destination goes there, whatever the patterns say, and nowhere else.
    """
    named = line.destination
    if named:
        return named == target.name
    return target.events is None or matcher(target.events)(line.name, line.category)
