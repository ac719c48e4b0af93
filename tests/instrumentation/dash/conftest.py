"""Dash apps that are watched, and nothing left of them afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _unwatched() -> Iterator[None]:
    """Nothing is watched before a test and after it; no page of another test's app is known."""
    from dash import page_registry  # noqa: PLC0415 - takes half a second, and some tests need none

    from footspan.instrumentation.dash.instrumentor import reset  # noqa: PLC0415 - the same

    reset()
    page_registry.clear()
    yield
    reset()
    page_registry.clear()
