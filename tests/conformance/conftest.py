"""Each destination in turn, its stand-in proved before anything is believed that it says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.adapters import ADAPTERS

if TYPE_CHECKING:
    from conformance.adapter import Adapter

_proved: set[str] = set()


def proved(adapter: Adapter) -> Adapter:
    """An adapter whose stand-in has passed its examination, once in this process."""
    if adapter.name not in _proved:
        adapter.prove()
        _proved.add(adapter.name)
    return adapter


@pytest.fixture(params=ADAPTERS, ids=lambda adapter: adapter.name)
def adapter(request: pytest.FixtureRequest) -> Adapter:
    """Every destination."""
    return proved(request.param)
