"""Bytes that a disk lost, changed or made up, in any file: they cost at most the events that they belong to."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spool.corruption.damage import check, events_at, make

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from spool.corruption.damage import Template

KINDS = ("segment", "journal", "heartbeat", "pipeline", "counters", "retired", "evictions", "rejected", "format")
CHANGES = {"flipped": (0xFF, 4), "zero": (0, 0), "newline": (0, 10), "high": (0, 0xFF)}
"""What of a byte is kept, and what is flipped in it."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """A spool with everything in it."""
    return make(tmp_path_factory.mktemp("template") / "s")


def places(size: int, kind: str, step: int) -> Iterator[int]:
    """The offsets to look at; a small file's are all looked at."""
    yield from range(len(kind) % step if size > 100 else 0, size, step if size > 100 else 1)


def truncate_and_check(template: Template, folder: Path, kind: str, step: int) -> None:
    """A file that ends early."""
    content = template.victims[kind].read_bytes()
    for cut in places(len(content), kind, step):
        root = folder / f"cut{cut}"
        template.copy(root)[kind].write_bytes(content[:cut])
        check(root, events_at(content, cut, len(content)) if kind == "segment" else set())
        shutil.rmtree(root)


def change_and_check(template: Template, folder: Path, kind: str, step: int, change: str) -> None:
    """A file with one byte that is another."""
    content = template.victims[kind].read_bytes()
    for at in places(len(content), kind, step):
        root = folder / f"change{at}"
        kept, flipped = CHANGES[change]
        damaged = content[:at] + bytes([content[at] & kept ^ flipped]) + content[at + 1 :]
        template.copy(root)[kind].write_bytes(damaged)
        check(root, events_at(content, at, at + 1) if kind == "segment" else set(), there=True)
        shutil.rmtree(root)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_ends_early_somewhere(template: Template, tmp_path: Path, kind: str) -> None:
    """A sample of its offsets."""
    truncate_and_check(template, tmp_path, kind, 97)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_ends_early_anywhere(template: Template, tmp_path: Path, kind: str) -> None:
    """Every offset."""
    truncate_and_check(template, tmp_path, kind, 1)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_byte_that_changed_somewhere(template: Template, tmp_path: Path, kind: str, change: str) -> None:
    """A sample of its offsets."""
    change_and_check(template, tmp_path, kind, 397 + 2 * len(change), change)


@pytest.mark.slow
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_byte_that_changed_at_many_places(template: Template, tmp_path: Path, kind: str, change: str) -> None:
    """Every thirteenth offset."""
    change_and_check(template, tmp_path, kind, 13, change)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_of_any_shape(template: Template, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Bytes put in, taken out, overwritten, in several files at once."""
    root = tmp_path_factory.mktemp("damage") / "s"
    victims = template.copy(root)
    hit: set[str] = set()
    shifted = False
    for kind in data.draw(st.lists(st.sampled_from(KINDS[:-1]), min_size=1, max_size=3, unique=True)):
        content = victims[kind].read_bytes()
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(len(content), start + 600)))
        new = data.draw(st.binary(max_size=40) | st.integers(1, 5000).map(bytes))
        victims[kind].write_bytes(content[:start] + new + content[end:])
        if kind == "segment":
            shifted = len(new) != end - start
            hit |= events_at(content, start, end) | events_at(content, max(0, start - 1), start + 1)
    check(root, hit, shifted=shifted)
    shutil.rmtree(root)
