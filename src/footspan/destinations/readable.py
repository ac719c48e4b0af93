"""An event as one line for people: a bounded text without line breaks."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c
from footspan.otlp_json.text import clean

if TYPE_CHECKING:
    from footspan.event import Event

MAX_LINE: Final = 2_000
MAX_VALUE: Final = 200

_BARE: Final = re.compile(r"[\w.:/@+%~-]+")
_HIDDEN: Final = frozenset({c.LOG_RECORD_UID, c.CONSENT, c.DESTINATION, c.PURPOSE, c.REDACTED, c.WIRE})


def properties_of(event: Event) -> dict[str, Any]:
    """An event's attributes under the names that people gave them, footspan's own book-keeping left out."""
    properties = {
        c.PROPERTY_NAMES.get(name, name): value for name, value in event.attributes.items() if name not in _HIDDEN
    }
    if event.body is not None:
        properties.setdefault("body", event.body)
    return properties


def line_of(event: Event) -> str:
    """``name key=value …``: values quoted where they are no single word, all of it at most :data:`MAX_LINE` long."""
    parts = [_word(event.name or "log")]
    length = len(parts[0])
    for name, value in properties_of(event).items():
        part = f"{_name(name) if len(name) <= MAX_VALUE else _word(name)}={_word(value)}"
        length += len(part) + 1
        if length > MAX_LINE - 2:
            parts.append("…")
            break
        parts.append(part)
    return " ".join(parts)


def _word(value: Any) -> str:
    """A value in one word or in quotes, with control characters escaped, so that no value forges a line."""
    if isinstance(value, str):
        text = clean(value[: MAX_VALUE + 1])
        if _BARE.fullmatch(text) and len(text) <= MAX_VALUE:
            return text
    elif value is True or value is False:
        return "true" if value else "false"
    elif type(value) in _NUMBERS and -_LARGE < value < _LARGE:
        return repr(value)
    else:
        text = _ENCODER.encode(value)
        if len(text) <= MAX_VALUE and text.isprintable():
            return text
    if len(text) > MAX_VALUE:
        text = text[: MAX_VALUE - 1] + "…"
    return json.dumps(text, ensure_ascii=not text.isprintable())


@lru_cache(maxsize=1024)
def _name(value: str) -> str:
    """A property's name as a word; names are few and come again."""
    return _word(value)


def _other(value: Any) -> str:
    return f"<{len(value)} bytes>" if isinstance(value, bytes) else f"<{type(value).__name__}>"


_NUMBERS: Final = frozenset({int, float})
_LARGE: Final = 10**15
_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, default=_other)
