"""Values that stand in a text under a key: parameters of addresses, ``key=value``, ``key: value``, JSON in pieces.

What a key says about its value is not decided here: ``judge`` gives what stands in the value's place, or ``None``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import quote, unquote

from footspan.privacy.actions import CONSTANTS

if TYPE_CHECKING:
    from collections.abc import Callable


class Judge(Protocol):
    """What becomes of a value under a key."""

    def __call__(self, key: str, value: str, *, prose: bool) -> str | None:
        """What stands in its place; ``None``: the key says nothing.

        Args:
            key: The key.
            value: The value.
            prose: Whether the two may be two words of a sentence, with a colon between them.
        """


# A value, or what stands for one: that may have a space in it.
_PARAMETER: Final = re.compile(r"(^|[?&;#])([^=&;#\s?]{1,128})=(\[[a-z_]{1,16} [^\[\]\s]{1,64}\][^&;#\s]*|[^&;#\s]+)")
NESTED: Final = 3
"""How many addresses, each a parameter's value in the one before, are looked into."""


def parameters(
    text: str, known: Callable[[str], bool], judge: Judge, inside: Callable[[str, int], str], levels: int = NESTED
) -> str:
    """The parameters of addresses in a text, and of an address that is itself a parameter's value.

    Args:
        text: The text.
        known: Whether a key says anything.
        judge: What becomes of a value under a key.
        inside: What becomes of a value that is an address itself, or was encoded; with the levels that are left.
        levels: How many addresses inside each other.
    """
    if "=" not in text:
        return text
    prose = " " in text or "\n" in text or "\t" in text

    def parameter(match: re.Match[str]) -> str:
        lead, name, value = match.groups()
        if prose and not lead:
            return match[0]  # no address begins here: what follows may have more than one word
        inner = unquote(value) if "%" in value else value
        if says_nothing(inner):
            return match[0]
        key = unquote(name) if "%" in name else name
        instead = judge(key, inner, prose=False) if known(key) else None
        if instead is not None:
            return match[0] if instead in (value, inner) else f"{lead}{name}={instead}"
        if levels and ("=" in inner or inner != value):
            clean = inside(inner, levels - 1)
            if clean != inner:
                return f"{lead}{name}={clean if inner == value else quote(clean, safe='[]…')}"
        return match[0]

    return _PARAMETER.sub(parameter, text)


_PIECE: Final = re.compile(r"[^\s?&#;=]+")
_AS_IT_IS: Final = "/:@,+[]…\"'<>{}()!*$~|^`\\"
"""What needs no encoding to stay what it is, be it allowed in an address or not: a piece may be encoded in parts."""


def encoded(text: str, inside: Callable[[str, int], str], levels: int) -> str:
    """What is percent-encoded in a text, such as a piece of an address's path.

    Args:
        text: The text.
        inside: What becomes of a piece once it is decoded; with the levels that are left.
        levels: How often something may have been encoded.
    """

    def piece(match: re.Match[str]) -> str:
        given = match[0]
        inner = unquote(given) if "%" in given else given
        if inner == given:
            return given
        clean = inside(inner, levels - 1)
        return given if clean == inner else quote(clean, safe=_AS_IT_IS)

    return _PIECE.sub(piece, text) if levels and "%" in text else text


_SIGN: Final = re.compile("[=:\uff1a\uff1d]")
# Read backwards from the sign: a gap, a quote, the key.
_KEY: Final = re.compile(r"""[ \t]{0,3}(\]?["']?\\{0,3})([\w\-.]{2,64})(?![\w\-.])""")
# The rest of the sign (`=>`, `:=`, `==`), what wraps a quoted value (`Secret("x")`, `b"x"`), its quote.
_GAP: Final = re.compile(
    r"""[>=]?[ \t]{0,3}(?:(?:[A-Za-z_][\w.]{0,40}\(|[bBrRuUfF@$]{1,2})(?=\\{0,3}["']))?(\\{0,3}["'])?"""
)
_KEY_ROOM: Final = 72
_BARE: Final = re.compile(r"""[^\s"'<>&;,)}\]\\]+""")
_SCHEME: Final = re.compile(r"(?:bearer|basic|digest|token|apikey|negotiate|aws4-hmac-sha256)[ \t]{1,3}", re.IGNORECASE)
_LINES: Final = ("authorization", "cookie")
NOTHING: Final = {
    "",
    *"""
    null none nil true false undefined *** ... … required missing invalid expired changed reset wrong incorrect empty ok
    yes no set unset hidden revoked rotated rejected refused accepted denied mismatch failed
    """.split(),  # noqa: SIM905 - read as words
}
"""Values that give nothing away."""


def says_nothing(value: str) -> bool:
    """Whether a value gives nothing away, whatever it stands under: ``none``, ``required``, a sign."""
    return value.strip(" .!?").lower() in NOTHING or (len(value) <= _SIGNS and not any(map(str.isalnum, value)))


_SIGNS: Final = 3


def assignments(text: str, known: Callable[[str], bool], judge: Judge) -> str:
    """Values behind ``key=``, ``key:`` and ``"key":`` in a text.

    Args:
        text: The text.
        known: Whether a key says anything.
        judge: What becomes of a value under a key.
    """
    kept: list[str] = []
    end = 0
    for sign in _SIGN.finditer(text):
        at = sign.start()
        if at < end or text.startswith("//", at + 1):
            continue
        named = _KEY.match(text[max(end, at - _KEY_ROOM) : at][::-1])
        if named is None:
            continue
        key, closing = named[2][::-1].strip("-."), named[1]
        if not known(key) or (closing == "]" and f"[{key}]" in CONSTANTS):
            continue  # says nothing, or stands for something itself
        gap = _GAP.match(text, at + 1)
        start = gap.end() if gap else at + 1
        opening = gap[1] if gap else None
        prose = text[at] in ":\uff1a" and not opening and not closing
        before = at - named.end() - 1
        outer = text[before] if before >= 0 and text[before] in "\"'" else ""
        stop = _stop(text, start, key.lower(), opening, outer)
        value = text[start:stop]
        if says_nothing(value):
            continue
        instead = judge(key, value, prose=prose and not (_ends_line(text, stop) and key.lower().endswith(_STRONG)))
        if instead is not None:
            kept += (text[end:start], instead)
            end = stop
    return "".join((*kept, text[end:])) if kept else text


_STRONG: Final = (
    "password",
    "passwd",
    "passphrase",
    "passwort",
    "kennwort",
    "pwd",
    "userpass",
    "dbpass",
    "_pass",
    "secret",
)
"""After these a value is believed to be one even if it is a plain word, at the end of a line."""


def _stop(text: str, start: int, key: str, opening: str | None, outer: str) -> int:
    """Where a value ends."""
    if opening:
        stop = _closing(text, start, opening)
        if stop >= 0:
            return stop
    if key.endswith(_LINES) and _CUT_PARAMETER.match(text, start) is None:
        found = _LINE_IN[outer].match(text, start)
        return found.end() if found else start
    if text.startswith("[", start):  # what was cut before
        close = text.find("]", start, start + _LONGEST_TOKEN)
        if close >= 0:
            rest = _BARE.match(text, close + 1)
            return rest.end() if rest else close + 1
    scheme = _SCHEME.match(text, start)
    found = _BARE.match(text, scheme.end() if scheme else start)
    return found.end() if found else start


_CUT_PARAMETER: Final = re.compile(r"\[[^\[\]]{1,120}\]&")
_LINE_IN: Final = {outer: re.compile(rf"[^\r\n{outer}]*") for outer in ("", '"', "'")}
_LONGEST_TOKEN: Final = 128


def _closing(text: str, start: int, opening: str) -> int:
    """Where a quoted value ends, or -1. One that a backslash stands before, more than before the first, is inside."""
    mark = opening[-1]
    depth = len(opening) - 1
    at = start
    while (at := text.find(mark, at)) >= 0:
        before = at
        while before > start and text[before - 1] == "\\":
            before -= 1
        if at - before <= depth or (depth == 0 and (at - before) % 2 == 0):
            return at - min(depth, at - before)
        at += 1
    return -1


def _ends_line(text: str, stop: int) -> bool:
    """Whether a value is the last on its line, as in a header, in YAML or at the end of a sentence."""
    return stop >= len(text) or text[stop] in "\r\n"
