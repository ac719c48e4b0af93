"""The configuration file: what of it is ours, what is refused, and what an error may say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from footspan.config import ConfigurationError, load_settings
from footspan.config.file import expand

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    WriteFile = Callable[[str], Path]


def refusal(environ: dict[str, str] | None = None) -> ConfigurationError:
    """What loading raises."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ=environ or {})
    assert caught.value.__cause__ is None
    return caught.value


def test_only_telemetry_is_ours(settings_file: WriteFile) -> None:
    """Other top-level keys may hold anything that is YAML, tags of other programs included."""
    settings_file("app: !Custom {a: 1, a: 2}\nkey: '${env:'\ntelemetry: {service: {name: shop}}\n")

    assert load_settings(environ={}).service.name == "shop"


@pytest.mark.parametrize("text", ["", "# nothing\n", "telemetry:\n", "telemetry: {}\n", "app: {a: 1}\n"])
def test_a_file_may_say_nothing(settings_file: WriteFile, text: str) -> None:
    """An empty file, an empty section and no section at all leave the defaults."""
    settings_file(text)

    assert load_settings(environ={}) == load_settings(config=settings_file("telemetry:"), environ={})
    assert load_settings(environ={}).courier == "thread"


@pytest.mark.parametrize("text", ["telemtry: {debug: true}", "destinations: {console: }", "spool: {max_age: 1d}"])
def test_settings_at_the_wrong_place_are_noticed(settings_file: WriteFile, text: str) -> None:
    """A mistyped root, or our sections without it, would otherwise be passed over in silence."""
    settings_file(text)

    assert refusal().key == "telemetry"


@pytest.mark.parametrize("text", ["- a\n", "word\n", "telemetry: [a]\n", "telemetry: word\n"])
def test_a_file_is_a_mapping(settings_file: WriteFile, text: str) -> None:
    """Anything but a mapping cannot hold settings."""
    settings_file(text)

    assert "no mapping" in refusal().found


def test_scalars_are_the_text_that_stands_there(settings_file: WriteFile) -> None:
    """YAML's guesses about numbers, dates and booleans change nothing."""
    settings_file("telemetry: {service: {name: no, version: 1.10}, spool: {max_bytes: 4096, max_age: '1:30'}}")

    assert refusal().key == "telemetry.spool.max_age"
    settings_file("telemetry: {service: {name: no, version: 1.10}, spool: {max_bytes: 4096}}")
    settings = load_settings(environ={})
    assert settings.service.name == "no"
    assert settings.service.version == "1.10"
    assert settings.spool.max_bytes == 4096


@pytest.mark.parametrize("value", ["null", "~", ""])
def test_null_is_not_set(settings_file: WriteFile, value: str) -> None:
    """Nothing behind a key is as if the key were not there."""
    settings_file(f"telemetry:\n  courier: {value}\n  spool: {value}\n  destinations: {value}\n")

    assert load_settings(environ={}).courier == "thread"


def test_anchors_and_merge_keys_work(settings_file: WriteFile) -> None:
    """A merged key may be set again beside the merge, as YAML says."""
    settings_file(
        "telemetry:\n"
        "  destinations:\n"
        "    otlp: &base {endpoint: 'http://a', timeout: 3s}\n"
        "    second: {<<: *base, type: otlp, endpoint: 'http://b'}\n"
    )

    first, second = load_settings(environ={}).destinations
    assert (first.options["endpoint"], first.timeout) == ("http://a", 3.0)
    assert (second.options["endpoint"], second.timeout) == ("http://b", 3.0)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("telemetry:\n  debug: true\n  courier: thread\n  debug: false\n", 4),
        ("telemetry:\n  debug: true\ntelemetry:\n  debug: false\n", 3),
        ("telemetry:\n  destinations:\n    otlp:\n      headers: {a: b,\n        a: c}\n", 5),
    ],
)
def test_a_key_must_not_stand_twice(settings_file: WriteFile, text: str, line: int) -> None:
    """The second one is named with its line."""
    path = settings_file(text)

    error = refusal()
    assert error.key.endswith(f"footspan.yaml, line {line}")
    assert str(path.name) in error.key
    assert "second time" in error.found


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("telemetry:\n  a: [s3cret\n", 3),
        ("telemetry:\n  a: s3cret: s3cret\n", 2),
        ("telemetry:\n  a: *s3cret\n", 2),
        ("telemetry:\n  a: !s3cret x\n", 2),
        ("telemetry:\n\ta: s3cret\n", 2),
        ("telemetry:\n  a: 's3cret\x07'\n", 2),
        ("telemetry: {}\n---\ns3cret: 1\n", 2),
        ("telemetry: {[s3cret]: 1}\n", 1),
    ],
)
def test_broken_yaml_is_located_and_not_quoted(settings_file: WriteFile, text: str, line: int) -> None:
    """The error names file and line; the parser's message, which quotes the file, stays out."""
    settings_file(text)

    error = refusal()
    assert error.key == f"footspan.yaml, line {line}"
    assert "s3cret" not in str(error)
    assert error.__context__ is None


@pytest.mark.parametrize("text", ["telemetry: " + "[" * 5000, "telemetry: &a {<<: *a, x: *a}", "telemetry: &a [*a]"])
def test_no_yaml_ends_in_anything_but_a_refusal(settings_file: WriteFile, text: str) -> None:
    """Depth and self-reference are refused like any other mistake."""
    settings_file(text)

    refusal()


def test_a_file_is_utf8(working_directory: Path) -> None:
    """A byte-order mark is fine, another encoding is named."""
    path = working_directory / "footspan.yaml"
    path.write_bytes(b"\xef\xbb\xbftelemetry: {service: {name: caf\xc3\xa9}}")
    assert load_settings(environ={}).service.name == "café"

    path.write_bytes(b"telemetry: {service: {name: caf\xe9}}")
    assert "UTF-8" in refusal().found


def test_the_file_is_named_by_argument_then_variable_then_place(working_directory: Path) -> None:
    """``config`` wins over ``FOOTSPAN_CONFIG``, which wins over the working directory."""
    for name in ("argument", "variable", "footspan"):
        (working_directory / f"{name}.yaml").write_text(f"telemetry: {{service: {{name: {name}}}}}")

    environ = {"FOOTSPAN_CONFIG": "variable.yaml"}
    assert load_settings(config="argument.yaml", environ=environ).service.name == "argument"
    assert load_settings(config=working_directory / "argument.yaml", environ=environ).service.name == "argument"
    assert load_settings(environ=environ).service.name == "variable"
    assert load_settings(environ={"FOOTSPAN_CONFIG": ""}).service.name == "footspan"


def test_a_named_file_must_be_there(working_directory: Path) -> None:
    """A missing file is an error that names what named it; without a name it is none."""
    assert load_settings(environ={}).service.name is None
    assert refusal({"FOOTSPAN_CONFIG": "missing.yaml"}).key == "FOOTSPAN_CONFIG"
    assert refusal({"FOOTSPAN_CONFIG": "missing.yaml"}).found == "no readable file at missing.yaml (FileNotFoundError)"
    assert refusal({"FOOTSPAN_CONFIG": str(working_directory)}).key == "FOOTSPAN_CONFIG"
    with pytest.raises(ConfigurationError, match=r"init\(config\)"):
        load_settings(config="missing.yaml", environ={})
    with pytest.raises(ConfigurationError, match=r"init\(config\)"):
        load_settings(config="a\0b", environ={})


def test_a_file_in_the_home_directory(working_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``~`` is the home directory."""
    monkeypatch.setenv("HOME", str(working_directory))
    (working_directory / "mine.yaml").write_text("telemetry: {courier: external}")

    assert load_settings(config="~/mine.yaml", environ={}).courier == "external"


def test_unknown_keys_name_the_nearest_known_one(settings_file: WriteFile) -> None:
    """At each level, with the whole path."""
    for text, key, hint in [
        ("{spol: {}}", "telemetry.spol", "Did you mean telemetry.spool?"),
        ("{spool: {max_byte: 1}}", "telemetry.spool.max_byte", "Did you mean telemetry.spool.max_bytes?"),
        ("{max_bytes: 1}", "telemetry.max_bytes", "It belongs at telemetry.spool.max_bytes."),
        ("{umami: {url: x}}", "telemetry.umami", "It belongs at telemetry.destinations.umami."),
        ("{service: {colour: x}}", "telemetry.service.colour", "Known keys here: name, version."),
        ("{5: x}", "telemetry.5", "Known keys here:"),
    ]:
        settings_file(f"telemetry: {text}")
        error = refusal()
        assert error.key == key
        assert hint in error.fix
        assert "footspan.yaml" in error.found


def test_keys_that_look_like_anything_else_are_not_shown(settings_file: WriteFile) -> None:
    """A secret in the place of a key is described."""
    settings_file('telemetry: {"https://user:s3cret@host/": x}')

    assert refusal().key == "telemetry.<a string of 25 characters>"


def test_a_section_is_a_mapping(settings_file: WriteFile) -> None:
    """A value where a section must stand is refused by its shape."""
    for text, key in [
        ("{spool: big}", "telemetry.spool"),
        ("{destinations: [umami]}", "telemetry.destinations"),
        ("{destinations: {umami: 'http://h'}}", "telemetry.destinations.umami"),
        ("{destinations: {umami: {batch: 5}}}", "telemetry.destinations.umami.batch"),
    ]:
        settings_file(f"telemetry: {text}")
        assert refusal().key == key


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("${env:A}", "alpha"),
        ("${A}", "alpha"),
        ("x-${env:A}-${env:B:-beta}", "x-alpha-beta"),
        ("${env:EMPTY:-d}", "d"),
        ("${env:NONE:-}", None),
        ("${env:NONE}", None),
        ("${env:NONE}x", "x"),
        ("$$", "$"),
        ("$${env:A}", "${env:A}"),
        ("$$${env:A}", "$alpha"),
        ("$A costs 5$", "$A costs 5$"),
        ("${env:DOLLAR}", "${env:A}"),
        ("${env:NONE:-a:-b}", "a:-b"),
        (["${env:A}", "b"], ["alpha", "b"]),
        ({"k": "${env:A}"}, {"k": "alpha"}),
        (5, 5),
    ],
)
def test_references_to_the_environment(text: object, value: object) -> None:
    """As in the Collector: braces only, defaults for unset and empty, a doubled dollar, nothing expanded twice."""
    environ = {"A": "alpha", "EMPTY": "", "DOLLAR": "${env:A}"}

    assert expand(text, environ, "key") == value


@pytest.mark.parametrize("text", ["${}", "${env:}", "${env:A", "${file:/etc/x}", "${env:1A}", "${env:A B}", "${"])
def test_references_that_cannot_be_read(text: str) -> None:
    """A reference that names no variable is an error that names its key."""
    with pytest.raises(ConfigurationError) as caught:
        expand(text, {}, "telemetry.service.name")
    assert caught.value.key == "telemetry.service.name"
    assert "/etc" not in str(caught.value)


def test_references_in_a_file(settings_file: WriteFile) -> None:
    """A reference that leaves nothing is as if the key were not there; values cannot add keys."""
    settings_file("telemetry:\n  service: {name: '${env:N}', version: '${env:V}'}\n  courier: ${env:C}\n")

    settings = load_settings(environ={"N": "shop, courier: process", "V": ""})
    assert settings.service.name == "shop, courier: process"
    assert settings.service.version is None
    assert settings.courier == "thread"
