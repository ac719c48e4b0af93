"""``footspan explain`` shows the request as it would leave, without the key."""

from __future__ import annotations

import json
import platform
from typing import TYPE_CHECKING

from click.testing import CliRunner

from footspan.cli.commands import footspan as command
from servers.trace_telemetry.contract import KEYS

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

KEY = "k-very-secret-0123456789"
FILE = f"""
telemetry:
  service: {{name: shop, version: "1.2"}}
  destinations:
    trace_telemetry: {{url: "https://t.example/telemetry", api_key: {KEY}, events: [order.*]}}
"""


def test_the_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Address, headers and body; an event that does not go there has none."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "footspan.yaml").write_text(FILE)

    def explained(*arguments: str) -> dict[str, object]:
        result = CliRunner().invoke(command, ["explain", *arguments, "--json"], catch_exceptions=False)
        assert KEY not in result.output
        (fate,) = json.loads(result.output)["destinations"].values()
        assert isinstance(fate, dict)
        return fate

    request = explained("--name", "order.paid", "--props", '{"amount": 3}')["request"]
    assert isinstance(request, dict)
    assert (request["method"], request["address"]) == ("POST", "https://t.example/telemetry")
    assert request["headers"]["X-API-Key"] == "***"
    (event,) = request["body"]
    assert tuple(event) == KEYS
    assert (event["data"], event["applicationName"], event["applicationVersion"]) == ({"amount": 3}, "shop", "1.2")
    assert event["osDescription"] == platform.platform()
    assert not explained("--name", "user.seen").get("request")
