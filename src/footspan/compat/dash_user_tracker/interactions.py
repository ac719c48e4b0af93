"""The field ``interaction``: what a callback's request says of properties. Their values only where they are allowed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from footspan.processors.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST: Final = 256
"""Properties that are listed."""
_DEEPEST: Final = 4

_redactor = Redactor()


def interaction_of(body: Mapping[str, Any], *, output: bool, values: bool) -> dict[str, Any]:
    """What somebody touched, and what was to change.

    Args:
        body: What the browser posted.
        output: Whether the text that names all outputs is there, as it is where nothing but interactions is tracked.
        values: Whether the values of inputs and states are there; passwords are not even then.
    """
    inputs, state = body.get("inputs", []), body.get("state", [])
    found = {"changed_props": _bounded(body.get("changedPropIds", [])), "inputs": _shown(inputs, values)}
    if output:
        found["output"] = body.get("output")
    return {**found, "outputs": _shown(body.get("outputs", []), values=False), "state": _shown(state, values)}


def _bounded(value: Any) -> Any:
    return value[:MOST] if isinstance(value, list) else value


def _shown(value: Any, values: bool, depth: int = 0) -> Any:  # noqa: FBT001 - passed through
    """Properties with or without their values; of pattern-matching ones, lists of them."""
    if isinstance(value, list) and depth < _DEEPEST:
        return [_shown(each, values, depth + 1) for each in value[:MOST]]
    if not isinstance(value, dict):
        return None
    shown = {key: each for key, each in value.items() if key in {"id", "property"}}
    if values and "value" in value:
        name = str(shown.get("id"))
        shown["value"] = _redactor.mapping({name: value["value"]})[0].get(name)
    return shown
