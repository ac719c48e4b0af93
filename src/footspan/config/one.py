"""The settings of one destination by itself, for whoever delivers to it without a pipeline.

The same sources as a pipeline's, in the same order: code over environment over file over defaults. What they say of
other destinations is not looked at.
"""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from footspan.config.campaigns import CampaignSettings, campaign_servers
from footspan.config.declarations import DESTINATIONS
from footspan.config.destinations import build_destinations, destination_types
from footspan.config.environment import own_names, read_environment, switched_off
from footspan.config.errors import ConfigurationError
from footspan.config.kinds import BadValueError
from footspan.config.layers import Found, Layer, Source
from footspan.config.load import build_section, read_files, tightened
from footspan.config.options import DESTINATION_TYPES
from footspan.config.otel import OTLP, belongs_elsewhere, read_otlp
from footspan.config.own_types import type_of
from footspan.config.policy import DEFAULT, Policy
from footspan.config.policy_file import read_policy
from footspan.config.settings import PageViewSettings, PrivacySettings
from footspan.config.values import BOOLEAN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from footspan.config.settings import DestinationSettings

_OTLP_PREFIX: Final = "OTEL_EXPORTER_OTLP_"
# The OTLP specification 1.11, "Configuration Options": where exporters go that nobody tells where.
_OTLP_DEFAULT: Final = "http://localhost:4318"
_OTLP_DEFAULT_GRPC: Final = "http://localhost:4317"


@dataclass(frozen=True, slots=True)
class One:
    """One destination, and what else applies to who delivers to it.

    Attributes:
        destination: Its settings; ``enabled`` is false where telemetry as a whole is switched off.
        page_views: The rule of page views.
        policy: The privacy policy.
    """

    destination: DestinationSettings
    page_views: PageViewSettings
    policy: Policy = DEFAULT


def load_destination(
    type_name: str,
    name: str | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    caller: str = "init",
    traces: bool = False,
    environ: Mapping[str, str] | None = None,
) -> One | None:
    """Load the settings of one destination.

    Args:
        type_name: Its type.
        name: Its name; default: its type.
        options: Settings from code, as they would stand under its name in the file. ``None`` means not set.
        caller: What errors about ``options`` call the place they were given at.
        traces: Whether it is to take spans, so that of OpenTelemetry's variables those for traces count.
        environ: The environment; default: ``os.environ``.

    Returns:
        The settings, or ``None`` where telemetry is switched off as a whole.

    Raises:
        ConfigurationError: For the first setting that cannot be used. No text of it holds a secret.
    """
    environ = os.environ if environ is None else environ
    if switched_off(environ):
        return None
    name = name or _name_of(type_name, caller)
    below, _ = read_files(None, environ)
    code = _code(options or {}, name, type_name, caller)
    environment = read_environment(environ, own_names(below, code))
    merged = {**below, **environment}
    enabled = merged.get(("enabled",))
    if enabled is not None and not enabled.read(BOOLEAN):
        return None
    otlp: Layer = {}
    if name == type_name == OTLP:
        variables = read_otlp(_for_traces(environ) if traces else environ)
        otlp = {} if belongs_elsewhere(variables, {**environment, **code}) else variables
    merged = {**below, **otlp, **environment, **code}
    mine = {path: found for path, found in merged.items() if path[:2] == (DESTINATIONS, name)}
    if type_name == OTLP:
        _default_endpoint(mine, name)
    [destination] = build_destinations(mine, destination_types(mine), implied=None)
    campaigns = campaign_servers(build_section(CampaignSettings, merged, ("campaigns",)), [destination])
    destination = dataclasses.replace(destination, campaigns=campaigns)
    privacy = build_section(PrivacySettings, merged, ("privacy",))
    policy = read_policy(privacy.policy)
    page_views = build_section(PageViewSettings, merged, ("page_views",))
    return One(tightened(destination, policy, privacy), page_views, policy)


def _name_of(type_name: str, caller: str) -> str:
    """What a destination of a type is called that nobody gives a name: as its type is, be that a class."""
    try:
        return type_of(type_name).name
    except BadValueError as bad:
        error = ConfigurationError(f"{caller}(type)", bad.found, bad.fix)
    raise error  # outside the handler: no chained exception


def _code(options: Mapping[str, Any], name: str, type_name: str, caller: str) -> Layer:
    source = Source(name=lambda place: f"{caller}({'.'.join(place[2:])})")
    given = dict(options) if name in DESTINATION_TYPES else {**options, "type": type_name}
    return source.flatten({DESTINATIONS: {name: given}})


def _default_endpoint(layer: Layer, name: str) -> None:
    if not any((DESTINATIONS, name, key) in layer for key in ("endpoint", "logs_endpoint")):
        protocol = layer.get((DESTINATIONS, name, "protocol"))
        grpc = protocol is not None and str(protocol.value).strip().lower() == "grpc"
        layer[DESTINATIONS, name, "endpoint"] = Found(_OTLP_DEFAULT_GRPC if grpc else _OTLP_DEFAULT, "endpoint")


def _for_traces(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with what is said of logs alone taken out, and what is said of traces alone in its place."""
    logs, traces = f"{_OTLP_PREFIX}LOGS_", f"{_OTLP_PREFIX}TRACES_"
    kept = {key: value for key, value in environ.items() if not key.startswith(logs)}
    for key in environ:
        if key.startswith(traces) and key != f"{traces}ENDPOINT":
            kept[logs + key[len(traces) :]] = kept.pop(key)
    return kept
