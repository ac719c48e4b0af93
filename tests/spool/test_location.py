"""Where a spool lives: a folder of the service's own, or the next place."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footspan import _guard, _platform
from footspan.config import ServiceSettings, Settings, SpoolSettings
from footspan.spool import location, open_spool
from footspan.spool.disk import DiskSpool
from footspan.spool.location import existing, folder_name, locate
from footspan.spool.memory import MemorySpool
from spool.making import UMAMI, accepts, drain, end_child, line, start_child, the_feed

if TYPE_CHECKING:
    from pathlib import Path


def make(name: str | None = "shop", **spool: object) -> Settings:
    """Settings of a service."""
    return Settings(service=ServiceSettings(name=name), spool=SpoolSettings(**spool))  # type: ignore[arg-type]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(folder))
    return folder


def root_of(settings: Settings) -> str | None:
    """The folder that is chosen."""
    layout = locate(settings)
    return None if layout is None else layout.root


@pytest.mark.parametrize(
    ("service", "name"),
    [
        ("shop", "shop"),
        ("Shop-2.x_y", "Shop-2.x_y"),
        ("a/b c", "a%2Fb%20c"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        ("kiosk é", "kiosk%20%C3%A9"),
        ("100%", "100%25"),
    ],
)
def test_names_are_file_names(service: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Percent-style, never a way out of the folder."""
    monkeypatch.setattr(_platform, "CASE_BLIND", False)
    assert folder_name(service) == name


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_services_never_share_a_folder(one: str, other: str) -> None:
    """Not even with names that are long or full of strange characters; nor where case does not count."""
    names = [folder_name(one), folder_name(other)]
    assert (names[0] == names[1]) == (one == other)
    assert all(0 < len(name) <= 89 and "/" not in name and name not in {".", ".."} for name in names)


def test_long_names_and_blind_file_systems_get_a_digest(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a cut or the file system makes equal stays apart."""
    assert folder_name("x" * 100) != folder_name("x" * 101)
    monkeypatch.setattr(_platform, "CASE_BLIND", True)
    assert folder_name("Shop").lower() != folder_name("shop").lower()


def test_a_named_folder_comes_first(tmp_path: Path) -> None:
    """One folder a service in it."""
    assert root_of(make(directory=tmp_path / "deep" / "spool")) == str(tmp_path / "deep" / "spool" / "shop")


def test_else_the_state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative one is invalid by the specification."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    if sys.platform != "darwin":
        assert root_of(make()) == str(tmp_path / "footspan" / "shop")
        monkeypatch.setenv("XDG_STATE_HOME", "relative")
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        assert root_of(make()) == str(tmp_path / "home" / ".local" / "state" / "footspan" / "shop")


def test_a_service_without_name_is_its_program_and_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two programs of one folder, and one program in two folders, are apart."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["/srv/app/worker.py"])
    name = location.unnamed_service()
    assert name.startswith("worker-")
    assert len(name) == len("worker-") + 8
    monkeypatch.setattr(sys, "argv", ["/lib/flask/__main__.py"])
    assert location.unnamed_service() == name.replace("worker", "flask")
    monkeypatch.setattr(sys, "argv", ["-c"])
    assert location.unnamed_service() == name.replace("worker", "python")
    monkeypatch.chdir("/")
    assert not location.unnamed_service().endswith(name[-8:])


def test_a_place_that_cannot_be_made_is_passed_over(
    tmp_path: Path, temporary: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Said once, without what the settings may hold."""
    (tmp_path / "file").touch()
    for _ in range(2):
        assert root_of(make(directory=tmp_path / "file")) == str(temporary / f"footspan-{os.geteuid()}" / "shop")
    assert len(caplog.records) == 1


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen from another user, ours is a stranger's; so is a link they planted."""
    locate(make(directory=tmp_path / "spool"))
    mine = os.geteuid()
    (temporary / f"footspan-{mine + 1}").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    if mine == 0:  # what root made is trusted as a parent, not as a service's folder
        assert root_of(make(directory=tmp_path / "spool")) is None
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_planted_service_folder_is_refused(tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A symbolic link that another user put where our folder belongs."""
    (tmp_path / "target").mkdir()
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "shop").symlink_to(tmp_path / "target")
    real = os.lstat

    def planted(path: str) -> os.stat_result:
        found = real(path)
        if str(path).endswith("/shop") and stat.S_ISLNK(found.st_mode):
            return os.stat_result((*found[:4], 4242, *found[5:]))
        return found

    monkeypatch.setattr(os, "lstat", planted)
    assert root_of(make(directory=tmp_path / "spool")) == str(temporary / f"footspan-{os.geteuid()}" / "shop")
    assert list((tmp_path / "target").iterdir()) == []


def test_a_folder_that_everybody_may_write_to_is_refused(tmp_path: Path, temporary: Path) -> None:
    """Unless it is sticky, as the folders for temporary files are."""
    folder = tmp_path / "spool"
    folder.mkdir()
    folder.chmod(0o777)
    assert root_of(make(directory=folder)) == str(temporary / f"footspan-{os.geteuid()}" / "shop")
    folder.chmod(0o1777)
    assert root_of(make(directory=folder)) == str(folder / "shop")


def test_an_open_folder_of_ours_is_closed(tmp_path: Path) -> None:
    """Whatever the umask was when it was made."""
    folder = tmp_path / "spool" / "shop"
    folder.mkdir(parents=True)
    folder.chmod(0o755)
    locate(make(directory=tmp_path / "spool"))
    assert folder.stat().st_mode & 0o777 == 0o700


def test_another_format_is_left_alone(tmp_path: Path, temporary: Path) -> None:
    """A later version's spool is not written to; a format file that never got its contents is completed."""
    folder = tmp_path / "spool" / "shop"
    locate(make(directory=tmp_path / "spool"))
    (folder / "FORMAT").write_bytes(b"")
    locate(make(directory=tmp_path / "spool"))
    assert (folder / "FORMAT").read_bytes() == b"1\n"
    (folder / "FORMAT").write_bytes(b"2\n")
    assert root_of(make(directory=tmp_path / "spool")) == str(temporary / f"footspan-{os.geteuid()}" / "shop")
    assert (folder / "FORMAT").read_bytes() == b"2\n"


def test_a_spool_of_another_format_or_user_is_not_shown_as_ours(
    tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody delivers from it or reads figures in it; what to do is said."""
    settings = make(directory=tmp_path / "spool")
    locate(settings)
    assert [each.root for each in existing(settings)] == [str(tmp_path / "spool" / "shop")]
    (tmp_path / "spool" / "shop" / "FORMAT").write_bytes(b"2\n")
    assert existing(settings) == []
    assert "another format, which needs another version of footspan" in caplog.text
    (tmp_path / "spool" / "shop" / "FORMAT").write_bytes(b"1\n")
    _guard.reset()
    user = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: user + 1)
    assert existing(settings) == []
    assert f"the user with the id {user}" in caplog.text


def test_memory_is_the_last_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Said once."""
    (tmp_path / "file").touch()
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(tmp_path / "file"))
    spool = open_spool(make(directory=tmp_path / "file"), [UMAMI], accepts)
    assert isinstance(spool, MemorySpool)
    assert "in memory only" in caplog.text


def test_the_settings_decide(tmp_path: Path) -> None:
    """Memory when asked for, else a folder; two services never see each other's events."""
    assert isinstance(open_spool(make(durability="memory"), [UMAMI], accepts), MemorySpool)
    shop = open_spool(make("shop", directory=tmp_path), [UMAMI], accepts)
    blog = open_spool(make("blog", directory=tmp_path), [UMAMI], accepts)
    assert isinstance(shop, DiskSpool)
    shop.append(line("s"))
    blog.append(line("b"))
    for spool, expected in ((shop, ["s"]), (blog, ["b"])):
        feed = the_feed(spool, UMAMI)
        assert drain(feed) == expected
        feed.close()
        spool.close()


def test_a_platform_without_locks_keeps_events_in_memory() -> None:
    """Importing works, and one warning says so."""
    child = start_child(
        "import sys, logging; sys.modules['fcntl'] = None\n"
        "class Count(logging.Handler):\n    def emit(self, record): print(record.getMessage())\n"
        "logging.getLogger('footspan').addHandler(Count())\n"
        "from footspan.config import Settings\nfrom footspan.spool import open_spool\n"
        "for _ in range(2): print(type(open_spool(Settings(), [], lambda *_: True)).__name__)"
    )
    output = end_child(child).splitlines()
    assert output.count("MemorySpool") == 2
    assert len([text for text in output if "no POSIX file locks" in text]) == 1
    assert len(output) == 4


def test_a_folder_of_another_name(tmp_path: Path) -> None:
    """It is the service's wherever it is looked for."""
    settings = make("shop", directory=tmp_path, folder="queue")
    assert root_of(settings) == str(tmp_path / "queue")
    assert [layout.root for layout in existing(settings)] == [str(tmp_path / "queue")]


def test_a_folder_of_another_name_is_at_one_place_only(
    tmp_path: Path, temporary: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Elsewhere there may be one of this name that is somebody else's; then memory, with one warning."""
    (tmp_path / "file").write_text("")
    spool = open_spool(make("shop", directory=tmp_path / "file", folder="queue"), [UMAMI], accepts)
    assert isinstance(spool, MemorySpool)
    assert not list(temporary.iterdir())
    assert [record.getMessage().count("in memory only") for record in caplog.records] == [1]
