"""Every destination that the suite is run against. A new one is added here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from conformance.console import Console
from conformance.dash_tracker import DashTracker
from conformance.opentrace import OpenTrace
from conformance.otlp import OtlpGrpc, OtlpJson, OtlpProtobuf
from conformance.trace_telemetry import TraceTelemetry
from conformance.umami import UmamiBatches, UmamiSingles

if TYPE_CHECKING:
    from conformance.adapter import Adapter

ADAPTERS: Final[tuple[Adapter, ...]] = (
    UmamiBatches(),
    UmamiSingles(),
    OtlpJson(),
    OtlpProtobuf(),
    OtlpGrpc(),
    OpenTrace(),
    Console(),
    TraceTelemetry(),
    DashTracker(),
)
