"""What ``footspan config show`` prints: a table, JSON values, a YAML file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from footspan.config.declarations import environment_name
from footspan.config.file import ROOT
from footspan.config.values import DURATION, POSITIVE_DURATION, SIZE
from footspan.config.web import MASK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.config.survey import Effective

_COLUMNS: Final = ("setting", "value", "source")
_WIDEST: Final = 40
"""Of the column of values; a longer one pushes its source aside."""


def source(value: Effective) -> str:
    """Where a value comes from, for people."""
    return value.origin if value.by in ("", value.origin) else f"{value.origin}: {value.by}"


def table(values: Sequence[Effective]) -> None:
    """Print settings as a table; on a terminal what has its default stands back."""
    rows = [(each.name, each.text or "-", source(each)) for each in values]
    widths = [max(len(row[column]) for row in (_COLUMNS, *rows)) for column in (0, 1)]
    widths[1] = min(widths[1], _WIDEST)
    for row, each in zip((_COLUMNS, *rows), (None, *values), strict=True):
        line = f"{row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}"
        click.secho(line, bold=each is None, dim=each is not None and each.origin == "default")


def as_json(value: Effective) -> dict[str, Any]:
    """One setting as JSON: seconds and bytes as numbers, lists as lists."""
    return {"value": _plain(value), "source": value.origin, "from": value.by or None}


def _plain(value: Effective) -> Any:
    found = value.value
    if isinstance(found, Path):
        return str(found)
    if isinstance(found, tuple):
        if value.kind is not None and value.kind.name in {"categories", "domains"}:
            return dict(found)
        if value.kind is not None and value.kind.name.endswith(" by purpose"):
            return json.loads(value.text)
        return [_without_nothing(item) if dataclasses.is_dataclass(item) else item for item in found]
    return found


def _without_nothing(item: Any) -> dict[str, Any]:
    return {key: value for key, value in dataclasses.asdict(item).items() if value is not None}


def as_yaml(values: Sequence[Effective]) -> str:
    """Settings as a file that can be loaded. In place of what is masked it refers to a variable that holds it.

    The mask itself would be loaded, too: as a key that everybody knows.
    """
    lines = [f"{ROOT}:"]
    above: tuple[str, ...] = ()
    for each in _grouped(values):
        *section, key = each.path
        for depth, name in enumerate(section):
            if tuple(section[: depth + 1]) != above[: depth + 1]:
                lines.append(f"{_indent(depth)}{name}:")
        above = tuple(section)
        written = f"${{env:{_variable(each)}}}" if _is_masked(each) else _yaml(each)
        lines.append(f"{_indent(len(section))}{key}: {written}".rstrip() + f"  # {source(each)}")
    return "\n".join(lines) + "\n"


def _is_masked(value: Effective) -> bool:
    return value.kind is not None and value.kind.mask is not None and MASK in value.text


def _variable(value: Effective) -> str:
    return value.by if value.origin == "environment" else environment_name(value.path)


def _grouped(values: Sequence[Effective]) -> list[Effective]:
    """In their order, but all of a section together, its own keys before those of sections in it."""
    places: dict[tuple[str, ...], int] = {}
    for each in values:
        for depth in range(len(each.path)):
            places.setdefault(each.path[:depth], len(places))

    def key(each: Effective) -> list[tuple[int, int]]:
        return [(1, places[each.path[:depth]]) for depth in range(1, len(each.path))] + [(0, 0)]

    return sorted(values, key=key)


def _indent(depth: int) -> str:
    return "  " * (depth + 1)


def _yaml(value: Effective) -> str:
    """A value on one line, dollars doubled since one would begin a reference."""
    import yaml  # noqa: PLC0415 - only this form needs it

    found = _plain(value)
    if found is None:
        return ""
    if value.kind in (SIZE, DURATION, POSITIVE_DURATION):
        found = value.text
    text: str = yaml.safe_dump(
        _doubled(found), default_flow_style=True, width=float("inf"), allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _doubled(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, list):
        return [_doubled(item) for item in value]
    if isinstance(value, dict):
        return {key: _doubled(item) for key, item in value.items()}
    return value
