"""What TraceTelemetry's document says, in our own words; and its own blocks, with only the import changed.

The document is no part of this project: ``FOOTSPAN_SEED_DOCS`` names the folder that holds it, and the tests of its own
blocks are skipped without.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from footspan.compat import trace_telemetry as module
from footspan.compat.trace_telemetry import TelemetryClient, TelemetryOptions
from servers.trace_telemetry import TraceTelemetryServer

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER: Final = os.environ.get("FOOTSPAN_SEED_DOCS", "")
DOCUMENT: Final = Path(FOLDER, "trace-telemetry.md")
KEY: Final = "device-key"
FIELDS: Final = [
    "id",
    "name",
    "timestampUtc",
    "data",
    "applicationName",
    "applicationVersion",
    "machineName",
    "osDescription",
    "ipAddress",
    "countryCode",
]

needs_document = pytest.mark.skipif(
    not FOLDER or not DOCUMENT.is_file(), reason="FOOTSPAN_SEED_DOCS names no folder with trace-telemetry.md"
)


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TraceTelemetryServer]:
    """An endpoint, and a working directory for the queue."""
    monkeypatch.chdir(tmp_path)
    with TraceTelemetryServer(api_key=KEY) as found:
        yield found


# -- in our own words --------------------------------------------------------------------------------------------------


def test_a_service_from_start_to_stop(server: TraceTelemetryServer) -> None:
    """Options, events with and without data, an exception, a flush, the end."""
    client = TelemetryClient(
        TelemetryOptions(
            endpoint_url=server.endpoint,
            api_key=KEY,
            application_name="Checkout",
            application_version="2.1",
            batch_size=20,
            flush_interval_seconds=10,
            queue_path="telemetry-queue.ndjson",
        )
    )
    client.start()
    client.track("opened")
    client.track("paid", {"order": "77", "total": 12.5})
    client.track("joined", "by", "friend")
    try:
        os.environ["NO_SUCH_ORDER"]
    except KeyError as error:
        client.track_exception(error, event_name="failed", extra_data={"step": "pay"})
    assert client.queued_count == 4
    client.flush()
    client.stop()

    assert [(each["name"], each["data"]) for each in server.events[:3]] == [
        ("opened", None),
        ("paid", {"order": "77", "total": 12.5}),
        ("joined", {"by": "friend"}),
    ]
    failed = server.events[3]["data"]
    assert {key: failed[key] for key in ("message", "exceptionType", "step")} == {
        "message": "NO_SUCH_ORDER",
        "exceptionType": "KeyError",
        "step": "pay",
    }
    assert failed["stackTrace"].rstrip().endswith("KeyError: 'NO_SUCH_ORDER'")
    assert client.queued_count == 0


def test_the_options_and_their_defaults() -> None:
    """Each of the document, in its order; and one of ours, which the country needs."""
    assert [(each.name, each.default) for each in dataclasses.fields(TelemetryOptions)] == [
        ("endpoint_url", ""),
        ("api_key", ""),
        ("queue_path", "telemetry-queue.ndjson"),
        ("batch_size", 20),
        ("flush_interval_seconds", 10),
        ("application_name", ""),
        ("application_version", ""),
        ("enable_country_lookup", False),
        ("country_database", None),
    ]


def test_an_event_has_what_the_contract_names(server: TraceTelemetryServer) -> None:
    """Machine, system and address by itself; no country."""
    client = TelemetryClient(TelemetryOptions(server.endpoint, KEY, application_name="Checkout"))
    client.track("opened")
    client.flush()
    event = server.requests[0].json()[0]
    assert list(event) == FIELDS
    assert event["machineName"]
    assert event["osDescription"]
    assert (event["countryCode"], event["applicationVersion"]) == ("", "")


def test_a_country_without_a_file_is_none(server: TraceTelemetryServer, caplog: pytest.LogCaptureFixture) -> None:
    """The look-up asks no service: without ``country_database`` it is said that there is none."""
    client = TelemetryClient(TelemetryOptions(server.endpoint, KEY, enable_country_lookup=True))
    client.track("opened")
    client.flush()
    assert server.events[0]["countryCode"] == ""
    assert caplog.text.count("country_database") == 1


def test_a_country_file_that_is_missing_costs_nothing(
    server: TraceTelemetryServer, caplog: pytest.LogCaptureFixture
) -> None:
    """But a warning."""
    client = TelemetryClient(
        TelemetryOptions(server.endpoint, KEY, enable_country_lookup=True, country_database="none.mmdb")
    )
    client.track("opened")
    client.flush()
    assert server.events[0]["countryCode"] == ""
    assert caplog.text.count("country_database") == 1


# -- the document itself -----------------------------------------------------------------------------------------------


@functools.cache
def text() -> str:
    """The document."""
    return DOCUMENT.read_text(encoding="utf-8")


@needs_document
def test_its_blocks_run(server: TraceTelemetryServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The address that it makes up stands for the test's endpoint."""
    blocks = re.findall(r"^```python\n(.*?)^```", text(), re.MULTILINE | re.DOTALL)
    assert blocks
    keys: list[str] = []

    def options(**given: Any) -> TelemetryOptions:
        keys.append(given["api_key"])
        return TelemetryOptions(**{**given, "endpoint_url": server.endpoint})

    monkeypatch.setattr(module, "TelemetryOptions", options)
    for block in blocks:
        code, changed = re.subn(r"^from trace_telemetry import", "from footspan.compat.trace_telemetry import", block)
        assert changed == 1
        server.api_key = "sua-api-key"
        exec(compile(code, str(DOCUMENT), "exec"), {"__name__": "__main__", "risky_operation": lambda: 1 / 0})
    assert keys == ["sua-api-key"]
    assert [(each["name"], each["applicationName"], each["applicationVersion"]) for each in server.events] == [
        (name, "MeuServico", "1.0.0") for name in ("page_view", "purchase", "signup", "exception")
    ]
    assert [each["data"] for each in server.events[:3]] == [
        None,
        {"order_id": "123", "amount": 99.9},
        {"source": "google"},
    ]
    assert server.events[3]["data"]["exceptionType"] == "ZeroDivisionError"
    assert server.events[3]["data"]["step"] == "checkout"
    assert Path("telemetry-queue.ndjson.d").is_dir()


@needs_document
def test_its_options(server: TraceTelemetryServer) -> None:
    """Name and default of each row of its table."""
    rows = re.findall(r"^\| `(\w+)` \|.*\| `([^`]*)` \|$", text(), re.MULTILINE)
    ours = {each.name: each.default for each in dataclasses.fields(TelemetryOptions)}
    assert len(rows) == 8
    assert list(ours)[:8] == [name for name, _ in rows]
    for name, default in rows:
        assert str(ours[name]).removesuffix(".0") == default.strip('"')


@needs_document
def test_its_calls() -> None:
    """Each that it lists is there and takes what it says."""
    client = TelemetryClient(TelemetryOptions())
    for call in re.findall(r"^- \*\*`([^`]+)`\*\*", text(), re.MULTILINE):
        name, _, parameters = call.partition("(")
        found = getattr(client, name)
        if parameters:
            takes = parameters.rstrip(")").split(", ")
            positional = [each for each in takes if each and "=" not in each]
            keywords = {each.partition("=")[0]: None for each in takes if "=" in each}
            inspect.signature(found).bind(*positional, **keywords)
        else:
            assert found == 0


@needs_document
def test_its_event() -> None:
    """The fields that it names."""
    named = re.findall(r"`(\w+)`", text().rpartition("## ")[2])
    assert [name for name in named if name in FIELDS][: len(FIELDS)] == FIELDS
