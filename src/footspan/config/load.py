"""Load the settings: code over environment over file over defaults, every value checked."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from footspan.config.declarations import DESTINATIONS, general, section_of
from footspan.config.destinations import build_destinations, destination_types
from footspan.config.environment import CONFIG_VARIABLE, enable_addressed, read_environment, switched_off
from footspan.config.file import ROOT, expand, read_file
from footspan.config.layers import Found, Layer, Source
from footspan.config.options import DESTINATION_TYPES
from footspan.config.otel import OTLP, asks_for_otlp, belongs_elsewhere, read_otlp, read_service
from footspan.config.settings import DestinationSettings, Settings
from footspan.config.values import BOOLEAN

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_FILE: Final = "footspan.yaml"

# Arguments of init that stand for a key of a section.
_SHORTHANDS: Final = {"service_name": ("service", "name"), "service_version": ("service", "version")}

_Section = TypeVar("_Section")


def load_settings(
    *,
    config: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Load the settings of this process.

    Args:
        config: The configuration file; default: what ``FOOTSPAN_CONFIG`` names, else ``footspan.yaml`` in the working
            directory if it is there.
        overrides: Settings from code, nested as in the file; ``service_name`` and ``service_version`` are short for the
            keys of ``service``. ``None`` anywhere means not set.
        environ: The environment; default: ``os.environ``.

    Returns:
        The settings. With ``TELEMETRY_ENABLED=false`` or ``OTEL_SDK_DISABLED=true`` they are the defaults with
        ``enabled=False`` and nothing else is read, so that the switch works beside a broken file.

    Raises:
        ConfigurationError: For the first setting that cannot be used. No text of it holds a secret.
    """
    environ = os.environ if environ is None else environ
    if switched_off(environ):
        return Settings(enabled=False)
    below = _read_file(config, environ)
    code = _read_code(overrides or {})
    environment = read_environment(environ, {path[1]: None for path in (*below, *code) if path[0] == DESTINATIONS})
    types = destination_types({**below, **environment, **code})
    enable_addressed(environment, types)
    above = {**environment, **code}

    otlp = read_otlp(environ)
    named = OTLP in types
    if (
        (not named and not asks_for_otlp(environ))
        or _is_off(OTLP, {**below, **above})
        or belongs_elsewhere(otlp, above)
    ):
        otlp = {}
    elif not named:
        types[OTLP] = OTLP

    merged = {**below, **read_service(environ), **otlp, **above}
    settings = _build(Settings, merged)
    destinations = build_destinations(merged, types, implied=None if named else OTLP)
    if settings.debug:
        # Debugging is for seeing every event.
        destinations += _debug_console(destinations)
        settings = dataclasses.replace(settings, sampling=dataclasses.replace(settings.sampling, enabled=False))
    return dataclasses.replace(settings, destinations=tuple(destinations))


def _read_file(config: str | Path | None, environ: Mapping[str, str]) -> Layer:
    named = environ.get(CONFIG_VARIABLE, "").strip()
    if config is not None:
        path, named_by = Path(config), "init(config)"
    elif named:
        path, named_by = Path(named), CONFIG_VARIABLE
    else:
        path, named_by = Path(DEFAULT_FILE), DEFAULT_FILE
        if not path.is_file():
            return {}
    if str(path).startswith("~"):
        path = Path(os.path.expanduser(path))  # noqa: PTH111 - leaves an unknown home as it is
    source = Source(
        name=lambda place: ".".join((ROOT, *place)),
        where=f" in {path}",
        expand=lambda value, key: expand(value, environ, key),
    )
    return source.flatten(read_file(path, named_by=named_by))


def _read_code(overrides: Mapping[str, Any]) -> Layer:
    source = Source(name=lambda place: f"init({'.'.join(place)})")
    shorthands = {name: value for name, value in overrides.items() if name in _SHORTHANDS}
    layer = source.flatten(
        {name: value for name, value in overrides.items() if name not in shorthands}, also=_SHORTHANDS
    )
    for name, value in shorthands.items():
        if value is not None:
            layer[_SHORTHANDS[name]] = Found(value, source.name((name,)))
    return layer


def _is_off(name: str, layer: Layer) -> bool:
    """Whether a destination is switched off by name."""
    found = layer.get((DESTINATIONS, name, "enabled"))
    return found is not None and not found.read(BOOLEAN)


def _build(section: type[_Section], layer: Layer, above: tuple[str, ...] = ()) -> _Section:
    """Make one section of the settings, with the sections inside it."""
    values = {}
    for each in dataclasses.fields(section):  # type: ignore[arg-type]
        path = (*above, each.name)
        if path in general():
            if path in layer:
                values[each.name] = layer[path].read(general()[path].kind)
        elif inner := section_of(each):
            values[each.name] = _build(inner, layer, path)
    return section(**values)


def _debug_console(destinations: list[DestinationSettings]) -> list[DestinationSettings]:
    """A console for debugging, where nobody named one."""
    if any(each.type == "console" for each in destinations):
        return []
    options = {option.name: option.default for option in DESTINATION_TYPES["console"].options}
    return [DestinationSettings(name="console", type="console", options=options)]
