"""A file as the telemetry module's users have it: with an address in the environment it runs as it is."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import jsonschema
import pytest
import yaml

import footspan
from footspan.config.schema import json_schema
from footspan.config.survey import survey

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers.umami import UmamiServer

FOLDER: Final = os.environ.get("FOOTSPAN_SEED_DOCS", "")
DOCUMENT: Final = Path(FOLDER, "telemetry-module.md")

OURS: Final = """
telemetry:
  debug: false
  enabled: true
  sampling:
    rate: 1.0        # everything
    enabled: false
  destinations:
    logging:
      level: INFO
      enabled: true
      events:
        - system.*
        - error.*
    umami:
      enabled: true
      events:
        - payment.*
        - user.*
        - generation.*
"""


def documents_own() -> str:
    """The block of the document, as it stands."""
    text = DOCUMENT.read_text(encoding="utf-8", errors="replace")
    (found,) = re.findall(r"^```yaml\r?\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.fixture(params=["in our words", "the document's own"])
def content(request: pytest.FixtureRequest) -> str:
    """The same file twice."""
    if request.param == "in our words":
        return OURS
    if not FOLDER or not DOCUMENT.is_file():
        pytest.skip("FOOTSPAN_SEED_DOCS names no folder with telemetry-module.md")
    return documents_own()


def test_it_runs_as_it_is(
    content: str,
    settings_file: Callable[[str], Path],
    umami_server: UmamiServer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Users' actions, generations and payments go to Umami; errors and the system's go to the log; none elsewhere."""
    settings_file(content)
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_UMAMI_URL", umami_server.url)
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_UMAMI_WEBSITE", umami_server.website)
    monkeypatch.setenv("TELEMETRY_ENABLED", "true")
    monkeypatch.setenv("TELEMETRY_DEBUG", "false")
    with caplog.at_level("INFO", "footspan.events"):
        for name in ("generation.started", "checkout.completed", "signup", "user.login.failed"):
            footspan.track(name, user_id="u_1")
        for name in ("error.shown", "exception", "system.started", "api.request"):
            footspan.track(name, user_id="u_1")
        footspan.track("weather.changed", user_id="u_1")
    assert footspan.flush(20) == {"umami": 0}

    sent = {row["event_name"] for row in umami_server.events()}
    logged = {record.getMessage().split()[0] for record in caplog.records if record.name == "footspan.events"}
    assert sent == {"generation.started", "checkout.completed", "signup", "user.login.failed"}
    assert logged == {"error.shown", "exception", "system.started", "api.request"}
    assert footspan.status()["counters"]["unrouted"] == 1


def test_it_is_found_to_be_right(content: str, settings_file: Callable[[str], Path]) -> None:
    """By the check, once the address is there, and by the schema."""
    settings_file(content)
    jsonschema.Draft202012Validator(json_schema()).validate(yaml.safe_load(content))
    prefix = "FOOTSPAN_DESTINATIONS_UMAMI_"
    with_address = survey(environ={f"{prefix}URL": "https://stats.example.com", f"{prefix}WEBSITE": "w"})

    assert (with_address.problems, with_address.warnings) == ((), ())
    assert [error.key for error in survey(environ={}).problems] == ["telemetry.destinations.umami.url"]


def test_the_old_switches(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """TELEMETRY_DEBUG prints every event, samples none and speaks of failures; TELEMETRY_ENABLED=false ends it all."""
    monkeypatch.setenv("TELEMETRY_DEBUG", "true")
    monkeypatch.setenv("FOOTSPAN_SAMPLING_ENABLED", "true")
    monkeypatch.setenv("FOOTSPAN_SAMPLING_RATE", "0")
    assert footspan.track("cart.filled", user_id="u_1")
    assert footspan.flush(20) == {"console": 0}
    assert "cart.filled" in capfd.readouterr().err
    assert "destinations: console" in caplog.text

    footspan.shutdown()
    monkeypatch.setenv("TELEMETRY_ENABLED", "false")
    footspan.init(service_name="shop")
    assert footspan.track("cart.filled") == ""
