"""Other versions of Dash than the newest, each in an environment of its own: the same tests, the same events."""

from __future__ import annotations

import os
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from originals import original

ROOT = Path(__file__).parents[3]
TESTS = ("test_page_views.py", "test_callbacks.py", "test_with_spans.py", "test_reading.py")
NEEDED = (
    "hypothesis",
    "opentelemetry-api",
    "opentelemetry-exporter-otlp",
    "opentelemetry-instrumentation-flask",
    "opentelemetry-sdk",
    "orjson",
    "pytest",
    "PyYAML",
    "requests",
)
LIMIT = 240.0
"""Seconds the tests may take there, on a busy machine."""


@pytest.mark.slow
@pytest.mark.parametrize("dash", ["dash[diskcache]==2.18.2", "dash[async,diskcache]==3.2.0"])
def test_the_same_with_another_version(dash: str, tmp_path: Path) -> None:
    """Page views, interactions, failures; synchronous and, where the version has them, asynchronous."""
    python = original(dash, *(f"{name}=={version(name)}" for name in NEEDED))
    command = [str(python), "-m", "pytest", "-q", "-p", "no:dash", "-p", "no:cacheprovider", "-o", "addopts="]
    command += ["-o", "filterwarnings=", "--import-mode=importlib", f"--basetemp={tmp_path / 'tests'}"]
    found = subprocess.run(
        [*command, *(str(Path(__file__).with_name(name)) for name in TESTS)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}"},
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert found.returncode == 0, found.stdout[-6000:] + found.stderr[-2000:]
    assert " passed" in found.stdout
