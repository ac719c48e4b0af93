"""Tests for the command ``footspan config``."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.samples import sample
from footspan.cli.commands import footspan as command
from footspan.config import load_settings
from footspan.config.declarations import environment_name, general, of_type
from footspan.config.options import IMPLEMENTED_TYPES
from footspan.config.schema import json_schema

if TYPE_CHECKING:
    from pathlib import Path

GOOD = "telemetry: {courier: external, destinations: {console: {}}}\n"
SIZE_FIX = "Write a size such as 512MiB, 10MB or a number of bytes; units are KB, MB, GB, KiB, MiB and GiB."
BAD = "telemetry: {courir: external, spool: {max_bytes: plenty}, destinations: {console: {}}}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, environ: dict[str, str] | None = None) -> Result:
    """The command in this process."""
    return CliRunner().invoke(command, ["config", *arguments], env=environ or {}, catch_exceptions=False)


# -- check -------------------------------------------------------------------------------------------------------------


def test_settings_that_can_be_used(folder: Path) -> None:
    """One line, and exit code 0."""
    (folder / "footspan.yaml").write_text(GOOD)
    result = run("check")

    assert result.output == "footspan.yaml and the environment: no problems\n"
    assert result.exit_code == 0


def test_every_problem_stands_there(folder: Path) -> None:
    """Of the file and of the environment, with what to write instead; exit code 1."""
    (folder / "footspan.yaml").write_text(BAD)
    result = run("check", environ={"FOOTSPAN_DEBUGG": "1"})

    assert result.exit_code == 1
    assert result.output.splitlines() == [
        "footspan.yaml and the environment: 3 problems",
        "  problem  telemetry.courir: found an unknown key in footspan.yaml. Did you mean telemetry.courier?",
        "  problem  FOOTSPAN_DEBUGG: found a variable that names no setting. Did you mean FOOTSPAN_DEBUG?",
        "  problem  telemetry.spool.max_bytes: found 'plenty' in footspan.yaml. " + SIZE_FIX,
    ]


def test_it_says_what_is_not_installed_and_what_that_means(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both packages that the privacy policy uses. They are optional, so this is neither a problem nor a warning."""
    (folder / "footspan.yaml").write_text(GOOD)
    for name in ("phonenumbers", "re2"):
        monkeypatch.setitem(sys.modules, name, None)
    result = run("check", "--strict")

    assert result.exit_code == 0
    _, phones, patterns = result.output.splitlines()
    assert "phonenumbers is not installed: national telephone numbers" in phones
    assert "re2 is not installed: a privacy policy cannot have patterns" in patterns
    assert phones.endswith("pip install 'footspan[privacy]'")
    assert len(json.loads(run("check", "--json").output)[0]["notes"]) == 2


def test_warnings_are_no_problems_unless_they_are_to_be() -> None:
    """Exit code 0, and 1 with --strict."""
    result = run("check")
    assert result.output.startswith("the environment: no problems, 1 warning\n  warning  No destination is enabled")

    assert (result.exit_code, run("check", "--strict").exit_code) == (0, 1)


def test_files_are_checked_one_by_one(folder: Path) -> None:
    """Each with the environment; one that is bad is enough."""
    for name, content in (("good.yaml", GOOD), ("bad.yaml", BAD)):
        (folder / name).write_text(content)
    result = run("check", "good.yaml", "bad.yaml", "missing.yaml", "--json")
    reports = json.loads(result.output)

    assert result.exit_code == 1
    assert [(each["file"], len(each["problems"])) for each in reports] == [
        ("good.yaml", 0),
        ("bad.yaml", 2),
        ("missing.yaml", 1),
    ]
    assert reports[1]["problems"][0] == {
        "key": "telemetry.courir",
        "found": "an unknown key in bad.yaml",
        "fix": "Did you mean telemetry.courier?",
    }
    assert run("check", "good.yaml").exit_code == 0


def test_the_file_that_the_environment_names(folder: Path) -> None:
    """As an application would find it."""
    (folder / "other.yaml").write_text(BAD)

    assert (
        "other.yaml and the environment: 2 problems" in run("check", environ={"FOOTSPAN_CONFIG": "other.yaml"}).output
    )


def test_what_cannot_be_built_is_a_problem() -> None:
    """Settings may be well written and of no use to whoever is built from them."""
    environ = {
        "FOOTSPAN_DESTINATIONS_UMAMI_URL": "https://stats.example.com",
        "FOOTSPAN_DESTINATIONS_UMAMI_WEBSITE": "shop",
        "FOOTSPAN_PRIVACY_PURPOSES_WITHOUT": '{"analytics": "pseudonymise"}',
    }
    result = run("check", environ=environ)

    assert result.exit_code == 1
    assert (
        "telemetry.privacy.pseudonyms.key: found no key. privacy.purposes.without asks for pseudonyms" in result.output
    )
    assert "telemetry.destinations.umami.website: found text that is no UUID." in result.output


def test_nothing_is_started_or_made(folder: Path) -> None:
    """It looks, and no more."""
    environ = {"FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": "http://localhost:9", "FOOTSPAN_SERVICE_NAME": "shop"}
    run("check", environ={**environ, "XDG_STATE_HOME": str(folder / "state")})

    assert list(folder.iterdir()) == []


# -- show --------------------------------------------------------------------------------------------------------------


def test_the_table(folder: Path) -> None:
    """Every setting with its value and its source; --changed leaves out what has its default."""
    (folder / "footspan.yaml").write_text(GOOD)
    lines = run("show", environ={"FOOTSPAN_SPOOL_MAX_AGE": "1d"}).output.splitlines()
    changed = run("show", "--changed", environ={"FOOTSPAN_SPOOL_MAX_AGE": "1d"}).output.splitlines()

    assert re.split(r" {2,}", lines[0]) == ["setting", "value", "source"]
    assert len(lines) == 1 + len(general()) + len(of_type("console"))
    assert [re.split(r" {2,}", line) for line in changed[1:]] == [
        ["courier", "external", "file: footspan.yaml"],
        ["spool.max_age", "1d", "environment: FOOTSPAN_SPOOL_MAX_AGE"],
    ]


def test_json_is_for_programs(folder: Path) -> None:
    """Numbers are numbers: seconds and bytes."""
    (folder / "footspan.yaml").write_text(GOOD)
    environ = {
        "FOOTSPAN_SPOOL_MAX_AGE": "1d",
        "FOOTSPAN_CATEGORIES": "a=user",
        "FOOTSPAN_SAMPLING_RULES": '[{"events": "a", "rate": 1}]',
        "FOOTSPAN_SPOOL_DIRECTORY": "/var/spool/x",
    }
    report = json.loads(run("show", "--json", environ=environ).output)
    values = {name: each["value"] for name, each in report["settings"].items()}

    assert report["settings"]["spool.max_age"] == {
        "value": 86400.0,
        "source": "environment",
        "from": "FOOTSPAN_SPOOL_MAX_AGE",
    }
    assert values["spool.max_bytes"] == 512 * 2**20
    assert values["categories"] == {"a": "user"}
    assert values["sampling.rules"] == [{"events": ["a"], "rate": 1.0}]
    assert values["spool.directory"] == "/var/spool/x"
    assert values["service.name"] is None


def test_a_file_from_show_holds_no_mask(folder: Path) -> None:
    """Loaded, the mask would be a key that everybody knows: each secret is a reference to a variable instead."""
    (folder / "mine.yaml").write_text("telemetry: {identity: {secret: of-the-file}}\n")
    environ = {
        "FOOTSPAN_CONFIG": "mine.yaml",
        "OTEL_EXPORTER_OTLP_HEADERS": "authorization=of-the-environment",
        "FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": "https://otlp.example/?key=of-the-address",
        "FOOTSPAN_DESTINATIONS_OTLP_HEADERS": "authorization=of-the-environment",
    }
    written = run("show", "--yaml", environ=environ).output
    (folder / "shown.yaml").write_text(written)

    assert "of-the" not in written
    assert "***" not in written
    environ["FOOTSPAN_IDENTITY_SECRET"] = "of-the-file"
    before = load_settings(config="mine.yaml", environ=environ)
    after = load_settings(config="shown.yaml", environ=environ)
    assert (after.identity, after.destinations) == (before.identity, before.destinations)


def test_problems_go_to_standard_error(folder: Path) -> None:
    """What is shown stays usable; exit code 1."""
    (folder / "footspan.yaml").write_text(BAD)
    result = run("show", "--json")

    assert json.loads(result.stdout)["settings"]["spool.max_bytes"]["source"] == "default"
    assert result.stderr.count("problem: ") == 2
    assert result.exit_code == 1


def test_one_form_at_a_time() -> None:
    """A mistake of whoever types is exit code 2."""
    assert run("show", "--json", "--yaml").exit_code == 2


OPEN = [
    *(path for path in general() if path[0] != "privacy"),
    *(("destinations", name, *path) for name in sorted(IMPLEMENTED_TYPES) for path in of_type(name)),
]


def declared_at(path: tuple[str, ...]) -> Any:
    """The declaration of a setting."""
    return general()[path] if path in general() else of_type(path[1])[path[2:]]


VALIDATOR = jsonschema.Draft202012Validator(json_schema())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(chosen=st.sets(st.sampled_from(OPEN), max_size=12), own=st.booleans())
def test_the_file_it_writes_says_the_same(chosen: set[tuple[str, ...]], own: bool, folder: Path) -> None:
    """Loaded alone, it gives the settings that were shown; and the schema takes it. Secrets are another matter."""
    environ = {
        environment_name(path): sample(declared_at(path).kind)[0].replace("k-", "$")
        for path in chosen
        if declared_at(path).kind.mask is None and path[-1] != "enabled"
    }
    environ |= {environment_name(("destinations", path[1], "enabled")): "0" for path in chosen if len(path) > 2}
    if own:
        environ |= {"FOOTSPAN_DESTINATIONS_MINE_TYPE": "console", "FOOTSPAN_DESTINATIONS_MINE_FORMAT": "json"}
    environ["FOOTSPAN_SERVICE_NAME"] = "${env:HOME} costs $5: a # b"
    result = run("show", "--yaml", environ=environ)
    assert result.exit_code == 0, result.stderr
    file = folder / "written.yaml"
    file.write_text(result.stdout, encoding="utf-8")

    assert load_settings(config=file, environ={}) == load_settings(environ=environ)
    VALIDATOR.validate(yaml.safe_load(result.stdout))
    assert "# environment: FOOTSPAN_SERVICE_NAME" in result.stdout


# -- schema, help ------------------------------------------------------------------------------------------------------


def test_the_schema_is_printed() -> None:
    """As JSON, whole."""
    result = run("schema")

    assert json.loads(result.output) == json_schema()
    assert result.exit_code == 0


@pytest.mark.parametrize("name", ["", "check", "show", "schema"])
def test_help_shows_examples(name: str) -> None:
    """Which begin with the command, and name only commands there are."""
    text = run(*name.split(), "--help").output
    examples = re.findall(r"footspan config (\w+)", text)

    assert examples
    assert set(examples) <= {"check", "show", "schema"}
    if name in {"check", "show"}:
        assert "Exit codes:" in text


def test_looking_at_settings_loads_no_sdk() -> None:
    """It is quick."""
    program = (
        "import sys; from footspan.cli.commands import footspan\n"
        "try: footspan(['config', 'check'])\n"
        "except SystemExit: pass\n"
        "print(*sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert "footspan.config.survey" in result.stdout
    assert not {"opentelemetry.sdk", "requests", "yaml"} & set(result.stdout.split())
