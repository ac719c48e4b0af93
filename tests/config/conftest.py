"""What the tests of the settings share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(autouse=True)
def working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory: no settings file but the one a test writes."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def settings_file(working_directory: Path) -> Callable[[str], Path]:
    """Write ``footspan.yaml`` into the working directory."""

    def write(text: str) -> Path:
        path = working_directory / "footspan.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write
