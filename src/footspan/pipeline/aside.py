"""Exporters of ours in providers that a pipeline has joined: one place is reached one way only.

In an application of OpenTelemetry's own our exporters deliver by themselves. Once a pipeline stands before them in the
same provider, what it carries would arrive twice; so they pass over what it carries, and go on with the rest.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from footspan import _otel

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from footspan.pipeline.processor import Slot


def step_aside(provider: Any, slot: Slot) -> None:
    """Have the log exporters of ours in a logger provider leave to the slot's pipeline what that delivers."""
    for exporter in ours(provider, "DestinationLogExporter"):
        exporter.carried = carried_by(slot)


def ours(provider: Any, class_name: str) -> list[Any]:
    """The exporters of ours that a provider's processors hold, of one class of :mod:`footspan.exporters`."""
    loaded = sys.modules.get("footspan.exporters")
    if loaded is None:  # then there can be none
        return []
    kind = getattr(loaded, class_name)
    return [exporter for exporter in _otel.exporters_of(provider) if isinstance(exporter, kind)]


def carried_by(slot: Slot, *, only_spans: bool = False) -> Callable[[], Collection[str]]:
    """The ids of the destinations that the pipeline then in the slot delivers to.

    Args:
        slot: Where the pipeline is found.
        only_spans: Those alone that make events of spans.
    """

    def ids() -> Collection[str]:
        pipeline = slot.pipeline
        destinations = [] if pipeline is None else pipeline.destinations
        return {each.id for each in destinations if not only_spans or each.settings.options.get("spans")}

    return ids
