"""One spool, one sink, and processes that end with the test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from processes.deliver.acting import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from servers.otlp import OtlpSink


@pytest.fixture
def stage(tmp_path: Path, otlp_sink: OtlpSink) -> Iterator[Stage]:
    """One spool, one sink."""
    with Stage(tmp_path, otlp_sink) as stage:
        yield stage
