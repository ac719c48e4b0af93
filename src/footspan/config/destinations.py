"""From the merged layer to the settings of each destination, checked against its type."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from footspan.config.declarations import DESTINATIONS, PREFIX, environment_name, of_type
from footspan.config.errors import ConfigurationError, stop
from footspan.config.kinds import nearest
from footspan.config.layers import Found
from footspan.config.options import DESTINATION_TYPES, IMPLEMENTED_TYPES
from footspan.config.own_types import TYPE, is_registered, type_names, type_of
from footspan.config.settings import BatchSettings, DestinationSettings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from footspan.config.declarations import Path
    from footspan.config.errors import Report
    from footspan.config.layers import Layer

_OWN_NAME: Final = re.compile(r"[a-z0-9]+")


def destination_types(layer: Layer, report: Report = stop) -> dict[str, str]:
    """Find the destinations that a layer names, and the type of each.

    Args:
        layer: The merged layer.
        report: Takes what is wrong: a name that cannot be one, or has no type.
    """
    first: dict[str, Found] = {}
    for path, found in layer.items():
        if path[0] == DESTINATIONS:
            first.setdefault(path[1], found)
    types = {}
    for name, found in first.items():
        try:
            types[name] = _type_of(name, found, layer.get((DESTINATIONS, name, "type")))
        except ConfigurationError as error:  # noqa: PERF203 - destinations are few
            report(error)
    return types


def _type_of(name: str, first: Found, stated: Found | None) -> str:
    if name in DESTINATION_TYPES:
        if stated is not None and stated.read(TYPE) != name:
            raise ConfigurationError(
                stated.key,
                f"another type for a destination called {name}" + stated.where,
                "Leave the type out, or give the destination a name that is no type, such as second.",
            )
        return name
    if stated is None and is_registered(name):
        return str(Found(name, first.key, first.where).read(TYPE))
    guess = nearest(name, DESTINATION_TYPES)
    hint = f"Did you mean {guess}? " if guess else ""
    if not _OWN_NAME.fullmatch(name):
        raise ConfigurationError(
            first.key, "a name no destination can have" + first.where, f"{hint}Names are lower-case letters and digits."
        )
    if stated is None:
        variable = environment_name((DESTINATIONS, name, "type"))
        raise ConfigurationError(
            first.key,
            f"a destination called {name}, which is no type" + first.where,
            f"{hint}A destination with a name of its own needs `type:` (or {variable}): "
            f"one of {', '.join(type_names())}, or a class of your own, package.module:Class.",
        )
    return str(stated.read(TYPE))


def build_destinations(
    layer: Layer, types: Mapping[str, str], *, implied: str | None, apart: Collection[str] = (), report: Report = stop
) -> list[DestinationSettings]:
    """Read and check every destination.

    Args:
        layer: The merged layer.
        types: The destinations' names and types.
        implied: The destination that nothing of ours names; if another goes to the same place, it is left out.
        apart: Destinations for events that the others do not get; one of these may be the same place as one of those.
        report: Takes what is wrong: an unknown key, a value that cannot be read, an enabled destination without its
            address or of a type that does not work yet, or two that are the same place.
    """
    built = [_build(name, type_name, layer, report) for name, type_name in types.items()]
    places: dict[tuple[object, ...], str] = {}
    # The implied one last: whoever is named keeps the place.
    for each in sorted(built, key=lambda each: each.name == implied):
        kind = type_of(each.type)
        place = (
            kind.name,
            each.name in apart,
            *(each.options.get(option.name) for option in kind.options if option.identity),
        )
        if not each.enabled or kind.repeatable or places.setdefault(place, each.name) == each.name:
            continue
        if each.name == implied:
            built.remove(each)
        else:
            report(
                ConfigurationError(
                    f"telemetry.{DESTINATIONS}.{each.name}",
                    f"the same place as {DESTINATIONS}.{places[place]}",
                    "Keep one of them, with the event patterns of both.",
                )
            )
    return built


def _build(name: str, type_name: str, layer: Layer, report: Report) -> DestinationSettings:
    declared = of_type(type_name)
    given = {path[2:]: found for path, found in layer.items() if path[:2] == (DESTINATIONS, name) and len(path) > 2}  # noqa: PLR2004 - destinations, the name, the key
    given.pop(("type",), None)
    values = {}
    for path, found in given.items():
        if path in declared:
            values[path] = found.read_or(declared[path].kind, declared[path].default, report)
        else:
            report(_unknown(path, found, declared))
    enabled = values.get(("enabled",), declared["enabled",].default)
    if enabled:
        try:
            _check_usable(name, type_name, values)
        except ConfigurationError as error:
            report(error)
    read = {path: values.get(path, each.default) for path, each in declared.items()}
    return DestinationSettings(
        name=name,
        type=type_name,
        enabled=enabled,
        events=read["events",],
        on_ambiguous=read["on_ambiguous",],
        timeout=read["timeout",],
        concurrency=read["concurrency",],
        batch=BatchSettings(**{path[1]: value for path, value in read.items() if path[0] == "batch" and path[1:]}),
        options={
            option.name: read[option.name,] for option in type_of(type_name).options if read[option.name,] is not None
        },
    )


def _check_usable(name: str, type_name: str, values: Mapping[Path, object]) -> None:
    """Refuse an enabled destination that cannot work: wrong version, no address, no other key it must have."""
    if type_name in DESTINATION_TYPES and type_name not in IMPLEMENTED_TYPES:
        raise ConfigurationError(
            f"telemetry.{DESTINATIONS}.{name}",
            f"a destination of type {type_name}, which this version of footspan cannot send to",
            f"Set `enabled: false` there; types that work: {', '.join(sorted(IMPLEMENTED_TYPES))}.",
        )
    kind = type_of(type_name)
    missing = [option.name for option in kind.options if option.required and (option.name,) not in values]
    if kind.addresses and not any((option.name,) in values for option in kind.addresses):
        missing.insert(0, kind.addresses[0].name)
    if missing:
        raise ConfigurationError(
            f"telemetry.{DESTINATIONS}.{name}.{missing[0]}",
            f"nothing, though destination {name} is enabled",
            f"Write `{missing[0]}:` under `{DESTINATIONS}.{name}` in the file, "
            f"or set {environment_name((DESTINATIONS, name, missing[0]))}.",
        )


def _unknown(path: Path, found: Found, declared: Iterable[Path]) -> ConfigurationError:
    dotted = ".".join(path)
    known = [".".join(each) for each in declared]
    # A variable that got this far is spelt like a key of another type, so the spelling is not what is wrong.
    misspelt = not found.key.startswith(PREFIX)
    guess = nearest(dotted, [*known, *(each[0] for each in declared)]) if misspelt else None
    if guess is None:
        fix = f"Known keys of this destination: {', '.join(known)}."
    else:
        before, _, after = found.key.rpartition(dotted)
        fix = f"Did you mean {before}{guess}{after}?"
    return ConfigurationError(found.key, "an unknown key" + found.where, fix)
