"""Which exporters mean footspan's destinations, and which stay with the SDK."""

from __future__ import annotations

import pytest

from footspan.config import DestinationSettings
from footspan.instrumentation.choice import asks_for_plain_exporters, choose, names_nothing, shown_to_sdk

OTLP = DestinationSettings(name="otlp", type="otlp", options={"endpoint": "http://collector:4318"})
LOGS_ONLY = DestinationSettings(name="logsonly", type="otlp", options={"logs_endpoint": "http://logs:4318/v1/logs"})
OFF = DestinationSettings(name="off", type="otlp", enabled=False, options={"endpoint": "http://off:4318"})
UMAMI = DestinationSettings(name="umami", type="umami", options={"url": "http://umami:3000"})
ALL = (UMAMI, OTLP, LOGS_ONLY, OFF)


@pytest.mark.parametrize(
    ("environ", "kept", "ours"),
    [
        ({}, None, True),
        ({"OTEL_TRACES_EXPORTER": ""}, None, True),
        ({"OTEL_TRACES_EXPORTER": "none"}, None, False),
        ({"OTEL_TRACES_EXPORTER": "console"}, None, False),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, "none", True),
        ({"OTEL_TRACES_EXPORTER": "footspan"}, "none", True),
        ({"OTEL_TRACES_EXPORTER": "footspan_otlp"}, "none", True),
        ({"OTEL_TRACES_EXPORTER": "console, otlp"}, "console", True),
        ({"OTEL_TRACES_EXPORTER": "console,footspan,zipkin"}, "console,zipkin", True),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318/"}, "none", True),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://elsewhere:4318"}, None, False),
        (
            {
                "OTEL_TRACES_EXPORTER": "otlp",
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://elsewhere:4318/v1/traces",
            },
            None,
            False,
        ),
        ({"OTEL_TRACES_EXPORTER": "otlp_proto_grpc"}, None, False),
        (
            {
                "OTEL_TRACES_EXPORTER": "otlp",
                "OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                "OTEL_EXPORTER_OTLP_INSECURE": "true",
            },
            "none",
            True,
        ),
    ],
)
def test_spans(environ: dict[str, str], kept: str | None, *, ours: bool) -> None:
    """Spans go to the ``otlp`` destinations that take them, unless the operator named something else."""
    choice = choose("traces", ALL, environ)
    assert choice.variable == "OTEL_TRACES_EXPORTER"
    assert choice.kept == kept
    assert choice.destinations == ((OTLP,) if ours else ())


def test_plain_logs_are_exported_only_when_asked_for() -> None:
    """Without ``OTEL_LOGS_EXPORTER`` no plain log leaves; with ``otlp`` it goes where the events go."""
    assert choose("logs", ALL, {}).destinations == ()
    asked = choose("logs", ALL, {"OTEL_LOGS_EXPORTER": "otlp"})
    assert asked.destinations == (OTLP, LOGS_ONLY)
    assert asked.kept == "none"


def test_without_an_otlp_destination_otlp_is_the_sdks() -> None:
    """``otlp`` stays the SDK's exporter; a footspan name is ours even when there is nothing it could mean."""
    assert choose("traces", (UMAMI,), {"OTEL_TRACES_EXPORTER": "otlp"}).kept is None
    assert choose("traces", (), {"OTEL_TRACES_EXPORTER": "footspan"}).kept == "none"


def test_the_environment_is_restored() -> None:
    """The SDK sees what is left to it, and afterwards the variables are as the operator set them, even on an error."""
    environ = {"OTEL_TRACES_EXPORTER": "console,otlp", "OTEL_LOGS_EXPORTER": "console"}
    before = dict(environ)
    seen: dict[str, str] = {}

    def configured() -> None:
        with shown_to_sdk([choose("traces", ALL, environ), choose("logs", ALL, environ)], environ):
            seen.update(environ)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        configured()
    assert seen == {"OTEL_TRACES_EXPORTER": "console", "OTEL_LOGS_EXPORTER": "console"}
    assert environ == before


@pytest.mark.parametrize(
    ("value", "kept", "meant"),
    [
        ("umami", "none", ()),
        ("umami,console", "console", ()),
        ("footspan_otlp", "none", (OTLP, LOGS_ONLY)),
        ("footspan_logsonly", "none", (LOGS_ONLY,)),
        ("footspan", "none", (OTLP, LOGS_ONLY)),
        ("footspan_umami,otlp_proto_http", "otlp_proto_http", ()),
    ],
)
def test_a_name_means_its_own_destinations(value: str, kept: str, meant: tuple[DestinationSettings, ...]) -> None:
    """By type, or by the name it has in the settings; naming Umami sends no plain log to another place."""
    choice = choose("logs", ALL, {"OTEL_LOGS_EXPORTER": value})
    assert (choice.kept, choice.destinations) == (kept, meant)


def test_names_that_stand_for_nothing_are_found() -> None:
    """Whoever sets them expects something to arrive."""
    environ = {"OTEL_LOGS_EXPORTER": "umami,footspan_off,otlp", "OTEL_TRACES_EXPORTER": "footspan_console"}
    assert names_nothing((UMAMI, OFF), environ) == [
        "OTEL_TRACES_EXPORTER=footspan_console",
        "OTEL_LOGS_EXPORTER=footspan_off",
    ]
    assert names_nothing(ALL, {"OTEL_LOGS_EXPORTER": "umami,footspan,footspan_otlp"}) == []


@pytest.mark.parametrize(("value", "plain"), [("umami", True), ("otlp, footspan_otlp", True), ("footspan,otlp", False)])
def test_plain_exporters_are_asked_for_by_their_names(value: str, *, plain: bool) -> None:
    """Those that entry points offer."""
    assert asks_for_plain_exporters({"OTEL_TRACES_EXPORTER": value}) is plain
