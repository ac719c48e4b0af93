"""Everything that changes the disk goes through a name of ``footspan.spool.files``, where a test can stop it."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

from footspan.spool import files
from spool.crash.world import CHANGES

SOURCES = sorted(Path(files.__file__).parent.glob("*.py"))

# Of ``os`` and of ``pathlib.Path``. ``fork_mark`` and its like change no file.
CHANGING = {
    "chmod", "chown", "close", "copy_file_range", "dup", "dup2", "fchmod", "fdatasync", "fsync", "ftruncate", "link",
    "lseek", "makedirs", "mkdir", "open", "posix_fallocate", "pwrite", "pwritev", "remove", "removedirs", "rename",
    "replace", "rmdir", "rmtree", "sendfile", "symlink", "touch", "truncate", "unlink", "utime", "write", "write_bytes",
    "write_text", "writev",
}  # fmt: skip


def uses(path: Path) -> list[str]:
    """Where a module names a changing call of ``os`` or of a path."""
    found = []
    tree = ast.parse(path.read_text("utf-8"))
    compared = {part for node in ast.walk(tree) if isinstance(node, ast.Compare) for part in node.comparators}
    for node in ast.walk(tree):
        if node in compared:
            continue
        if isinstance(node, ast.Attribute) and node.attr in CHANGING:
            owner = ast.unparse(node.value)
            if owner == "os" or owner.startswith(("Path(", "shutil")) or owner.endswith(("path", "parent", "folder")):
                found.append(f"{path.name}: {owner}.{node.attr}")
        elif isinstance(node, ast.Name) and node.id == "open":
            found.append(f"{path.name}: open")
    return found


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name != "files.py"], ids=lambda path: path.name)
def test_no_module_changes_the_disk_by_itself(path: Path) -> None:
    """Only ``files`` names the system's calls."""
    assert uses(path) == []


def test_files_names_each_call_once_and_the_tests_know_all() -> None:
    """In an assignment at its top; its functions use the name, so that it can be replaced."""
    assigned = set()
    for node in ast.parse(inspect.getsource(files)).body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            (target,) = node.targets if isinstance(node, ast.Assign) else (node.target,)
            value = ast.unparse(node.value)
            if value.startswith(("os.", "getattr(os, ", "_platform.")) and "O_" not in value:
                assigned.add(ast.unparse(target))
    assert assigned == set(CHANGES)
    names = [use for use in uses(Path(files.__file__)) if use != "files.py: open"]
    assert len(names) == len(set(names))
