"""The stand-ins as pytest fixtures: import them into a ``conftest.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from servers.dash_tracker import KEY, DashTrackerServer
from servers.opentrace import OpenTraceServer
from servers.otlp import OtlpSink
from servers.trace_telemetry import TraceTelemetryServer
from servers.umami import UmamiServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def umami_server() -> Iterator[UmamiServer]:
    """A running Umami with one known website, ``umami_server.website``."""
    with UmamiServer() as server:
        yield server


@pytest.fixture
def otlp_sink() -> Iterator[OtlpSink]:
    """A running OTLP/HTTP receiver."""
    with OtlpSink() as sink:
        yield sink


@pytest.fixture
def opentrace_server() -> Iterator[OpenTraceServer]:
    """A running OpenTrace server that knows the start code ``a1B2c3``."""
    with OpenTraceServer() as server:
        yield server


@pytest.fixture
def dash_tracker_server() -> Iterator[DashTrackerServer]:
    """A running server for Dash-Tracker's events, with a key."""
    with DashTrackerServer(key=KEY) as server:
        yield server


@pytest.fixture
def trace_telemetry_server() -> Iterator[TraceTelemetryServer]:
    """A running TraceTelemetry endpoint, ``trace_telemetry_server.endpoint``, that wants the key ``secret-key``."""
    with TraceTelemetryServer(api_key="secret-key") as server:
        yield server
