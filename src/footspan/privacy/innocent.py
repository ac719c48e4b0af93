"""The cheap tests that spare an innocent text the look: a few that cost next to nothing and miss nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from footspan.privacy import contact, payment
from footspan.privacy.characters import DIGIT
from footspan.privacy.written import may_be_spoken

if TYPE_CHECKING:
    from collections.abc import Callable


def harmless(text: str) -> bool:
    """Whether a text holds nothing that any rule of the default policy may look at."""
    return _has_no_mark(text) and (len(text) < _SHORTEST_RUN or _has_no_run(text))


def harmless_all(values: list[str], text: str) -> bool:
    """The same for several texts at once.

    Args:
        values: The texts.
        text: The same, with ``", "`` between them: neither a number nor a word goes on across that.
    """
    return _has_no_mark(text) and (max(map(len, values), default=0) < _SHORTEST_RUN or _has_no_run(text))


def _has_no_mark(text: str) -> bool:
    return "=" not in text and ":" not in text and _has_none_but_signs(text)


def _has_none_but_signs(text: str) -> bool:
    """The same where the signs between keys and values have been seen to."""
    return not (
        "@" in text
        or "%" in text
        or "\\" in text
        or "earer" in text
        or "asic" in text
        or "EARER" in text
        or "ASIC" in text
        or "PRIVATE" in text
        or may_be_spoken(text)
        or (not text.isascii() and _WIDE(text))
        or (_MAYBE(text) and _BOTH(text))
    )


def _has_no_run(text: str) -> bool:
    return not (has_run(text) or payment.MAYBE_IBAN(text))


_WIDE: Final = re.compile("[…\uff1a\uff1d\uff20\uff05]").search
_SHORTEST_RUN: Final = 16
"""Characters of the shortest token; an account number in groups has more, one of digits alone has many digits."""
_BOTH: Final = contact.MANY_DIGITS.search
_MAYBE: Final = re.compile(rf"[{DIGIT}][^a-zA-Z,;]{{6}}").search


def has_run(text: str) -> bool:
    """Whether a text has a word long enough to be a token."""
    return max(map(len, text.split(" "))) >= _SHORTEST_RUN


def many_digits(text: str) -> Any:
    """Whether a text has so many digits together that they may be a number of somebody's."""
    return _MAYBE(text) and _BOTH(text)


# -- longer texts of known shapes --------------------------------------------------------------------------------------

_UUID: Final = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_TIME: Final = (
    r"(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9][T ][0-2][0-9]:[0-5][0-9](?::[0-6][0-9](?:[.,][0-9]{1,9})?)?"
    r"(?:Z|[+-][01][0-9]:?[0-5][0-9])?"
)
_SHAPES: Final = re.compile(rf"(?<![\w.+\-/]){_TIME}(?![\w.+\-/:])|(?<![\w.+\-]){_UUID}(?![\w.+\-])")
_ADDRESS: Final = re.compile(r"https?://[A-Za-z0-9.\-]{1,253}(?::[0-9]{2,5})?(?=[/?#]|$)|/")
_PIECES: Final = re.compile(r"[/?&=#.,]")
_PARAMETERS: Final = re.compile(r"[^\w.\-=]+")


def harmless_inside(text: str, known: Callable[[str], bool]) -> bool:
    """Whether a text is harmless but for its UUIDs and times, or for being an address whose pieces are.

    Args:
        text: The text.
        known: Whether a key of a parameter says anything.
    """
    if "-" in text:
        text = _SHAPES.sub("x", text)  # a letter, across which no number goes on
    address = _ADDRESS.match(text)
    if address is None:
        return harmless(text)
    rest = text[address.end() :]
    if " " in rest or ":" in rest or not _has_none_but_signs(rest):
        return False
    if max(map(len, _PIECES.split(text))) >= _SHORTEST_RUN or payment.MAYBE_IBAN(rest):
        return False
    return "=" not in rest or all(_says_nothing(each, known) for each in _PARAMETERS.split(rest) if "=" in each)


def _says_nothing(parameter: str, known: Callable[[str], bool]) -> bool:
    key, _, value = parameter.partition("=")
    return key != "" and "=" not in value and not known(key)


def test_for(rules: set[str], *, own: bool) -> Callable[[str], bool]:
    """The cheap test for some rules: :func:`harmless`, with more where there are rules that it does not know.

    Args:
        rules: The names of those that look at values.
        own: Whether there are some with patterns of their own.
    """
    if own or "uk_nino" in rules:
        return _never
    if "ip_address" in rules:
        return _harmless_without_dots
    return harmless


def _harmless_without_dots(text: str) -> bool:
    return "." not in text and harmless(text)


def _never(_: str) -> bool:
    return False
