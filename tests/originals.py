"""Environments of their own for the packages that ours stand in for, so that both can be tried side by side.

An original's own requirements (an old Dash, say) may contradict ours, so each list of requirements gets a virtual
environment, built once from the package index that pip is set up with, and kept in the user's cache folder
(``XDG_CACHE_HOME``, by default ``~/.cache``) under ``footspan/originals``. Where that fails, the test is skipped and
says why; with ``FOOTSPAN_REQUIRE_ORIGINALS=1`` it fails. Building takes some ten seconds and reaches a package index,
by a process of its own, so only tests marked ``slow`` use this::

    from originals import original
    from programs import run


    @pytest.mark.slow
    def test_both() -> None:
        run("import opentrace", python=original("opentrace==1.2.8"))

Import it at the top of the module: the proxies of the developer's shell are read then, before tests hide them.
"""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from typing import NoReturn

REMEMBERED: Final = 600.0
"""Seconds for which a failed attempt is not repeated, by this run's other processes or the next run."""
LIMIT: Final = 120.0
"""Seconds that one step of an attempt may take; all of them together less than a test may."""

_SHELL: Final = dict(os.environ)
_REQUIRED: Final = _SHELL.get("FOOTSPAN_REQUIRE_ORIGINALS", "") not in {"", "0"}


def original(*requirements: str) -> Path:
    """The interpreter of an environment that has these packages and what they need; built at the first use.

    Args:
        *requirements: As pip takes them; pinned (``opentrace==1.2.8``), or the environment ages.

    Returns:
        The path of its ``python``, by which programs are to be run (scripts beside it run too).
    """
    python, reason = _built(tuple(sorted(requirements)))
    if reason:
        _give_up(f"no environment with {', '.join(requirements)}: {reason}")
    return python


def _give_up(reason: str) -> NoReturn:
    if _REQUIRED:
        pytest.fail(reason)
    pytest.skip(reason)


@functools.cache
def _built(requirements: tuple[str, ...]) -> tuple[Path, str]:
    """The interpreter, and why it cannot be used (empty when it can)."""
    named = repr((requirements, sys.version_info[:3], sys.implementation.name, os.path.realpath(sys.executable)))
    cache = Path(_SHELL.get("XDG_CACHE_HOME") or Path.home() / ".cache", "footspan", "originals")
    folder = cache / hashlib.sha256(named.encode()).hexdigest()[:16]
    python = folder / "bin" / "python"
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with Path(f"{folder}.lock").open("a+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # let go when the file is closed, or whoever holds it ends
            return python, "" if (folder / "ready").exists() else _build(folder, requirements)
    except (OSError, subprocess.SubprocessError) as error:
        return python, str(error)


def _build(folder: Path, requirements: tuple[str, ...]) -> str:
    """Build the environment in place; why that did not work."""
    failed = Path(f"{folder}.failed")
    if failed.exists() and 0 <= time.time() - failed.stat().st_mtime < REMEMBERED:
        return failed.read_text(encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)  # what an attempt that was interrupted left
    print(f"building an environment with {', '.join(requirements)} in {folder}", file=sys.stderr)
    pip = ["-m", "pip", "--disable-pip-version-check", "--no-input", "--retries", "2", "--timeout", "20"]
    reason = _run([sys.executable, "-m", "venv", str(folder)])
    if requirements and not reason:
        reason = _run([str(folder / "bin" / "python"), *pip, "install", "--quiet", *requirements])
    if reason:
        failed.write_text(reason, encoding="utf-8")
    else:
        (folder / "ready").write_text("\n".join(requirements), encoding="utf-8")
        failed.unlink(missing_ok=True)
    return reason


def _run(command: list[str]) -> str:
    """Run one step; the last line of what it said when it failed."""
    try:
        done = subprocess.run(
            command, env=_SHELL, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        return f"not done within {LIMIT:.0f} s"
    if done.returncode == 0:
        return ""
    said = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return said[-1] if said else f"{Path(command[0]).name} ended with {done.returncode}"
