"""Tests for the command ``footspan status``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

import footspan
from footspan.cli import main
from footspan.cli.commands import footspan as command

if TYPE_CHECKING:
    from pathlib import Path

    from servers.otlp import OtlpSink


def test_every_service_is_shown(otlp_sink: OtlpSink) -> None:
    """The table names services, destinations and figures; all well is exit code 0."""
    footspan.init(service_name="shop", destinations={"otlp": {"endpoint": otlp_sink.url}})
    for _ in range(1_234):
        footspan.track("x", password="hunter2")
    footspan.flush(20.0)
    result = CliRunner().invoke(command, ["status"])

    assert result.exit_code == 0, result.output
    assert "shop" in result.output
    assert result.output.count("1,234") == 3  # accepted, delivered, redacted


def test_json_for_programs() -> None:
    """The same figures as ``footspan.status()``, for a service that somebody else runs."""
    program = "import footspan; footspan.track('a'); footspan.track('b')"
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "OTEL_SERVICE_NAME": "other"}, check=True)
    result = CliRunner().invoke(command, ["status", "--service", "other", "--json"])

    assert result.exit_code == 0, result.output
    assert json.loads(result.output)["other"]["counters"]["unrouted"] == 2


def test_trouble_is_an_exit_code(otlp_sink: OtlpSink) -> None:
    """Events that wait while nobody carries for them are exit code 1."""
    otlp_sink.faults.down()
    footspan.init(service_name="shop", courier="external", destinations={"otlp": {"endpoint": otlp_sink.url}})
    footspan.track("x")
    result = CliRunner().invoke(command, ["status", "--service", "shop"])

    assert result.exit_code == 1, result.output
    assert "unattended" in result.output


def test_looking_changes_nothing(tmp_path: Path) -> None:
    """Where there is nothing, nothing is made, and the message says what to name."""
    result = CliRunner().invoke(command, ["status", "--directory", str(tmp_path), "--service", "nobody"])

    assert result.exit_code == 2
    assert "--service" in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_bad_setting_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command says which setting cannot be used, without a trace-back."""
    monkeypatch.setenv("FOOTSPAN_SPOOL_MAX_BYTES", "many")
    result = CliRunner().invoke(command, ["status"])

    assert result.exit_code == 2
    assert "FOOTSPAN_SPOOL_MAX_BYTES" in result.output


def test_missing_libraries_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the extra, the command says how to get it."""
    monkeypatch.delitem(sys.modules, "footspan.cli.commands")
    monkeypatch.setitem(sys.modules, "click", None)
    with pytest.raises(SystemExit) as left:
        main()

    assert left.value.code == 2
    assert "footspan[cli]" in capsys.readouterr().err
