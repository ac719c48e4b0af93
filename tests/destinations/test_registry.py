"""Types of destinations that are not built in: how they are found, what they may declare, what is wrong with others."""

from __future__ import annotations

import re
from itertools import count
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

import footspan.destinations as public
from footspan.config import ConfigurationError, load_settings
from footspan.config.schema import json_schema
from footspan.config.survey import survey
from footspan.destinations import build_destination, make_destination

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Write = Callable[..., str]

HEAD = """
from footspan.destinations import Destination, HttpDestination, Option, Outcome, Request, Verdict, kinds, outcome_of
"""
PIGEON = """
class Pigeon(Destination):
    '''Flies.

    Slowly.
    '''
    type = "pigeon"
    options = (
        Option(name="loft", kind=kinds.TEXT, help="Where it lives.", address=True, identity=True),
        Option(name="ring", kind=kinds.TEXT, help="Its number.", secret=True),
        Option(name="speed", kind=kinds.COUNT, help="How fast.", default=80),
    )
    def send(self, events, timeout):
        return Outcome(Verdict.DELIVERED)
"""
_numbers = count()


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a module of one's own, under a name that no other test has; gives the name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def written(source: str, *, head: str = HEAD, entry: str = "") -> str:
        module = f"own_places_{next(_numbers)}"
        (tmp_path / f"{module}.py").write_text(head + source)
        if entry:
            folder = tmp_path / f"{module}-1.0.dist-info"
            folder.mkdir()
            (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
            (folder / "entry_points.txt").write_text(f"[footspan_destination]\n{entry.format(module=module)}\n")
        return module

    return written


def load(environ: dict[str, str] | None = None, /, **destinations: Any) -> Any:
    """The settings of some destinations, by name."""
    settings = load_settings(environ=environ or {}, overrides={"destinations": destinations})
    return {each.name: each for each in settings.destinations}


def refusal(call: Callable[..., Any], *arguments: Any, **keywords: Any) -> ConfigurationError:
    """What it raises."""
    with pytest.raises(ConfigurationError) as caught:
        call(*arguments, **keywords)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


# -- finding -----------------------------------------------------------------------------------------------------------


def test_by_the_path_of_its_class(write: Write) -> None:
    """With defaults, its options read by their kinds, and an id of its type and address."""
    kind = f"{write(PIGEON)}:Pigeon"
    found = load(home={"type": kind, "loft": " north ", "ring": "7", "events": "user.*"})["home"]
    built = build_destination(found)

    assert dict(found.options) == {"loft": "north", "ring": "7", "speed": 80}
    assert found.events == ("user.*",)
    assert (built.type, built.name, type(built).address_options) == ("pigeon", "home", ("loft",))
    assert re.fullmatch(r"pigeon-[0-9a-f]{12}", built.id)
    other = build_destination(load(home={"type": kind, "loft": "north", "ring": "8"})["home"])
    assert other.id == built.id
    assert build_destination(load(home={"type": kind, "loft": "south"})["home"]).id != built.id


def test_by_the_name_of_an_entry_point(write: Write) -> None:
    """As `type:`, and alone, as a built-in type; both are the same place, whatever way it was named."""
    module = write(PIGEON, entry="pigeon = {module}:Pigeon")
    by_type = load(home={"type": "pigeon", "loft": "north"})["home"]
    by_name = load(pigeon={"loft": "north"})["pigeon"]

    assert build_destination(by_type).id == build_destination(by_name).id
    error = refusal(load, home={"type": f"{module}:Pigeon", "loft": "north"}, pigeon={"loft": "north"})
    assert "the same place as" in error.found


def test_options_are_found_in_the_environment(write: Write) -> None:
    """Whoever says the type: file, code, the environment itself, or an installed package."""
    kind = f"{write(PIGEON, entry='pigeon = {module}:Pigeon')}:Pigeon"
    prefix = "FOOTSPAN_DESTINATIONS_"

    assert load({f"{prefix}HOME_LOFT": "north"}, home={"type": kind})["home"].options["loft"] == "north"
    assert load({f"{prefix}HOME_LOFT": "n", f"{prefix}HOME_TYPE": kind})["home"].options["loft"] == "n"
    assert load({f"{prefix}PIGEON_LOFT": "n"})["pigeon"].options["loft"] == "n"
    off = load({f"{prefix}HOME_LOFT": "n"}, home={"type": kind, "enabled": False})
    assert off["home"].enabled is False
    error = refusal(load, {f"{prefix}HOME_LOFFT": "n"}, home={"type": kind})
    assert (error.key, error.fix) == (f"{prefix}HOME_LOFFT", f"Did you mean {prefix}HOME_LOFT?")


def test_a_secret_of_any_kind_is_shown_nowhere(write: Write) -> None:
    """Even where its kind would not hide it."""
    kind = f"{write(PIGEON)}:Pigeon"
    seen = survey(overrides={"destinations": {"home": {"type": kind, "loft": "n", "ring": "s3cret"}}}, environ={})
    values = {each.name: each.text for each in seen.values}

    assert not seen.problems
    assert values["destinations.home.ring"] == "***"
    assert values["destinations.home.loft"] == "n"


def test_the_schema_of_the_file_takes_it(write: Write) -> None:
    """By class path anywhere; by name where the package is installed. Misspelt types it still refuses."""

    def valid(**destinations: Any) -> bool:
        schema = jsonschema.Draft202012Validator(json_schema())
        return bool(schema.is_valid({"telemetry": {"destinations": destinations}}))

    assert valid(home={"type": "any.where:Class", "loft": 1})
    assert not valid(home={"type": "pigeon", "loft": "n"})
    assert not valid(pigeon={"loft": "n"})
    write(PIGEON, entry="pigeon = {module}:Pigeon")
    assert valid(home={"type": "pigeon", "loft": "n"}, pigeon={"loft": "n"})
    assert not valid(home={"type": "umamy"})
    assert valid(home=None)


def test_from_keywords_and_the_environment(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """For exporters and tests; its name is its type's if none is given."""
    kind = f"{write(PIGEON)}:Pigeon"
    pigeon = make_destination(kind, loft="north")

    assert pigeon.name == "pigeon"
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_HOME_LOFT", "north")
    assert make_destination(kind, name="home").id == pigeon.id
    monkeypatch.delenv("FOOTSPAN_DESTINATIONS_HOME_LOFT")
    assert make_destination("console", format="json").type == "console"
    assert refusal(make_destination, f"{kind}s").key == "make_destination(type)"
    monkeypatch.setenv("TELEMETRY_ENABLED", "0")
    assert "switched off" in refusal(make_destination, kind, loft="x").fix


# -- what is wrong -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "name", "found"),
    [
        (PIGEON, "Dove", "has not"),
        ("Pigeon = 1\n", "Pigeon", "no class"),
        ("import no_such_package_of_anybody\n", "Pigeon", "needs no_such_package_of_anybody"),
        ("raise RuntimeError('password=hunter2')\n", "Pigeon", "fails to load (RuntimeError)"),
        ("kinds.NO_SUCH_KIND\n", "Pigeon", "fails to load (AttributeError)"),
        ("raise SystemExit\n", "Pigeon", "fails to load (SystemExit)"),
        ("class Pigeon(Destination): pass\n", "Pigeon", "without a type of its own"),
        ("class Pigeon(Destination): type = 'umami'\n", "Pigeon", "without a type of its own"),
        ("class Pigeon(Destination): type = 'Two words'\n", "Pigeon", "without a type of its own"),
        ("class Pigeon:\n    type = 'pigeon'\n    options = ['loft']\n", "Pigeon", "options cannot be read"),
        (PIGEON.replace('"speed"', '"timeout"'), "Pigeon", "option 'timeout'"),
        (PIGEON.replace('"speed"', '"loft"'), "Pigeon", "option 'loft'"),
        (PIGEON.replace('"speed"', '"Speed"'), "Pigeon", "option 'Speed'"),
    ],
)
def test_a_class_that_cannot_be_used(write: Write, source: str, name: str, found: str) -> None:
    """The error names the key of the type; no text of the module's is in it."""
    error = refusal(load, home={"type": f"{write(source)}:{name}", "loft": "n"})

    assert error.key == "init(destinations.home.type)"
    assert found in error.found
    assert "hunter2" not in str(error)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("class Pigeon:\n    type = 'pigeon'\n", "no destination"),
        ("class Pigeon(Destination): type = 'pigeon'\n", "lacks send"),
        ("class Pigeon(HttpDestination): type = 'pigeon'\n", "lacks build, read"),
        (
            "class Pigeon(Destination):\n    type = 'pigeon'\n    def send(*_): 0\n    def __init__(*_): 0 / 0\n",
            "cannot be made (ZeroDivisionError)",
        ),
    ],
)
def test_a_class_that_is_no_destination(write: Write, source: str, found: str) -> None:
    """It is said when it is built, which `footspan config check` does."""
    settings = load(home={"type": f"{write(source)}:Pigeon"})["home"]
    error = refusal(build_destination, settings)

    assert error.key == "telemetry.destinations.home.type"
    assert found in error.found
    assert "division by" not in str(error)


def test_a_module_or_a_type_that_is_not_there() -> None:
    """With what there is; a plain word that may be a secret by mistake is not quoted at length."""
    error = refusal(load, home={"type": "no_such.module:Class"})
    assert "a module that is not there" in error.found
    error = refusal(load, home={"type": "umamy"})
    assert error.found == "'umamy'"
    assert "Did you mean umami?" in error.fix
    assert "package.module:Class" in error.fix
    long = "k" * 60
    assert long not in str(refusal(load, home={"type": long}))
    assert "package.module:Class" in refusal(load, home={"loft": "n"}).fix


def test_an_unknown_key_is_an_error_with_the_nearest(write: Write) -> None:
    """As for a built-in type, and so are a missing address and a value that cannot be read."""
    kind = f"{write(PIGEON)}:Pigeon"

    assert "Did you mean init(destinations.home.loft)?" in refusal(load, home={"type": kind, "lofft": "n"}).fix
    assert refusal(load, home={"type": kind}).key == "telemetry.destinations.home.loft"
    assert refusal(load, home={"type": kind, "loft": "n", "speed": "fast"}).key == "init(destinations.home.speed)"


def test_an_entry_point_whose_class_has_another_name(write: Write) -> None:
    """One type, one name: the id of a destination holds it."""
    write(PIGEON, entry="dove = {module}:Pigeon")

    assert "calls itself something else" in refusal(load, home={"type": "dove", "loft": "n"}).found


def test_a_built_in_type_cannot_be_replaced(write: Write) -> None:
    """Whatever is installed beside it."""
    write(PIGEON.replace('"pigeon"', '"console"'), entry="console = {module}:Pigeon")

    assert type(build_destination(load(console={})["console"])).__name__ == "ConsoleDestination"


# -- the public names --------------------------------------------------------------------------------------------------


def test_the_public_names_are_there() -> None:
    """The table of contents is sorted, whole and true."""
    assert list(public.__all__) == sorted(set(public.__all__), key=lambda name: (not name[0].isupper(), name))
    for name in public.__all__:
        assert getattr(public, name).__doc__, name
    with pytest.raises(AttributeError):
        public.nothing_of_the_kind  # noqa: B018 - looking is the test
