"""Every hazard a value can hold has one outcome, which keeps the value's neighbours."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footspan.otlp_json import plain
from footspan.otlp_json.sanitise import (
    CYCLE,
    MAX_DEPTH,
    MAX_ENTRIES,
    MAX_TEXT,
    MAX_WEIGHT,
    TOO_DEEP,
    UNNAMED,
    event_name,
    text_of,
)
from otlp_json import normal
from otlp_json.hazards import (
    OUTCOMES,
    Colour,
    EndlessSequence,
    Level,
    Number,
    NumpyLike,
    RaisesOnText,
    Ratio,
    Text,
    Word,
    nested,
)
from otlp_json.strategies import VALUES


@pytest.mark.parametrize(("value", "outcome"), OUTCOMES, ids=lambda value: type(value).__name__)
def test_a_value_has_its_one_outcome(value: Any, outcome: Any) -> None:
    """The table of the module, row by row."""
    assert normal.same(plain(value), outcome)


@given(VALUES)
def test_plain_data_stays_as_it_is(value: Any) -> None:
    """What OTLP can say is said."""
    assert normal.same(plain(value), value)


def test_an_outcome_has_exact_types_only() -> None:
    """A subclass with ideas of its own about text never reaches an encoder."""
    values = plain([Text("a"), Number(1), Ratio(1), Word.HELLO, {Text("k"): 1}])
    assert isinstance(values, list)
    assert [str, int, float, str, dict] == [type(value) for value in values]
    assert isinstance(values[4], dict)
    assert [str] == [type(key) for key in values[4]]


def test_a_cycle_ends_where_it_closes() -> None:
    """A container inside itself is named; one that merely appears twice is written twice."""
    cycle: dict[str, Any] = {"a": 1}
    cycle["self"] = [cycle]
    shared = ["x"]
    assert {"a": 1, "self": [CYCLE]} == plain(cycle)
    assert [["x"], ["x"]] == plain([shared, shared])


def test_a_cycle_through_odd_shells_ends() -> None:
    """An object whose value is itself again, for ever, ends like any depth."""
    endless = NumpyLike(None)
    endless.value = [endless]
    assert TOO_DEEP in str(plain(endless)) or CYCLE in str(plain(endless))


def test_depth_is_bounded() -> None:
    """Thirty-two containers inside each other are kept, the next one is named."""
    assert nested(MAX_DEPTH) == plain(nested(MAX_DEPTH))
    assert TOO_DEEP in str(plain(nested(MAX_DEPTH + 1)))
    assert TOO_DEEP in str(plain(nested(100_000)))


def test_long_text_is_cut() -> None:
    """The last character says so."""
    assert "x" * MAX_TEXT == plain("x" * MAX_TEXT)
    assert "x" * (MAX_TEXT - 1) + "…" == plain("x" * (MAX_TEXT + 1))
    assert b"x" * MAX_TEXT == plain(b"x" * (MAX_TEXT + 1))


@pytest.mark.parametrize("value", [range(10**9), EndlessSequence(), list(range(2_000)), deque(range(2_000))])
def test_long_collections_are_cut(value: Any) -> None:
    """A thousand entries are kept, and no more are looked at."""
    assert list(range(MAX_ENTRIES)) == plain(value)


def test_long_mappings_are_cut() -> None:
    """A thousand entries are kept."""
    assert {str(n): n for n in range(MAX_ENTRIES)} == plain({n: n for n in range(5_000)})


def test_small_values_that_multiply_are_cut() -> None:
    """Lists that hold each other a thousand times over end, and soon."""
    bomb: list[Any] = ["x"]
    for _ in range(10):
        bomb = [bomb] * 1_000
    assert len(str(plain(bomb))) < 2 * MAX_WEIGHT


def test_a_mock_is_told_from_an_array() -> None:
    """An object that answers to every name is written as text."""
    assert str(plain(mock.MagicMock(name="shop"))).startswith("<MagicMock name='shop'")


def test_a_dict_that_another_thread_changes_is_still_read() -> None:
    """The outcome is some state of it."""
    shared = {f"k{n}": n for n in range(200)}
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            for n in range(200, 260):
                shared[f"k{n}"] = n
            for n in range(200, 260):
                del shared[f"k{n}"]

    changer = threading.Thread(target=change)
    changer.start()
    try:
        results = [plain({"shared": shared}) for _ in range(200)]
    finally:
        stop.set()
        changer.join(10)
    for result in results:
        assert isinstance(result, dict)
        assert isinstance(result["shared"], dict)
        assert len(result["shared"]) >= 200


def test_a_mapping_that_was_changing_is_read_again() -> None:
    """Once it stands still."""

    class Settling(dict[str, int]):
        reads = 0

        def items(self) -> Any:
            self.reads += 1
            if self.reads < 3:
                raise RuntimeError("dictionary changed size during iteration")
            return super().items()

    assert plain(Settling(a=1)) == {"a": 1}


def test_a_mapping_that_never_stands_still_is_named() -> None:
    """Three tries, then the marker."""

    class Restless(dict[str, int]):
        def items(self) -> Any:
            raise RuntimeError("dictionary changed size during iteration")

    assert ["[unserialisable Restless]", 1] == plain([Restless(a=1), 1])


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_the_end_of_the_process_is_not_swallowed(error: type[BaseException]) -> None:
    """What is no ``Exception`` passes."""

    class Interrupted:
        def __str__(self) -> str:
            raise error

    with pytest.raises(error):
        plain([Interrupted()])


def test_a_class_with_a_hostile_name_is_still_named() -> None:
    """A metaclass that lies about names is not asked."""

    class Meta(type):
        @property
        def __name__(cls) -> str:  # type: ignore[override]
            raise RuntimeError

    class Hostile(metaclass=Meta):
        pass

    assert "<Hostile>" == plain(Hostile())


@given(st.text(alphabet=st.characters(), max_size=30))
def test_text_is_always_encodable(value: str) -> None:
    """Surrogates included: the outcome is UTF-8, and what was so already stays."""
    outcome = plain(value)
    assert isinstance(outcome, str)
    outcome.encode()
    if not any("\ud800" <= character <= "\udfff" for character in value):
        assert value == outcome


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("checkout.completed", "checkout.completed"),
        ("", UNNAMED),
        (" \t\n", UNNAMED),
        (None, "None"),
        (7, "7"),
        (Colour.RED, "red"),
        ("a\nb\x7f\x85c", "a\ufffdb\ufffd\ufffdc"),
        ("a\ud800", "a\ufffd"),
        ("x" * 256, "x" * 256),
        ("x" * 257, "x" * 255 + "…"),
        (RaisesOnText(), "[unserialisable RaisesOnText]"),
        ([1], "[1]"),
        (b"bytes", "b'bytes'"),
    ],
)
def test_a_name_is_made_usable(name: Any, written: str) -> None:
    """Any object is a name in the end, of printable characters, 256 at most."""
    assert written == event_name(name)


def test_envelope_texts_take_anything() -> None:
    """Scope names and severities too come from the host."""
    assert ["", "INFO", "[unserialisable RaisesOnText]", "3"] == [
        text_of(value) for value in (None, "INFO", RaisesOnText(), Level.HIGH)
    ]
