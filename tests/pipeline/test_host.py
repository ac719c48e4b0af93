"""The host's name, system and addresses: on the resource where a destination tells of them, and only there."""

from __future__ import annotations

import ipaddress
import platform
import socket
import sys
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk.resources import Resource

from footspan import conventions as c
from footspan.config import DestinationSettings, Settings, SpoolSettings
from footspan.otlp_json import LogLine, encode_line, encode_record
from footspan.pipeline import host
from footspan.pipeline.build import Pipeline
from footspan.pipeline.host import addresses, host_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TELLING = DestinationSettings(name="t", type="trace_telemetry", options={"url": "http://localhost:9/telemetry"})
SILENT = DestinationSettings(name="otlp", type="otlp", options={"endpoint": "http://localhost:9"})


@pytest.fixture(autouse=True)
def _looked_up_anew() -> Iterator[None]:
    host._host.cache_clear()
    yield
    host._host.cache_clear()


def settings(*destinations: DestinationSettings) -> Settings:
    """Settings of a pipeline that nobody carries for."""
    return Settings(destinations=destinations, courier="external", spool=SpoolSettings(durability="memory"))


def resource_of(pipeline: Pipeline, given: dict[str, Any]) -> Any:
    """What a pipeline makes of a resource."""
    provider = LoggerProvider(Resource(given), shutdown_on_exit=False)
    suffix = pipeline.suffix(provider.resource, None)
    record = encode_record(name="a", time_ns=1, attributes={c.LOG_RECORD_UID: "u"})
    return LogLine(encode_line(record, suffix).rstrip(b"\n")).event.resource


def test_only_for_destinations_that_tell_of_it() -> None:
    """No event for others bears the machine's addresses; one that is switched off does not count."""
    off = DestinationSettings(name="t", type="trace_telemetry", enabled=False)
    assert host_for(settings(SILENT, off)) == {}
    found = host_for(settings(SILENT, TELLING))
    assert found[c.HOST_NAME] == socket.gethostname()
    assert found[c.OS_DESCRIPTION] == platform.platform()
    assert c.HOST_IP not in found or found[c.HOST_IP] == addresses()


def test_a_pipeline_puts_it_on_the_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside what stands there; what the resource says itself stays."""
    monkeypatch.setattr(host, "addresses", lambda: ["198.51.100.7", "2001:db8::7"])
    pipeline = Pipeline(settings(TELLING))
    try:
        found = resource_of(pipeline, {c.HOST_NAME: "till-7", "k": "v"})
    finally:
        pipeline.close()
    assert (found[c.HOST_NAME], found["k"], found[c.HOST_IP]) == ("till-7", "v", ["198.51.100.7", "2001:db8::7"])
    assert found[c.OS_DESCRIPTION] == platform.platform()


def test_another_pipeline_does_not() -> None:
    """Its resource is the application's own."""
    pipeline = Pipeline(settings(SILENT))
    try:
        found = resource_of(pipeline, {})
    finally:
        pipeline.close()
    assert not {c.HOST_NAME, c.HOST_IP, c.OS_DESCRIPTION} & set(found)


def test_addresses_are_the_machines_own() -> None:
    """Without loopback, each once, and without a look at the network (which these tests would notice)."""
    found = addresses() if sys.platform == "linux" else []
    assert len(found) == len(set(found))
    assert not any(ipaddress.ip_address(each).is_loopback for each in found)


@pytest.mark.skipif(sys.platform != "linux", reason="interfaces are asked on Linux only")
def test_the_address_that_leads_outward_stands_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The interface with the default route, then the others by name, then those of IPv6 that reach beyond a link."""
    answers = {"br0": "172.17.0.1", "eth0": "192.0.2.10", "lo": "127.0.0.1"}

    def ioctl(_: int, __: int, request: bytes) -> bytes:
        name = request.rstrip(b"\0").decode()
        if name not in answers:
            raise OSError(99, "no address")
        return bytes(20) + socket.inet_aton(answers[name]) + bytes(8)

    monkeypatch.setattr("fcntl.ioctl", ioctl)
    monkeypatch.setattr(socket, "if_nameindex", lambda: [(1, "lo"), (2, "tun0"), (3, "br0"), (4, "eth0")])
    (tmp_path / "route").write_text("Iface\tDestination\tGateway\neth0\t00000000\t0102A8C0\nbr0\t000011AC\t00000000\n")
    (tmp_path / "if_inet6").write_text(
        "fe800000000000000000000000000001 04 40 20 80 eth0\n"
        "20010db8000000000000000000000010 04 40 00 80 eth0\n"
        "00000000000000000000000000000001 01 80 10 80 lo\n"
    )
    monkeypatch.setattr(host, "_ROUTES", tmp_path / "route")
    monkeypatch.setattr(host, "_ADDRESSES_6", tmp_path / "if_inet6")
    assert addresses() == ["192.0.2.10", "172.17.0.1", "2001:db8::10"]
    monkeypatch.setattr(host, "_ROUTES", tmp_path / "gone")
    monkeypatch.setattr(host, "_ADDRESSES_6", tmp_path / "gone")
    assert addresses() == ["172.17.0.1", "192.0.2.10"]


def test_elsewhere_the_route_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A datagram socket knows the address it would send from; nothing is sent."""
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(host, "_ELSEWHERE", ("127.0.0.1", 9))
    assert addresses() == ["127.0.0.1"]


def test_a_system_that_does_not_answer_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device before its network is up: the rest is told all the same."""

    def fails() -> Any:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(host, "addresses", fails)
    monkeypatch.setattr(socket, "gethostname", fails)
    assert set(host_for(settings(TELLING))) == {c.OS_DESCRIPTION}
