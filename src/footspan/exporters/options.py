"""What the ready-made exporters take as keywords, for type checkers; and the way from keywords to a destination.

The keywords are the destination's settings, as they stand under its name in the file (docs/configuration.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypedDict

from footspan.config.policy import DEFAULT
from footspan.destinations import build_destination
from footspan.exporters.sender import Nowhere

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from os import PathLike

    from footspan.config.one import One
    from footspan.config.policy import Policy
    from footspan.destinations.base import Destination

    Patterns = str | Sequence[str]
    Amount = str | float


class BatchOptions(TypedDict, total=False):
    """Limits of one request."""

    max_items: int
    max_bytes: int | str
    max_age: Amount


class CommonOptions(TypedDict, total=False):
    """What every destination takes."""

    name: str
    enabled: bool | str
    events: Patterns
    on_ambiguous: Literal["retry", "drop"]
    timeout: Amount
    concurrency: int
    batch: BatchOptions


class UmamiOptions(CommonOptions, total=False):
    """What a Umami server takes."""

    url: str
    website: str
    hostname: str
    tag: str
    path: str
    batch_path: str
    revenue: Patterns
    currency: str
    proxy: str
    spans: Patterns


class OpenTraceOptions(CommonOptions, total=False):
    """What an OpenTrace server takes."""

    url: str
    project_id: str
    revenue: Patterns
    include_ids: bool | str
    certificate: str | PathLike[str]
    proxy: str
    spans: Patterns


class OtlpOptions(CommonOptions, total=False):
    """What an OTLP backend takes."""

    endpoint: str
    logs_endpoint: str
    traces_endpoint: str
    headers: str | Mapping[str, str]
    protocol: Literal["http/json", "http/protobuf", "grpc"]
    compression: Literal["gzip", "none"]
    certificate: str | PathLike[str]
    client_certificate: str | PathLike[str]
    client_key: str | PathLike[str]
    traces_headers: str | Mapping[str, str]
    traces_protocol: Literal["http/json", "http/protobuf", "grpc"]
    traces_compression: Literal["gzip", "none"]
    traces_timeout: Amount
    traces_certificate: str | PathLike[str]
    traces_client_certificate: str | PathLike[str]
    traces_client_key: str | PathLike[str]
    proxy: str


class ConsoleOptions(CommonOptions, total=False):
    """What the console takes."""

    format: Literal["text", "json"]
    spans: Patterns


class DashTrackerOptions(CommonOptions, total=False):
    """What a Dash-Tracker endpoint takes."""

    url: str
    api_key: str
    certificate: str | PathLike[str]
    proxy: str
    spans: Patterns


class TraceTelemetryOptions(CommonOptions, total=False):
    """What a TraceTelemetry endpoint takes."""

    url: str
    api_key: str
    key_case: Literal["camel", "pascal"]
    wrapper: str
    enable_country_lookup: bool | str
    country_database: str | PathLike[str]
    certificate: str | PathLike[str]
    proxy: str
    spans: Patterns


def load(kind: str, options: Mapping[str, Any], *, caller: str, traces: bool = False) -> One | None:
    """The settings that keywords, environment and file give together; ``None`` where telemetry is switched off.

    Raises:
        ConfigurationError: For the first setting that cannot be used.
    """
    from footspan.config.one import load_destination  # noqa: PLC0415 - whoever hands a destination over needs none

    given = {key: value for key, value in options.items() if key != "name"}
    one = load_destination(kind, options.get("name"), given, caller=caller, traces=traces)
    return one if one is not None and one.destination.enabled else None


def destination_for(kind: str, one: One | None) -> Destination:
    """The destination of such settings.

    Raises:
        ConfigurationError: An option cannot be used.
    """
    if one is not None:
        return build_destination(one.destination)
    from footspan.config.settings import DestinationSettings  # noqa: PLC0415 - rarely needed

    return Nowhere(DestinationSettings(name=kind, type=Nowhere.type))


def policy_of(one: One | None) -> Policy:
    """The privacy policy of such settings."""
    return DEFAULT if one is None else one.policy
