"""OTLP payloads to plain dicts, refusing what the specification does not allow.

Protobuf is brought into the shape of OTLP/JSON by the official library first, so that one decoder judges both.
Sources: the OTLP specification ("JSON Protobuf Encoding") and the proto files of opentelemetry-proto.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Message = dict[str, Any]

_HEX: Final = re.compile(r"[0-9a-fA-F]*", re.ASCII)
_INTEGER: Final = re.compile(r"-?\d+", re.ASCII)
_METRIC_KINDS: Final = ("gauge", "sum", "histogram", "exponentialHistogram", "summary")
_DEPTH: Final = 100


class ContractError(ValueError):
    """The payload breaks the OTLP contract; the text says where, without any value."""


def _broken(where: str, what: str) -> ContractError:
    return ContractError(f"{where}: {what}")


class Node:
    """One JSON object of a message, read member by member; members nobody asks for are ignored, as the rules say."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise _broken(where, f"an object is expected, found {type(value).__name__}")
        self.value: Message = value
        self.where = where

    def get(self, name: str) -> Any:
        """A member; None when it is absent (or null, which means the same)."""
        return self.value.get(name)

    def nodes(self, name: str) -> Iterator[Node]:
        """A member that repeats, as nodes."""
        for index, item in enumerate(self.items(name)):
            yield Node(item, f"{self.where}.{name}[{index}]")

    def items(self, name: str) -> list[Any]:
        """A member that repeats."""
        found = self.get(name)
        if found is None:
            return []
        if not isinstance(found, list):
            raise _broken(f"{self.where}.{name}", "an array is expected")
        return found

    def node(self, name: str) -> Node:
        """A member that is a message; an empty one when it is absent."""
        found = self.get(name)
        return Node({} if found is None else found, f"{self.where}.{name}")

    def text(self, name: str) -> str:
        """A string member."""
        found = self.get(name)
        if found is None:
            return ""
        if not isinstance(found, str):
            raise _broken(f"{self.where}.{name}", f"a string is expected, found {type(found).__name__}")
        return found

    def integer(self, name: str, lowest: int, highest: int) -> int:
        """An integer member: a number, or its digits as a string."""
        found = self.get(name)
        return 0 if found is None else _integer(found, f"{self.where}.{name}", lowest, highest)

    def nanos(self, name: str) -> int:
        """A moment, nanoseconds from 1970 (fixed64)."""
        return self.integer(name, 0, 2**64 - 1)

    def enum(self, name: str, highest: int) -> int:
        """An enum member: only the number is allowed in OTLP/JSON, not the name."""
        found = self.get(name)
        if found is not None and (isinstance(found, bool) or not isinstance(found, int)):
            raise _broken(f"{self.where}.{name}", "an enum is an integer, never a name")
        return self.integer(name, 0, highest)

    def identity(self, name: str, size: int, *, required: bool = False) -> str:
        """A trace or span id: hex, lower-cased here; all zeros mean none."""
        found = self.text(name)
        if found and (len(found) != size * 2 or not _HEX.fullmatch(found)):
            raise _broken(f"{self.where}.{name}", f"an id is {size * 2} hex digits")
        found = "" if not found.strip("0") else found.lower()
        if required and not found:
            raise _broken(f"{self.where}.{name}", "the id is missing or zero")
        return found


def _integer(found: Any, where: str, lowest: int, highest: int) -> int:
    if isinstance(found, str) and _INTEGER.fullmatch(found):
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int):
        raise _broken(where, f"an integer or its digits are expected, found {type(found).__name__}")
    if not lowest <= found <= highest:
        raise _broken(where, f"the integer does not lie between {lowest} and {highest}")
    return found


def _value(node: Node, depth: int = 0) -> Any:
    """An AnyValue: at most one kind of value; none at all is null."""
    kinds = [kind for kind in _KINDS if node.get(kind) is not None]
    if len(kinds) > 1:
        raise _broken(node.where, "a value has one kind")
    if depth > _DEPTH:
        raise _broken(node.where, "values are nested too deeply")
    return _KINDS[kinds[0]](node, depth) if kinds else None


def _boolean(node: Node, depth: int) -> bool:
    found = node.get("boolValue")
    if not isinstance(found, bool):
        raise _broken(node.where, "boolValue is no boolean")
    return found


def _double(node: Node, depth: int) -> float:
    found = node.get("doubleValue")
    special = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
    if isinstance(found, str) and found in special:
        return special[found]
    if isinstance(found, bool) or not isinstance(found, int | float):
        raise _broken(node.where, "doubleValue is no number")
    return float(found)


def _bytes(node: Node, depth: int) -> bytes:
    text = node.text("bytesValue")
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise _broken(node.where, "bytesValue is no base64") from None


_KINDS: Final[dict[str, Callable[[Node, int], Any]]] = {
    "stringValue": lambda node, _: node.text("stringValue"),
    "boolValue": _boolean,
    "intValue": lambda node, _: node.integer("intValue", -(2**63), 2**63 - 1),
    "doubleValue": _double,
    "bytesValue": _bytes,
    "arrayValue": lambda node, depth: [_value(item, depth + 1) for item in node.node("arrayValue").nodes("values")],
    "kvlistValue": lambda node, depth: _pairs(node.node("kvlistValue"), "values", depth + 1),
}


def _pairs(node: Node, name: str = "attributes", depth: int = 0) -> Message:
    """A list of keys and values; keys are unique, and those of attributes are not empty."""
    pairs: Message = {}
    for item in node.nodes(name):
        key = item.text("key")
        if key in pairs:
            raise _broken(item.where, "the key comes twice")
        if not key and name == "attributes":
            raise _broken(item.where, "the key is empty")
        pairs[key] = _value(item.node("value"), depth)
    return pairs


def _resource(node: Node) -> Message:
    return _pairs(node.node("resource"))


def _scope(node: Node) -> Message:
    scope = node.node("scope")
    return {"name": scope.text("name"), "version": scope.text("version"), "attributes": _pairs(scope)}


def _leaves(root: Node, outer: str, middle: str, inner: str) -> Iterator[tuple[Node, Message]]:
    """Every innermost message with its resource and scope."""
    for of_resource in root.nodes(outer):
        resource = _resource(of_resource)
        for of_scope in of_resource.nodes(middle):
            common = {"resource": resource, "scope": _scope(of_scope)}
            for leaf in of_scope.nodes(inner):
                yield leaf, common


def logs(root: Node) -> list[Message]:
    """The log records of an ExportLogsServiceRequest."""
    found = []
    for leaf, common in _leaves(root, "resourceLogs", "scopeLogs", "logRecords"):
        attributes = _pairs(leaf)
        trace_id, span_id = leaf.identity("traceId", 16), leaf.identity("spanId", 8)
        if span_id and not trace_id:
            raise _broken(leaf.where, "a span id needs a trace id")
        found.append({
            "name": leaf.text("eventName"), "uid": attributes.get("log.record.uid", ""), "attributes": attributes,
            **common, "time_ns": leaf.nanos("timeUnixNano"), "observed_ns": leaf.nanos("observedTimeUnixNano"),
            "trace_id": trace_id, "span_id": span_id, "flags": leaf.integer("flags", 0, 2**32 - 1),
            "severity_number": leaf.enum("severityNumber", 24), "severity_text": leaf.text("severityText"),
            "body": _value(leaf.node("body")), "dropped": leaf.integer("droppedAttributesCount", 0, 2**32 - 1),
        })  # fmt: skip
    return found


def spans(root: Node) -> list[Message]:
    """The spans of an ExportTraceServiceRequest."""
    found = []
    for leaf, common in _leaves(root, "resourceSpans", "scopeSpans", "spans"):
        status = leaf.node("status")
        found.append({
            "name": leaf.text("name"), "kind": leaf.enum("kind", 5),
            "trace_id": leaf.identity("traceId", 16, required=True),
            "span_id": leaf.identity("spanId", 8, required=True), "parent_span_id": leaf.identity("parentSpanId", 8),
            "start_ns": leaf.nanos("startTimeUnixNano"), "end_ns": leaf.nanos("endTimeUnixNano"),
            "attributes": _pairs(leaf), **common,
            "status": {"code": status.enum("code", 2), "message": status.text("message")},
            "events": [
                {"name": event.text("name"), "time_ns": event.nanos("timeUnixNano"), "attributes": _pairs(event)}
                for event in leaf.nodes("events")
            ],
        })  # fmt: skip
    return found


def metrics(root: Node) -> list[Message]:
    """The metrics of an ExportMetricsServiceRequest, by name and count of points."""
    found = []
    for leaf, common in _leaves(root, "resourceMetrics", "scopeMetrics", "metrics"):
        kinds = [kind for kind in _METRIC_KINDS if leaf.get(kind) is not None]
        if len(kinds) != 1:
            raise _broken(leaf.where, "a metric has one kind of data")
        points = leaf.node(kinds[0]).items("dataPoints")
        found.append({"name": leaf.text("name"), "unit": leaf.text("unit"), **common, "points": len(points)})
    return found


DECODERS: Final[dict[str, Callable[[Node], list[Message]]]] = {"logs": logs, "traces": spans, "metrics": metrics}


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def from_json(signal: str, body: bytes) -> list[Message]:
    """The records of an OTLP/JSON body.

    Raises:
        ContractError: The body is no OTLP/JSON.
    """
    try:
        value = json.loads(body.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise ContractError(f"the body is no JSON ({type(error).__name__})") from None
    return DECODERS[signal](Node(value, "request"))


def from_protobuf(signal: str, body: bytes) -> list[Message]:
    """The records of a protobuf body.

    Raises:
        ContractError: The body is no protobuf message of that signal.
    """
    from google.protobuf import json_format, message  # noqa: PLC0415 - heavy, and JSON needs none of it

    from servers.otlp.messages import request_class  # noqa: PLC0415 - the same

    try:
        parsed = request_class(signal).FromString(body)
    except message.DecodeError:
        raise ContractError("the body is no protobuf message of this signal") from None
    value = json_format.MessageToDict(parsed, use_integers_for_enums=True)
    return DECODERS[signal](Node(_hex_ids(value), "request"))


def _hex_ids(value: Any) -> Any:
    """The official JSON form writes ids in base64, OTLP/JSON in hex."""
    if isinstance(value, list):
        return [_hex_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    ids = ("traceId", "spanId", "parentSpanId")
    return {key: base64.b64decode(item).hex() if key in ids else _hex_ids(item) for key, item in value.items()}
