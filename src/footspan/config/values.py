"""Kinds of values: how text from a file or the environment, or an object from code, becomes a setting.

A reader accepts what each source can hold (a file and the environment give strings, code gives objects) and raises
:class:`~footspan.config.kinds.BadValueError` for anything else.
"""

from __future__ import annotations

import math
import os
import re
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from footspan.config.kinds import BadValueError, Kind, describe, nearest, quote

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TRUE: Final = frozenset({"true", "1", "yes", "on"})
_FALSE: Final = frozenset({"false", "0", "no", "off"})

# "B" is left out of the written form: a plain number is bytes.
_SIZE_UNITS: Final = {
    "": 1,
    "b": 1,
    "kb": 10**3,
    "mb": 10**6,
    "gb": 10**9,
    "kib": 2**10,
    "mib": 2**20,
    "gib": 2**30,
}
_SIZE: Final = re.compile(r"([0-9]{1,19}(?:\.[0-9]{1,9})?)\s*([a-z]{0,3})", re.IGNORECASE)
_LARGEST_SIZE: Final = 2**63 - 1

# Milliseconds per unit: whole numbers, so that 200ms is 0.2 and not a neighbour of it.
_DURATION_UNITS: Final = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
_DURATION_PART: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,9})?)\s*(ms|[dhms])\s*", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?")
# A century: beyond it the waits of the platform overflow.
_LONGEST: Final = 36_500 * 86_400.0

# Control characters, and the lone surrogates that stand for bytes of the environment that are no UTF-8.
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def read_boolean(value: object) -> bool:
    """Read ``true/false``, ``1/0``, ``yes/no`` or ``on/off``."""
    word = value.strip().lower() if isinstance(value, str) else None
    if word in _TRUE or value in (True, 1):
        return True
    if word in _FALSE or value in (False, 0):
        return False
    raise BadValueError(quote(value), "Write true or false.")


def read_size(value: object) -> int:
    """Read a size in bytes: a whole number, or one with a unit (``512MiB``, ``10MB``)."""
    fix = "Write a size such as 512MiB, 10MB or a number of bytes; units are KB, MB, GB, KiB, MiB and GiB."
    size: float
    if isinstance(value, str):
        match = _SIZE.fullmatch(value.strip())
        unit = _SIZE_UNITS.get(match[2].lower()) if match else None
        if match is None or unit is None:
            raise BadValueError(quote(value), fix)
        # A whole number stays an integer: a float would lose the low digits of a large one.
        size = float(match[1]) * unit if "." in match[1] else int(match[1]) * unit
    elif isinstance(value, int) and not isinstance(value, bool):
        size = value
    else:
        raise BadValueError(quote(value), fix)
    if not 0 < size <= _LARGEST_SIZE or size != int(size):
        raise BadValueError(quote(value), "Write a whole number of bytes greater than zero, such as 512MiB.")
    return int(size)


def show_size(size: int) -> str:
    """Write a size with the largest unit that divides it."""
    for unit, factor in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if size % factor == 0:
            return f"{size // factor}{unit}"
    return str(size)


def read_duration(value: object) -> float:
    """Read a time in seconds: a number, or parts with units (``7d``, ``1h30m``, ``200ms``)."""
    fix = "Write a time such as 7d, 1h30m, 2s, 200ms or a number of seconds."
    seconds: float
    if isinstance(value, str):
        text = value.strip()
        if _NUMBER.fullmatch(text):
            seconds = float(text)
        elif text and not _DURATION_PART.sub("", text):
            parts = _DURATION_PART.findall(text)
            seconds = sum(float(number) * _DURATION_UNITS[unit.lower()] for number, unit in parts) / 1000
        else:
            raise BadValueError(quote(value), fix)
    elif isinstance(value, timedelta):
        seconds = value.total_seconds()
    elif isinstance(value, int | float) and not isinstance(value, bool):
        # An integer too large for a float is too long a time as well.
        seconds = float(value) if isinstance(value, float) or abs(value) < _LONGEST else math.inf
    else:
        raise BadValueError(quote(value), fix)
    if not 0 <= seconds <= _LONGEST:
        raise BadValueError(quote(value), "Write a time from 0 to 36500d.")
    return seconds


def read_positive_duration(value: object) -> float:
    """Read a time that must not be zero."""
    seconds = read_duration(value)
    if not seconds:
        raise BadValueError(quote(value), "Write a time greater than zero, such as 10s.")
    return seconds


def show_duration(seconds: float) -> str:
    """Write a time in days, hours, minutes, seconds and milliseconds."""
    rest = round(seconds * 1000)
    text = ""
    for unit, factor in _DURATION_UNITS.items():
        count, rest = divmod(rest, factor)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def read_rate(value: object) -> float:
    """Read a share from 0 to 1."""
    rate = math.nan
    if isinstance(value, str) and _NUMBER.fullmatch(text := value.strip()):
        rate = float(text)  # `float` strips less than `strip` does
    elif isinstance(value, int | float) and not isinstance(value, bool):
        rate = float(value) if 0 <= value <= 1 else math.nan
    if not 0 <= rate <= 1:
        raise BadValueError(quote(value), "Write a share from 0 to 1, such as 0.25.")
    return rate


def read_count(value: object) -> int:
    """Read a whole number greater than zero."""
    count = 0
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,9}", text := value.strip()):
        count = int(text)
    elif isinstance(value, int) and not isinstance(value, bool):
        count = value
    if not 0 < count < 10**9:
        raise BadValueError(quote(value), "Write a whole number from 1 to 999999999.")
    return count


def read_text(value: object) -> str:
    """Read one line of text that is not empty. A whole number from code is taken as its digits."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST_SIZE:
        return str(value)
    if not isinstance(value, str):
        raise BadValueError(describe(value), "Write text, in quotes if it looks like a number.")
    text = value.strip()
    if not text:
        raise BadValueError("an empty string", "Write some text, or leave the key out.")
    if _UNPRINTABLE.search(text):
        raise BadValueError(
            "text with line breaks, control characters or broken encoding", "Write one line of plain UTF-8 text."
        )
    return text


def read_path(value: object) -> Path:
    """Read a path, made absolute; ``~`` is the home directory."""
    if not isinstance(value, str | os.PathLike):
        raise BadValueError(describe(value), "Write a path.")
    raw = os.fspath(value)
    if not isinstance(raw, str) or not raw.strip() or "\0" in raw:
        raise BadValueError(describe(raw), "Write a path.")
    try:
        # Absolute from the start: a program may change its working directory later.
        return Path(os.path.abspath(Path(raw.strip()).expanduser()))  # noqa: PTH100 - resolve() follows links
    except (RuntimeError, OSError):
        raise BadValueError("a path whose home directory is unknown", "Write the path in full.") from None


def read_list(value: object) -> tuple[str, ...]:
    """Read a list of texts: a sequence, or one string with commas between the items."""
    if isinstance(value, str):
        return tuple(read_text(item) for item in value.split(",") if item.strip())
    if not isinstance(value, list | tuple):
        raise BadValueError(describe(value), "Write a list, or one string with commas.")
    for number, item in enumerate(value, 1):
        if not isinstance(item, str) or not item.strip():
            raise BadValueError(f"{describe(item)} as item {number}", "Write a list of texts that are not empty.")
    return tuple(read_text(item) for item in value)


def show_list(items: Sequence[str]) -> str:
    """Write a list the way the environment holds it."""
    return ",".join(items)


def read_patterns(value: object) -> tuple[str, ...]:
    """Read a list of event patterns; ``!`` in front excludes."""
    patterns = read_list(value)
    for number, pattern in enumerate(patterns, 1):
        if not pattern.lstrip("!").strip() or pattern.startswith("!!"):
            raise BadValueError(
                f"no pattern after the ! of item {number}", "Write patterns such as user.* or !user.login."
            )
    return patterns


def choice(*options: str, aliases: Mapping[str, str] | None = None) -> Kind:
    """Make a kind of value that is one of some words, in any case.

    Args:
        options: The words, as they are stored.
        aliases: Other spellings, and the word each stands for.
    """
    by_fold = {option.casefold(): option for option in options}
    by_fold.update({alias.casefold(): option for alias, option in (aliases or {}).items()})

    def read(value: object) -> str:
        word = value.strip().casefold() if isinstance(value, str) else ""
        if word not in by_fold:
            guess = nearest(word, options) if word else None
            hint = f" Did you mean {guess}?" if guess else ""
            raise BadValueError(quote(value), f"Write one of {', '.join(options)}.{hint}")
        return by_fold[word]

    return Kind(" \\| ".join(f"`{option}`" for option in options), read, words=(*options, *(aliases or {})))


BOOLEAN: Final = Kind("boolean", read_boolean, lambda value: "true" if value else "false")
SIZE: Final = Kind("size", read_size, show_size)
DURATION: Final = Kind("duration", read_duration, show_duration)
POSITIVE_DURATION: Final = Kind("duration", read_positive_duration, show_duration)
RATE: Final = Kind("share", read_rate)
COUNT: Final = Kind("count", read_count)
TEXT: Final = Kind("text", read_text)
PATH: Final = Kind("path", read_path)
LIST: Final = Kind("list", read_list, show_list)
PATTERNS: Final = Kind("patterns", read_patterns, show_list)
