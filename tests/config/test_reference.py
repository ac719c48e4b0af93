"""The reference, and the page that shows it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from footspan.config import load_settings
from footspan.config.declarations import general, of_type
from footspan.config.options import DESTINATION_TYPES, IMPLEMENTED_TYPES
from footspan.config.reference import BEGIN, END, reference, update

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_page_shows_the_current_reference() -> None:
    """If this fails: ``python -m footspan.config.reference docs/configuration.md``."""
    text = PAGE.read_text(encoding="utf-8")

    assert text == update(text)


def test_the_page_is_written_by_the_module(tmp_path: Path) -> None:
    """The command brings an old page up to date and leaves the rest of it."""
    page = tmp_path / "page.md"
    page.write_text(f"# Page\n{BEGIN}\nold\n{END}\nlast words\n", encoding="utf-8")
    command = [sys.executable, "-m", "footspan.config.reference", str(page)]
    subprocess.run(command, check=True, timeout=60)

    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# Page\n{BEGIN}\n\n### General")
    assert text.endswith(f"{END}\nlast words\n")
    assert "old" not in text.split(END)[0].split("###")[0]
    assert text == update(text)


def test_a_page_without_marks_is_refused() -> None:
    """The tables need a place."""
    with pytest.raises(ValueError, match="must hold"):
        update("# Page\n")


def test_every_setting_is_documented() -> None:
    """Each row is complete, and none is missing."""
    docs = {doc.path: doc for doc in reference()}
    assert len(docs) == len(reference())

    for path in general():
        assert ".".join(path) in docs
    for name in IMPLEMENTED_TYPES:
        for option in DESTINATION_TYPES[name].options:
            assert f"destinations.{name}.{option.name}" in docs
    for doc in docs.values():
        assert doc.environment == "FOOTSPAN_" + doc.path.replace(".", "_").upper()
        assert doc.type
        assert re.fullmatch(r"[^|]+\.", doc.help), doc.path


def test_types_that_do_not_work_are_not_documented() -> None:
    """A reference shows what can be used."""
    for name in set(DESTINATION_TYPES) - IMPLEMENTED_TYPES:
        assert not any(name in doc.path for doc in reference())


def test_defaults_are_shown_as_they_are_written() -> None:
    """What the table shows can be pasted into a file or a variable."""
    shown = {doc.path: doc.default for doc in reference()}
    declared = {".".join(path): each for path, each in general().items()}
    for name in IMPLEMENTED_TYPES:
        declared.update({f"destinations.{name}.{'.'.join(path)}": each for path, each in of_type(name).items()})

    assert shown["spool.max_bytes"] == "512MiB"
    assert shown["spool.max_age"] == "7d"
    for path, each in declared.items():
        if shown.get(path):
            assert each.kind.read(shown[path]) == each.default
        elif path in shown:
            assert each.default is None


def test_the_example_is_a_whole_file(working_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can be loaded, and it shows every general setting."""
    monkeypatch.setenv("HOME", "/users/somebody")
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (working_directory / "footspan.yaml").write_text(example, encoding="utf-8")

    settings = load_settings(environ={"OTLP_API_KEY": "k"})
    assert {each.name: each.enabled for each in settings.destinations} == {
        "umami": True,
        "otlp": True,
        "logging": True,
        "console": False,
        "archive": True,
    }
    assert settings.service.version == "1.10"
    assert settings.destinations[0].batch.max_bytes == 2**20
    assert settings.destinations[1].options["headers"] == {"x-api-key": "k"}
    for path in general():
        assert re.search(rf"\b{path[-1]}:", example), path
