"""Environments of originals: built once, shared, and a reason where they cannot be."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

import originals
from programs import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache folder of the test's own, no index, and a failure that is not required to be none."""
    shell = {"PATH": os.defpath, "XDG_CACHE_HOME": str(tmp_path), "PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": os.devnull}
    monkeypatch.setattr(originals, "_SHELL", shell)
    monkeypatch.setattr(originals, "_REQUIRED", False)
    originals._built.cache_clear()
    yield tmp_path / "footspan" / "originals"
    originals._built.cache_clear()


@pytest.mark.slow
def test_it_is_built_once(cache: Path) -> None:
    """A second look finds what the first one built, and starts nothing."""
    python = originals.original()
    first = python.lstat().st_mtime_ns
    originals._built.cache_clear()

    assert python == originals.original()
    assert first == python.lstat().st_mtime_ns
    assert f"{python.parents[1]}\n" == run("import sys; print(sys.prefix)", python=python).stdout
    assert sys.prefix != str(python.parents[1])


@pytest.mark.slow
def test_what_was_interrupted_is_built_anew(cache: Path) -> None:
    """An environment without its mark is not trusted."""
    python = originals.original()
    python.unlink()
    (python.parents[1] / "ready").unlink()
    originals._built.cache_clear()

    assert originals.original().exists()


@pytest.mark.slow
def test_without_an_index_the_test_is_skipped_and_says_why(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last thing that pip said is the reason; the next look does not try again."""
    with pytest.raises(pytest.skip.Exception, match=r"no environment with footspan-none==1: ERROR: No matching"):
        originals.original("footspan-none==1")
    originals._built.cache_clear()
    monkeypatch.setattr(originals, "_run", lambda command: pytest.fail("tried again"))

    with pytest.raises(pytest.skip.Exception, match=r"No matching distribution"):
        originals.original("footspan-none==1")


def test_a_failure_is_remembered_for_a_while(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After that it is tried again, since the index may be back."""
    attempts: list[list[str]] = []

    def attempt(command: list[str]) -> str:
        attempts.append(command)
        return "the index is away"

    monkeypatch.setattr(originals, "_run", attempt)
    for age in (0.0, 1.0, originals.REMEMBERED + 60):
        for failed in cache.glob("*.failed"):
            past = failed.stat().st_mtime - age
            os.utime(failed, (past, past))
        with pytest.raises(pytest.skip.Exception, match="the index is away"):
            originals.original("somewhat==1")
        originals._built.cache_clear()

    assert 2 == len(attempts)


def test_where_it_is_required_a_missing_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that is to prove parity does not pass by leaving it out."""
    monkeypatch.setattr(originals, "_REQUIRED", True)
    monkeypatch.setattr(originals, "_run", lambda command: "the index is away")

    with pytest.raises(pytest.fail.Exception, match="the index is away"):
        originals.original("somewhat==1")
