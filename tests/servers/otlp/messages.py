"""Protobuf messages of the OTLP services, imported only when a protobuf body comes."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

_SIGNALS: Final = {"logs": "Logs", "traces": "Trace", "metrics": "Metrics"}
_REJECTED: Final = {"logs": "rejected_log_records", "traces": "rejected_spans", "metrics": "rejected_data_points"}


def _service(signal: str) -> Any:
    package = {"traces": "trace"}.get(signal, signal)
    return import_module(f"opentelemetry.proto.collector.{package}.v1.{package}_service_pb2")


def request_class(signal: str) -> Any:
    """The message class of a request."""
    return getattr(_service(signal), f"Export{_SIGNALS[signal]}ServiceRequest")


def response_class(signal: str) -> Any:
    """The message class of an answer."""
    return getattr(_service(signal), f"Export{_SIGNALS[signal]}ServiceResponse")


def success(signal: str, rejected: int, message: str) -> bytes:
    """The answer to an accepted request, with a partial success if anything was rejected or is to be said."""
    answer = response_class(signal)()
    if rejected or message:
        setattr(answer.partial_success, _REJECTED[signal], rejected)
        answer.partial_success.error_message = message
    return bytes(answer.SerializeToString())


def status(code: int, message: str) -> bytes:
    """A ``google.rpc.Status``."""
    answer = import_module("google.rpc.status_pb2").Status(code=code, message=message)
    return bytes(answer.SerializeToString())
