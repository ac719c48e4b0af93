"""Names for what Dash identifies: components, their properties, callbacks.

An id that is a mapping (pattern matching) stands for its ``type`` only, so that a table with a thousand buttons has one
name and not a thousand. Nothing here raises, whatever a request holds.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

LONGEST: Final = 200
"""Characters of a name."""
MOST: Final = 32
"""Properties that are looked at in one request, and outputs that one name lists."""

_DUPLICATE: Final = re.compile(r"@[0-9a-f]{8,}$")
"""What Dash appends to an output that several callbacks share."""


class Prop(NamedTuple):
    """A property of a component.

    Attributes:
        component: The component's name.
        property: The property's name.
    """

    component: str
    property: str

    def __str__(self) -> str:
        return f"{self.component}.{self.property}"


def component_name(value: Any) -> str:
    """A component's name by its id: a text as it is, of a mapping the ``type``, else its keys."""
    if isinstance(value, str):
        value = _mapping(value) if value.startswith("{") else value
    if isinstance(value, dict):
        kind = value.get("type")
        value = kind if isinstance(kind, str) and kind else "{" + ",".join(sorted(map(str, value))[:MOST]) + "}"
    return value[:LONGEST] if isinstance(value, str) else ""


def prop(value: Any) -> Prop | None:
    """The property that Dash calls ``<id>.<property>``; ``None`` for what is no such text."""
    if not isinstance(value, str):
        return None
    # A mapping's values may hold dots, and so may a text id in old versions; a property never does.
    identity, dot, name = value.rpartition(".")
    component = component_name(identity)
    return Prop(component, _DUPLICATE.sub("", name)[:LONGEST]) if dot and component and name else None


def callback_name(output: Any) -> str:
    """A callback's name by its outputs: ``out.children``, or several with commas between.

    Dash writes several outputs as ``..a.children...b.children..``, and a digest alone for a callback without any.
    """
    if not isinstance(output, str):
        return ""
    several = output[2:-2].split("...") if len(output) > len("....") and output[:2] == output[-2:] == ".." else [output]
    names = [str(prop(each) or each) for each in several[:MOST]]
    return ",".join(names)[:LONGEST]


def _mapping(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
