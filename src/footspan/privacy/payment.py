"""Numbers of payment cards and accounts inside text, by their check digits."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from footspan.privacy.characters import BETWEEN, DIGIT, UNSEEN, ascii_digits

if TYPE_CHECKING:
    from collections.abc import Callable

    Put = Callable[[str], str]

_GAP: Final = rf"[._{BETWEEN}]"
_DIGITS: Final = re.compile(rf"[{DIGIT}](?:{_GAP}{{0,3}}[{DIGIT}]){{11,}}")
_GROUP: Final = re.compile(rf"[{DIGIT}]+(?:[{UNSEEN}]{{1,3}}[{DIGIT}]+)*")
_SHORTEST: Final = 12
_LONGEST: Final = 19
_OLD: Final = 13
"""Digits that cards had until the nineties."""
_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)

# Issuers' ranges and the lengths of their numbers (ISO/IEC 7812; the networks' published tables), longest prefix first.
_MAESTRO: Final = (12, 13, 14, 15, 16, 17, 18, 19)
_RANGES: Final[tuple[tuple[int, int, tuple[int, ...]], ...]] = (
    (506099, 506198, (16, 18, 19)),
    (507865, 507964, (16, 18, 19)),
    (650002, 650027, (16, 18, 19)),
    (5018, 5018, _MAESTRO),
    (5020, 5020, _MAESTRO),
    (5038, 5038, _MAESTRO),
    (5893, 5893, _MAESTRO),
    (6304, 6304, _MAESTRO),
    (6759, 6759, _MAESTRO),
    (6761, 6763, _MAESTRO),
    (8600, 8600, (16,)),
    (9792, 9792, (16,)),
    (9860, 9860, (16,)),
    (2221, 2720, (16,)),
    (2200, 2204, (16, 17, 18, 19)),
    (3528, 3589, (16, 17, 18, 19)),
    (6011, 6011, (16, 19)),
    (644, 649, (16, 19)),
    (300, 305, (14, 16, 19)),
    (309, 309, (14, 16, 19)),
    (34, 34, (15,)),
    (36, 36, (14, 16, 19)),
    (37, 37, (15,)),
    (38, 39, (14, 16, 19)),
    (51, 55, (16,)),
    (62, 62, (16, 17, 18, 19)),
    (65, 65, (16, 19)),
    (81, 82, (16,)),
    (50, 50, (16,)),
    (56, 58, (16,)),
    (60, 69, (16,)),
    (4, 4, (13, 16, 19)),
)


def is_card(digits: str) -> bool:
    """Whether digits alone are the number of a payment card."""
    return len(digits) != _OLD and _issued(digits) and luhn(digits)


def _issued(digits: str) -> bool:
    if not _SHORTEST <= len(digits) <= _LONGEST:
        return False
    for first, last, lengths in _RANGES:
        if first <= int(digits[: len(str(first))]) <= last:
            return len(digits) in lengths
    return False


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    odd = sum(map(int, digits[-1::-2]))
    even = sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])
    return (odd + even) % 10 == 0


def cards(text: str, put: Put) -> str:
    """Numbers of payment cards, in one piece or in groups."""
    kept: list[str] = []
    end = 0
    for run in _DIGITS.finditer(text):
        for start, stop in _windows(run[0], run.start()):
            kept += (text[end:start], put(text[start:stop]))
            end = stop
    return "".join((*kept, text[end:])) if kept else text


def _windows(run: str, offset: int) -> list[tuple[int, int]]:
    """Where in a run of digits and gaps cards stand: whole groups that belong together."""
    groups = [match.span() for match in _GROUP.finditer(run)]
    pieces = [ascii_digits(run[start:stop]) for start, stop in groups]
    found = []
    first = 0
    while first < len(groups):
        digits = ""
        best = -1
        if len(pieces[first]) < 4:  # noqa: PLR2004 - no card is printed so
            first += 1
            continue
        for last in range(first, len(groups)):
            if len(digits) + len(pieces[last]) > _LONGEST:
                break
            digits += pieces[last]
            if len(digits) >= _SHORTEST and _grouped(pieces[first : last + 1]) and _issued(digits) and luhn(digits):
                best = last  # and on: of two that fit, the longer one leaves nothing behind
        if best >= 0:
            found.append((offset + groups[first][0], offset + groups[best][1]))
            first = best
        first += 1
    return found


def _grouped(groups: list[str]) -> bool:
    """Whether groups of digits have lengths that cards are printed in."""
    lengths = [len(group) for group in groups]
    if len(lengths) == 1:
        return lengths[0] != _OLD  # in one piece it is far more often the number of an article
    if all(length == 4 for length in lengths[:-1]) and lengths[-1] <= 6:  # noqa: PLR2004 - the usual groups
        return True
    return lengths in ([4, 6, 5], [4, 6, 4], [4, 3, 3, 3], [6, 13], [8, 8], [6, 10])


# -- accounts ----------------------------------------------------------------------------------------------------------

# Countries and lengths from the IBAN registry (ISO 13616).
_LENGTHS: Final = {
    entry[:2]: int(entry[2:])
    for entry in """
    AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 ES24
    FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32
    LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 QA29 RO24
    RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30
    """.split()  # noqa: SIM905 - read as words
}
_IBAN: Final = re.compile(rf"(?<![A-Za-z0-9])[A-Za-z]{{2}}{_GAP}{{0,2}}[0-9]{{2}}(?={_GAP}{{0,2}}[A-Za-z0-9])")
MAYBE_IBAN: Final = re.compile(rf"[0-9][0-9]{_GAP}{{1,2}}[A-Za-z0-9]{{4}}{_GAP}{{1,2}}[A-Za-z0-9]{{4}}").search
"""What an account number in groups has; one in a piece is a long run."""
_ONE_PIECE: Final = re.compile(r"[0-9][0-9][A-Za-z0-9]{11}")
_MEMBER: Final = re.compile(rf"{_GAP}{{0,2}}[A-Za-z0-9]")
_HIGHEST: Final = 97


def ibans(text: str, put: Put) -> str:
    """International account numbers, in one piece or in groups."""
    if MAYBE_IBAN(text) is None and _ONE_PIECE.search(text) is None:
        return text
    kept: list[str] = []
    end = 0
    for head in _IBAN.finditer(text):
        stop = _end_of(text, head)
        if stop and head.start() >= end:
            kept += (text[end : head.start()], put(text[head.start() : stop]))
            end = stop
    return "".join((*kept, text[end:])) if kept else text


def _end_of(text: str, head: re.Match[str]) -> int:
    """Where an account number that begins with a country and check digits ends; 0 where it is none."""
    length = _LENGTHS.get(text[head.start() : head.start() + 2].upper(), 0)
    if not length:
        return 0
    number = "".join(each for each in head[0] if each.isascii() and each.isalnum())
    at = head.end()
    while len(number) < length and (member := _MEMBER.match(text, at)):
        number += member[0][-1]
        at = member.end()
    if len(number) != length or text[at : at + 1].isalnum():
        return 0
    moved = (number[4:] + number[:4]).upper()
    return at if int("".join(str(int(each, 36)) for each in moved)) % _HIGHEST == 1 else 0
