"""OTLP JSON to OTLP protobuf, for backends that do not take JSON, and the reading of both kinds of answer.

``opentelemetry.proto`` is loaded on the first use, by the sending thread.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any, Final, Literal

from footspan import _platform
from footspan.destinations.otlp_wire import UnusualError, logs_request
from footspan.otlp_json.text import loads

if TYPE_CHECKING:
    from google.protobuf.message import Message

Signal = Literal["logs", "traces"]

JSON_TYPE: Final = "application/json"
PROTOBUF_TYPE: Final = "application/x-protobuf"

# OTLP 1.x, "JSON Protobuf Encoding": ids are hex there, where protobuf's own JSON mapping wants base64.
_ID_FIELDS: Final = ("traceId", "spanId", "parentSpanId")
_PARTS: Final = {
    "logs": ("resourceLogs", "scopeLogs", "logRecords"),
    "traces": ("resourceSpans", "scopeSpans", "spans"),
}
_REJECTED: Final = {"logs": "rejectedLogRecords", "traces": "rejectedSpans"}


class UnreadableAnswerError(ValueError):
    """An answer that is no OTLP response."""


def request_bytes(body: bytes, signal: Signal) -> bytes:
    """The same as :func:`request_message`, encoded; the fast way, as far as there is one.

    Raises:
        ValueError: A value has no place in protobuf.
    """
    if signal == "logs":
        try:
            return logs_request(loads(body))
        except UnusualError:
            pass  # for protobuf's own reader
    return request_message(body, signal).SerializeToString()


def request_message(body: bytes, signal: Signal) -> Message:
    """An ``Export…ServiceRequest`` from its OTLP JSON.

    Args:
        body: The request as OTLP JSON.
        signal: Which of the two requests it is.

    Raises:
        ValueError: A value has no place in protobuf, such as an integer beyond 64 bits.
    """
    with _platform.importing():
        from google.protobuf import json_format  # noqa: PLC0415 - only backends without JSON cost this

    request = loads(body)
    resources, scopes, items = _PARTS[signal]
    for resource in request.get(resources) or ():
        for scope in resource.get(scopes) or ():
            for item in scope.get(items) or ():
                _ids_to_base64(item)
                for link in item.get("links") or ():
                    _ids_to_base64(link)
    message = _messages(signal)[0]()
    try:
        json_format.ParseDict(request, message, ignore_unknown_fields=True)
    except json_format.ParseError as error:
        raise ValueError("a value that protobuf cannot hold") from error
    return message


def rejected(body: bytes, content_type: str, signal: Signal) -> tuple[int, bool]:
    """What a successful answer says about partial success.

    Args:
        body: The answer's body.
        content_type: Its media type.
        signal: Which request it answers.

    Returns:
        How many items were rejected, and whether the answer carries a message.

    Raises:
        UnreadableAnswerError: It is no OTLP response.
    """
    if "protobuf" in content_type:
        return _rejected_protobuf(body, signal)
    try:
        answer = loads(body)
    except ValueError:
        raise UnreadableAnswerError from None
    if not isinstance(answer, dict):
        raise UnreadableAnswerError
    partial = answer.get("partialSuccess") or answer.get("partial_success") or {}
    if not isinstance(partial, dict):
        raise UnreadableAnswerError
    try:
        count = int(partial.get(_REJECTED[signal]) or 0)
    except (TypeError, ValueError):
        raise UnreadableAnswerError from None
    return max(count, 0), bool(partial.get("errorMessage"))


def _rejected_protobuf(body: bytes, signal: Signal) -> tuple[int, bool]:
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - only protobuf answers cost this

    response: Any = _messages(signal)[1]()
    try:
        response.ParseFromString(body)
    except DecodeError:
        raise UnreadableAnswerError from None
    return partial_success(response, signal)


def partial_success(response: Any, signal: Signal) -> tuple[int, bool]:
    """The same from a decoded response: items rejected, and whether it carries a message."""
    partial = response.partial_success
    count = partial.rejected_log_records if signal == "logs" else partial.rejected_spans
    return max(int(count), 0), bool(partial.error_message)


def _messages(signal: Signal) -> tuple[type[Message], type[Message]]:
    """The request and the response of a signal."""
    if signal == "logs":
        with _platform.importing():
            from opentelemetry.proto.collector.logs.v1 import logs_service_pb2 as logs  # noqa: PLC0415 - see above

        return logs.ExportLogsServiceRequest, logs.ExportLogsServiceResponse
    with _platform.importing():
        from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace  # noqa: PLC0415 - see above

    return trace.ExportTraceServiceRequest, trace.ExportTraceServiceResponse


def _ids_to_base64(item: dict[str, Any]) -> None:
    for name in _ID_FIELDS:
        value = item.get(name)
        if isinstance(value, str):
            try:
                item[name] = b64encode(bytes.fromhex(value)).decode()
            except ValueError:
                del item[name]  # an id that is none says nothing
