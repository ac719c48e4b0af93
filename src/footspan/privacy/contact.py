"""E-mail addresses and telephone numbers inside text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from footspan.privacy.characters import BETWEEN, DIGIT
from footspan.privacy.phones import can_be_dialled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Put = Callable[[str], str]

# An address is looked for from its @ outwards, so that text without one costs nothing and no text costs more than its
# length: the part behind is bounded (RFC 1035: 63 in a label, which cannot hold the dot that ends it), the part before
# is read backwards from there (RFC 5321: 64 characters).
_AT_DOMAIN: Final = re.compile(
    r"(?:[@\uff20]|%(?:25)*40)(?:[^\W_](?:[\w-]{0,62}\.){1,8}(?:[^\W\d_]{2,24}|xn--[\w-]{2,59})"
    r"|\[(?:IPv6:)?[0-9A-Fa-f:.]{3,45}\])"
)
_LOCAL_LENGTH: Final = 64


def emails(text: str, put: Put) -> str:
    """E-mail addresses, percent-encoded ones too."""
    if "@" not in text and "%" not in text and "\uff20" not in text:
        return text
    kept: list[str] = []
    end = 0
    for domain in _AT_DOMAIN.finditer(text):
        before = text[max(end, domain.start() - _LOCAL_LENGTH) : domain.start()]
        local = _local(before)
        if local:
            start = domain.start() - len(local)
            kept += (text[end:start], put(text[start : domain.end()]))
            end = domain.end()
    return "".join((*kept, text[end:])) if kept else text


# A quote or a sign belongs to the name only between its letters: it may as well end what stands before.
_PLAIN_BACKWARDS: Final = re.compile(r"[\w.+%-]+(?:['\u2019!#$*^~][\w.+%-]+)*")
_QUOTED_BACKWARDS: Final = re.compile(r'"[^"\r\n]{1,62}"')


def _local(before: str) -> str:
    """The part before the @ that ends a text; empty where there is none."""
    backwards = before[::-1]
    found = _QUOTED_BACKWARDS.match(backwards) or _PLAIN_BACKWARDS.match(backwards)
    return found[0][::-1] if found else ""


# -- telephone numbers -------------------------------------------------------------------------------------------------

_GAP: Final = rf"[_().{BETWEEN}]"
MANY_DIGITS: Final = re.compile(rf"[{DIGIT}](?:(?:{_GAP}{{0,3}}|/)[{DIGIT}]){{6}}")
"""What every number of a telephone, a card or an account has: seven digits close together."""

_CANDIDATE: Final = re.compile(rf"[{DIGIT}](?:(?:{_GAP}{{0,3}}|/)[{DIGIT}]){{6,17}}(?![{DIGIT}])")
_RUN: Final = re.compile(rf"[{DIGIT}](?:(?:{_GAP}{{0,3}}|/)[{DIGIT}])*")
_LEAD: Final = re.compile(r"[ ]?[+\uff0b]\(?|\(")  # read backwards: `+`, `(+`, `(`
_NOT_BEFORE: Final = frozenset("#$€£¥%@_")
_ONLY_AFTER_LETTERS: Final = frozenset(".-/:")
_EXTENSION: Final = re.compile(r"\s{0,2}(?:ext\.?|x|Durchwahl|#)\s{0,2}[0-9]{1,6}\b", re.IGNORECASE)
_AROUND: Final = 24


def phones(text: str, put: Put, regions: Iterable[str]) -> str:
    """Telephone numbers that can be dialled, in international form or in that of one of the regions."""
    if MANY_DIGITS.search(text) is None:
        return text
    kept: list[str] = []
    end = at = 0
    while (found := _CANDIDATE.search(text, at)) is not None:
        start, stop = _with_lead(text, found.start(), end), found.end()
        if text[start] == "(" and ")" not in found[0]:
            start += 1  # it opens more than the number
        # What stands before as a second look would see it.
        before = ("".join(kept[-2:]) + text[max(end, start - _AROUND) : start])[-_AROUND:]
        if _may_begin(before, text[start]) and can_be_dialled(text[start:stop], before, text[stop : stop + 4], regions):
            extension = _EXTENSION.match(text, stop)
            stop = extension.end() if extension else stop
            kept += (text[end:start], put(text[start:stop]))
            end = at = stop
        else:  # no piece of a run is looked at alone: what is a number in it cannot be told
            run = _RUN.match(text, found.start())
            at = run.end() if run else stop
    return "".join((*kept, text[end:])) if kept else text


def _with_lead(text: str, start: int, end: int) -> int:
    """Where a number begins whose digits begin at ``start``: at its ``+`` or its parenthesis."""
    lead = _LEAD.match(text[max(end, start - _LONGEST_LEAD) : start][::-1])
    return start - lead.end() if lead else start


_LONGEST_LEAD: Final = 4


_WITHOUT_SPACES: Final = "\u2e80"
"""From here on are the scripts of East Asia, where a word ends without one."""


def _may_begin(before: str, first: str) -> bool:
    """Whether a number may begin behind a text."""
    last = before[-1:]
    if last >= _WITHOUT_SPACES or (first in "+\uff0b" and last.isalpha() and not last.isascii()):
        return True
    if last in _ONLY_AFTER_LETTERS:
        return before[-2:-1].isalpha()
    return not last.isalnum() and last not in _NOT_BEFORE
