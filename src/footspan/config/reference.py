"""The reference of all settings, derived from their declarations.

``python -m footspan.config.reference FILE`` writes the tables into a Markdown file, between its two marker comments.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from footspan.config.declarations import DESTINATIONS, Declared, common, environment_name, general, of_type
from footspan.config.options import DESTINATION_TYPES, IMPLEMENTED_TYPES
from footspan.config.otel import INSECURE_VARIABLES, OTLP, OTLP_VARIABLES, SERVICE_VARIABLES
from footspan.config.values import choice

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BEGIN: Final = "<!-- reference: generated, do not edit -->"
END: Final = "<!-- end of reference -->"

ANY_DESTINATION: Final = "<name>"
"""Stands for the name of a destination in the settings that every one takes."""

_WORKING_TYPES: Final = [name for name in DESTINATION_TYPES if name in IMPLEMENTED_TYPES]


_TYPE: Final = Declared(
    ("type",), choice(*_WORKING_TYPES), None, "What it is; needed only under a name that is no type itself."
)


@dataclass(frozen=True, slots=True)
class SettingDoc:
    """One setting, described for people.

    Attributes:
        path: Its place below ``telemetry:``, with dots.
        environment: Its environment variable.
        type: The kind of its value.
        default: Its default as a person would write it; empty if there is none.
        help: What it means.
    """

    path: str
    environment: str
    type: str
    default: str
    help: str


def reference() -> list[SettingDoc]:
    """List every setting of this version: the general ones, those of every destination, those of each type."""
    docs = [_doc(each) for each in general().values()]
    docs.append(_doc(_TYPE, DESTINATIONS, ANY_DESTINATION))
    docs += [_doc(each, DESTINATIONS, ANY_DESTINATION) for each in common().values()]
    for name in _WORKING_TYPES:
        docs += [_doc(each, DESTINATIONS, name) for path, each in of_type(name).items() if path not in common()]
    return docs


def _doc(declared: Declared, *above: str) -> SettingDoc:
    path = (*above, *declared.path)
    return SettingDoc(
        path=".".join(path),
        environment=environment_name(path),
        type=declared.kind.name,
        default="" if declared.default is None else declared.kind.show(declared.default),
        help=declared.help,
    )


def render_reference() -> str:
    """Write the reference as Markdown tables."""
    docs = reference()
    prefix = f"{DESTINATIONS}."
    parts = [
        "### General\n",
        _table(doc for doc in docs if not doc.path.startswith(prefix)),
        "### Every destination\n",
        _table(doc for doc in docs if doc.path.startswith(f"{prefix}{ANY_DESTINATION}.")),
    ]
    for name in _WORKING_TYPES:
        parts += [f"### `{name}`\n", f"{DESTINATION_TYPES[name].help}\n"]
        parts.append(_table(doc for doc in docs if doc.path.startswith(f"{prefix}{name}.")))
    parts += [
        "### Variables of OpenTelemetry\n",
        _rows(("Variable", "Fills"), [(f"`{name}`", f"`{key}`") for name, key in SERVICE_VARIABLES.items()])
        + _body((f"`{name}`", f"`{DESTINATIONS}.{OTLP}.{key}`") for name, key in OTLP_VARIABLES.items())
        + _body(
            (f"`{name}`", f"`{DESTINATIONS}.{OTLP}.{key}`: the scheme of gRPC's `host:port`")
            for name, key in INSECURE_VARIABLES.items()
        ),
    ]
    return "\n".join(parts)


def _table(docs: Iterable[SettingDoc]) -> str:
    return _rows(
        ("Key", "Environment", "Type", "Default", "Meaning"),
        [
            (f"`{doc.path}`", f"`{doc.environment}`", doc.type, f"`{doc.default}`" if doc.default else "", doc.help)
            for doc in docs
        ],
    )


def _rows(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return _body([head, ["---"] * len(head), *rows])


def _body(rows: Iterable[Sequence[str]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def update(text: str) -> str:
    """Put the current reference between the markers of a Markdown text."""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the text must hold {BEGIN} and {END}")
    return f"{before}{begin}\n\n{render_reference()}\n{end}{after}"


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(update(target.read_text(encoding="utf-8")), encoding="utf-8")
