"""National identifiers inside text. Each is off until a policy switches it on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    Put = Callable[[str], str]

_SSN: Final = re.compile(r"(?<![\w\-])(?!000|666|9)[0-9]{3}([ \-])(?!00)[0-9]{2}\1(?!0000)[0-9]{4}(?![\w\-])")
_TAX_ID: Final = re.compile(r"(?<![\w\-])[1-9][0-9](?: ?[0-9]{3}){3}(?![\w\-])")
_NINO: Final = re.compile(
    r"(?<!\w)(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D](?!\w)",
    re.IGNORECASE,
)
_DNI: Final = re.compile(r"(?<!\w)([XYZ]-?[0-9]{7}|[0-9]{8})-?([A-HJ-NP-TV-Z])(?!\w)", re.IGNORECASE)
_NIR: Final = re.compile(r"(?<!\w)([12] ?[0-9]{2} ?[0-9]{2} ?(?:[0-9]{2}|2[AB]) ?[0-9]{3} ?[0-9]{3}) ?([0-9]{2})(?!\w)")


def us_ssn(text: str, put: Put) -> str:
    """US social security numbers in their written form; unallocated ones are none."""
    return _SSN.sub(lambda match: put(match[0]), text)


def de_tax_id(text: str, put: Put) -> str:
    """German tax identification numbers: eleven digits, the last one a check digit (ISO 7064, MOD 11,10)."""

    def checked(match: re.Match[str]) -> str:
        digits = [int(each) for each in match[0] if each != " "]
        product = 10
        for digit in digits[:-1]:
            product = ((digit + product) % 10 or 10) * 2 % 11
        often = max(digits[:-1].count(each) for each in digits[:-1])
        return put(match[0]) if (11 - product) % 10 == digits[-1] and often in {2, 3} else match[0]

    return _TAX_ID.sub(checked, text)


def uk_nino(text: str, put: Put) -> str:
    """UK national insurance numbers, by the prefixes that are given out."""
    return _NINO.sub(lambda match: put(match[0]), text)


def es_dni(text: str, put: Put) -> str:
    """Spanish DNI and NIE, by their check letter."""

    def checked(match: re.Match[str]) -> str:
        digits = match[1].upper().replace("-", "")
        number = int(digits.translate({88: "0", 89: "1", 90: "2"}))
        return put(match[0]) if "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == match[2].upper() else match[0]

    return _DNI.sub(checked, text)


def fr_nir(text: str, put: Put) -> str:
    """French social security numbers, by their key."""

    def checked(match: re.Match[str]) -> str:
        digits = match[1].replace(" ", "").replace("2A", "19").replace("2B", "18")
        return put(match[0]) if 97 - int(digits) % 97 == int(match[2]) else match[0]

    return _NIR.sub(checked, text)
