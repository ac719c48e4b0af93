"""One stand-in server of each kind."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from servers.dash_tracker import KEY, DashTrackerServer
from servers.opentrace import OpenTraceServer
from servers.otlp import OtlpSink
from servers.otlp_grpc import OtlpGrpcSink
from servers.trace_telemetry import TraceTelemetryServer
from servers.umami import UmamiServer

if TYPE_CHECKING:
    from typing_extensions import Self

    from privacy.canary.searching import Haystack

__all__ = ["KEY", "Servers"]


class Servers:
    """One stand-in of each kind, and the settings and exporters that lead there."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        enter = self._stack.enter_context
        self.umami, self.otlp, self.protobuf = enter(UmamiServer()), enter(OtlpSink()), enter(OtlpSink())
        self.grpc, self.opentrace = enter(OtlpGrpcSink()), enter(OpenTraceServer())
        self.queue = enter(TraceTelemetryServer(api_key="secret-key"))  # for the drop-in client
        self.told, self.dash = enter(TraceTelemetryServer(api_key="secret-key")), enter(DashTrackerServer(key=KEY))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def options(self) -> dict[str, dict[str, Any]]:
        """Destinations, as ``init`` takes them."""
        return {
            "umami": {"url": self.umami.url, "website": self.umami.website, "spans": ["*"]},
            "otlp": {"endpoint": self.otlp.url},
            "proto": {"type": "otlp", "endpoint": self.protobuf.url, "protocol": "http/protobuf"},
            "grpc": {"type": "otlp", "endpoint": self.grpc.url, "protocol": "grpc"},
            "opentrace": {"url": self.opentrace.url, "project_id": "project", "spans": ["*"]},
            "trace_telemetry": {"url": self.told.endpoint, "api_key": "secret-key", "spans": ["*"]},
            "dash_tracker": {"url": self.dash.endpoint, "api_key": KEY, "spans": ["*"]},
        }

    def search(self, hay: Haystack) -> Haystack:
        """Everything that was asked of any of them."""
        for name in ("umami", "otlp", "protobuf", "opentrace", "told", "queue", "dash"):
            hay.add_requests(name, getattr(self, name))
        hay.add_calls("grpc", self.grpc)
        return hay
