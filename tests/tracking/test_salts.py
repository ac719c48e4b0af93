"""Tests for footspan.tracking.salts: one salt a day, shared, and gone after it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from footspan.tracking.salts import SIZE, DailySalt

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

DAY = 86_400.0


def files(folder: Path) -> list[str]:
    """The salts on disk."""
    return sorted(path.name for path in folder.iterdir())


def test_yesterdays_salt_is_removed(tmp_path: Path) -> None:
    """With it goes every way back; nothing else in the folder is touched."""
    (tmp_path / "FORMAT").write_text("1")
    yesterday = DailySalt(tmp_path, lambda: DAY * 20_000).today()
    today = DailySalt(tmp_path, lambda: DAY * 20_001).today()

    assert yesterday != today
    assert len(yesterday) == len(today) == SIZE
    assert files(tmp_path) == ["FORMAT", "visitor-salt-2024-10-05"]


def test_a_clock_that_is_behind_removes_nothing_of_today(tmp_path: Path) -> None:
    """Another process may run on a machine whose day has not begun."""
    today = DailySalt(tmp_path, lambda: DAY * 20_001)
    salt = today.today()
    DailySalt(tmp_path, lambda: DAY * 20_000).today()

    assert salt == DailySalt(tmp_path, lambda: DAY * 20_001).today()


def test_whoever_comes_first_makes_the_salt_for_all(tmp_path: Path) -> None:
    """Many at once agree on one, and leave no drafts behind."""
    start = threading.Barrier(8)
    found: list[bytes] = []

    def ask() -> None:
        start.wait(30)
        found.append(DailySalt(tmp_path, lambda: 0.0).today())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(found) == 8
    assert len(set(found)) == 1
    assert files(tmp_path) == ["visitor-salt-1970-01-01"]


def test_without_a_folder_the_salt_is_the_processs_own(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The id still lasts a day; what could not be done is said."""
    alone = DailySalt(None)
    missing = DailySalt(tmp_path / "missing")

    assert alone.today() == alone.today()
    assert missing.today() == missing.today()
    assert alone.today() != missing.today()
    assert "salt of the day" in caplog.text


def test_a_damaged_salt_is_not_used(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """An empty salt would hide nobody."""
    (tmp_path / "visitor-salt-1970-01-01").write_bytes(b"")

    assert len(DailySalt(tmp_path, lambda: 0.0).today()) == SIZE
    assert "damaged" in caplog.text
