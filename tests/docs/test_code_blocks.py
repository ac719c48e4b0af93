"""Every code block of the documentation works as it stands.

Python blocks of one file run in order, in one namespace. ``<!-- no-run: reason -->`` before a block says why it is only
compiled. YAML is parsed strictly, and read as footspan's settings where it has ``telemetry:``. Shell is checked for its
syntax, and every ``make`` target it names exists.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from collector.configs import load as load_strictly
from docs.markdown import FILES, ROOT, Block, blocks, prose

BLOCKS = [block for path in FILES if path.exists() for block in blocks(path)]
PYTHON = [block for block in BLOCKS if block.language == "python"]
SHELL = [block for block in BLOCKS if block.language in {"sh", "bash", "console"}]
YAML = [block for block in BLOCKS if block.language == "yaml"]
RUN = {block.path: [b for b in PYTHON if b.path == block.path and b.no_run is None] for block in PYTHON}

# Two bot libraries take ten seconds to be imported; tests/instrumentation/telegram loads them once for many tests.
SLOW = {ROOT / "docs" / "telegram.md"}

TIMEOUT = 60.0


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=pytest.mark.slow if path in SLOW else ()) for path in sorted(RUN)],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_python_blocks_run(path: Path, tmp_path: Path) -> None:
    """A reader can paste a page's blocks one after the other."""
    job = {"path": str(path), "blocks": [[block.line, block.text] for block in RUN[path]]}
    state = {name: str(tmp_path) for name in ("HOME", "XDG_STATE_HOME", "TMPDIR")}
    result = subprocess.run(
        [sys.executable, str(Path(__file__).parent / "run_blocks.py")],
        input=json.dumps(job),
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **state},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )

    assert result.returncode == 0, result.stderr


def test_blocks_that_do_not_run_say_why_and_compile() -> None:
    """An exemption has a reason that a reader of the source understands."""
    for block in PYTHON:
        if block.no_run is not None:
            assert len(block.no_run.split()) >= 3, f"{block}: give the reason: <!-- no-run: ... -->"
        if block.no_run is not None or block.path in SLOW:
            compile(block.text, str(block), "exec")


@pytest.mark.parametrize("block", YAML, ids=str)
def test_yaml_blocks_are_read_as_they_would_be(block: Block, tmp_path: Path) -> None:
    """A block of settings is a valid file of settings."""
    document = load_strictly(block.text)
    if isinstance(document, dict) and "telemetry" in document:
        from footspan.config import load_settings  # noqa: PLC0415 - only settings need it

        file = tmp_path / "footspan.yaml"
        file.write_text(block.text, encoding="utf-8")
        variables = re.findall(r"\$\{env:(\w+)", block.text)
        load_settings(config=str(file), environ=dict.fromkeys(variables, "https://stand-in.example"))
    if isinstance(document, dict) and "file_format" in document:
        from opentelemetry.configuration import load_config_file  # noqa: PLC0415 - only such files need it

        from footspan.config import load_settings  # noqa: PLC0415 - the same

        file = tmp_path / "otel.yaml"
        file.write_text(block.text, encoding="utf-8")
        load_config_file(file)
        variables = re.findall(r"\$\{env:(\w+)", block.text)
        stand_ins = dict.fromkeys(variables, "7c3f9f2e-0000-4000-8000-000000000000")
        load_settings(environ={**stand_ins, "OTEL_CONFIG_FILE": str(file)})


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_shell_blocks_are_shell(block: Block) -> None:
    """What is to be typed can be typed; in a ``console`` block that is what follows the prompt."""
    script = block.text
    if block.language == "console":
        script = "\n".join(line[2:] for line in script.splitlines() if line.startswith("$ "))
        assert script, f"{block}: a console block shows at least one command behind '$ '"
    result = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, timeout=TIMEOUT, check=False)

    assert result.returncode == 0, f"{block}: {result.stderr}"


def test_every_make_target_that_is_named_exists() -> None:
    """No page sends its reader to a target that is not there."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for path in FILES:
        typed = re.findall(r"`(make [^`\n]*)`", prose(path))
        typed += [block.text for block in SHELL if block.path == path]
        assert set(re.findall(r"\bmake ([a-z]+)", "\n".join(typed))) <= targets, path


def test_settings_with_an_unknown_key_would_be_found(tmp_path: Path) -> None:
    """The check of YAML blocks can fail: a mistyped key is an error, and so is a key that stands twice."""
    from footspan.config import ConfigurationError, load_settings  # noqa: PLC0415 - only settings need it

    file = tmp_path / "footspan.yaml"
    file.write_text("telemetry: {spol: {}}\n", encoding="utf-8")

    with pytest.raises(ConfigurationError, match="spol"):
        load_settings(config=str(file), environ={})
    with pytest.raises(yaml.YAMLError, match="repeated keys"):
        load_strictly("telemetry: {debug: true, debug: false}")
