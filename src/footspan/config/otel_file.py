"""What OpenTelemetry's declarative configuration file says that concerns us.

The file is the SDK's (``OTEL_CONFIG_FILE``). Ours in it is the mapping ``distribution: footspan:``, the place that its
schema has for a distribution's own settings: the same keys as under ``telemetry:`` in a file of our own. Besides, it
may name the service, and switch everything off.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from footspan.config.errors import ConfigurationError
from footspan.config.file import expand, read_file
from footspan.config.kinds import describe
from footspan.config.layers import Found, Layer, Source
from footspan.config.values import BOOLEAN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from footspan.config.errors import Report

VARIABLE: Final = "OTEL_CONFIG_FILE"
SECTION: Final = ("distribution", "footspan")

_SERVICE: Final = {"service.name": ("service", "name"), "service.version": ("service", "version")}


def read_otel_file(environ: Mapping[str, str], report: Report) -> tuple[Layer, Found | None]:
    """The settings that the file holds.

    Args:
        environ: The environment, which names the file and fills its references.
        report: Takes what is wrong in it. Only what concerns us is examined.

    Returns:
        The layer, and what switches telemetry off, if the file says that the SDK is to be disabled.
    """
    path = named_in(environ)
    if path is None:
        return {}, None
    source = Source(
        name=lambda place: ".".join((*SECTION, *place)),
        where=f" in {path}",
        expand=lambda value, key: expand(value, environ, key),
        origin="file",
        report=report,
    )
    try:
        whole = read_file(path, named_by=VARIABLE, report=report, ours=SECTION, whole=True)
        return {**_service(whole, source), **source.flatten(_ours(whole))}, _disabled(whole, source)
    except ConfigurationError as error:
        report(error)
    return {}, None


def named_in(environ: Mapping[str, str]) -> Path | None:
    """The file that the environment names, if it names one."""
    named = environ.get(VARIABLE, "").strip()
    return Path(named) if named else None


def _ours(whole: Mapping[Any, object]) -> Mapping[Any, object]:
    found: Any = whole
    for depth, key in enumerate(SECTION):
        found = found.get(key)
        if found is None:
            return {}
        if not isinstance(found, dict):
            place = ".".join(SECTION[: depth + 1])
            raise ConfigurationError(place, describe(found), f"Write a mapping under `{place}:`.")
    return found  # type: ignore[no-any-return] # mappings all the way down


def _disabled(whole: Mapping[Any, object], source: Source) -> Found | None:
    value = source.expand(whole.get("disabled"), "disabled")
    found = Found(value, "disabled", source.where, source.origin)
    return replace(found, value=False) if value is not None and found.read(BOOLEAN) else None


def _service(whole: Mapping[Any, object], source: Source) -> Layer:
    """The service as the file's resource names it."""
    return {
        _SERVICE[name]: Found(text, f"resource.{name}", source.where, source.origin)
        for name, value in _attributes(whole.get("resource"))
        if name in _SERVICE and isinstance(value, str) and (text := source.expand(value, f"resource.{name}"))
    }


def _attributes(resource: object) -> Iterator[tuple[str, object]]:
    """The attributes of a resource, those that win last."""
    if not isinstance(resource, dict):
        return
    listed = resource.get("attributes_list")
    for item in listed.split(",") if isinstance(listed, str) else ():
        name, _, value = item.partition("=")
        yield name.strip(), value.strip()
    given = resource.get("attributes")
    for item in given if isinstance(given, list) else ():
        if isinstance(item, dict):
            yield str(item.get("name")), item.get("value")
