"""Destinations: names, types, addresses, and what makes two of them the same place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from footspan.config import BatchSettings, ConfigurationError, load_settings
from footspan.config.options import DESTINATION_TYPES, IMPLEMENTED_TYPES
from footspan.destinations import build_destination

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UMAMI = {"url": "https://u.example", "website": "w"}


def names(environ: dict[str, str] | None = None, /, **destinations: Any) -> dict[str, bool]:
    """The destinations' names and whether they are enabled."""
    settings = load_settings(environ=environ or {}, overrides={"destinations": destinations})
    return {each.name: each.enabled for each in settings.destinations}


def refusal(environ: dict[str, str] | None = None, /, **destinations: Any) -> ConfigurationError:
    """What loading raises."""
    with pytest.raises(ConfigurationError) as caught:
        names(environ, **destinations)
    return caught.value


def test_naming_one_enables_it() -> None:
    """In code, in a file with nothing under the name, and by any variable."""
    assert names() == {}
    assert names(console={}, logging=None) == {"console": True, "logging": True}
    assert names({"FOOTSPAN_DESTINATIONS_LOGGING_LEVEL": "info"}) == {"logging": True}
    assert names(umami={**UMAMI, "enabled": False}) == {"umami": False}


def test_defaults_and_what_is_left_out() -> None:
    """Options with a default are there; options nobody set are not."""
    (umami,) = load_settings(environ={}, overrides={"destinations": {"umami": UMAMI}}).destinations

    assert umami.options == {**UMAMI, "path": "/api/send", "batch_path": "/api/batch"}
    assert umami.events is None
    assert umami.on_ambiguous is None
    assert umami.batch == BatchSettings()
    assert umami.timeout == 10.0


def test_an_address_in_the_environment_enables(settings_file: Callable[[str], Path]) -> None:
    """Even what the file switches off, unless environment or code say otherwise themselves."""
    settings_file("telemetry: {destinations: {umami: {enabled: false, website: w, events: [user.*]}}}")
    address = {"FOOTSPAN_DESTINATIONS_UMAMI_URL": "https://u.example"}

    assert names() == {"umami": False}
    assert names(address) == {"umami": True}
    assert names({**address, "FOOTSPAN_DESTINATIONS_UMAMI_ENABLED": "no"}) == {"umami": False}
    assert names(address, umami={"enabled": False}) == {"umami": False}


@pytest.mark.parametrize(
    ("destinations", "key"),
    [
        ({"umami": {"enabled": True}}, "umami.url"),
        ({"umami": {"website": "w"}}, "umami.url"),
        ({"umami": {"url": "http://h"}}, "umami.website"),
        ({"otlp": {}}, "otlp.endpoint"),
        ({"second": {"type": "otlp", "traces_endpoint": "http://h"}}, "second.endpoint"),
    ],
)
def test_an_enabled_one_needs_its_address(destinations: dict[str, Any], key: str) -> None:
    """The error names the key and both ways to set it; a disabled one needs nothing."""
    error = refusal(**destinations)
    name, option = key.split(".")

    assert error.key == f"telemetry.destinations.{key}"
    assert f"`{option}:` under `destinations.{name}`" in error.fix
    assert f"FOOTSPAN_DESTINATIONS_{name.upper()}_{option.upper()}" in error.fix
    assert names(**{name: {**destinations[name], "enabled": False}}) == {name: False}


def test_an_endpoint_for_logs_is_address_enough() -> None:
    """An otlp destination may have only that."""
    assert names(otlp={"logs_endpoint": "http://h/v1/logs"}) == {"otlp": True}


def test_a_second_one_of_a_kind(settings_file: Callable[[str], Path]) -> None:
    """It has a name of its own and a type, from any source."""
    settings_file("telemetry: {destinations: {archive: {type: otlp, endpoint: 'http://h'}}}")
    environ = {
        "FOOTSPAN_DESTINATIONS_SECOND_TYPE": "umami",
        "FOOTSPAN_DESTINATIONS_SECOND_URL": "https://u.example",
        "FOOTSPAN_DESTINATIONS_SECOND_WEBSITE": "w",
        "FOOTSPAN_DESTINATIONS_SECOND_BATCH_MAX_ITEMS": "5",
        "FOOTSPAN_DESTINATIONS_ARCHIVE_HEADERS": "a=b",
    }

    archive, second = load_settings(environ=environ).destinations
    assert (archive.name, archive.type, archive.options["headers"]) == ("archive", "otlp", {"a": "b"})
    assert (second.name, second.type, second.batch.max_items) == ("second", "umami", 5)


@pytest.mark.parametrize("name", ["Second", "second_one", "second-one", "a b", "", "trace-telemetry"])
def test_names_are_letters_and_digits(name: str) -> None:
    """So that each has one environment name."""
    error = refusal(**{name: {"type": "console"}})

    assert "lower-case letters and digits" in error.fix
    assert ("Did you mean trace_telemetry?" in error.fix) is (name == "trace-telemetry")


def test_a_name_of_its_own_needs_a_known_type() -> None:
    """Missing and misspelt types name the known ones; a type's name is its own."""
    assert "needs `type:`" in refusal(second={"url": "http://h"}).fix
    error = refusal(second={"type": "unami"})
    assert error.key == "init(destinations.second.type)"
    assert "Did you mean umami?" in error.fix
    assert "no type, such as second" in refusal(umami={"type": "otlp"}).fix
    assert names(umami={"type": "umami", **UMAMI}) == {"umami": True}


@pytest.mark.parametrize(
    ("keys", "hint"),
    [
        ({"websit": "w"}, "Did you mean init(destinations.umami.website)?"),
        ({"batch": {"max_item": 1}}, "Did you mean init(destinations.umami.batch.max_items)?"),
        ({"bach": {"max_items": 1}}, "Did you mean init(destinations.umami.batch)?"),
        ({"level": "INFO"}, "Known keys of this destination: url, website"),
    ],
)
def test_keys_are_checked_against_the_type(keys: dict[str, Any], hint: str) -> None:
    """An unknown key is an error even where the destination is disabled."""
    error = refusal(umami={**UMAMI, "enabled": False, **keys})

    assert "unknown key" in error.found
    assert hint in error.fix


@pytest.mark.parametrize("name", sorted(set(DESTINATION_TYPES) - IMPLEMENTED_TYPES))
def test_types_that_do_not_work_yet(name: str) -> None:
    """Enabled they are an error that says so; disabled their keys are checked like any other's."""
    options: dict[str, Any] = {option.name: "http://h" for option in DESTINATION_TYPES[name].addresses}
    error = refusal(**{name: options})

    assert error.key == f"telemetry.destinations.{name}"
    assert "this version of footspan cannot send to" in error.found
    assert ", ".join(sorted(IMPLEMENTED_TYPES)) in error.fix
    assert names(**{name: {**options, "enabled": False}}) == {name: False}


def test_two_that_are_the_same_place() -> None:
    """They would share one place in the spool; other websites and other addresses are other places."""
    second = {"type": "umami", **UMAMI}
    error = refusal(umami=UMAMI, second={**second, "url": "HTTPS://u.example/", "tag": "t"})

    assert error.key == "telemetry.destinations.second"
    assert "destinations.umami" in error.found
    assert len(names(umami=UMAMI, second={**second, "website": "w2"})) == 2
    assert len(names(umami=UMAMI, second={**second, "enabled": False})) == 2
    assert refusal(console={}, second={"type": "console"}).key == "telemetry.destinations.second"


@pytest.mark.parametrize("name", sorted(IMPLEMENTED_TYPES))
def test_places_are_told_apart_as_the_destinations_do(name: str) -> None:
    """The options that make two settings different places are those that make two destinations different."""
    addresses = {option.name: "http://h.example" for option in DESTINATION_TYPES[name].addresses}
    required = {
        option.name: "9c6ad0b7-3c2b-4b1c-8f33-0d8f2b0c7a11"
        for option in DESTINATION_TYPES[name].options
        if option.required
    }
    settings = load_settings(environ={}, overrides={"destinations": {name: {**addresses, **required}}})
    destination = build_destination(settings.destinations[0])

    assert destination.address_options == tuple(o.name for o in DESTINATION_TYPES[name].options if o.identity)


def test_several_loggers_are_fine() -> None:
    """The logging destination writes in the calling process and has no place in the spool."""
    assert len(names(logging={}, errors={"type": "logging", "level": "error"})) == 2


def test_sources_are_merged_key_by_key(settings_file: Callable[[str], Path]) -> None:
    """Each key comes from the strongest source that has it; a list or a mapping of headers is one value."""
    settings_file(
        "telemetry:\n"
        "  destinations:\n"
        "    otlp: {endpoint: 'http://file', events: [a, b], headers: {a: b}, batch: {max_items: 1, max_age: 1s}}\n"
    )
    environ = {"FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": "http://env", "FOOTSPAN_DESTINATIONS_OTLP_EVENTS": "env.*"}
    code = {"otlp": {"events": ["code.*"], "batch": {"max_items": 3}, "headers": {"e": "f"}, "timeout": None}}

    (otlp,) = load_settings(environ=environ, overrides={"destinations": code}).destinations
    assert otlp.options["endpoint"] == "http://env"
    assert otlp.events == ("code.*",)
    assert otlp.options["headers"] == {"e": "f"}
    assert otlp.batch == BatchSettings(max_items=3, max_age=1.0)


def test_how_many_requests_at_once(settings_file: Callable[[str], Path]) -> None:
    """From any source; nobody's word leaves it to the type."""
    settings_file("telemetry: {destinations: {console: {}, logging: {concurrency: 2}}}")
    loaded = load_settings(environ={"FOOTSPAN_DESTINATIONS_CONSOLE_CONCURRENCY": "8"}).destinations

    assert {each.name: each.concurrency for each in loaded} == {"console": 8, "logging": 2}
    found = load_settings(environ={}, overrides={"destinations": {"umami": UMAMI}}).destinations
    assert {each.name: each.concurrency for each in found} == {"console": None, "logging": 2, "umami": None}
