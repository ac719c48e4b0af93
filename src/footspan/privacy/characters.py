"""What digits look like in the world's texts, and what stands between those of one number."""

from __future__ import annotations

from typing import Final

DIGIT: Final = r"0-9\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\uff10-\uff19"
"""Inside a character class: digits of Latin, Arabic, Persian and Devanagari texts, and wide ones."""

UNSEEN: Final = r"\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
"""Inside a character class: what takes no room on the screen, such as marks of the writing direction."""

SPACES: Final = r"\u00a0\u2000-\u200a\u202f\u205f\u3000"
"""Inside a character class: spaces other than the usual one."""

DASHES: Final = r"\-\u2010-\u2015\u2212\uff0d"
"""Inside a character class: hyphens, dashes and minus signs."""

BETWEEN: Final = rf" {DASHES}{SPACES}{UNSEEN}"
"""Inside a character class: what stands between the groups of one number."""


def ascii_digits(text: str) -> str:
    """The digits of a text and nothing else, each as the one from 0 to 9 that it is."""
    if text.isascii():
        return text if text.isdecimal() else "".join(filter(str.isdecimal, text))
    return "".join(each if each.isascii() else str(int(each)) for each in text if each.isdecimal())
