"""The public names: exactly what is promised, and nothing by accident."""

from __future__ import annotations

import re
from pathlib import Path

import footspan

ROOT = Path(footspan.__file__).parent

CALLS = {
    "init",
    "track",
    "track_event",
    "page_view",
    "identify",
    "track_exception",
    "context",
    "set_context",
    "clear_context",
    "carry",
    "track_duration",
    "track_function",
    "track_error",
    "attribution_of",
    "end_session",
    "get_keyed_user_hash",
    "get_user_hash",
    "link",
    "flush",
    "flush_after",
    "status",
    "shutdown",
}
TYPES = {
    "Tracker",
    "Telemetry",
    "EventCategory",
    "ConfigurationError",
    "AsgiMiddleware",
    "WsgiMiddleware",
    "CarryingExecutor",
    "ContextSpanProcessor",
    "AsgiSessions",
    "FlaskSessions",
    "Sessions",
}


def test_the_public_names_are_the_promised_ones() -> None:
    """A new name is a decision to be written here; a lost one breaks somebody's program."""
    assert set(footspan.__all__) == CALLS | TYPES | {"__version__"}


def test_the_public_names_are_sorted_and_unique() -> None:
    """The table of contents can be read, and merged, by eye."""
    assert list(footspan.__all__) == sorted(set(footspan.__all__))


def test_every_public_name_exists_and_says_what_it_is_for() -> None:
    """``help(footspan.track)`` teaches."""
    for name in CALLS | TYPES:
        assert (getattr(footspan, name).__doc__ or "").strip(), name
    assert all(callable(getattr(footspan, name)) for name in CALLS)


def test_the_version_stands_in_one_place() -> None:
    """It is a version, and the package shows the one that the build reads."""
    assert re.fullmatch(r"\d+\.\d+\.\d+([ab]\d+|rc\d+|\.dev\d+)?", footspan.__version__)
    declared = (ROOT / "_version.py").read_text(encoding="utf-8")
    assert f'__version__ = "{footspan.__version__}"' in declared


def test_the_package_is_typed() -> None:
    """Type checkers of other projects read our types."""
    assert (ROOT / "py.typed").exists()


def test_no_source_file_is_longer_than_400_lines() -> None:
    """A file is one idea; at 400 lines there is a second one in it."""
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in ROOT.rglob("*.py")}

    assert len(lengths) > 20
    assert {str(path): length for path, length in lengths.items() if length > 400} == {}
