"""A stand-in for an OTLP/HTTP receiver; see ../README.md."""

from __future__ import annotations

from servers.otlp.sink import OtlpSink

__all__ = ["OtlpSink"]
