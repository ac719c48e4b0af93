"""Values that stand in a text under a key: parameters of addresses, ``key=value``, ``key: value``, JSON in pieces.

What a key says about its value is not decided here: ``judge`` gives what stands in the value's place, or ``None``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import quote, unquote

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


_PARAMETER: Final = re.compile(r"(^|[?&;#])([^=&;#\s?]{1,128})=([^&;#\s]+)")
_NESTED: Final = 3
"""How many addresses, each a parameter's value in the one before, are looked into."""


def parameters(text: str, judge: Judge, inside: Callable[[str], str], levels: int = _NESTED) -> str:
    """The parameters of addresses in a text, and of an address that is itself a parameter's value.

    Args:
        text: The text.
        judge: What becomes of a value under a key.
        inside: What becomes of any other value, decoded.
        levels: How many addresses inside each other.
    """

    def parameter(match: re.Match[str]) -> str:
        lead, name, value = match.groups()
        inner = unquote(value)
        instead = judge(unquote(name), inner, prose=False)
        if instead is not None:
            return match[0] if instead in (value, inner) else f"{lead}{name}={instead}"
        if levels and ("=" in inner or inner != value):
            clean = inside(parameters(inner, judge, inside, levels - 1) if "=" in inner else inner)
            if clean != inner:
                return f"{lead}{name}={clean if inner == value else quote(clean, safe='[]…')}"
        return match[0]

    return _PARAMETER.sub(parameter, text) if "=" in text else text


_BEGINS: Final = re.compile(
    r"""(?<![A-Za-z0-9_])([A-Za-z_][\w\-.]{1,63})(\\{0,3}["']?)([ \t]{0,3}(?:=>|[:=])[ \t]{0,3})(\\{0,3}["'])?"""
)
_BARE: Final = re.compile(r"""[^\s"'<>&;,)}\]\\]+""")
_REST: Final = re.compile(r"[^\r\n\"']*")
_SCHEME: Final = re.compile(r"(?:bearer|basic|digest|token|apikey|negotiate|aws4-hmac-sha256)[ \t]{1,3}", re.IGNORECASE)
_LINES: Final = ("authorization", "cookie")
_NOTHING: Final = {
    "",
    *"""
    null none nil true false undefined *** ... … required missing invalid expired changed reset wrong incorrect empty ok
    yes no set unset hidden revoked rotated rejected refused accepted denied mismatch failed
    """.split(),  # noqa: SIM905 - read as words
}
"""Values that give nothing away."""


def assignments(text: str, judge: Judge) -> str:
    """Values behind ``key=``, ``key:`` and ``"key":`` in a text."""
    if "=" not in text and ":" not in text:
        return text
    kept: list[str] = []
    end = 0
    for begin in _BEGINS.finditer(text):
        if begin.start() < end:
            continue
        start = begin.end()
        key, closing, sign, opening = begin.groups()
        stop = _stop(text, start, key.lower(), opening)
        value = text[start:stop]
        if value.strip(" .!?").lower() in _NOTHING or value.startswith("//"):
            continue
        prose = ":" in sign and sign != "=>" and not opening and not closing
        instead = judge(key, value, prose=prose and not _ends_line(text, stop))
        if instead is not None:
            if instead != value:
                kept += (text[end:start], instead)
                end = stop
            elif kept:
                kept.append(text[end:stop])
                end = stop
    return "".join((*kept, text[end:])) if kept else text


def _stop(text: str, start: int, key: str, opening: str | None) -> int:
    """Where a value ends."""
    if opening:
        stop = _closing(text, start, opening)
        if stop >= 0:
            return stop
    if text.startswith("[", start):  # what was cut before
        close = text.find("]", start, start + _LONGEST_TOKEN)
        if close >= 0:
            return close + 1
    if key.endswith(_LINES):
        found = _REST.match(text, start)
    else:
        scheme = _SCHEME.match(text, start)
        found = _BARE.match(text, scheme.end() if scheme else start)
    return found.end() if found else start


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
