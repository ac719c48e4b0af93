"""The environment: every setting as ``FOOTSPAN_`` and its path in capitals, joined by ``_``."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final

from footspan.config.declarations import DESTINATIONS, PREFIX, common, environment_name, general, of_type
from footspan.config.errors import ConfigurationError, stop
from footspan.config.kinds import BadValueError, nearest
from footspan.config.layers import Found
from footspan.config.options import DESTINATION_TYPES
from footspan.config.own_types import CLASS_PATH, is_registered, type_of
from footspan.config.values import BOOLEAN

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from footspan.config.declarations import Path
    from footspan.config.errors import Report
    from footspan.config.layers import Layer

CONFIG_VARIABLE: Final = "FOOTSPAN_CONFIG"

# Ours, but no settings: the file's name, what the test run is told, and what tests hand to their children.
_NO_SETTINGS: Final = frozenset({CONFIG_VARIABLE, "FOOTSPAN_REQUIRE_COLLECTOR", "FOOTSPAN_SEED_DOCS"})
_TESTS: Final = "FOOTSPAN_TEST_"
# Kubernetes puts such variables into every pod beside a Service called "footspan" or "footspan-gateway".
_KUBERNETES: Final = re.compile(
    r"FOOTSPAN_(?:[A-Z0-9_]+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_[A-Z0-9_]+)?|PORT(?:_[0-9]+_(?:TCP|UDP|SCTP)(?:_[A-Z]+)?)?)"
)
_SECTION: Final = environment_name((DESTINATIONS, ""))
_OWN_NAME: Final = re.compile(r"([A-Z0-9]+)_([A-Z0-9_]+)")


def switched_off(environ: Mapping[str, str]) -> bool:
    """Whether a variable that wins over everything switches telemetry off.

    ``OTEL_SDK_DISABLED`` follows OpenTelemetry's rule: only ``true``, in any case, counts.

    Raises:
        ConfigurationError: If ``TELEMETRY_ENABLED`` is no boolean.
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return True
    enabled = environ.get("TELEMETRY_ENABLED", "").strip()
    return bool(enabled) and not Found(enabled, "TELEMETRY_ENABLED").read(BOOLEAN)


def read_environment(
    environ: Mapping[str, str], own_names: Mapping[str, str] | None = None, report: Report = stop
) -> Layer:
    """Read the ``FOOTSPAN_*`` variables; an empty one counts as not set.

    Args:
        environ: The variables.
        own_names: Names of destinations that the file or the code declares, each with the type it says, if it does:
            a class of somebody's own has options that only it knows.
        report: Takes what is wrong: a variable that names no setting.

    Returns:
        One layer. ``TELEMETRY_ENABLED`` and ``TELEMETRY_DEBUG`` stand in for ``FOOTSPAN_ENABLED`` and
        ``FOOTSPAN_DEBUG``.
    """
    layer: Layer = {}
    own = {**(own_names or {}), **_types_in(environ)}
    for setting in ("enabled", "debug"):
        variable = f"TELEMETRY_{setting.upper()}"
        if value := environ.get(variable, "").strip():
            layer[setting,] = Found(value, variable)
    for variable in sorted(name for name in environ if name.startswith(PREFIX)):
        value = environ[variable].strip()
        if not value or variable in _NO_SETTINGS or variable.startswith(_TESTS):
            continue
        path = _general_names().get(variable) or _destination_path(variable, own)
        if path is not None:
            layer[path] = Found(value, variable)
        elif not _KUBERNETES.fullmatch(variable):
            report(_unknown(variable, own))
    return layer


def enable_addressed(layer: Layer, types: Mapping[str, str]) -> None:
    """Enable each destination whose address stands in the environment, unless the environment says otherwise."""
    for name, type_name in types.items():
        for option in type_of(type_name).addresses:
            if found := layer.get((DESTINATIONS, name, option.name)):
                layer.setdefault((DESTINATIONS, name, "enabled"), Found(value=True, key=found.key))


@cache
def _general_names() -> Mapping[str, Path]:
    return {environment_name(path): path for path in general()}


def _suffixes(paths: Iterable[Path]) -> dict[str, Path]:
    return {"_".join(path).upper(): path for path in (*paths, ("type",))}


@cache
def _suffixes_of(type_name: str | None) -> Mapping[str, Path]:
    """The last parts of a destination's variables; those of any type for ``None``."""
    if type_name is not None:
        return _suffixes(of_type(type_name))
    return _suffixes({**common(), **{path: None for name in DESTINATION_TYPES for path in of_type(name)}})


def own_names(*layers: Layer) -> dict[str, str]:
    """The destinations that layers name, each with the type it says; empty text where it says none."""
    found: dict[str, str] = {}
    for layer in layers:
        for path, each in layer.items():
            if path[0] == DESTINATIONS:
                found.setdefault(path[1], "")
                if path[2:] == ("type",):
                    found[path[1]] = each.value.strip() if isinstance(each.value, str) else ""
    return found


def _types_in(environ: Mapping[str, str]) -> dict[str, str]:
    """The types that the environment itself states for destinations with a name of their own."""
    found = {}
    for variable, value in environ.items():
        match = _OWN_NAME.fullmatch(variable.removeprefix(_SECTION)) if variable.startswith(_SECTION) else None
        if match and match[2] == "TYPE" and value.strip():
            found[match[1].lower()] = value.strip()
    return found


def _own_suffixes(type_name: str) -> Mapping[str, Path] | None:
    """The same of a type that is not built in; ``None`` where it is none, or cannot be loaded."""
    if not CLASS_PATH.fullmatch(type_name) and not is_registered(type_name):
        return None
    try:
        return _suffixes(of_type(type_name))
    except BadValueError:
        return None


def _destination_path(variable: str, own: Mapping[str, str]) -> Path | None:
    if not variable.startswith(_SECTION):
        return None
    rest = variable[len(_SECTION) :]
    for type_name in DESTINATION_TYPES:
        if rest.startswith(f"{type_name.upper()}_"):
            inner = _suffixes_of(type_name).get(rest[len(type_name) + 1 :])
            return (DESTINATIONS, type_name, *inner) if inner else None
    match = _OWN_NAME.fullmatch(rest)
    if match is None:
        return None
    name = match[1].lower()
    inner = _suffixes_of(None).get(match[2]) or _own_path(own.get(name) or name, match[2])
    return (DESTINATIONS, name, *inner) if inner else None


def _own_path(type_name: str, suffix: str) -> Path | None:
    known = _own_suffixes(type_name)
    if known is None and CLASS_PATH.fullmatch(type_name):
        return (suffix.lower(),)  # that the class cannot be loaded is what is wrong, and is said where the type is read
    return known.get(suffix) if known else None


def _unknown(variable: str, own: Mapping[str, str]) -> ConfigurationError:
    known = [*_general_names(), CONFIG_VARIABLE]
    for name in (*DESTINATION_TYPES, *own):
        mine = None if name in DESTINATION_TYPES else _own_suffixes(own[name] or name)
        suffixes = mine or _suffixes_of(name if name in DESTINATION_TYPES else None)
        known += [f"{_SECTION}{name.upper()}_{suffix}" for suffix in suffixes]
    # Compared without what all of them share, or any two would look alike.
    guess = nearest(variable[len(PREFIX) :], [name[len(PREFIX) :] for name in known])
    hint = f"Did you mean {PREFIX}{guess}?" if guess else "Remove it, or see the reference for the known names."
    return ConfigurationError(variable, "a variable that names no setting", hint)
