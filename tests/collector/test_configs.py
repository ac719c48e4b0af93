"""What holds for every Collector configuration, read as YAML: no Collector is needed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from collector.configs import CONFIGS, FOLDER, MANIFEST, load

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET_KEYS = re.compile(r"authorization|token|password|secret|api_?key|hmac_key", re.IGNORECASE)
COMPONENT_KINDS = ("receivers", "processors", "exporters", "connectors", "extensions")

pytestmark = pytest.mark.parametrize("path", CONFIGS, ids=lambda path: str(path.relative_to(FOLDER)))


def leaves(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every value of a document that is no mapping or list, with the keys that lead to it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, (*path, str(key)))
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner, path)
    else:
        yield path, value


def header(path: Path) -> dict[str, str]:
    """The ``# key: value`` lines of a configuration's leading comment."""
    comment = re.match(r"(?:#.*\n)+", path.read_text(encoding="utf-8"))
    assert comment is not None, "a configuration opens with what it is"
    return dict(re.findall(r"^# ([a-z][a-z ,]*): (.*)$", comment[0], re.MULTILINE))


def components(document: dict[str, Any]) -> set[str]:
    """The component types a configuration uses."""
    return {name.partition("/")[0] for kind in COMPONENT_KINDS for name in document.get(kind) or {}}


def test_it_listens_on_loopback_only(path: Path) -> None:
    """No port is open to the network unless the operator decides so."""
    for keys, value in leaves(load(path.read_text(encoding="utf-8"))):
        inside_listener = keys[0] in {"receivers", "extensions"} or keys[:2] == ("service", "telemetry")
        if inside_listener and keys[-1] in {"endpoint", "host"}:
            assert str(value).startswith("127.0.0.1"), keys
    assert "0.0.0.0" not in path.read_text(encoding="utf-8")


def test_secrets_come_from_the_environment(path: Path) -> None:
    """A value that is secret is never written down: only a reference to where it is."""
    for keys, value in leaves(load(path.read_text(encoding="utf-8"))):
        if SECRET_KEYS.search(keys[-1]):
            assert re.fullmatch(r"(Bearer |Basic )?\$\{(env|file):[^}]*\}", str(value)), keys


def test_the_header_names_exactly_the_components_in_use(path: Path) -> None:
    """An operator sees from the header which Collector distribution is enough."""
    named = header(path)["components"].split(", ")

    assert sorted(named) == sorted(components(load(path.read_text(encoding="utf-8"))))


def test_the_header_names_exactly_the_variables_in_use(path: Path) -> None:
    """Those without a default are listed as required, the others as optional."""
    document = yaml.safe_dump(load(path.read_text(encoding="utf-8")))
    uses = set(re.findall(r"\$\{env:([A-Z_]+)(:-)?", document))
    lines = header(path)

    assert set(lines["env, required"].split()) == {name for name, default in uses if not default}
    assert set(lines["env, optional"].split()) == {name for name, default in uses if default}


def test_the_header_names_the_version_that_the_tests_run(path: Path) -> None:
    """The version stands in the manifest once; the headers follow it."""
    assert header(path)["tested with"] == load(MANIFEST.read_text(encoding="utf-8"))["dist"]["version"]


def test_every_pipeline_limits_memory_first(path: Path) -> None:
    """A pipeline refuses before it works on what it cannot hold; batches are cut behind the queue."""
    for name, pipeline in load(path.read_text(encoding="utf-8"))["service"]["pipelines"].items():
        assert pipeline["processors"][0] == "memory_limiter", name
        assert "batch" not in pipeline["processors"], name


def test_what_was_acknowledged_is_kept_until_it_is_delivered(path: Path) -> None:
    """Every exporter of a network has a queue on disk and never gives a batch up."""
    document = load(path.read_text(encoding="utf-8"))
    networked = {name: body for name, body in document["exporters"].items() if name.startswith("otlp")}

    assert networked
    for name, exporter in networked.items():
        assert exporter["sending_queue"]["storage"] in document["extensions"], name
        assert exporter["sending_queue"]["block_on_overflow"] is False, name
        assert exporter["retry_on_failure"]["max_elapsed_time"] == "0s", name
        assert exporter["sending_queue"]["batch"]["max_size"] < exporter["sending_queue"]["queue_size"], name


def test_every_extension_in_use_is_started(path: Path) -> None:
    """An extension that is only declared does nothing, and the queue would then be lost with the process."""
    document = load(path.read_text(encoding="utf-8"))

    assert sorted(document["service"]["extensions"]) == sorted(document["extensions"])
