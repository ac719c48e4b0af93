"""Who is to be forgotten, and whether an event is theirs: by whole values, never by a part of one.

Values are compared as they are or, where only their digests are known, by digest.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

from footspan import conventions as c
from footspan.otlp_json.parse import attributes_of, decode
from footspan.otlp_json.span_lines import SPAN_ROOT
from footspan.otlp_json.text import loads
from footspan.privacy.pseudonym import TOKEN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from footspan.otlp_json import LogLine

Said = tuple[str, str]
"""The last part of a key, and a text under it."""

SESSIONS: Final = frozenset({c.SESSION_ID, c.SESSION_PREVIOUS_ID, c.ENDUSER_PSEUDO_ID})
"""The attributes that name a session or a visitor."""

IDENTITY: Final = frozenset({c.USER_ID, c.USER_EMAIL, c.USER_FULL_NAME, *SESSIONS, "enduser.id", "user.name"})
"""The attributes that say who somebody is."""

LONGEST: Final = 65_536
"""Characters of the longest text that an event can hold whole."""

_PLAIN_IDENTITY: Final = frozenset(key.replace(".", "").replace("_", "") for key in IDENTITY) | {"visitorid"}
_USER: Final = "userid"

_NOBODY: Final = frozenset({c.CATEGORY, c.DESTINATION, c.LOG_RECORD_UID, c.CONSENT, c.PURPOSE, c.REDACTED})
"""Attributes of ours that say nothing of anybody."""

_TOKENS: Final = re.compile(rf"\b(?:{TOKEN}|h_[a-p]{{32}})\b")
_ID_KEY: Final = re.compile(r"(?:^|[._-])u?id$|[a-z]I[dD]$|^ID$|user|customer|visitor|account|chat", re.IGNORECASE)
_SEPARATORS: Final = re.compile(r"[\s._-]+")
_SPACE: Final = re.compile(r"\s")
_MOST_DEPTH: Final = 64
_MOST_PARTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Person:
    """One person, or several.

    Attributes:
        ids: Their ids and pseudonyms, wherever they stand as a whole value.
        named: Ids that count only in the attributes of :data:`IDENTITY`, however their keys are spelled.
        emails: Addresses, in lower case.
        linked: Their sessions and visitor ids: these count where no other user is named.
        digest: What values are compared by.
    """

    ids: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()
    emails: frozenset[str] = frozenset()
    linked: frozenset[str] = frozenset()
    digest: Callable[[str], str] = field(default=str, compare=False)

    def __repr__(self) -> str:
        return f"<Person with {len(self.ids) + len(self.named) + len(self.emails)} ids>"

    def __bool__(self) -> bool:
        return bool(self.ids or self.named or self.emails or self.linked)

    def owns(self, event: LogLine) -> bool:
        """Whether an event is theirs.

        Raises:
            ValueError: The event cannot be read.
        """
        return self.is_in(said_by(event))

    def is_in(self, values: Iterable[Said]) -> bool:
        """Whether some values name them."""
        sessions = others = False
        for key, text in values:
            if self.is_named(key, text):
                return True
            if _plain(key) == _USER:
                others = True
            elif self.linked and key in SESSIONS:
                sessions = sessions or self.digest(text) in self.linked
        return sessions and not others

    def is_named(self, key: str, text: str) -> bool:
        """Whether a text under a key is an id of theirs."""
        digest = self.digest(text)
        if digest in self.ids or (self.named and digest in self.named and _plain(key) in _PLAIN_IDENTITY):
            return True
        return bool(self.emails) and "@" in text and self.digest(text.lower()) in self.emails


@lru_cache(maxsize=4_096)
def _plain(key: str) -> str:
    """A key without case and separators: old SDKs' data say ``userId`` and ``user_id``."""
    return _SEPARATORS.sub("", key).lower()


def names_a_user(said: Iterable[Said]) -> bool:
    """Whether an event says whose it is."""
    return any(_plain(key) == _USER for key, _ in said)


def said_by(event: LogLine) -> Iterator[Said]:
    """Every text in an event under its key, inside lists, mappings, JSON, addresses and redacted text as well.

    Numbers count as text under a key that tells of an id. Keys and the event's name say nothing.

    Raises:
        ValueError: The event cannot be read.
    """
    for holder in _holders(event):
        for key, value in holder.items():
            if key not in _NOBODY:
                yield from _said(key, value, _MOST_DEPTH)


def _holders(event: LogLine) -> Iterator[Mapping[str, Any]]:
    if event.line.startswith(SPAN_ROOT):
        yield from _of_span(event.line)
        return
    for each in decode(event.line):
        yield each.event.attributes
        yield {"body": each.event.body}
        yield each.event.resource
        yield each.scope_attributes


def _of_span(line: bytes) -> Iterator[Mapping[str, Any]]:
    try:
        for group in loads(line)["resourceSpans"]:
            yield attributes_of(group.get("resource") or {})
            for scoped in group["scopeSpans"]:
                yield attributes_of(scoped.get("scope") or {})
                for span in scoped["spans"]:
                    for holder in (span, *span.get("events", ()), *span.get("links", ())):
                        yield attributes_of(holder)
                    yield {"message": (span.get("status") or {}).get("message")}
    except (KeyError, TypeError, AttributeError):
        raise ValueError("not a stored span") from None


def _said(key: str, value: Any, depth: int) -> Iterator[Said]:
    if depth <= 0 or value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        yield key, value
        yield from _inside(key, value, depth)
    elif isinstance(value, (int, float)):
        if _ID_KEY.search(key) and value == value // 1:
            yield key, str(int(value))
    elif isinstance(value, bytes):
        yield key, value.decode("utf-8", "replace")
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield from _said(str(name), each, depth - 1)
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from _said(key, each, depth - 1)


def _inside(key: str, text: str, depth: int) -> Iterator[Said]:
    """What a text holds: tokens, JSON, the parts of an address. A part of a session is none."""
    if key in SESSIONS:
        return
    if "_" in text:
        yield from ((key, token) for token in _TOKENS.findall(text))
    head = text[:1]
    if head in {"{", "["}:
        try:
            found = loads(text.encode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return
        yield from _said(key, found, depth - 1)
    elif ("/" in text or "=" in text) and not _SPACE.search(text):
        yield from ((key, part) for part in _parts(text, whole_query=key.lower().endswith("query")))


def _parts(text: str, *, whole_query: bool) -> Iterator[str]:
    """The values of an address's parameters and, unless they are numbers, the parts of its path.

    Args:
        text: The address.
        whole_query: Whether it is nothing but parameters.
    """
    try:
        split = urlsplit(text)
        query = text if whole_query else split.query
        pairs = parse_qsl(query, max_num_fields=_MOST_PARTS) if "=" in query else []
        path = split.path
    except ValueError:
        return
    yield from (value for _, value in pairs)
    if "/" in path and len(path) <= LONGEST:
        yield from (part for part in map(unquote, path.split("/", _MOST_PARTS)) if part and not part.isdigit())
