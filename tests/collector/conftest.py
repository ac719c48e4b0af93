"""The real Collector for the tests marked ``collector``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tools.collector import binary

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def otelcol() -> Path:
    """The Collector that ``make collector`` built; without it these tests are skipped, or fail where demanded."""
    path = binary()
    if not path.exists():
        reason = "no Collector is built: make collector"
        if os.environ.get("FOOTSPAN_REQUIRE_COLLECTOR"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path
