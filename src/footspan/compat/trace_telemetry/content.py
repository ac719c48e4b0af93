"""A call's data as those of a standard event, and what must be said besides for TraceTelemetry's own format."""

from __future__ import annotations

import json
import sys
import traceback
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from footspan import conventions as c
from footspan.destinations.trace_telemetry import wire
from footspan.otlp_json import plain
from footspan.otlp_json.sanitise import MAX_NAME, MAX_TEXT, event_name
from footspan.processors.context import ambient

_SCALARS: Final = frozenset({str, int, float, bool, type(None)})
_PLAIN: Final = frozenset({str, int, float, bool})
_ALIASES: Final = frozenset({*c.ALIASES, "timestamp", "event_name"})
_MOST_ATTRIBUTES: Final = 256
"""Data with more keys than that stand in the body: a record has room for twice as many attributes."""


class Content(NamedTuple):
    """What an event bears.

    Attributes:
        name: Its name.
        attributes: Its attributes.
        body: Its body.
    """

    name: str
    attributes: dict[str, Any]
    body: Any = None


def data_of(first: Any, second: Any) -> Any:
    """The data of ``track(name, first, second)``: ``first`` itself, or the one property of this name and value."""
    return first if isinstance(first, dict) or second is None else {str(first): second}


def plain_properties(name: Any, data: Any) -> dict[str, Any] | None:
    """Data that the properties of an event tell without more being said, as they stand; ``None`` for any other."""
    if type(name) is not str or not name or len(name) > MAX_NAME or not name.isprintable() or name.isspace():
        return None
    if ambient():  # what happens in a context of footspan's bears its values, which the format has no place for
        return None
    if data is None:
        return {}
    if type(data) is not dict or not data or len(data) > _MOST_ATTRIBUTES:
        return None
    for key, value in data.items():
        if type(value) not in _PLAIN or type(key) is not str or key in _ALIASES or not _is_own(key):
            return None
    return data


def content_of(
    name: Any, data: Any, members: wire.Wire | None = None, *, whole: Mapping[str, Any] | None = None
) -> Content:
    """What an event of this name and data bears.

    Args:
        name: As it was given.
        data: As it was given.
        members: What else has to be said for the format.
        whole: What the format's ``data`` are where they are more than the data.
    """
    said = wire.Wire(**members) if members else wire.Wire()
    said["parity"] = True
    text = "" if name is None else str(name)
    if text and event_name(text) != text:
        said["name"] = text[:MAX_TEXT]
    found = as_json(data)
    own: dict[str, Any] = {}
    body = None
    if isinstance(found, Mapping) and len(found) <= _MOST_ATTRIBUTES:
        own = {key: value for key, value in found.items() if _is_own(key)}
        if len(own) < len(found) or not (found or whole):  # `{}` is something else than nothing
            said.setdefault("data", found if whole is None else whole)
    else:
        body = found
    if "data" not in said:
        said["keys"] = list(own)
    return Content(text, {**wire.attribute(**said), **own}, body)


def exception_content(name: Any, exc: BaseException, extra: Any, members: wire.Wire | None = None) -> Content:
    """What an event bears that tells of an exception."""
    said = wire.Wire(**members) if members else wire.Wire()
    more = as_json(extra)
    cause = getattr(exc, "__cause__", None)
    added: dict[str, Any] = {
        **({} if cause is None else {"innerMessage": _text(cause)}),
        **({} if extra is None else dict(more) if isinstance(more, Mapping) else {"extra": more}),
    }
    arguments = getattr(exc, "args", ())
    message = _text(arguments[0]) if arguments else _text(exc)
    kind = type(exc).__name__
    stack = traceback.format_exc()
    whole = {"message": message, "stackTrace": stack, "exceptionType": kind, **added}
    if sys.exc_info()[1] is not exc:  # the format has what is being handled, everybody else the exception's own
        said["data"] = whole
        stack = _stack_of(exc)
    content = content_of(name, added, said, whole=whole)
    exception = {c.EXCEPTION_MESSAGE: message, c.EXCEPTION_STACKTRACE: stack, c.EXCEPTION_TYPE: kind}
    return content._replace(attributes={c.CATEGORY: "error", **exception, **content.attributes})


def as_json(data: Any) -> Any:
    """Data as the other SDK's JSON would have read: texts of numbers as keys, times as text.

    What it could not have written, and so dropped with the whole event, stays for the sanitiser to make plain.
    """
    if type(data) in _SCALARS:
        return data
    if type(data) is dict and all(type(key) is str and type(value) in _SCALARS for key, value in data.items()):
        return data
    try:
        return json.loads(json.dumps(data, default=_moment))
    except Exception:  # noqa: BLE001 - whatever the host's objects raise
        return data if isinstance(data, Mapping) else plain(data)


def _moment(value: Any) -> str:
    return str(value.isoformat())


def _is_own(key: Any) -> bool:
    """Whether a key stands for nothing but itself."""
    return isinstance(key, str) and bool(key) and key not in _TAKEN and not key.startswith("footspan.")


_TAKEN: Final = frozenset(
    {*c.PROPERTY_NAMES, c.LOG_RECORD_UID, c.EXCEPTION_TYPE, c.GEO_COUNTRY_ISO_CODE, c.EVENT_NAME, c.OTEL_EVENT_NAME}
)


def _stack_of(exc: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(type(exc), exc, exc.__traceback__))
    except Exception:  # noqa: BLE001 - no exception, or one that cannot be shown
        return ""


def _text(value: Any) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - an exception that cannot say what it is
        return ""
