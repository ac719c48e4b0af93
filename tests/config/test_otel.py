"""OpenTelemetry's own variables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from footspan.config import ConfigurationError, DestinationSettings, load_settings
from footspan.config.otel import OTLP_VARIABLES
from footspan.destinations.otlp_spans import for_traces

if TYPE_CHECKING:
    from collections.abc import Callable

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}


def otlp(environ: dict[str, str], **overrides: Any) -> DestinationSettings | None:
    """The destination called otlp, if there is one."""
    found = [each for each in load_settings(environ=environ, overrides=overrides).destinations if each.name == "otlp"]
    return found[0] if found else None


def options(environ: dict[str, str], **overrides: Any) -> dict[str, Any]:
    """The options of the destination called otlp."""
    destination = otlp(environ, **overrides)
    assert destination is not None
    return dict(destination.options)


def test_service_name_and_version() -> None:
    """The name's own variable wins over the list of attributes; both win over the file, neither over ours."""
    attributes = {"OTEL_RESOURCE_ATTRIBUTES": "service.name=a%20b, service.version=1.4 ,broken,team=x,service.version="}
    assert load_settings(environ=attributes).service.name == "a b"
    assert load_settings(environ=attributes).service.version == "1.4"
    named = {**attributes, "OTEL_SERVICE_NAME": "shop"}
    assert load_settings(environ=named).service.name == "shop"
    assert load_settings(environ={**named, "FOOTSPAN_SERVICE_NAME": "ours"}).service.name == "ours"
    assert load_settings(environ=named, overrides={"service_name": "code"}).service.name == "code"


def test_the_file_ranks_below(settings_file: Callable[[str], Path]) -> None:
    """The environment wins over the file, whoever's variable it is."""
    settings_file("telemetry: {service: {name: f}, destinations: {otlp: {endpoint: 'http://file', events: [a.*]}}}")

    settings = load_settings(environ={**ENDPOINT, "OTEL_SERVICE_NAME": "shop"})
    assert settings.service.name == "shop"
    assert settings.destinations[0].options["endpoint"] == "http://collector:4318"
    assert settings.destinations[0].events == ("a.*",)


def test_an_endpoint_alone_enables() -> None:
    """The general one and the one for logs do; one for spans alone asks for no events."""
    assert options(ENDPOINT)["endpoint"] == "http://collector:4318"
    assert options({"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://c/v1/logs"})["logs_endpoint"] == "http://c/v1/logs"
    assert otlp({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/v1/traces"}) is None
    assert otlp({"OTEL_EXPORTER_OTLP_HEADERS": "a=b"}) is None
    assert otlp({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}) is None


@pytest.mark.parametrize(
    ("exporters", "enabled"),
    [
        ({"OTEL_LOGS_EXPORTER": "none", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_LOGS_EXPORTER": " None ", "OTEL_TRACES_EXPORTER": "NONE"}, False),
        ({"OTEL_LOGS_EXPORTER": "none"}, True),
        ({"OTEL_TRACES_EXPORTER": "none"}, True),
        ({"OTEL_LOGS_EXPORTER": "otlp", "OTEL_TRACES_EXPORTER": "otlp"}, True),
    ],
)
def test_no_exporter_at_all_means_no_destination(exporters: dict[str, str], enabled: bool) -> None:
    """An endpoint enables nothing when both of its users are none."""
    assert (otlp({**ENDPOINT, **exporters}) is not None) is enabled


def test_an_endpoint_for_logs_that_nobody_exports() -> None:
    """It enables nothing."""
    environ = {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://c/v1/logs", "OTEL_LOGS_EXPORTER": "none"}

    assert otlp(environ) is None


def test_switched_off_by_name_it_stays_off(settings_file: Callable[[str], Path]) -> None:
    """The endpoint does not override an explicit false, from wherever, and its variables are not even read."""
    environ = {**ENDPOINT, "OTEL_EXPORTER_OTLP_COMPRESSION": "zip"}
    off = otlp(environ, destinations={"otlp": {"enabled": False}})
    assert off is not None
    assert not off.enabled
    settings_file("telemetry: {destinations: {otlp: {enabled: false}}}")
    off = otlp(environ)
    assert off is not None
    assert not off.enabled


def test_every_variable_fills_its_option() -> None:
    """Each one, alone beside an endpoint."""
    samples: dict[str, tuple[str, Any]] = {
        "endpoint": ("http://e", "http://e"),
        "logs_endpoint": ("http://l/x/", "http://l/x/"),
        "traces_endpoint": ("http://t/x", "http://t/x"),
        "headers": ("X-Key=a%20b", {"x-key": "a b"}),
        "protocol": ("grpc", "grpc"),
        "compression": ("none", "none"),
        "timeout": ("3", 3.0),
        "certificate": ("/c.pem", "/c.pem"),
        "client_certificate": ("/cc.pem", "/cc.pem"),
        "client_key": ("/ck.pem", "/ck.pem"),
    }
    for variable, key in OTLP_VARIABLES.items():
        general = key if key in samples else key.removeprefix("traces_")
        text, value = samples[general]
        destination = otlp({**ENDPOINT, variable: text})
        assert destination is not None
        read = destination.timeout if key == "timeout" else destination.options[key]
        assert (str(read) if general.startswith("c") else read) == value, variable


def test_the_files_word_on_spans_outranks_what_follows_from_one_on_logs(tmp_path: Path) -> None:
    """A variable that says nothing of spans takes nothing away that is said of them."""
    file = tmp_path / "footspan.yaml"
    file.write_text("telemetry: {destinations: {otlp: {endpoint: http://e, traces_headers: {x-spans: s}}}}\n")
    environ = {"OTEL_EXPORTER_OTLP_LOGS_HEADERS": "x-logs=l"}
    (destination,) = load_settings(config=file, environ=environ).destinations
    assert destination.options["headers"] == {"x-logs": "l"}
    assert for_traces(destination).options["headers"] == {"x-spans": "s"}


@pytest.mark.parametrize(
    ("environ", "traces"),
    [
        ({"HEADERS": "a=1", "LOGS_HEADERS": "b=2"}, {"headers": {"a": "1"}}),
        ({"LOGS_HEADERS": "b=2"}, {"headers": {}}),
        ({"LOGS_HEADERS": "b=2", "TRACES_HEADERS": "c=3"}, {"headers": {"c": "3"}}),
        ({"HEADERS": "a=1", "TRACES_HEADERS": "c=3"}, {"headers": {"c": "3"}}),
        ({"HEADERS": "a=1"}, {"headers": {"a": "1"}}),
        ({"PROTOCOL": "grpc", "LOGS_PROTOCOL": "http/protobuf"}, {"protocol": "grpc"}),
        ({"LOGS_PROTOCOL": "http/protobuf"}, {"protocol": "http/json"}),
        ({"TRACES_PROTOCOL": "http/protobuf"}, {"protocol": "http/protobuf"}),
        ({"LOGS_COMPRESSION": "none"}, {"compression": "gzip"}),
        ({"TIMEOUT": "7", "LOGS_TIMEOUT": "3"}, {"timeout": 7.0}),
        ({"TIMEOUT": "7", "TRACES_TIMEOUT": "2"}, {"timeout": 2.0}),
        ({"LOGS_CERTIFICATE": "/l.pem", "CERTIFICATE": "/g.pem"}, {"certificate": Path("/g.pem")}),
    ],
)
def test_what_is_said_of_one_signal_is_not_said_of_the_other(environ: dict[str, str], traces: dict[str, Any]) -> None:
    """A key for logs does not go where spans go, nor the other way round; what is said of both holds for both."""
    destination = otlp({**ENDPOINT, **{f"OTEL_EXPORTER_OTLP_{name}": value for name, value in environ.items()}})
    assert destination is not None
    settings = for_traces(destination)
    found = {key: settings.timeout if key == "timeout" else settings.options[key] for key in traces}
    assert found == traces
    if "LOGS_HEADERS" in environ:
        assert destination.options["headers"] == {"b": "2"}


@pytest.mark.parametrize(
    ("environ", "endpoint"),
    [
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, "https://collector:4317"),
        ({"OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_PROTOCOL": "x"}, "https://collector:4317"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_INSECURE": "True"}, "http://collector:4317"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_INSECURE": "false"}, "https://collector:4317"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_LOGS_INSECURE": "true"}, "https://collector:4317"),
    ],
)
def test_an_address_of_grpc_needs_no_scheme(environ: dict[str, str], endpoint: str) -> None:
    """It is secure unless a variable says otherwise (specification, "OpenTelemetry Protocol Exporter")."""
    assert options({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317", **environ})["endpoint"] == endpoint


def test_insecure_means_its_own_address() -> None:
    """And the general one speaks for both; a scheme that is there wins."""
    environ = {
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "https://a:1",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "b:2",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "c:3",
        "OTEL_EXPORTER_OTLP_INSECURE": "true",
        "OTEL_EXPORTER_OTLP_TRACES_INSECURE": "false",
    }
    found = options(environ)
    assert (found["endpoint"], found["logs_endpoint"], found["traces_endpoint"]) == (
        "https://a:1",
        "http://b:2",
        "https://c:3",
    )


def test_over_http_an_address_needs_its_scheme() -> None:
    """There is no rule which one would be meant."""
    with pytest.raises(ConfigurationError, match="http://"):
        options({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318", "OTEL_EXPORTER_OTLP_INSECURE": "true"})


def test_what_is_said_of_logs_wins() -> None:
    """Events are log records."""
    environ = {
        **ENDPOINT,
        "OTEL_EXPORTER_OTLP_HEADERS": "a=all",
        "OTEL_EXPORTER_OTLP_LOGS_HEADERS": "a=logs",
        "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL": "http/protobuf",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
    }

    assert options(environ)["headers"] == {"a": "logs"}
    assert options(environ)["protocol"] == "http/protobuf"


def test_our_variables_win() -> None:
    """Key by key."""
    environ = {
        **ENDPOINT,
        "OTEL_EXPORTER_OTLP_TIMEOUT": "3",
        "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
        "FOOTSPAN_DESTINATIONS_OTLP_TIMEOUT": "4s",
    }
    destination = otlp(environ)

    assert destination is not None
    assert destination.timeout == 4.0
    assert destination.options["compression"] == "none"


def test_credentials_follow_their_address() -> None:
    """Headers made for one place are not sent to another that our own settings name instead."""
    environ = {**ENDPOINT, "OTEL_EXPORTER_OTLP_HEADERS": "api-key=k"}
    assert options(environ)["headers"] == {"api-key": "k"}
    for elsewhere in ("endpoint", "logs_endpoint"):
        variable = f"FOOTSPAN_DESTINATIONS_OTLP_{elsewhere.upper()}"
        assert "headers" not in options({**environ, variable: "http://elsewhere"})
        assert "headers" not in options(environ, destinations={"otlp": {elsewhere: "http://elsewhere"}})
    same = {**environ, "FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": ENDPOINT["OTEL_EXPORTER_OTLP_ENDPOINT"]}
    assert options(same)["headers"] == {"api-key": "k"}
    alone = {"OTEL_EXPORTER_OTLP_HEADERS": "api-key=k", "FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": "http://h"}
    assert options(alone)["headers"] == {"api-key": "k"}


def test_the_same_place_twice_is_one() -> None:
    """An endpoint that a destination of another name already has adds nothing."""
    mine = {"mine": {"type": "otlp", "endpoint": "http://collector:4318/"}}

    assert [each.name for each in load_settings(environ=ENDPOINT, overrides={"destinations": mine}).destinations] == [
        "mine"
    ]
    mine["mine"]["endpoint"] = "http://other"
    assert len(load_settings(environ=ENDPOINT, overrides={"destinations": mine}).destinations) == 2


def test_a_bad_value_names_its_variable() -> None:
    """The error is about the variable that the operator set."""
    with pytest.raises(ConfigurationError) as caught:
        otlp({"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"})
    assert caught.value.key == "OTEL_EXPORTER_OTLP_ENDPOINT"
