"""Where visits are remembered: shared by processes, bounded, and forgotten rather than believed when damaged."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

import footspan
from footspan.instrumentation.dash.memory import (
    FILE,
    PLACE,
    PLACES,
    InFile,
    InProcess,
    browser_key,
    digest,
    open_memory,
)
from footspan.instrumentation.dash.visits import Visit
from footspan.spool.forgetting.person import Person
from footspan.spool.forgetting.sweep import Sweep
from footspan.spool.layout import Layout
from programs import run

if TYPE_CHECKING:
    from pathlib import Path

    from footspan.instrumentation.dash.memory import Memory

ME, YOU = browser_key(b"salt", "me"), browser_key(b"salt", "you")
HERE = Visit("p", "http://localhost/ü?x=1", 12.5, loaded=True, tab="t", who="w", reports=("r", "s"))


def known(memory: Memory, browser: bytes = ME) -> tuple[Visit, ...]:
    """What is known of a browser."""
    return memory.change(browser, lambda visits: (visits, visits))


def put(memory: Memory, *visits: Visit, browser: bytes = ME) -> None:
    """Have something known of a browser."""
    memory.change(browser, lambda _: (visits, None))


@pytest.fixture(params=["file", "process"])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> Memory:
    """Both kinds."""
    return open_memory(tmp_path if request.param == "file" else None)


def test_what_is_known_of_a_browser(memory: Memory) -> None:
    """Whole, and of no other browser."""
    put(memory, HERE)
    assert known(memory) == (HERE,)
    assert known(memory, YOU) == ()


def test_many_threads_lose_nothing(memory: Memory) -> None:
    """A change is one step."""

    def count() -> None:
        for _ in range(25):
            memory.change(ME, lambda visits: ((Visit("p", "u", visits[0].at + 1 if visits else 1),), None))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert known(memory)[0].at == 100


def test_it_is_shared_by_processes(tmp_path: Path) -> None:
    """One counts what another has begun."""
    source = """
        import pathlib, sys
        from footspan.instrumentation.dash.memory import browser_key, open_memory
        from footspan.instrumentation.dash.visits import Visit
        memory = open_memory(pathlib.Path(sys.argv[1]))
        for _ in range(50):
            memory.change(browser_key(b"salt", "me"), lambda v: ((Visit("p", "u", v[0].at + 1 if v else 1),), None))
        """
    assert run(source, None, str(tmp_path)).returncode == 0
    put_before = known(open_memory(tmp_path))[0].at
    assert run(source, None, str(tmp_path)).returncode == 0
    assert (put_before, known(open_memory(tmp_path))[0].at) == (50, 100)


def test_only_its_user_can_read_it(tmp_path: Path) -> None:
    """And it stays small: of its places only those in use are on disk."""
    put(open_memory(tmp_path), HERE)
    found = (tmp_path / FILE).stat()
    assert found.st_mode & 0o777 == 0o600
    assert found.st_size <= PLACES * PLACE
    assert found.st_blocks * 512 <= 16 * PLACE


@pytest.mark.parametrize("damage", [b"", b"\0" * PLACE, b"x" * 64, b"x" * PLACE])
def test_what_is_damaged_is_forgotten(tmp_path: Path, damage: bytes) -> None:
    """A crash in the middle of a write, or anything else."""
    memory = open_memory(tmp_path)
    put(memory, HERE)
    path = tmp_path / FILE
    place = path.stat().st_size - PLACE
    with path.open("r+b") as file:
        file.seek(place + 100)
        file.write(damage or b"\xff")
    assert known(memory) == ()
    put(memory, HERE)
    assert known(memory) == (HERE,)


def test_a_browser_that_displaces_another(tmp_path: Path) -> None:
    """Two may have one place; the later one has it, and neither is taken for the other."""
    memory = open_memory(tmp_path)
    twin = ME[:8] + YOU[8:]
    put(memory, HERE)
    assert known(memory, twin) == ()
    assert known(memory) == ()


def test_the_oldest_go_where_all_do_not_fit(tmp_path: Path) -> None:
    """Long addresses."""
    memory = open_memory(tmp_path)
    put(memory, *(Visit(str(n), "u" * 1500, float(n)) for n in range(8)))
    assert [each.page for each in known(memory)] == ["6", "7"]


def test_a_process_remembers_so_many() -> None:
    """And then forgets who was longest away."""
    memory = InProcess()
    for n in range(PLACES + 1):
        put(memory, HERE, browser=browser_key(b"", str(n)))
    assert known(memory, browser_key(b"", "0")) == ()
    assert known(memory, browser_key(b"", "2")) == (HERE,)


def test_where_there_is_no_file_each_process_remembers(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Said once, without an address."""
    memory = InFile(tmp_path / "gone" / FILE)
    with caplog.at_level(logging.WARNING):
        put(memory, HERE)
        assert known(memory) == (HERE,)
    assert len(caplog.records) == 1
    assert "localhost" not in caplog.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_lock_that_another_process_holds_is_not_waited_for(tmp_path: Path) -> None:
    """One that was stopped in the middle: a request goes on, without the lock."""
    memory = open_memory(tmp_path)
    put(memory, HERE)
    found = run(
        """
        import fcntl, os, pathlib, sys, time
        from footspan.instrumentation.dash.memory import FILE, browser_key, open_memory
        folder = pathlib.Path(sys.argv[1])
        ready, wait = os.pipe(), os.pipe()
        child = os.fork()
        if child == 0:
            descriptor = os.open(folder / FILE, os.O_RDWR)
            fcntl.lockf(descriptor, fcntl.LOCK_EX)
            os.write(ready[1], b"x")
            os.read(wait[0], 1)
            os._exit(0)
        os.read(ready[0], 1)
        print(len(open_memory(folder).change(browser_key(b"salt", "me"), lambda visits: (visits, visits))))
        os.write(wait[1], b"x")
        os.waitpid(child, 0)
        """,
        None,
        str(tmp_path),
    )
    assert found.stdout.strip() == "1", found.stderr


def test_names_lead_back_to_nobody() -> None:
    """A browser has another name with another salt; no name holds what it stands for."""
    assert browser_key(b"today", "127.0.0.1") != browser_key(b"tomorrow", "127.0.0.1")
    assert digest("/a", "x") != digest("/a\0", "x")
    assert "jane" not in digest("jane@canary.example")


@pytest.mark.parametrize(
    ("consent", "said", "there"),
    [("opt_in", None, False), ("opt_in", ["analytics"], True), ("opt_out", None, True), ("opt_out", False, False)],
)
def test_who_did_not_agree_is_not_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, consent: str, said: Any, there: bool
) -> None:
    """Their visits are known in this process alone."""
    monkeypatch.setenv("FOOTSPAN_PRIVACY_CONSENT", consent)
    memory = open_memory(tmp_path)
    with footspan.context(consent=said):
        put(memory, HERE)
        assert known(memory)
    assert (tmp_path / FILE).exists() is there


def test_whoever_was_at_an_address_of_the_forgotten_is_not_known_any_more(tmp_path: Path) -> None:
    """Others are; and nothing is made where there was no table."""
    layout = Layout(tmp_path)
    layout.prepare()
    Sweep(str(tmp_path), Person(ids=frozenset({"u_ada"}))).run()
    assert not (tmp_path / FILE).exists()
    memory = open_memory(tmp_path)
    put(memory, Visit("p", "http://localhost/of/u_ada", 1.0))
    put(memory, HERE, browser=YOU)
    Sweep(str(tmp_path), Person(ids=frozenset({"u_ada"}))).run()
    assert b"u_ada" not in (tmp_path / FILE).read_bytes()
    assert (known(memory), known(memory, YOU)) == ((), (HERE,))
