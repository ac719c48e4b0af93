"""Consent: what a person has agreed to, as somebody says it, and as a request says it.

Everything here is total, and doubt is a no: what cannot be read agrees to nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from footspan.config.consent import DEFAULT_EVENTS, PURPOSES
from footspan.patterns import matcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from footspan.config.consent import Purpose, PurposeSettings

State = dict["Purpose", bool]
"""What was said of each purpose; of one that is not named, nothing was said."""

SYNONYMS: Final[Mapping[str, Purpose]] = {
    "analytics": "analytics",
    "statistics": "analytics",
    "measurement": "analytics",
    "marketing": "marketing",
    "advertising": "marketing",
    "ads": "marketing",
    "targeting": "marketing",
    "functional": "functional",
    "necessary": "functional",
    "essential": "functional",
}
"""The words for purposes that consent tools write, and the purpose that each stands for."""

SIGNALS: Final = ("dnt", "sec-gpc")
"""Request headers by which a browser refuses."""

_NOTHING: Final[State] = dict.fromkeys(PURPOSES, False)
_ALL: Final[State] = dict.fromkeys(PURPOSES, True)
_YES: Final = frozenset({"1", "true", "yes", "on", "granted", "allow"})
_LARGEST_COOKIE: Final = 4_096
_MOST_ENTRIES: Final = 64


def state_of(said: Any) -> State:
    """What somebody says a person agreed to.

    Args:
        said: A mapping of purposes to yes or no, whose other purposes stay open; the purposes agreed to, in a list or
            in a text with commas, the others being refused; ``True`` or ``False`` for all. Anything else is a no.
    """
    try:
        return _state_of(said)
    except Exception:  # noqa: BLE001 - whatever the host's objects raise
        return dict(_NOTHING)


def _state_of(said: Any) -> State:
    if said is True:
        return dict(_ALL)
    if isinstance(said, str):
        return _listed(said.split(",", _MOST_ENTRIES))
    if isinstance(said, Mapping):
        found: State = {}
        for key, value in list(said.items())[:_MOST_ENTRIES]:
            purpose = _purpose(key)
            if purpose is not None:
                # Two words for one purpose: a no wins.
                found[purpose] = found.get(purpose, True) and _is_yes(value)
        return found
    if isinstance(said, (list, tuple, set, frozenset)):
        return _listed(list(said)[:_MOST_ENTRIES])
    return dict(_NOTHING)


def _listed(words: Iterable[Any]) -> State:
    found = {_purpose(word) for word in words}
    return {purpose: purpose in found for purpose in PURPOSES}


def _purpose(word: Any) -> Purpose | None:
    return SYNONYMS.get(word.strip().lower()) if isinstance(word, str) else None


def _is_yes(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in _YES
    return value is True or (type(value) is int and value == 1)


def cookie_state(value: str) -> State:
    """What a cookie says: purposes with commas between them, or JSON: a list of them, or purposes with yes or no.

    Percent-encoding is undone. A cookie that is empty, too long or otherwise unreadable agrees to nothing.
    """
    if len(value) > _LARGEST_COOKIE:
        return dict(_NOTHING)
    text = unquote(value.strip().strip('"')).strip()
    if not text.startswith(("{", "[")):
        return state_of(text)
    try:
        return state_of(json.loads(text))
    except (ValueError, RecursionError):
        return dict(_NOTHING)


def cookie_in(header: str, name: str) -> str | None:
    """A cookie's value in a ``Cookie`` header, the first of several; ``None`` without one."""
    for pair in header.split(";"):
        key, mark, value = pair.strip().partition("=")
        if mark and key.strip() == name:
            return value.strip()
    return None


def request_state(settings: PurposeSettings, header: Callable[[str], str]) -> State | None:
    """What a request says of its visitor's consent; ``None`` if nothing.

    Args:
        settings: Which cookie is read, and what a browser's signals refuse. They win over the cookie.
        header: Gives a header's value by its name in lower case; empty without one.
    """
    state: State = {}
    if settings.cookie is not None:
        cookie = cookie_in(header("cookie"), settings.cookie)
        if cookie is not None:
            state = cookie_state(cookie)
    for signal, refused in zip(SIGNALS, (settings.dnt, settings.gpc), strict=True):
        if refused and "1" in map(str.strip, header(signal).split(",")):  # a proxy may have said it again
            state.update(dict.fromkeys(refused, False))
    return state or None


def is_said(settings: PurposeSettings) -> bool:
    """Whether a request can say anything at all."""
    return bool(settings.cookie or settings.dnt or settings.gpc)


def granted(state: Mapping[Purpose, bool], *, otherwise: bool) -> list[Purpose]:
    """The purposes agreed to.

    Args:
        state: What was said.
        otherwise: Whether a purpose of which nothing was said counts as agreed to.
    """
    return [purpose for purpose in PURPOSES if state.get(purpose, otherwise)]


class Purposes:
    """What events are for.

    Args:
        settings: Patterns by purpose. Those that fit first decide; what no pattern fits is for analytics.
    """

    def __init__(self, settings: PurposeSettings) -> None:
        given = dict(settings.events)
        patterns = {**given, **{each: known for each, known in DEFAULT_EVENTS.items() if each not in given}}
        self._rules = [(purpose, matcher(tuple(each))) for purpose, each in patterns.items() if each]

    def of(self, name: str, category: str) -> Purpose:
        """What an event is for."""
        for purpose, fits in self._rules:
            if fits(name, category):
                return purpose
        return PURPOSES[0]
