"""Tests for footspan.compat.trace_telemetry.options: whatever stands there, the host goes on and events are kept."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from compat.trace_telemetry.recorded_calls import place
from footspan.compat.trace_telemetry import TelemetryClient, options

if TYPE_CHECKING:
    from pathlib import Path


class Broken:
    """Options that cannot be read."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


class Endless:
    """A number that is none."""

    def __float__(self) -> float:
        raise RuntimeError

    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize("name", [" ", " Kiosk ", "a\nb", "\0", "é", "x" * 400])
@pytest.mark.parametrize("version", ["", " ", " 1", "1.0\n"])
def test_names_arrive_as_they_were_given(name: str, version: str, tmp_path: Path) -> None:
    """Also those that a setting of the process could not have."""
    with place(tmp_path, f"endpoint_url=URL, application_name={name!r}, application_version={version!r}") as ours:
        ours.client.track("a")
        ours.client.track("b", [1])
        ours.client.track_exception(ValueError())
        ours.client.flush()
        assert {(each["applicationName"], each["applicationVersion"]) for each in ours.sent} == {(name, version)}
        assert len(ours.sent) == 3


def test_a_blank_name_is_not_the_environments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the process is called is not what its client is called."""
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "service.version=9")
    with place(tmp_path, "endpoint_url=URL") as ours:
        ours.client.track("a")
        ours.client.flush()
        assert [(each["applicationName"], each["applicationVersion"]) for each in ours.sent] == [("", "")]


@pytest.mark.parametrize("key", ["two words", "ключ", "a\nb"])
def test_a_key_that_no_header_can_have(key: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Events wait, and one warning says so without the key; with a better one they go."""
    with place(tmp_path, f"endpoint_url=URL, api_key={key!r}") as ours:
        ours.server.api_key = "k"
        ours.client.track("a")
        ours.client.flush()
        ours.client.flush()
        assert (ours.sent, ours.client.queued_count) == ([], 1)
        warnings = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
        assert ["api_key" in each for each in warnings] == [True]
        assert key not in caplog.text

        ours.client._options.api_key = "k"
        ours.client.flush()
        assert ([each["name"] for each in ours.sent], ours.client.queued_count) == (["a"], 0)


@pytest.mark.parametrize(
    ("given", "batches"),
    [("20", [3]), (2.9, [2, 1]), (True, [1, 1, 1]), (None, [3]), ("many", [3]), (10**12, [3]), (10**400, [3])],
)
def test_sizes_of_batches(given: Any, batches: list[int], tmp_path: Path) -> None:
    """A number in another form is one; what is none is the default."""
    with place(tmp_path, f"endpoint_url=URL, batch_size={given!r}") as ours:
        for name in "abc":
            ours.client.track(name)
        ours.client.flush()
        assert [len(each) for each in ours.bodies] == batches


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(0, 1), (-5, 1), (0.5, 1), (1.5, 1.5), ("3", 3), (None, 10), (float("nan"), 10), (10**400, 10), (Endless(), 10)],
)
def test_intervals(given: Any, seconds: float) -> None:
    """At least a second; the default for what is no number."""
    assert options.interval(options.TelemetryOptions(flush_interval_seconds=given)) == seconds


def test_an_interval_beyond_what_threads_can_wait(tmp_path: Path) -> None:
    """The timer stays, and another interval is heeded once it is there."""
    with place(tmp_path, "endpoint_url=URL, flush_interval_seconds=1e12") as ours:
        ours.client.start()
        ticker = ours.client._ticker
        assert ticker is not None
        ticker.join(0.2)
        assert ticker.is_alive()


def test_options_that_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Are the defaults."""
    monkeypatch.chdir(tmp_path)
    slips: list[Any] = [Broken(), options.TelemetryOptions(queue_path=Endless())]  # type: ignore[arg-type]
    for each in slips:
        client = TelemetryClient(each)
        client.track("a")
        client.flush()
    assert client.queued_count == 2
    assert (tmp_path / f"{options.DEFAULT_QUEUE}.d").is_dir()
