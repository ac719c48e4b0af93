"""The two ways in, as strict and as lax as the recordings say, and what of a request is stored."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS: Final = (
    "resource_id", "event_type", "url", "referrer", "user_agent", "ip", "screen_res", "lang", "utm_source",
    "utm_medium", "utm_campaign", "fbclid", "ttclid", "session_id", "payload",
)  # fmt: skip
"""Of the table ``telemetry``, in its order; the server's time follows."""

_OPTIONAL: Final = ("utm_source", "utm_medium", "utm_campaign", "session_id")

Row = dict[str, Any]
Reply = tuple[int, dict[str, Any]]

SUCCESS: Final[Reply] = (200, {"status": "success"})


class RefusedError(Exception):
    """What the storage makes of a row: the message of a 200 that is none."""


def failure(error: object) -> Reply:
    """The 200 that is no success."""
    return 200, {"status": "error", "message": str(error)}


def read_event(headers: Mapping[str, str], body: bytes) -> tuple[dict[str, Any] | None, Reply]:
    """The body of ``/api/v1/event``, or the answer to one that is not taken."""
    if "json" not in headers.get("content-type", ""):
        given = body.decode(errors="replace")
        return None, (422, {"detail": [_wrong("model_attributes_type", ["body"], _NO_MODEL, given)]})
    try:
        data = json.loads(body)
    except json.JSONDecodeError as error:
        detail = _wrong("json_invalid", ["body", error.pos], "JSON decode error", {})
        return None, (422, {"detail": [{**detail, "ctx": {"error": error.msg}}]})
    except ValueError:
        return None, (400, {"detail": "There was an error parsing the body"})
    if not isinstance(data, dict):
        return None, (422, {"detail": [_wrong("model_attributes_type", ["body"], _NO_MODEL, data)]})
    wrong = [
        _wrong("missing", ["body", field], "Field required", data)
        if field not in data
        else _wrong("string_type", ["body", field], "Input should be a valid string", data[field])
        for field in ("name", "project_id")
        if not isinstance(data.get(field), str)
    ]
    if not isinstance(data.get("payload"), (dict, type(None))):
        wrong.append(_wrong("dict_type", ["body", "payload"], "Input should be a valid dictionary", data["payload"]))
    wrong += [
        _wrong("string_type", ["body", field], "Input should be a valid string", data[field])
        for field in _OPTIONAL
        if not isinstance(data.get(field), (str, type(None)))
    ]
    return (None, (422, {"detail": wrong})) if wrong else (data, SUCCESS)


def event_row(data: dict[str, Any], seen: Row) -> Row:
    """What is stored of a business event."""
    return {
        **dict.fromkeys(COLUMNS, ""),
        **seen,
        "resource_id": data["project_id"],
        "event_type": data["name"],
        "url": "server-side",
        **{field: data.get(field) or "" for field in _OPTIONAL},
        "session_id": data.get("session_id") or f"ss_{random.SystemRandom().randint(1000, 9999)}",
        "payload": json.dumps(data.get("payload", {})),
    }


def collect_row(data: Any, seen: Row) -> Row:
    """What is stored of what a browser would send.

    Raises:
        RefusedError: It is no object.
    """
    if not isinstance(data, dict):
        raise RefusedError(f"'{type(data).__name__}' object has no attribute 'get'")
    return {
        **dict.fromkeys(COLUMNS, ""),
        **seen,
        "resource_id": data.get("rid", ""),
        "event_type": data.get("type", "page_view"),
        "url": data.get("url", ""),
        "referrer": data.get("ref", ""),
        "screen_res": data.get("res", ""),
        "lang": data.get("lang", ""),
        **{f"utm_{name}": data.get(f"utm_{name[0]}", "") for name in ("source", "medium", "campaign")},
        "fbclid": data.get("fbclid") or "",
        "ttclid": data.get("ttclid") or "",
        "session_id": data.get("sid", data.get("session_id", "unknown")),
        "payload": json.dumps(data.get("meta") or {}),
    }


def check_row(row: Row) -> None:
    """What the database says of a row.

    Raises:
        RefusedError: It does not take it.
    """
    for column in COLUMNS:
        value = row[column]
        if value is None:
            raise RefusedError(f"Invalid None value in non-Nullable column, column name: `{column}`")
        if not isinstance(value, str):
            raise RefusedError(f"object of type '{type(value).__name__}' has no len()")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise RefusedError(str(error)) from None


_NO_MODEL: Final = "Input should be a valid dictionary or object to extract fields from"


def _wrong(kind: str, place: list[Any], message: str, given: Any) -> dict[str, Any]:
    return {"type": kind, "loc": place, "msg": message, "input": given}
