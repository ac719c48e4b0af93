"""Tests for the command ``footspan gateway``; running ones are in ``tests/gateway/test_processes.py``."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from footspan.cli.commands import footspan as command
from footspan.cli.gateway import _announce
from footspan.config import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of loopback that somebody else listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


def test_the_help_teaches() -> None:
    """What to type, what senders set, where it listens, how it ends."""
    result = CliRunner().invoke(command, ["gateway", "--help"])

    assert 0 == result.exit_code
    for word in ("/v1/logs", "OTEL_EXPORTER_OTLP_ENDPOINT", "127.0.0.1", "4318", "Ctrl-C", "Exit codes"):
        assert word in result.output


def test_it_is_among_the_commands() -> None:
    """Whoever asks what there is finds it."""
    assert "gateway" in CliRunner().invoke(command, ["--help"]).output


def test_a_port_that_is_taken_is_said(taken: int) -> None:
    """With the way out."""
    result = CliRunner().invoke(command, ["gateway", "--port", str(taken)])

    assert 2 == result.exit_code
    assert f"port {taken}" in result.output
    assert "--port" in result.output


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_it_does_not_deliver_to_itself(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that senders set, in its own environment, would send every event round for ever."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://{host}:{port}")
    result = CliRunner().invoke(command, ["gateway", "--port", str(port)])

    assert 2 == result.exit_code
    assert "this gateway itself" in result.output


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("FOOTSPAN_SPOOL_MAX_BYTES", "many", "FOOTSPAN_SPOOL_MAX_BYTES"),
        ("TELEMETRY_ENABLED", "false", "TELEMETRY_ENABLED"),
    ],
)
def test_settings_that_cannot_be_used_are_said(
    name: str, value: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a trace-back."""
    monkeypatch.setenv(name, value)
    result = CliRunner().invoke(command, ["gateway", "--port", "0"])

    assert 2 == result.exit_code
    assert said in result.output


def test_without_a_folder_it_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory would not outlive it, though its answers promise that."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("FOOTSPAN_SPOOL_DIRECTORY", str(tmp_path / "file"))
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "file"))
    result = CliRunner().invoke(command, ["gateway", "--port", "0"])

    assert 2 == result.exit_code
    assert "FOOTSPAN_SPOOL_DURABILITY" in result.output


def test_missing_libraries_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the command says how to get it."""
    for name in [name for name in sys.modules if name.startswith("footspan.gateway")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "starlette", None)
    monkeypatch.setitem(sys.modules, "starlette.applications", None)
    result = CliRunner().invoke(command, ["gateway", "--port", "0"])

    assert 2 == result.exit_code
    assert "footspan[gateway]" in result.output


def test_an_open_address_is_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    """There is no authentication yet; on loopback that needs no warning."""
    settings = load_settings()
    _announce("http://127.0.0.1:4318", "127.0.0.1", settings)
    assert "warning" not in capsys.readouterr().err
    _announce("http://0.0.0.0:4318", "0.0.0.0", settings)
    assert "warning" in capsys.readouterr().err
