"""Load the settings: code over environment over files over defaults, every value checked."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from footspan.config.campaigns import campaign_servers
from footspan.config.consent import rules_for
from footspan.config.declarations import DESTINATIONS, general, section_of
from footspan.config.destinations import build_destinations, destination_types
from footspan.config.environment import (
    CONFIG_VARIABLE,
    enable_addressed,
    own_names,
    read_environment,
    switched_off,
)
from footspan.config.errors import ConfigurationError, stop
from footspan.config.file import ROOT, expand, read_file
from footspan.config.layers import Found, Layer, Source
from footspan.config.options import DESTINATION_TYPES
from footspan.config.otel import OTLP, asks_for_otlp, belongs_elsewhere, read_apart, read_otlp, read_service
from footspan.config.otel_file import read_otel_file
from footspan.config.policy_file import read_policy
from footspan.config.settings import DestinationSettings, PrivacySettings, Settings
from footspan.config.values import BOOLEAN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from footspan.config.errors import Report
    from footspan.config.policy import Policy

DEFAULT_FILE: Final = "footspan.yaml"

# Arguments of init that stand for a key of a section.
_SHORTHANDS: Final = {"service_name": ("service", "name"), "service_version": ("service", "version")}

_Section = TypeVar("_Section")


def load_settings(
    *,
    config: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    apart: bool = False,
) -> Settings:
    """Load the settings of this process.

    Args:
        config: The configuration file; default: what ``FOOTSPAN_CONFIG`` names, else ``footspan.yaml`` in the working
            directory if it is there.
        overrides: Settings from code, nested as in the file; ``service_name`` and ``service_version`` are short for the
            keys of ``service``. ``None`` anywhere means not set.
        environ: The environment; default: ``os.environ``.
        apart: Whether those destinations that the code names are for events of their own, so that another, for the
            process's, may be the same place.

    Returns:
        The settings. With ``TELEMETRY_ENABLED=false`` or ``OTEL_SDK_DISABLED=true`` they are the defaults with
        ``enabled=False`` and nothing else is read, so that the switch works beside a broken file.

    Raises:
        ConfigurationError: For the first setting that cannot be used. No text of it holds a secret.
    """
    environ = os.environ if environ is None else environ
    if switched_off(environ):
        return Settings(enabled=False)
    return load_all(config, overrides or {}, environ, stop, apart=apart).settings


@dataclasses.dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and what they were made of.

    Attributes:
        settings: The settings.
        layer: What the sources said, the strongest for each key.
        file: The file that was read, if there is one.
    """

    settings: Settings
    layer: Layer
    file: Path | None


def load_all(
    config: str | Path | None,
    overrides: Mapping[str, Any],
    environ: Mapping[str, str],
    report: Report,
    *,
    apart: bool = False,
) -> Loaded:
    """Load the settings, whatever switches telemetry off.

    Args:
        config: As for :func:`load_settings`, as the next two.
        overrides: Settings from code.
        environ: The environment.
        report: Takes what is wrong. If it returns, the settings are made without that.
        apart: As for :func:`load_settings`.
    """
    below, disabled = read_files(config, environ, report)
    code = _read_code(overrides, report)
    environment = read_environment(environ, own_names(below, code), report)
    types = destination_types({**below, **environment, **code}, report)
    enable_addressed(environment, types)
    above = {**environment, **code}

    otlp = read_otlp(environ)
    named = OTLP in types
    if (
        (not named and not asks_for_otlp(environ))
        or _is_off(OTLP, {**below, **above}, report)
        or belongs_elsewhere(otlp, above)
    ):
        otlp = {}
    elif not named:
        types[OTLP] = OTLP

    of_spans = read_apart(environ) if otlp else {}
    merged = {**of_spans, **below, **read_service(environ), **otlp, **above}
    if disabled is not None:
        merged["enabled",] = disabled
    settings = build_section(Settings, merged, report=report)
    ours = {path[1] for path in code if path[0] == DESTINATIONS} if apart else ()
    destinations = build_destinations(merged, types, implied=None if named else OTLP, apart=ours, report=report)
    if settings.debug:
        # Debugging is for seeing every event.
        destinations += _debug_console(destinations)
        settings = dataclasses.replace(settings, sampling=dataclasses.replace(settings.sampling, enabled=False))
    campaigns = campaign_servers(settings.campaigns, destinations)
    destinations = [dataclasses.replace(each, campaigns=campaigns) for each in destinations]
    # Where code names destinations there may be several trackers, each with its own, and one policy for all of them.
    known = None if overrides.get(DESTINATIONS) else {each.name for each in destinations} | _CLIENTS
    policy = read_policy(settings.privacy.policy, destinations=known, report=report)
    settings = dataclasses.replace(
        settings,
        privacy=dataclasses.replace(settings.privacy, rules=policy),
        destinations=tuple(tightened(each, policy, settings.privacy) for each in destinations),
    )
    return Loaded(settings, merged, config_file(config, environ)[0])


_CLIENTS: Final = {f"{name.replace('_', '')}client" for name in DESTINATION_TYPES}
"""What destinations of drop-in clients are called, which code makes later on."""


def tightened(destination: DestinationSettings, policy: Policy, privacy: PrivacySettings) -> DestinationSettings:
    """A destination's settings with what a policy removes for it besides, and what it gets without consent."""
    return dataclasses.replace(
        destination,
        privacy=policy.destinations.get(destination.name),
        consent=rules_for(privacy.purposes, destination.name, policy),
        pseudonyms=privacy.pseudonyms,
    )


def config_file(config: str | Path | None, environ: Mapping[str, str]) -> tuple[Path | None, str]:
    """The configuration file, and what names it; ``None`` where nothing does and the default one is not there."""
    named = environ.get(CONFIG_VARIABLE, "").strip()
    if config is not None:
        path, named_by = Path(config), "init(config)"
    elif named:
        path, named_by = Path(named), CONFIG_VARIABLE
    else:
        path, named_by = Path(DEFAULT_FILE), DEFAULT_FILE
        if not path.is_file():
            return None, named_by
    if str(path).startswith("~"):
        path = Path(os.path.expanduser(path))  # noqa: PTH111 - leaves an unknown home as it is
    return path, named_by


def read_files(
    config: str | Path | None, environ: Mapping[str, str], report: Report = stop
) -> tuple[Layer, Found | None]:
    """The layer that the files hold: our own over OpenTelemetry's; and what in the latter switches telemetry off."""
    below, disabled = read_otel_file(environ, report)
    return {**below, **_read_config_file(config, environ, report)}, disabled


def _read_config_file(config: str | Path | None, environ: Mapping[str, str], report: Report) -> Layer:
    path, named_by = config_file(config, environ)
    if path is None:
        return {}
    source = Source(
        name=lambda place: ".".join((ROOT, *place)),
        where=f" in {path}",
        expand=lambda value, key: expand(value, environ, key),
        origin="file",
        report=report,
    )
    try:
        return source.flatten(read_file(path, named_by=named_by, report=report))
    except ConfigurationError as error:
        report(error)
    return {}


def _read_code(overrides: Mapping[str, Any], report: Report) -> Layer:
    source = Source(name=lambda place: f"init({'.'.join(place)})", report=report)
    shorthands = {name: value for name, value in overrides.items() if name in _SHORTHANDS}
    layer = source.flatten(
        {name: value for name, value in overrides.items() if name not in shorthands}, also=_SHORTHANDS
    )
    for name, value in shorthands.items():
        if value is not None:
            layer[_SHORTHANDS[name]] = Found(value, source.name((name,)), origin=source.origin)
    return layer


def _is_off(name: str, layer: Layer, report: Report) -> bool:
    """Whether a destination is switched off by name."""
    found = layer.get((DESTINATIONS, name, "enabled"))
    return found is not None and not found.read_or(BOOLEAN, True, report)


def build_section(
    section: type[_Section], layer: Layer, above: tuple[str, ...] = (), report: Report = stop
) -> _Section:
    """Make one section of the settings, with the sections inside it."""
    values = {}
    for each in dataclasses.fields(section):  # type: ignore[arg-type]
        path = (*above, each.name)
        if path in general():
            if path in layer:
                values[each.name] = layer[path].read_or(general()[path].kind, each.default, report)
        elif inner := section_of(each):
            values[each.name] = build_section(inner, layer, path, report)
    return section(**values)


def _debug_console(destinations: list[DestinationSettings]) -> list[DestinationSettings]:
    """A console for debugging, where nobody named one."""
    if any(each.type == "console" for each in destinations):
        return []
    declared = DESTINATION_TYPES["console"].options
    options = {option.name: option.default for option in declared if option.default is not None}
    return [DestinationSettings(name="console", type="console", options=options)]
