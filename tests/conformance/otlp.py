"""OTLP in its three encodings."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import grpc  # type: ignore[import-untyped]
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter as HttpExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor

from conformance.adapter import Adapter, HttpAdapter
from conformance.cases import EVENTS, SECOND
from conformance.faults import (
    AMBIGUOUS,
    DELIVERED,
    OTHERWISE,
    PARKED,
    PAUSE,
    REJECTED,
    RETRIED,
    SLOW,
    Expected,
    elsewhere,
)
from destinations.making import settings
from servers.otlp import OtlpSink
from servers.otlp_grpc import OtlpGrpcSink

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from footspan.config import DestinationSettings


def _look(name: str) -> dict[str, Any]:
    """An event as it is, by the parser that reads stored lines; a test of its own holds that against literals."""
    event = EVENTS[name].event
    return {"name": event.name, "body": event.body, "severity": event.severity_number, "attributes": event.attributes}


def _seen(records: list[Any]) -> list[Any]:
    assert all(record["time_ns"] // 1_000_000_000 == SECOND for record in records)
    return [
        {
            "name": record["name"],
            "body": record["body"],
            "severity": record["severity_number"],
            "attributes": record["attributes"],
        }
        for record in records
    ]


def _prove(exporter: Any, sink: Any) -> None:
    provider = LoggerProvider(shutdown_on_exit=False)
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    provider.get_logger("judge").emit(
        timestamp=SECOND * 1_000_000_000, event_name="a", body={"b": [1]}, attributes={"k": "v", "n": 1}
    )
    provider.shutdown()
    (record,) = _seen(sink.logs)
    assert (record["name"], record["body"], record["attributes"]) == ("a", {"b": [1]}, {"k": "v", "n": 1})


class OtlpJson(HttpAdapter):
    """JSON, the default."""

    name: ClassVar[str] = "otlp-json"
    type: ClassVar[str] = "otlp"
    address: ClassVar[str] = "endpoint"
    protocol: ClassVar[str] = "http/json"
    looks: ClassVar[Mapping[str, Any]] = {name: _look(name) for name in EVENTS}
    exceptions: ClassVar[Mapping[str, Expected]] = {
        # The specification forbids to send again what was answered by a 500; no other event would fare better.
        "500": PARKED,
        # The status is the acceptance. Sending again would duplicate what was accepted.
        "broken JSON": DELIVERED,
        # Protobuf, which every backend takes, from then on.
        "415": OTHERWISE,
    }

    def prove(self) -> None:
        """Upstream's own exporter is understood; it speaks protobuf."""
        with OtlpSink() as sink:
            _prove(HttpExporter(endpoint=f"{sink.url}/v1/logs"), sink)

    @contextmanager
    def running(self) -> Iterator[OtlpSink]:
        """A receiver."""
        with OtlpSink() as sink:
            yield sink
            assert not sink.problems

    def options(self, server: OtlpSink) -> dict[str, Any]:
        """The encoding."""
        del server
        return {"protocol": self.protocol}

    def seen(self, server: OtlpSink) -> list[Any]:
        """Records, whole."""
        return _seen(server.logs)


class OtlpProtobuf(OtlpJson):
    """Protobuf over HTTP."""

    name: ClassVar[str] = "otlp-protobuf"
    protocol: ClassVar[str] = "http/protobuf"
    exceptions: ClassVar[Mapping[str, Expected]] = {"500": PARKED, "broken JSON": DELIVERED}


class OtlpGrpc(Adapter):
    """gRPC: statuses of calls in place of those of HTTP."""

    name: ClassVar[str] = "otlp-grpc"
    looks: ClassVar[Mapping[str, Any]] = OtlpJson.looks
    table: ClassVar[Mapping[str, Expected]] = {
        "connection refused": RETRIED,
        SLOW: AMBIGUOUS,
        "no such host": PARKED,
        "certificate not trusted": PARKED,
        "unavailable": RETRIED,
        "unavailable, with a pause": Expected(RETRIED.blame, RETRIED.fate, PAUSE),
        "resource_exhausted": REJECTED,
        "resource_exhausted, with a pause": Expected(RETRIED.blame, RETRIED.fate, PAUSE),
        "invalid_argument": REJECTED,
        **dict.fromkeys(("cancelled", "deadline_exceeded", "aborted", "out_of_range", "data_loss"), AMBIGUOUS),
        **dict.fromkeys(
            (
                "unauthenticated", "permission_denied", "unimplemented", "not_found", "internal", "unknown",
                "already_exists", "failed_precondition",
            ),
            PARKED,
        ),
    }  # fmt: skip

    @property
    def faults(self) -> Mapping[str, Expected]:
        """By the OTLP specification, "OTLP/gRPC", "Failures"; every status that there is."""
        statuses = {code.name.lower() for code in grpc.StatusCode if code is not grpc.StatusCode.OK}
        assert statuses <= {fault.partition(",")[0] for fault in self.table}
        return self.table

    def prove(self) -> None:
        """Upstream's own exporter is understood."""
        with OtlpGrpcSink() as sink:
            _prove(GrpcExporter(endpoint=sink.url, insecure=True), sink)

    @contextmanager
    def running(self) -> Iterator[OtlpGrpcSink]:
        """A receiver."""
        with OtlpGrpcSink() as sink:
            yield sink
            assert not sink.problems

    @contextmanager
    def failing(self, server: OtlpGrpcSink, fault: str) -> Iterator[dict[str, Any]]:
        """The next call gets that status, or none."""
        code, _, pause = fault.partition(",")
        with elsewhere(fault) as address:
            if fault == SLOW:
                server.hang(10.0)
            elif code in {name.name.lower() for name in grpc.StatusCode}:
                server.answer(code, retry=PAUSE if pause else None)
            # Where nobody listens: a port that was free a moment ago cannot be held for gRPC, port 9 is never used.
            yield (
                {"address": "http://127.0.0.1:9"}
                if fault == "connection refused"
                else ({"address": address} if address else {})
            )

    def settings(self, server: OtlpGrpcSink, **more: Any) -> DestinationSettings:
        """Settings that lead to the stand-in, or to ``address``."""
        return settings("otlp", **{"endpoint": more.pop("address", server.url), "protocol": "grpc", **more})

    def seen(self, server: OtlpGrpcSink) -> list[Any]:
        """Records, whole."""
        return _seen(server.logs)

    def requests(self, server: OtlpGrpcSink) -> int:
        """How many calls arrived."""
        return len(server.calls)
