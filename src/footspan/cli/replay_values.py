"""Times and rates as they are typed."""

from __future__ import annotations

import re
import time
from datetime import datetime
from typing import Final

from footspan.config.kinds import BadValueError
from footspan.config.values import read_duration

_NS: Final = 1_000_000_000
_UNITS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


_FRACTION = re.compile(r"\.(\d+)")


def moment(text: str) -> int:
    """A moment in nanoseconds since the epoch.

    Args:
        text: ISO 8601 (``2026-05-04``, ``2026-05-04T18:30Z``), in this machine's zone where it names none; or how long
            ago (``90m``, ``7d``).

    Raises:
        ValueError: It is neither.
    """
    text = text.strip()
    try:
        whole = _FRACTION.sub(lambda match: f".{match[1][:6]:0<6}", text)  # Python 3.10 reads three digits or six
        found = datetime.fromisoformat(whole[:-1] + "+00:00" if whole.endswith(("Z", "z")) else whole)
    except ValueError:
        if not text[-1:].isalpha():  # a bare number would be seconds, or a year
            raise
        try:
            ago = read_duration(text)
        except BadValueError:
            raise ValueError("not a time") from None
        return time.time_ns() - int(ago * _NS)
    return int(found.replace(microsecond=0).timestamp()) * _NS + found.microsecond * 1000


def rate(text: str) -> float:
    """Events a second, of ``500/s``, ``10000/m``, ``50000/h``; without a unit, a second's.

    Raises:
        ValueError: It is no rate, or none above 0.
    """
    number, _, unit = text.strip().partition("/")
    if (unit or "s") not in _UNITS:
        raise ValueError("not a rate")
    found = float(number) / _UNITS[unit or "s"]
    if not 0 < found < float("inf"):
        raise ValueError("not a rate")
    return found
