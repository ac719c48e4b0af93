"""OTLP JSON brought to one form, so that two encoders can be compared by what they say."""

from __future__ import annotations

import json
import math
from typing import Any


def logs(data: bytes | str) -> list[Any]:
    """Every log record of a request with its resource and scope, attributes by name."""
    return [
        (_resource(group), _scope(scoped), _record(record))
        for group in json.loads(data)["resourceLogs"]
        for scoped in group.get("scopeLogs", [])
        for record in scoped.get("logRecords", [])
    ]


def spans(data: bytes | str) -> list[Any]:
    """Every span of a request with its resource and scope, attributes by name."""
    return [
        (_resource(group), _scope(scoped), _span(span))
        for group in json.loads(data)["resourceSpans"]
        for scoped in group.get("scopeSpans", [])
        for span in scoped.get("spans", [])
    ]


def same(one: Any, other: Any) -> bool:
    """Equality of plain data, in which NaN equals NaN, 1 is not True and 1 is not 1.0."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return (math.isnan(one) and math.isnan(other)) or one == other
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _resource(group: dict[str, Any]) -> Any:
    return _attributes(group.get("resource", {}).get("attributes", [])), group.get("schemaUrl", "")


def _scope(scoped: dict[str, Any]) -> Any:
    scope = scoped.get("scope", {})
    return (
        scope.get("name", ""),
        scope.get("version", ""),
        _attributes(scope.get("attributes", [])),
        scoped.get("schemaUrl", ""),
    )


def _record(record: dict[str, Any]) -> dict[str, Any]:
    """A record; an empty body says as much as none."""
    return {
        **{name: value for name, value in record.items() if name not in {"attributes", "body"}},
        "attributes": _attributes(record.get("attributes", [])),
        "body": _value(record.get("body", {})),
    }


def _span(span: dict[str, Any]) -> dict[str, Any]:
    parts = {"attributes", "events", "links"}
    return {
        **{name: value for name, value in span.items() if name not in parts},
        "attributes": _attributes(span.get("attributes", [])),
        **{name: [_span(part) for part in span.get(name, [])] for name in ("events", "links")},
    }


def _attributes(pairs: list[dict[str, Any]]) -> dict[str, Any]:
    named = {pair.get("key", ""): _value(pair.get("value", {})) for pair in pairs}
    assert len(named) == len(pairs), "a name came twice"
    return named


def _value(value: dict[str, Any]) -> Any:
    """An ``AnyValue`` as a pair of its kind and its content."""
    if not value:
        return None
    ((kind, content),) = value.items()
    if kind == "arrayValue":
        return kind, [_value(item) for item in content.get("values", [])]
    if kind == "kvlistValue":
        return kind, _attributes(content.get("values", []))
    return kind, content
