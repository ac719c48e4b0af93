"""Which digits are a telephone number: its written form says so, and the numbering plan agrees.

With the package ``phonenumbers`` (extra ``privacy``) the plan of the country decides. Without it only lengths and
country codes are known, so that only international numbers, North American ones in their usual form and numbers behind
a word such as "phone" are found.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from footspan import _platform
from footspan.privacy.characters import DIGIT, ascii_digits

if TYPE_CHECKING:
    from collections.abc import Iterable

_DIGITS: Final = re.compile(rf"[{DIGIT}]+")
_SAYS_SO: Final = re.compile(
    r"(?<!\w)(?:phone|tel|mobile|mobil|cell|fax|call|calls|called|calling|dial|ring|sms|text|whatsapp|reach|handy"
    r"|telefon|festnetz|ruf|rufnummer|anrufen|teléfono|telefono|móvil|movil|llamar|llame|llámame|téléphone|portable"
    r"|appelez|appeler|joindre|bel|bellen|telefoon|cellulare|chiamare|chiama|telefone|celular|ligue|ligar|telefono|fono"
    r"|ph|tél|fon|тел|телефон|звоните|電話|电话|手机|전화)(?:s|nr|no|nummer|number|番号|号码)?"
    r"(?!\w)[^\w+]{0,3}(?:\w{1,6}[^\w+]{1,3}){0,2}$",
    re.IGNORECASE,
)
_SAYS_NOT: Final = re.compile(
    r"(?<!\w)(?:order|invoice|ticket|case|ref|reference|tracking|parcel|shipment|version|build|release|serial|id|sku|isbn|ean"
    r"|article|item|model|part|account|customer|bestellung|bestellnummer|rechnung|rechnungsnummer|auftrag|sendung"
    r"|kundennummer|artikel|pedido|factura|commande|facture|ordine|fattura|port|rfc|commit|epoch|timestamp|lat|lon|lng"
    r"|at|between|from|coordinates|position|amount|total|price|paid|balance|batch|lot|row|rows|line|lines|pid|code|iban"
    r"|konto|vat|size|bytes|offset)"
    r"(?:[^\w+]{0,3}(?:no|nr|number|num|id|of|code|is|nº|n°))?[^\w+]{0,4}$",
    re.IGNORECASE,
)
_DATE: Final = re.compile(
    r"\(?(?:(?:19|20)[0-9]{2}[-./ ](?:0?[1-9]|1[0-2])[-./ ][0-3]?[0-9]"
    r"|[0-3]?[0-9][-./][0-3]?[0-9][-./](?:19|20)?[0-9]{2}"
    r"|(?:0[1-9]|1[0-2])/[0-9]{2}(?= ))(?![0-9])"  # a month and a year, as on a card
)
_NORTH_AMERICAN: Final = re.compile(
    r"(?:1[ .\-])?(?:\([2-9][0-9]{2}\)[ ]?|[2-9][0-9]{2}[ .\-])[2-9][0-9]{2}[ .\-][0-9]{4}"
)
_SPACES_ALONE: Final = re.compile(r"[0-9 ]*")
_SHORTEST: Final = 7
_LONGEST: Final = 15
_SHORTEST_ABROAD: Final = 8


def can_be_dialled(text: str, before: str, after: str, regions: Iterable[str]) -> bool:
    """Whether digits in the form of a telephone number are one.

    Args:
        text: The digits with what stands between them.
        before: What stands before them.
        after: What follows.
        regions: Countries whose national form counts.
    """
    text = _plain(text)
    groups = _DIGITS.findall(text)
    digits = "".join(groups)
    abroad = text.startswith(("+", "(+")) or (digits.startswith("00") and len(digits) > _SHORTEST_ABROAD)
    if not _SHORTEST <= len(digits.removeprefix("00")) <= _LONGEST or text.count("(") != text.count(")"):
        return False
    if re.match(r"[A-Za-z_]|[.,:][0-9\[]|%|\s?[€$£]", after) and not re.match(r"x[0-9]", after):
        return False
    if abroad:
        return _is_valid(text, "ZZ") if text.startswith(("+", "(+")) else _is_valid("+" + digits[2:], "ZZ")
    if _DATE.match(text):
        return False
    said = _SAYS_SO.search(before) is not None
    if not said and (_SAYS_NOT.search(before) or not _speaks_for_itself(text, groups, before)):
        return False
    return any(_is_valid(text, region) for region in regions)


def _speaks_for_itself(text: str, groups: list[str], before: str) -> bool:
    """Whether the written form is enough where no word says what the digits are."""
    if len(groups) == 1:
        return False
    if groups[0][0] != "0" and _SPACES_ALONE.fullmatch(text) and before.strip():
        return False  # without a trunk prefix, and nothing but spaces: any three numbers look so
    return _looks_national(text, groups)


_WRITTEN: Final = re.compile(r"[^0-9+()./\- ]")


def _plain(text: str) -> str:
    """A number in the characters that numbering plans know."""
    if text.isascii():
        return text.replace("_", " ")
    made = text if text.isascii() else "".join(ascii_digits(each) or each for each in text).replace("\uff0b", "+")
    return _WRITTEN.sub(lambda match: "-" if match[0].isprintable() else " ", made)


def _looks_national(text: str, groups: list[str]) -> bool:
    """Whether the written form alone speaks for a telephone number: groups of usual lengths behind a trunk prefix."""
    if _NORTH_AMERICAN.fullmatch(text):
        return True
    if not groups[0].startswith("0") or (len(groups) < 4 and re.search(r"[0-9]\.[0-9]", text)):  # noqa: PLR2004
        return False
    return len(groups[0]) >= 2 and all(len(group) >= 2 for group in groups[1:])  # noqa: PLR2004 - no date, no version


@lru_cache(maxsize=1)
def library() -> Any:
    """``phonenumbers``, or ``None`` where it is not installed."""
    try:
        with _platform.importing():
            import phonenumbers  # noqa: PLC0415 - loaded with the first digits that look like a number
    except ImportError:
        return None
    return phonenumbers


def _is_valid(text: str, region: str) -> bool:
    """Whether a number exists in the plan of its country; with the library missing, whether it could."""
    numbers = library()
    if numbers is None:
        digits = "".join(_DIGITS.findall(text))
        if region == "ZZ":
            return _SHORTEST_ABROAD <= len(digits) <= _LONGEST and digits[0] != "0"
        return region == "US" and _NORTH_AMERICAN.fullmatch(text) is not None
    try:
        return bool(numbers.is_valid_number(numbers.parse(text, region)))
    except numbers.NumberParseException:
        return False
