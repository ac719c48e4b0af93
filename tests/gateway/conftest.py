"""The real Collector stands before the gateway in some tests."""

from __future__ import annotations

from collector.conftest import otelcol

__all__ = ["otelcol"]
