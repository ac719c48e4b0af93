"""The stand-ins as pytest fixtures: import them into a ``conftest.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from servers.otlp import OtlpSink
from servers.umami import UmamiServer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def umami_server() -> Iterator[UmamiServer]:
    """A running Umami with one known website, ``umami_server.website``."""
    with UmamiServer() as server:
        yield server


@pytest.fixture
def otlp_sink() -> Iterator[OtlpSink]:
    """A running OTLP/HTTP receiver."""
    with OtlpSink() as sink:
        yield sink
