"""The settings of consent: what events are for, who refuses, and what becomes of an event without consent."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from footspan.config.kinds import BadValueError, Kind, describe, nearest, quote
from footspan.config.policy import DEFAULT, Policy
from footspan.config.values import BOOLEAN, read_list, read_patterns, show_list
from footspan.config.visitors import COOKIE_NAME

if TYPE_CHECKING:
    from collections.abc import Iterable

Purpose = Literal["analytics", "marketing", "functional"]
Without = Literal["send", "pseudonymise", "drop"]

PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)
"""What events are for; the first where nothing else is said."""
ACTIONS: Final[tuple[Without, ...]] = get_args(Without)
"""What can become of an event whose purpose nobody agreed to, the strictest last."""
EVERYWHERE: Final = "*"
"""Stands for the destinations that are not named."""

DEFAULT_EVENTS: Final[Mapping[Purpose, tuple[str, ...]]] = {"functional": ("error.*", "performance.*", "system.*")}
"""Patterns of the events of a purpose where the settings give none for it."""

_NAME: Final = re.compile(r"[a-z0-9_]{1,64}")
_FIX_EVENTS: Final = 'Write purposes and patterns, such as marketing: [campaign.*]; in a variable {"marketing": [...]}.'
_FIX_WITHOUT: Final = (
    "Write purposes and send, pseudonymise or drop for each, or those by destination, such as analytics: {otlp: send}."
)


def _mapping(value: object, fix: str) -> Mapping[Any, object]:
    """A mapping, or the same as JSON."""
    wrong = describe(value)
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            wrong = "text that is no JSON"
    if isinstance(value, Mapping):
        return value
    # Raised outside the handler: the parser's own message holds the text.
    raise BadValueError(wrong, fix)


def _word(value: object, words: tuple[str, ...], what: str) -> Any:
    word = value.strip().lower() if isinstance(value, str) else ""
    if word in words:
        return word
    guess = nearest(word, words) if word else None
    hint = f" Did you mean {guess}?" if guess else ""
    raise BadValueError(f"{quote(value)} as {what}", f"Write one of {', '.join(words)}.{hint}")


def _read_purposes(value: object) -> tuple[Purpose, ...]:
    return tuple(dict.fromkeys(_word(each, PURPOSES, "a purpose") for each in read_list(value)))


def _read_events(value: object) -> tuple[tuple[Purpose, tuple[str, ...]], ...]:
    pairs = _pairs(value).items() if isinstance(value, tuple) else _mapping(value, _FIX_EVENTS).items()
    return tuple((_word(key, PURPOSES, "a purpose"), read_patterns(patterns)) for key, patterns in pairs)


def _read_without(value: object) -> tuple[tuple[Purpose, tuple[tuple[str, Without], ...]], ...]:
    found = []
    for key, said in (_pairs(value) if isinstance(value, tuple) else _mapping(value, _FIX_WITHOUT)).items():
        purpose = _word(key, PURPOSES, "a purpose")
        by_name = said if isinstance(said, Mapping) else _pairs(said) if isinstance(said, tuple) else {EVERYWHERE: said}
        for name in by_name:
            if not isinstance(name, str) or not (name == EVERYWHERE or _NAME.fullmatch(name)):
                raise BadValueError(f"{describe(name)} as a destination of {purpose}", _FIX_WITHOUT)
        what = f"what becomes of {purpose}"
        found.append((purpose, tuple((name, _word(action, ACTIONS, what)) for name, action in by_name.items())))
    return tuple(found)


def _pairs(value: Any) -> dict[Any, Any]:
    """What code hands on as it was read before."""
    try:
        return dict(value)
    except (TypeError, ValueError):
        raise BadValueError(describe(value), "Write a mapping.") from None


def _show_events(value: Iterable[tuple[str, tuple[str, ...]]]) -> str:
    return json.dumps({purpose: list(patterns) for purpose, patterns in value}, ensure_ascii=False)


def _show_without(value: Iterable[tuple[str, tuple[tuple[str, str], ...]]]) -> str:
    return json.dumps({purpose: dict(actions) for purpose, actions in value})


LIST_OF_PURPOSES: Final = Kind("purposes", _read_purposes, show_list)
EVENTS: Final = Kind("patterns by purpose", _read_events, _show_events)
WITHOUT: Final = Kind("actions by purpose", _read_without, _show_without)


def _setting(kind: Kind, default: Any, help_text: str) -> Any:
    """A field with the way it is read and its documentation."""
    return field(default=default, metadata={"kind": kind, "help": help_text})


@dataclass(frozen=True, slots=True, kw_only=True)
class PurposeSettings:
    """What events are for, and what that means where nobody agreed to it."""

    events: tuple[tuple[Purpose, tuple[str, ...]], ...] = _setting(
        EVENTS, (), "Patterns of the events of each purpose; the others are for analytics, and errors functional."
    )
    without: tuple[tuple[Purpose, tuple[tuple[str, Without], ...]], ...] = _setting(
        WITHOUT, (), "What becomes of events whose purpose is not agreed to, by destination if need be; default: drop."
    )
    cookie: str | None = _setting(COOKIE_NAME, None, "The cookie that says what a visitor agrees to; none is read.")
    dnt: tuple[Purpose, ...] = _setting(LIST_OF_PURPOSES, ("marketing",), "What a request with DNT: 1 refuses.")
    gpc: tuple[Purpose, ...] = _setting(LIST_OF_PURPOSES, ("marketing",), "What a request with Sec-GPC: 1 refuses.")
    campaigns: bool = _setting(BOOLEAN, False, "Whether click ids and UTM parameters need consent to marketing.")


@dataclass(frozen=True, slots=True)
class ConsentRules:
    """What one destination gets without consent.

    Attributes:
        without: What becomes of events whose purpose is not agreed to; one that is not named is dropped.
        campaigns: Whether click ids and UTM parameters need consent to marketing.
        policy: What a pseudonymised event is held to besides; the policy in force.
    """

    without: Mapping[Purpose, Without] = field(default_factory=dict)
    campaigns: bool = False
    policy: Policy = DEFAULT

    @property
    def passes(self) -> tuple[Purpose, ...]:
        """The purposes whose events it gets, in whatever form, though nobody agreed to them."""
        return tuple(sorted(purpose for purpose, action in self.without.items() if action != "drop"))


def rules_for(settings: PurposeSettings, destination: str, policy: Policy) -> ConsentRules:
    """What a destination gets without consent.

    Args:
        settings: What holds.
        destination: Its name.
        policy: The policy in force.
    """
    without = {purpose: action_for(settings, purpose, destination) for purpose in PURPOSES}
    return ConsentRules(without, settings.campaigns, policy)


def action_for(settings: PurposeSettings, purpose: Purpose, destination: str) -> Without:
    """What becomes, at a destination, of an event whose purpose is not agreed to."""
    for named, actions in settings.without:
        if named == purpose:
            said = dict(actions)
            return said.get(destination, said.get(EVERYWHERE, "drop"))
    return "drop"
