"""Which destination takes which event, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from footspan.otlp_json.bulk import CONSENT_MARK
from footspan.patterns import Matcher, glob, matcher
from footspan.processors.consent import refused_purpose

if TYPE_CHECKING:
    from collections.abc import Iterable

    from footspan.otlp_json import LogLine
    from footspan.spool.base import Target

__all__ = ["Decision", "Matcher", "Why", "accepts", "decide", "matcher"]


def accepts(target: Target, line: LogLine) -> bool:
    """Whether a destination takes an event.

    Args:
        target: The destination as the spool knows it.
        line: The event. One that names its destination goes there, whatever the patterns say, and nowhere else. One
            whose purpose nobody agreed to goes only where that may go.
    """
    if refused_by(target, line):
        return False
    named = line.destination
    if named:
        return named == target.name
    return target.events is None or matcher(target.events)(line.name, line.category)


def refused_by(target: Target, line: LogLine) -> str:
    """The purpose of an event that nobody agreed to, where the destination may not have it for that; else empty."""
    if CONSENT_MARK not in line.line:
        return ""
    purpose = refused_purpose(line.event.attributes)
    return "" if purpose is None or purpose in target.passes else purpose


class Why(Enum):
    """What decided."""

    NAMED = "named"
    """The event names this destination."""
    NAMES_ANOTHER = "names_another"
    EVERYTHING = "everything"
    """The destination has no patterns."""
    MATCHED = "matched"
    EXCLUDED = "excluded"
    NOT_EXCLUDED = "not_excluded"
    """The destination has exclusions alone, and none of them is about this event."""
    NO_MATCH = "no_match"
    NO_CONSENT = "no_consent"
    """Nobody agreed to what the event is for."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a destination takes an event, for people who ask why.

    Attributes:
        takes: What :func:`accepts` says.
        why: What decided.
        pattern: The pattern that decided, as it stands in the settings; empty where none did.
        matched: What it matched: the event's name, or its name with the category before it.
    """

    takes: bool
    why: Why
    pattern: str = ""
    matched: str = ""


def decide(target: Target, line: LogLine) -> Decision:
    """:func:`accepts`, with its reason."""
    takes = accepts(target, line)
    if refused_by(target, line):
        return Decision(takes, Why.NO_CONSENT)
    if line.destination:
        return Decision(takes, Why.NAMED if takes else Why.NAMES_ANOTHER)
    if target.events is None:
        return Decision(takes, Why.EVERYTHING)
    written = [pattern.strip() for pattern in target.events]
    # An exclusion wins over every inclusion.
    pattern, matched = _first((each for each in written if each.startswith("!")), line)
    if pattern:
        return Decision(takes, Why.EXCLUDED, pattern, matched)
    pattern, matched = _first((each for each in written if not each.startswith("!")), line)
    if pattern:
        return Decision(takes, Why.MATCHED, pattern, matched)
    return Decision(takes, Why.NOT_EXCLUDED if takes else Why.NO_MATCH)


def _first(patterns: Iterable[str], line: LogLine) -> tuple[str, str]:
    """The first pattern that is about an event, and what it matches."""
    subjects = (line.name, f"{line.category}.{line.name}")
    for pattern in patterns:
        bare = pattern.removeprefix("!").strip()
        for subject in subjects:
            if bare and glob(bare, subject):
                return pattern, subject
    return "", ""
