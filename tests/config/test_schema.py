"""The JSON Schema of the file: what it takes is what is loaded, as far as a schema can say."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config.samples import sample
from config.yaml_pool import POOL
from footspan.config import ConfigurationError, load_settings
from footspan.config.declarations import general, of_type
from footspan.config.options import DESTINATION_TYPES, IMPLEMENTED_TYPES
from footspan.config.schema import DIALECT, json_schema, schema_of

if TYPE_CHECKING:
    from collections.abc import Callable

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"
PLACES = [
    *general(),
    *(("destinations", name, *path) for name in DESTINATION_TYPES for path in of_type(name) if path != ("enabled",)),
]


SCHEMA = json_schema()


@cache
def validator() -> Any:
    """Checked against the dialect's own schema first."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    return jsonschema.Draft202012Validator(SCHEMA)


def is_valid(text: str) -> bool:
    """What an editor says of a file: it reads YAML's own types."""
    return bool(validator().is_valid(yaml.safe_load(text)))


def is_loaded(file: Path, text: str) -> bool:
    """Whether the file can be loaded, with nothing in the environment."""
    file.write_text(text, encoding="utf-8")
    try:
        load_settings(config=file, environ={})
    except ConfigurationError:
        return False
    return True


def block(path: tuple[str, ...], raw: str) -> str:
    """A file with one value at a place; a destination is switched off, so that one key can stand alone."""
    lines = [f"{'  ' * depth}{key}:" for depth, key in enumerate(("telemetry", *path))]
    lines[-1] += f" {raw}"
    if path[0] == "destinations":
        lines.insert(3, "      enabled: false")
    return "\n".join(lines) + "\n"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(path=st.sampled_from([path for path in PLACES if path[-1] != "policy"]), raw=st.sampled_from(POOL))
def test_a_value_is_valid_where_it_is_loaded(path: tuple[str, ...], raw: str, working_directory: Path) -> None:
    """At every place, for values good and bad. What a reference or a named file holds, a schema cannot know."""
    text = block(path, raw)
    loaded, valid = is_loaded(working_directory / "f.yaml", text), is_valid(text)

    assert valid if "$" in raw and loaded else valid is loaded or "$" in raw


@pytest.mark.parametrize("path", PLACES, ids=".".join)
def test_every_setting_is_in_it(path: tuple[str, ...]) -> None:
    """With its meaning; a value of its kind is valid, as text and as YAML has it."""
    declared = general()[path] if path in general() else of_type(path[1])[path[2:]]
    section: Any = SCHEMA["properties"]["telemetry"]
    for depth, key in enumerate(path):
        section = section["properties"][key]
        if depth == 1 and path[0] == "destinations":
            section = SCHEMA["$defs"][key]

    assert section["description"] == declared.help
    text, _ = sample(declared.kind)
    assert is_valid(yaml.safe_dump({"telemetry": nested(path, text)}))


def nested(path: tuple[str, ...], value: Any) -> Any:
    """A mapping with one value at a path."""
    for key in reversed(path):
        value = {key: value}
    return value


def test_every_kind_has_a_schema() -> None:
    """If this fails, a new kind of value needs an entry in ``config/schema.py``."""
    kinds = [each.kind for each in general().values()]
    kinds += [each.kind for name in DESTINATION_TYPES for each in of_type(name).values()]

    assert all(schema_of(kind) for kind in kinds)


def test_defaults_are_valid() -> None:
    """What an editor offers can be written."""
    for path, declared in general().items():
        if declared.default is not None:
            shown = declared.kind.show(declared.default)
            assert is_valid(yaml.safe_dump({"telemetry": nested(path, shown)})), path


def test_the_page_is_valid() -> None:
    """The whole file of the documentation."""
    (example,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)

    validator().validate(yaml.safe_load(example))


VALID = [
    "",
    "other: {telemetry: 1}\n",
    "telemetry:\n",
    "telemetry: {destinations: }\nother: [1]\n",
    "telemetry: {destinations: {console: }}",
    "telemetry: {destinations: {second: {type: Console, format: json}}}",
    "telemetry: {spool: , sampling: {rules: []}}",
    "telemetry: {destinations: {console: {batch: {max_items: 5}}}}",
    "telemetry: {destinations: {console: {type: console}}}",
]
INVALID = [
    "[]",
    "telemetry: yes",
    "telemetry: {spol: {}}",
    "telemetry: {spool: big}",
    "telemetry: {spool: {max_byte: 1}}",
    "telemetry: {destinations: []}",
    "telemetry: {destinations: {console: {colour: red}}}",
    "telemetry: {destinations: {console: {batch: {items: 5}}}}",
    "telemetry: {destinations: {console: {batch: 5}}}",
    "telemetry: {destinations: {Second: {type: console}}}",
    "telemetry: {destinations: {second: {type: consol}}}",
    "telemetry: {destinations: {second: {type: console, url: 'https://h'}}}",
    "telemetry: {destinations: {console: {type: umami}}}",
    "destinations: {console: {}}",
    "spool: {spans: true}",
]


@pytest.mark.parametrize(("text", "good"), [*((each, True) for each in VALID), *((each, False) for each in INVALID)])
def test_the_shape_of_a_file(text: str, good: bool, working_directory: Path) -> None:
    """Sections, unknown keys, destinations by name and type: as they are loaded."""
    assert is_valid(text) is good
    assert is_loaded(working_directory / "f.yaml", text) is good


def test_what_only_the_environment_knows_is_left_open(settings_file: Callable[[str], Path]) -> None:
    """A file whose address or type the environment holds is no wrong file."""
    text = "telemetry: {destinations: {umami: {enabled: true}, second: {enabled: true}}}"
    settings_file(text)
    prefix = "FOOTSPAN_DESTINATIONS_"
    environ = {f"{prefix}UMAMI_URL": "https://h", f"{prefix}UMAMI_WEBSITE": "w", f"{prefix}SECOND_TYPE": "console"}

    assert len(load_settings(environ=environ).destinations) == 2
    assert is_valid(text)


def test_it_says_what_it_is() -> None:
    """Its dialect, and which destinations are still to come."""
    assert SCHEMA["$schema"] == DIALECT
    for name, definition in SCHEMA["$defs"].items():
        assert definition["description"].endswith("Not in this version.") is (name not in IMPLEMENTED_TYPES)
