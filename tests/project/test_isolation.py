"""What ``conftest.py`` promises every test: clean state, clean environment, no network."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from opentelemetry import baggage, context, metrics, trace
from opentelemetry._logs import get_logger_provider, set_logger_provider
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.trace import TracerProvider

import footspan
from footspan import _guard
from footspan.processors.context import ambient
from network_guard import NetworkBlockedError, blocked_network, is_local

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def listener() -> Iterator[tuple[str, int]]:
    """A server of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()


def test_loopback_can_be_reached(listener: tuple[str, int]) -> None:
    """Servers that a test starts are there for it, by address and by name."""
    for host in ("127.0.0.1", "localhost"):
        with blocked_network() as attempts, socket.create_connection((host, listener[1]), timeout=5):
            assert attempts == []


@pytest.mark.parametrize("address", [("192.0.2.1", 80), ("2001:db8::1", 80, 0, 0)], ids=["v4", "v6"])
def test_nothing_else_can_be_reached(address: tuple[str, int]) -> None:
    """The attempt is refused at once, and remembered in case the refusal is swallowed."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with blocked_network() as attempts, socket.socket(family) as client:
        with pytest.raises(NetworkBlockedError):
            client.connect(address)
        with pytest.raises(NetworkBlockedError):
            client.connect_ex(address)

    assert attempts == [f"connect to {address[0]}"] * 2


def test_names_are_not_looked_up() -> None:
    """A real name would leave the machine; a reserved one is unknown here as everywhere."""
    with blocked_network() as attempts:
        with pytest.raises(NetworkBlockedError):
            socket.getaddrinfo("opentelemetry.io", 443)
        with pytest.raises(socket.gaierror):
            socket.getaddrinfo("umami.example", 443)

    assert attempts == ["look up opentelemetry.io"]


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        (b"localhost", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
    ],
)
def test_what_is_local(host: object, local: bool) -> None:
    """Loopback in all its spellings, and nothing more."""
    assert is_local(host) is local


def test_no_setting_of_the_shell_is_in_force() -> None:
    """A developer may have footspan and OpenTelemetry configured for real."""
    kept = {"FOOTSPAN_SEED_DOCS", "FOOTSPAN_REQUIRE_COLLECTOR"}
    found = {name for name in os.environ if name.startswith(("FOOTSPAN_", "OTEL_", "TELEMETRY_"))}

    assert found <= kept


def test_the_spools_default_place_is_temporary(tmp_path: Path) -> None:
    """No test writes where the developer's own events are."""
    state = Path(os.environ["XDG_STATE_HOME"])

    assert state.is_relative_to(tmp_path.parent)
    assert list(state.iterdir()) == []


@pytest.mark.parametrize("time", ["first", "second"])
def test_each_test_sets_the_providers_anew(time: str) -> None:
    """OpenTelemetry lets a process set each provider once; every test is a process in this respect."""
    logs, traces, measures = LoggerProvider(), TracerProvider(), MeterProvider()
    set_logger_provider(logs)
    trace.set_tracer_provider(traces)
    metrics.set_meter_provider(measures)

    assert get_logger_provider() is logs
    assert trace.get_tracer_provider() is traces
    assert metrics.get_meter_provider() is measures
    for provider in (logs, traces, measures):
        provider.shutdown()


@pytest.mark.parametrize("time", ["first", "second"])
def test_each_test_has_its_own_context(time: str) -> None:
    """Neither our context nor OpenTelemetry's reaches the next test."""
    assert ambient() == {}
    assert baggage.get_all() == {}

    footspan.set_context(user_id="u_1")
    context.attach(baggage.set_baggage("user", "u_1"))

    assert ambient() != {}


def test_guarded_failures_surface() -> None:
    """In production the host would never hear of it; a test must."""
    with pytest.raises(ZeroDivisionError), _guard.guard("a test"):
        _ = 1 / 0
