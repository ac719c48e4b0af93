"""A stand-in for an endpoint that takes what TraceTelemetry's clients send; see ../README.md."""

from __future__ import annotations

from servers.trace_telemetry.server import TraceTelemetryServer

__all__ = ["TraceTelemetryServer"]
