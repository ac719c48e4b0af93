"""Events that a program hands to a repository itself: they take no road of ours, and are held to the policy here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from footspan.config.policy import IDENTITY
from footspan.processors.redaction import Redactor
from footspan.tracking.in_force import settings_in_force

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELDS: Final = {attribute: name for name, attribute in IDENTITY.items()}


def cleaned(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event of the document's form without what must not leave. What was cleaned before stays as it is."""
    redactor = _redactor()
    rest, _ = redactor.mapping({key: value for key, value in event.items() if key != "data"})
    data = event.get("data")
    if not isinstance(data, dict):
        clean, _ = redactor.mapping({"data": data} if "data" in event else {})
        return _in_order(event, {**rest, **clean})
    # Whoever fills the fields that the document has for people says who it is, as in our own calls.
    clean, _ = redactor.mapping({IDENTITY.get(key, key): value for key, value in data.items()})
    return _in_order(event, {**rest, "data": {_FIELDS.get(key, key): value for key, value in clean.items()}})


def _in_order(event: Mapping[str, Any], clean: dict[str, Any]) -> dict[str, Any]:
    first = {key: clean[key] for key in event if key in clean}
    return {**first, **clean}


def _redactor() -> Redactor:
    from footspan.pipeline import get_pipeline  # noqa: PLC0415 - loads the SDK

    pipeline = get_pipeline()
    return Redactor(None, settings_in_force().privacy.rules) if pipeline is None else pipeline.redactor
