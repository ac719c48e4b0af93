"""What every test of the OpenTrace client starts from and leaves."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from compat.opentrace.recordings import Recorder

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def server() -> Iterator[Recorder]:
    """A server that takes everything and knows no campaign."""
    with Recorder() as recorder:
        yield recorder


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What ``debug=True`` logs is not logged in the next test, and no campaign is remembered."""
    yield
    if "footspan.compat.opentrace.hearing" in sys.modules:
        sys.modules["footspan.compat.opentrace.hearing"].hide()
    if "footspan.destinations.campaigns" in sys.modules:
        sys.modules["footspan.destinations.campaigns"].reset()
