"""Everything about the settings of a process at once: each value with its source, all that is wrong, what is odd.

For people who look at settings; programs that need settings load them (:mod:`footspan.config.load`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from footspan.config.coherence import incoherent
from footspan.config.declarations import DESTINATIONS, PREFIX, Declared, common, general, of_type
from footspan.config.environment import switched_off
from footspan.config.errors import ConfigurationError
from footspan.config.load import load_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from footspan.config.declarations import Path as Place
    from footspan.config.kinds import Kind
    from footspan.config.layers import Found, Layer, Origin
    from footspan.config.settings import DestinationSettings, Settings

_SWITCHES: Final = ("TELEMETRY_ENABLED", "OTEL_SDK_DISABLED")
_ALIKE: Final = 0.8
"""From this likeness on a variable's first word may be ours, misspelt."""


@dataclass(frozen=True, slots=True)
class Effective:
    """One setting as it is in force.

    Attributes:
        path: Its place below ``telemetry:``.
        kind: The kind of its value.
        value: Its value, without what may be secret in it; ``None`` where it has none.
        origin: The kind of source that it comes from; ``debug`` for what debugging changes.
        by: The variable, file or argument; empty for a default.
    """

    path: Place
    kind: Kind | None
    value: Any
    origin: Origin | Literal["debug", "default"]
    by: str = ""

    @property
    def name(self) -> str:
        """Its place with dots."""
        return ".".join(self.path)

    @property
    def text(self) -> str:
        """Its value as a person would write it; empty where it has none."""
        if self.value is None:
            return ""
        return str(self.value) if self.kind is None else self.kind.show(self.value)


@dataclass(frozen=True, slots=True)
class Survey:
    """What there is to know about settings.

    Attributes:
        settings: The settings, made without what is wrong.
        values: Each setting as it is in force.
        problems: All that is wrong; any of it stops an application's telemetry.
        warnings: What is allowed and most likely not meant.
        file: The file that was read, if there is one.
    """

    settings: Settings
    values: tuple[Effective, ...]
    problems: tuple[ConfigurationError, ...]
    warnings: tuple[str, ...]
    file: Path | None


def survey(
    *,
    config: str | Path | None = None,
    overrides: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Survey:
    """Look at the settings of this process. Nothing that can be wrong with them raises.

    Args:
        config: As for :func:`footspan.config.load_settings`, as the next two.
        overrides: Settings from code.
        environ: The environment.
    """
    environ = os.environ if environ is None else environ
    problems: dict[str, ConfigurationError] = {}

    def report(error: ConfigurationError) -> None:
        problems.setdefault(str(error), error)

    switch = ""
    try:
        if switched_off(environ):
            switch = next(name for name in _SWITCHES if switched_off({name: environ.get(name, "")}))
    except ConfigurationError as error:
        report(error)
    loaded = load_all(config, overrides or {}, environ, report)
    settings = replace(loaded.settings, enabled=False) if switch else loaded.settings
    for missing in incoherent(settings):
        report(missing)
    return Survey(
        settings,
        tuple(_values(settings, _read(loaded.layer, problems.values()), switch)),
        tuple(problems.values()),
        tuple(_warnings(settings, environ, switch)),
        loaded.file,
    )


def _read(layer: Layer, problems: Iterable[ConfigurationError]) -> Layer:
    """A layer without what could not be read, in whose place a default is in force."""
    bad = {error.key for error in problems}
    return {path: found for path, found in layer.items() if found.key not in bad or found.value is None}


def _values(settings: Settings, layer: Layer, switch: str) -> Iterator[Effective]:
    for path, declared in general().items():
        value = _at(settings, path)
        if switch and path == ("enabled",):
            yield Effective(path, declared.kind, value, "environment", switch)
        else:
            found = layer.get(path)
            changed = settings.debug and path == ("sampling", "enabled") and found is not None and not value
            yield _effective(path, declared, value, found, debug=changed)
    for destination in settings.destinations:
        yield from _values_of(destination, layer)


def _values_of(destination: DestinationSettings, layer: Layer) -> Iterator[Effective]:
    above = (DESTINATIONS, destination.name)
    added = not any(path[:2] == above for path in layer)
    if destination.name != destination.type:
        found = layer.get((*above, "type"))
        yield Effective((*above, "type"), None, destination.type, found.origin if found else "default", _by(found))
    for path, declared in of_type(destination.type).items():
        value = _at(destination, path) if path in common() else destination.options.get(path[0])
        yield _effective((*above, *path), declared, value, layer.get((*above, *path)), debug=added)


def _at(section: Any, path: Place) -> Any:
    for key in path:
        section = getattr(section, key)
    return section


def _effective(path: Place, declared: Declared, value: Any, found: Found | None, *, debug: bool = False) -> Effective:
    if value is not None and declared.kind.mask is not None:
        value = declared.kind.mask(value)
    if debug:
        return Effective(path, declared.kind, value, "debug", "debug")
    return Effective(path, declared.kind, value, found.origin if found else "default", _by(found))


def _by(found: Found | None) -> str:
    if found is None:
        return ""
    return found.where.removeprefix(" in ") or found.key


def _warnings(settings: Settings, environ: Mapping[str, str], switch: str) -> Iterator[str]:
    if switch:
        yield f"{switch} switches telemetry off, whatever else is set."
    elif not settings.enabled:
        yield "Telemetry is switched off: `enabled` is false."
    elif not any(each.enabled for each in settings.destinations):
        yield "No destination is enabled: events wait on disk until max_age, and go nowhere."
    for name in sorted(environ):
        if environ[name].strip() and (meant := _meant(name)):
            yield f"{name} is no variable of footspan's. Did you mean {meant}?"
    for destination in settings.destinations:
        for option, value in destination.options.items():
            # A database is made; a certificate must be there.
            if destination.enabled and destination.type == "otlp" and isinstance(value, Path) and not value.is_file():
                yield f"{DESTINATIONS}.{destination.name}.{option} names no file that is there."


def _meant(name: str) -> str:
    """The name with our prefix that a variable most likely stands for; empty if it has that prefix, or another."""
    from difflib import SequenceMatcher  # noqa: PLC0415 - only a survey needs it

    if name.startswith(PREFIX) or "_" not in name:
        return ""
    own = PREFIX.rstrip("_")
    for length in (name.index("_"), len(own) + 1):  # FOTSPAN_X, FOOT_SPAN_X
        first, rest = name[:length].upper(), name[length:].lstrip("_").upper()
        if rest and SequenceMatcher(None, first, own).ratio() >= _ALIKE:
            return f"{PREFIX}{rest}"
    return ""
