"""Every setting as one flat row, derived from the dataclasses and the destinations' options."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from footspan.config.options import DESTINATION_TYPES
from footspan.config.own_types import type_of
from footspan.config.settings import DestinationSettings, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from footspan.config.kinds import Kind

PREFIX: Final = "FOOTSPAN_"
DESTINATIONS: Final = "destinations"

Path = tuple[str, ...]
"""Where a setting stands: the keys from the top of ``telemetry:`` down."""


@dataclasses.dataclass(frozen=True, slots=True)
class Declared:
    """One setting.

    Attributes:
        path: Its place; for a destination's setting the place within the destination.
        kind: How its value is read.
        default: Its value when nobody sets it.
        help: What it means.
    """

    path: Path
    kind: Kind
    default: Any
    help: str


def section_of(each: dataclasses.Field[Any]) -> type[Any] | None:
    """The dataclass that a field holds a whole section in, if it does."""
    factory: Any = each.default_factory
    return factory if isinstance(factory, type) and dataclasses.is_dataclass(factory) else None


def _walk(section: type[Any], above: Path = ()) -> Iterator[Declared]:
    for each in dataclasses.fields(section):
        path = (*above, each.name)
        if "kind" in each.metadata:
            yield Declared(path, each.metadata["kind"], each.default, each.metadata["help"])
        elif inner := section_of(each):
            yield from _walk(inner, path)


@cache
def general() -> Mapping[Path, Declared]:
    """The settings outside ``destinations``."""
    return {each.path: each for each in _walk(Settings)}


@cache
def common() -> Mapping[Path, Declared]:
    """The settings that every destination takes, ``type`` excepted."""
    return {each.path: each for each in _walk(DestinationSettings)}


def of_type(name: str) -> Mapping[Path, Declared]:
    """The settings of one type of destination: its own options, then what every destination takes.

    Raises:
        BadValueError: There is no such type.
    """
    return _built_in(name) if name in DESTINATION_TYPES else _declared(name)


def _declared(name: str) -> Mapping[Path, Declared]:
    own: dict[Path, Declared] = {
        (option.name,): Declared((option.name,), option.kind, option.default, option.help)
        for option in type_of(name).options
    }
    return {**own, **common()}


_built_in = cache(_declared)
"""What is built in stays as it is; a class of somebody's own may be another the next time."""


def environment_name(path: Path) -> str:
    """The environment variable of a setting."""
    return PREFIX + "_".join(path).upper()
