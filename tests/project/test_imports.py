"""The one-way road between the rooms, and how light it is to step onto it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent.parent

HEAVY = [
    "click",
    "flask",
    "google.protobuf",
    "opentelemetry.exporter",
    "opentelemetry.instrumentation",
    "opentelemetry.proto",
    "opentelemetry.sdk",
    "requests",
    "rich",
    "urllib3",
    "yaml",
]


def test_rooms_import_only_downwards() -> None:
    """Every contract of the import linter holds."""
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    result = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=120, check=False)

    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """The modules that a process holds after ``import footspan`` and nothing else."""
    command = [sys.executable, "-W", "error", "-c", "import footspan, sys; print(*sys.modules)"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert result.stderr == ""
    return set(result.stdout.split())


@pytest.mark.parametrize("package", HEAVY)
def test_importing_footspan_does_not_load(loaded: set[str], package: str) -> None:
    """Heavy packages are loaded by whoever first needs them, so that an import costs next to nothing."""
    assert "footspan.tracking" in loaded
    assert [name for name in loaded if name == package or name.startswith(package + ".")] == []


def test_importing_footspan_starts_and_writes_nothing(tmp_path: Path) -> None:
    """No thread, no file, no log line before the first call."""
    program = (
        "import logging, os, threading\n"
        "before = list(logging.getLogger().handlers)\n"
        "import footspan\n"
        "assert threading.active_count() == 1\n"
        "assert logging.getLogger().handlers == before\n"
        "print(os.listdir())\n"
    )
    environment = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    result = subprocess.run(
        [sys.executable, "-B", "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (result.stdout, result.stderr) == ("[]\n", "")
