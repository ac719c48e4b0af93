"""OpenTelemetry's own variables, where they say something that footspan has a setting for.

They rank below ``FOOTSPAN_*`` and above the file. Names and rules: OpenTelemetry specification, "Environment Variable
Specification" and "OpenTelemetry Protocol Exporter"; times are in seconds, as in OpenTelemetry for Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from footspan.config.declarations import DESTINATIONS
from footspan.config.layers import Found

if TYPE_CHECKING:
    from collections.abc import Mapping

    from footspan.config.layers import Layer

OTLP: Final = "otlp"
_PREFIX: Final = "OTEL_EXPORTER_OTLP_"

_SHARED: Final = (
    "headers",
    "protocol",
    "compression",
    "timeout",
    "certificate",
    "client_certificate",
    "client_key",
)

_OF_LOGS_ALONE: Final[dict[str, str | None]] = {
    **dict.fromkeys(_SHARED),
    "headers": "",
    "protocol": "http/json",
    "compression": "gzip",
}
"""What holds for spans where a variable speaks of logs alone and nothing of all signals: ours, as a rule."""

_PROTOCOLS: Final = frozenset({"http/json", "http/protobuf", "grpc"})

OTLP_VARIABLES: Final[dict[str, str]] = {
    f"{_PREFIX}ENDPOINT": "endpoint",
    f"{_PREFIX}LOGS_ENDPOINT": "logs_endpoint",
    f"{_PREFIX}TRACES_ENDPOINT": "traces_endpoint",
    **{f"{_PREFIX}{key.upper()}": key for key in _SHARED},
    # Events are log records, so what is said of logs alone wins.
    **{f"{_PREFIX}LOGS_{key.upper()}": key for key in _SHARED},
    **{f"{_PREFIX}TRACES_{key.upper()}": f"traces_{key}" for key in _SHARED},
}
"""Each variable and the key of the ``otlp`` destination it fills; a later one wins."""

INSECURE_VARIABLES: Final[dict[str, str]] = {
    f"{_PREFIX}INSECURE": "endpoint",
    f"{_PREFIX}LOGS_INSECURE": "logs_endpoint",
    f"{_PREFIX}TRACES_INSECURE": "traces_endpoint",
}
"""Each variable and the address whose missing scheme it decides, for gRPC. The first speaks for the others too."""

SERVICE_VARIABLES: Final[dict[str, str]] = {
    "OTEL_SERVICE_NAME": "service.name",
    "OTEL_RESOURCE_ATTRIBUTES": "service.name, service.version",
}
"""Each variable and the settings it fills; the first wins."""


def read_service(environ: Mapping[str, str]) -> Layer:
    """Read the service's name and version. A part of the list that cannot be read is passed over, as by the SDK."""
    from urllib.parse import unquote  # noqa: PLC0415 - only a list of attributes needs it

    layer: Layer = {}
    for entry in environ.get("OTEL_RESOURCE_ATTRIBUTES", "").split(","):
        name, separator, value = entry.partition("=")
        section, _, key = name.strip().partition(".")
        if separator and section == "service" and key in {"name", "version"} and value.strip():
            layer["service", key] = Found(unquote(value.strip()), "OTEL_RESOURCE_ATTRIBUTES")
    if name := environ.get("OTEL_SERVICE_NAME", "").strip():
        layer["service", "name"] = Found(name, "OTEL_SERVICE_NAME")
    return layer


def read_otlp(environ: Mapping[str, str]) -> Layer:
    """Read what fills the destination ``otlp``, whether or not it is enabled."""
    layer: Layer = {}
    for variable, key in OTLP_VARIABLES.items():
        if value := environ.get(variable, "").strip():
            layer[DESTINATIONS, OTLP, key] = Found(whole_address(value, key, environ), variable)
    return layer


def read_apart(environ: Mapping[str, str]) -> Layer:
    """What holds for spans where these variables speak of logs alone: a header may be a key, and must not go along.

    It ranks below everything else, the file included, and counts only where :func:`read_otlp` does.
    """
    layer: Layer = {}
    for key, default in _OF_LOGS_ALONE.items():
        general, logs = (environ.get(f"{_PREFIX}{signal}{key.upper()}", "").strip() for signal in ("", "LOGS_"))
        instead = general if general and (key != "protocol" or general in _PROTOCOLS) else default
        if logs and instead is not None:
            layer[DESTINATIONS, OTLP, f"traces_{key}"] = Found(instead, f"{_PREFIX}{key.upper()}")
    return layer


def whole_address(value: str, key: str, environ: Mapping[str, str]) -> str:
    """Give an address of gRPC's (``host:port``) the scheme that the variables mean; any other value stays as it is.

    Without a scheme a connection is secure unless it is said not to be. OTLP over HTTP has no such addresses.

    Args:
        value: What a variable holds.
        key: The option it fills.
        environ: The environment.
    """
    own = f"{_PREFIX}{'TRACES' if key.startswith('traces_') else 'LOGS'}_PROTOCOL"
    protocol = environ.get(own, "").strip() or environ.get(f"{_PREFIX}PROTOCOL", "").strip()
    if protocol != "grpc" or not key.endswith("endpoint") or "://" in value:
        return value
    said = [environ.get(variable, "").strip() for variable, each in INSECURE_VARIABLES.items() if each == key]
    insecure = next(filter(None, [*said, environ.get(f"{_PREFIX}INSECURE", "").strip()]), "")
    return f"{'http' if insecure.lower() == 'true' else 'https'}://{value}"


def asks_for_otlp(environ: Mapping[str, str]) -> bool:
    """Whether these variables alone enable the destination ``otlp``.

    An endpoint does, unless every exporter that would use it is ``none``.
    """
    logs, traces = (environ.get(f"OTEL_{signal}_EXPORTER", "").strip().lower() for signal in ("LOGS", "TRACES"))
    if environ.get(f"{_PREFIX}LOGS_ENDPOINT", "").strip() and logs != "none":
        return True
    return bool(environ.get(f"{_PREFIX}ENDPOINT", "").strip()) and not logs == traces == "none"


def belongs_elsewhere(otlp: Layer, above: Layer) -> bool:
    """Whether a higher layer sends ``otlp`` to another place than these variables do.

    Then their headers and certificates are those of a place nobody goes to, and must not be sent to the new one.
    """
    keys = [(DESTINATIONS, OTLP, key) for key in ("endpoint", "logs_endpoint")]
    ours = {key: otlp[key].value for key in keys if key in otlp}
    theirs = {key: above[key].value for key in keys if key in above}
    return bool(ours) and any(ours.get(key) != value for key, value in theirs.items())
