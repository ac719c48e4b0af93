"""Kinds of values: what is read, what is refused, and what an error says."""

from __future__ import annotations

import contextlib
import math
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from footspan.config import values
from footspan.config.kinds import BadValueError, describe, nearest, quote

HUGE = pytest.param(10**5000, id="huge")


def refused(kind: Any, value: object) -> str:
    """The text of a refusal."""
    with pytest.raises(BadValueError) as caught:
        kind.read(value)
    assert caught.value.fix.endswith((".", "?"))
    return caught.value.found


@pytest.mark.parametrize("word", ["true", "1", "yes", "on", "TRUE", " Yes ", True, 1])
def test_words_for_true(word: object) -> None:
    """All spellings of true are read, in any case, from text and from code."""
    assert values.BOOLEAN.read(word) is True


@pytest.mark.parametrize("word", ["false", "0", "no", "off", "OFF", False, 0])
def test_words_for_false(word: object) -> None:
    """All spellings of false are read."""
    assert values.BOOLEAN.read(word) is False


@pytest.mark.parametrize("word", ["", "maybe", "2", 2, HUGE, None, [], "truetrue"])
def test_no_boolean(word: object) -> None:
    """Anything else is no boolean."""
    refused(values.BOOLEAN, word)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("4096", 4096),
        ("1B", 1),
        ("10MB", 10_000_000),
        ("10 mb", 10_000_000),
        ("1KB", 1000),
        ("2GB", 2_000_000_000),
        ("1KiB", 1024),
        ("512MiB", 512 * 2**20),
        ("1.5GiB", 3 * 2**29),
        (1, 1),
        ("9007199254740993", 9007199254740993),
    ],
)
def test_sizes(text: object, size: int) -> None:
    """Decimal and binary units, plain bytes, and no digit lost."""
    assert values.SIZE.read(text) == size


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "1M", "10 parsecs", "1e3", "0.5", "1.0001KB", "٣", 0, -5, 1.0, True, 2**63, "9" * 30, None]
)
def test_no_sizes(text: object) -> None:
    """No units that could mean two things, no fractions of a byte, nothing below one, nothing beyond 63 bits."""
    refused(values.SIZE, text)


@given(st.integers(min_value=1, max_value=2**63 - 1))
def test_sizes_round_trip(size: int) -> None:
    """What the reference shows is read as the same size."""
    assert values.SIZE.read(values.SIZE.show(size)) == size


@given(st.integers(1, 2**20), st.sampled_from([("KB", 10**3), ("MB", 10**6), ("GiB", 2**30)]))
def test_size_is_number_times_unit(number: int, unit: tuple[str, int]) -> None:
    """A size is its number times its unit."""
    assert values.SIZE.read(f"{number}{unit[0]}") == number * unit[1]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7d", 604_800.0),
        ("2s", 2.0),
        ("200ms", 0.2),
        ("35ms", 0.035),
        ("1h30m", 5400.0),
        ("1h 30m", 5400.0),
        ("1.5h", 5400.0),
        ("90", 90.0),
        ("0.25", 0.25),
        (3, 3.0),
        (0.5, 0.5),
        (0, 0.0),
        (timedelta(minutes=1), 60.0),
    ],
)
def test_durations(text: object, seconds: float) -> None:
    """Units, parts with units, plain seconds, and Python's own time span."""
    assert values.DURATION.read(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "-1", "1w", "h", "1h30", "fast", "1:30", -1, math.nan, math.inf, HUGE, "36501d", True, None, timedelta(-1)],
)
def test_no_durations(text: object) -> None:
    """Nothing negative, endless or without a unit beside parts that have one."""
    refused(values.DURATION, text)


@pytest.mark.parametrize("text", ["0", "0s", 0, timedelta()])
def test_a_time_that_must_not_be_zero(text: object) -> None:
    """Where zero makes no sense it is refused."""
    assert values.DURATION.read(text) == 0
    refused(values.POSITIVE_DURATION, text)


@given(st.integers(min_value=0, max_value=36_500 * 86_400_000))
def test_durations_round_trip(milliseconds: int) -> None:
    """What the reference shows is read as the same time."""
    seconds = milliseconds / 1000
    assert values.DURATION.read(values.DURATION.show(seconds)) == seconds


@given(st.text(max_size=12))
@example("0\x1f")
def test_readers_refuse_or_read_any_text(text: str) -> None:
    """No text makes a reader fail in any other way than by refusing it."""
    kinds = (values.SIZE, values.DURATION, values.RATE, values.COUNT, values.BOOLEAN, values.TEXT, values.PATTERNS)
    for kind in kinds:
        with contextlib.suppress(BadValueError):
            kind.read(text)


@pytest.mark.parametrize(("text", "rate"), [("0", 0.0), ("1", 1.0), ("0.25", 0.25), (1, 1.0), (0.5, 0.5)])
def test_rates(text: object, rate: float) -> None:
    """A share from nothing to all."""
    assert values.RATE.read(text) == rate


@pytest.mark.parametrize("text", ["1.1", "-0.1", "25%", "", 2, -1, math.nan, True, HUGE, None])
def test_no_rates(text: object) -> None:
    """Percentages and shares of more than all are refused."""
    refused(values.RATE, text)


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "x", 0, True, 10**9, None])
def test_no_counts(text: object) -> None:
    """A count is a whole number from one on."""
    refused(values.COUNT, text)


@pytest.mark.parametrize("text", ["", "  ", "a\nb", "a\x00", "\udcff", 1.4, True, None, [], HUGE])
def test_no_text(text: object) -> None:
    """Text is one line of valid text; a fraction may have lost digits on its way, so it must be quoted."""
    refused(values.TEXT, text)


def test_whole_numbers_from_code_are_text() -> None:
    """A number given as an id keeps its digits."""
    assert values.TEXT.read(7) == "7"


def test_paths_are_absolute_and_know_home(working_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path means the same after the program changes its directory."""
    monkeypatch.setenv("HOME", "/users/somebody")

    assert values.PATH.read("~/spool") == Path("/users/somebody/spool")
    assert values.PATH.read("spool/../x") == working_directory / "x"
    assert values.PATH.read(Path("x")) == working_directory / "x"


@pytest.mark.parametrize("value", ["", " ", "a\0b", 5, b"x", None, "~no-such-user-here/x"])
def test_no_paths(value: object) -> None:
    """What no file system takes is refused at once."""
    refused(values.PATH, value)


@pytest.mark.parametrize("value", ["a,b", " a , b ,", ["a", "b"], ("a", " b ")])
def test_lists(value: object) -> None:
    """A sequence, or one string with commas."""
    assert values.LIST.read(value) == ("a", "b")


@pytest.mark.parametrize("value", ["", ",", [], ()])
def test_empty_lists(value: object) -> None:
    """A list may be empty, which is something else than not set."""
    assert values.LIST.read(value) == ()


@pytest.mark.parametrize("value", [["a", ""], ["a", 1], [None], {"a": 1}, 5, {"a"}])
def test_no_lists(value: object) -> None:
    """Items are texts, and their order is known."""
    refused(values.LIST, value)


@pytest.mark.parametrize("value", ["!", ["user.*", "! "], "!!a"])
def test_no_patterns(value: object) -> None:
    """An exclusion must exclude something."""
    refused(values.PATTERNS, value)


def test_choices_ignore_case_and_know_aliases() -> None:
    """One of some words, stored as declared."""
    level = values.choice("INFO", "WARNING", aliases={"WARN": "WARNING"})

    assert level.read("info") == "INFO"
    assert level.read("warn") == "WARNING"


def test_a_wrong_choice_names_all_and_the_nearest() -> None:
    """The error lists what there is and guesses what was meant."""
    with pytest.raises(BadValueError, match=re.escape("Write one of thread, process. Did you mean thread?")):
        values.choice("thread", "process").read("thred")
    assert refused(values.choice("thread", "process"), 5) == "5"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nothing"),
        ("", "an empty string"),
        ("abc", "a string of 3 characters"),
        (True, "a boolean"),
        (4, "a number"),
        ([1, 2], "a list of 2 items"),
        ({"a": 1}, "a mapping of 1 keys"),
        (b"", "an object of type bytes"),
    ],
)
def test_values_are_described_by_shape(value: object, text: str) -> None:
    """A description says what kind of thing was found and nothing of what it holds."""
    assert describe(value) == text


def test_only_short_printable_values_are_quoted() -> None:
    """A key pasted under a harmless name is too long to be quoted."""
    assert quote("plenty") == "'plenty'"
    assert quote("6f3a1f0e-5f0a-4a52-9a6e-0f7a3f5f2c11") == "a string of 36 characters"
    assert quote(10**500) == "a number"
    assert quote(["secret"]) == "a list of 1 items"


def test_nearest_word() -> None:
    """The nearest known word, if one is near at all."""
    assert nearest("Directry", ["directory", "durability"]) == "directory"
    assert nearest("zzz", ["directory", "durability"]) is None
