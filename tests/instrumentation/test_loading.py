"""Tests for footspan.instrumentation.loading: nobody pays for a library that the app does not use."""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING

import pytest

from footspan import _guard
from footspan.instrumentation.loading import when_loaded
from programs import run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module that has not been loaded."""
    name = f"library_{tmp_path.name}".replace("-", "_")
    (tmp_path / f"{name}.py").write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    return name


def test_it_waits_for_the_module(library: str) -> None:
    """And then it is done, once the module is whole."""
    done: list[int] = []
    when_loaded(library, lambda: done.append(sys.modules[library].value))
    assert done == []
    assert library not in sys.modules
    importlib.import_module(library)
    assert done == [1]


def test_a_loaded_module_is_not_waited_for(library: str) -> None:
    """It is done at once."""
    importlib.import_module(library)
    done: list[int] = []
    when_loaded(library, lambda: done.append(1))
    assert done == [1]


def test_a_wish_can_be_taken_back(library: str) -> None:
    """Then loading does nothing."""
    done: list[int] = []
    when_loaded(library, lambda: done.append(1))()
    importlib.import_module(library)
    assert done == []


def test_a_failure_does_not_break_the_import(library: str) -> None:
    """Which is the app's."""
    _guard.reraise_in_tests(False)

    def fail() -> None:
        raise ValueError("x")

    when_loaded(library, fail)
    assert importlib.import_module(library).value == 1


@pytest.mark.parametrize(
    ("module", "name", "library"),
    [
        ("aiogram", "AiogramInstrumentor", "aiogram"),
        ("python_telegram_bot", "PythonTelegramBotInstrumentor", "telegram"),
    ],
)
def test_instrumentors_of_bots_load_no_library(module: str, name: str, library: str) -> None:
    """Which would take seconds under auto-instrumentation, in every process of a machine that has it installed."""
    pytest.importorskip(library)
    found = run(
        f"""
        import sys
        from footspan.instrumentation.telegram.{module} import {name}
        {name}().instrument(skip_dep_check=True)
        print({library!r} in sys.modules)
        """
    )
    assert found.stdout == "False\n"
