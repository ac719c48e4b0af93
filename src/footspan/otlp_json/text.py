"""JSON text: the one writer and the one reader, on orjson, or on the standard library where orjson is missing.

Both ways write the same bytes for strings, and numbers that read back as equal.
"""

from __future__ import annotations

import json
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_fast: Any
try:
    import orjson as _fast
except ImportError:
    _fast = None


def _quote_plainly(text: str) -> bytes:
    """``quote`` on the standard library."""
    return encode_basestring(text).encode()


def _dumps_plainly(value: Any) -> bytes:
    """``dumps`` on the standard library."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _number_plainly(value: float) -> bytes:
    """``number`` on the standard library."""
    return repr(value).encode()


quote: Callable[[str], bytes] = _quote_plainly if _fast is None else _fast.dumps
"""A string as a JSON string, quotes included.

Raises ``TypeError`` or ``ValueError`` for a string that holds a surrogate: run it through :func:`clean` first.
"""

dumps: Callable[[Any], bytes] = _dumps_plainly if _fast is None else _fast.dumps
"""Plain data as compact JSON. NaN and infinities have no JSON: orjson writes ``null``, the library raises."""

number: Callable[[float], bytes] = _number_plainly if _fast is None else _fast.dumps
"""A finite ``float`` as a JSON number that reads back as the same ``float``."""

QUOTE_ERRORS = (TypeError, ValueError)
"""What :data:`quote` raises."""


def clean(text: str) -> str:
    """The same text without surrogates: a pair becomes its character, each lone one U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def loads(data: bytes) -> Any:
    """Read JSON, more tolerantly than orjson where that harms nobody.

    Accepted beyond the standard: a byte order mark, the literals ``NaN`` and ``Infinity`` (read as strings of that
    name), integers of any size, and escaped lone surrogates (read as U+FFFD).

    Args:
        data: UTF-8 text.

    Returns:
        Dicts, lists, strings free of surrogates, numbers, booleans, ``None``.

    Raises:
        ValueError: The bytes are no JSON, no UTF-8, or nested too deeply.
    """
    if _fast is not None:
        try:
            return _fast.loads(data)
        except ValueError:
            pass  # one more try by the more patient reader
    try:
        value = json.loads(data.decode("utf-8-sig"), parse_constant=str)
        if b"\\ud" in data or b"\\uD" in data:
            value = json.loads(clean(json.dumps(value, ensure_ascii=False)))
    except RecursionError as error:
        raise ValueError("JSON nested too deeply") from error
    return value
