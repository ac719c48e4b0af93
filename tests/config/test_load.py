"""Loading: every setting from every source, who wins, debugging, and arguments of init."""

from __future__ import annotations

import subprocess
import sys
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from config.samples import sample
from footspan import config
from footspan.config import ConfigurationError, Settings, load_settings
from footspan.config.declarations import Declared, environment_name, general, of_type
from footspan.config.options import DESTINATION_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# What `privacy.policy` names is read at once: see test_policy_file.py.
GENERAL = [declared for path, declared in general().items() if path != ("privacy", "policy")]
OPTIONS = [(name, each) for name in DESTINATION_TYPES for path, each in of_type(name).items() if path != ("enabled",)]


def nested(path: tuple[str, ...], value: object) -> dict[str, Any]:
    """A mapping with one value at a path."""
    for key in reversed(path):
        value = {key: value}
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("declared", GENERAL, ids=lambda each: ".".join(each.path))
def test_every_setting_from_every_source(declared: Declared, settings_file: Callable[[str], Path]) -> None:
    """File, environment and code give the same result, and it is not the default."""
    text, value = sample(declared.kind)
    if value == declared.default:
        text, value = "true", True
    read = attrgetter(".".join(declared.path))

    by_code = load_settings(environ={}, overrides=nested(declared.path, text))
    by_environment = load_settings(environ={environment_name(declared.path): text})
    by_object = load_settings(environ={}, overrides=nested(declared.path, value))
    settings_file(yaml.safe_dump({"telemetry": nested(declared.path, text)}))
    by_file = load_settings(environ={})

    assert read(by_code) == value
    assert read(by_code) != declared.default
    assert by_code == by_environment == by_file == by_object


@pytest.mark.parametrize(("name", "declared"), OPTIONS, ids=lambda part: str(getattr(part, "path", part)))
def test_every_option_from_every_source(name: str, declared: Declared, settings_file: Callable[[str], Path]) -> None:
    """The same for what destinations take. They are disabled, so that one key can stand alone."""
    text, value = sample(declared.kind)
    path = ("destinations", name, *declared.path)
    off = {"enabled": False}

    def outcome(environ: dict[str, str], **keys: Any) -> Any:
        overrides = {"destinations": {name: {**off, **keys}}}
        (each,) = load_settings(environ=environ, overrides=overrides).destinations
        if declared.path[0] in each.options:
            return each.options[declared.path[0]]
        return attrgetter(".".join(declared.path))(each)

    by_code = outcome({}, **nested(declared.path, text))
    by_object = outcome({}, **nested(declared.path, value))
    by_environment = outcome({environment_name(path): text})
    settings_file(yaml.safe_dump({"telemetry": nested(path, text)}))
    by_file = outcome({})

    assert by_code == by_environment == by_file == by_object == value
    assert value != declared.default


def test_code_over_environment_over_file_over_default(settings_file: Callable[[str], Path]) -> None:
    """Each source in turn."""
    assert load_settings(environ={}).courier == "thread"
    settings_file("telemetry: {courier: process}")
    assert load_settings(environ={}).courier == "process"
    environ = {"FOOTSPAN_COURIER": "external"}
    assert load_settings(environ=environ).courier == "external"
    assert load_settings(environ=environ, overrides={"courier": "thread"}).courier == "thread"
    assert load_settings(environ=environ, overrides={"courier": None}).courier == "external"


def test_defaults_are_those_declared() -> None:
    """With no source at all."""
    assert load_settings(environ={}) == Settings()


def test_arguments_of_init() -> None:
    """Sections as mappings, and the two shorthands."""
    overrides = {"service_name": "shop", "service_version": "1.4", "spool": {"max_age": "1h"}, "debug": False}
    settings = load_settings(environ={}, overrides=overrides)

    assert (settings.service.name, settings.service.version) == ("shop", "1.4")
    assert settings.spool.max_age == 3600.0
    assert load_settings(environ={}, overrides={"service_name": None, "service": {"name": "x"}}).service.name == "x"


@pytest.mark.parametrize(
    ("overrides", "key", "hint"),
    [
        ({"servicename": "x"}, "init(servicename)", "Did you mean init(service_name)?"),
        ({"spool": {"max_byte": 1}}, "init(spool.max_byte)", "Did you mean init(spool.max_bytes)?"),
        ({"destination": {}}, "init(destination)", "Did you mean init(destinations)?"),
        ({"service_name": 1.5}, "init(service_name)", "Write text"),
        ({"spool": "big"}, "init(spool)", "mapping"),
        ({"sampling": {"rate": 2}}, "init(sampling.rate)", "from 0 to 1"),
    ],
)
def test_bad_arguments_of_init(overrides: dict[str, Any], key: str, hint: str) -> None:
    """The error shows the path as an argument."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ={}, overrides=overrides)
    assert caught.value.key == key
    assert hint in caught.value.fix


def test_an_error_has_key_found_and_fix(settings_file: Callable[[str], Path]) -> None:
    """What a person reads."""
    settings_file("telemetry: {spool: {max_bytes: plenty}}")
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ={})
    assert str(caught.value) == (
        "telemetry.spool.max_bytes: found 'plenty' in footspan.yaml. Write a size such as 512MiB, 10MB or a number of "
        "bytes; units are KB, MB, GB, KiB, MiB and GiB."
    )


def test_debugging_prints_and_keeps_everything() -> None:
    """A console is added where nobody named one, and nothing is sampled away."""
    sampling = {"enabled": True, "rate": 0.1}
    settings = load_settings(environ={"TELEMETRY_DEBUG": "1"}, overrides={"sampling": sampling})

    assert [(each.name, each.type, each.enabled) for each in settings.destinations] == [("console", "console", True)]
    assert dict(settings.destinations[0].options) == {"format": "text"}
    assert not settings.sampling.enabled
    assert settings.sampling.rate == 0.1


@pytest.mark.parametrize("console", [{"console": {"enabled": False}}, {"screen": {"type": "console"}}])
def test_debugging_respects_a_named_console(console: dict[str, Any]) -> None:
    """Whoever names a console decides."""
    settings = load_settings(environ={}, overrides={"debug": True, "destinations": console})

    assert [each.name for each in settings.destinations] == list(console)
    assert [each.enabled for each in settings.destinations] == ["enabled" not in next(iter(console.values()))]


def test_switched_off_by_a_setting_is_still_checked() -> None:
    """Only the two switches that win over everything skip the checks."""
    assert load_settings(environ={"FOOTSPAN_ENABLED": "false"}).enabled is False
    with pytest.raises(ConfigurationError):
        load_settings(environ={"FOOTSPAN_ENABLED": "false", "FOOTSPAN_COURIER": "x"})


@pytest.mark.parametrize(
    ("program", "absent"),
    [
        ("from footspan.config import ConfigurationError", ["footspan.config.load", "footspan.config.settings"]),
        (
            "import footspan.config as c; c.load_settings(environ={'FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT': 'http://h'})",
            ["yaml", "requests", "urllib3", "difflib", "opentelemetry.sdk"],
        ),
    ],
)
def test_loading_is_light(program: str, absent: list[str], working_directory: Path) -> None:
    """No YAML without a file, no HTTP client, no SDK; and the error alone loads nothing else."""
    command = [sys.executable, "-c", f"{program}\nimport sys; print(*sys.modules)"]
    result = subprocess.run(
        command, cwd=working_directory, env={}, capture_output=True, text=True, timeout=60, check=True
    )

    assert "footspan.config" in result.stdout.split()
    assert not set(absent) & set(result.stdout.split())


def test_the_room_gives_out_its_names() -> None:
    """Names are loaded when first used; one that is not there is an ordinary error."""
    for name in config.__all__:
        assert getattr(config, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Setings'"):
        config.Setings  # noqa: B018 - the access is the test
