"""The data object: every leaf can be stored, and says what it said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footspan.destinations.umami.limits import (
    MAX_KEYS,
    MAX_TEXT,
    TOO_MANY,
    is_revenue,
    shape,
    stable_cut,
    text,
    utf16_length,
)


def shaped(value: Any) -> Any:
    """One property, shaped."""
    return shape({"k": value}, revenue=True)["k"]


def test_strings_are_cut_to_what_a_column_holds() -> None:
    """500 UTF-16 units at most, and no half of a surrogate pair at the end."""
    assert shaped("v" * 500) == "v" * 500
    assert shaped("v" * 501) == "v" * 500
    assert shaped("v" * 499 + "\U0001f600") == "v" * 499
    assert utf16_length(shaped("\U0001f600" * 400)) == 500


def test_nul_and_lone_surrogates_do_not_reach_the_database() -> None:
    """PostgreSQL refuses NUL; a lone surrogate is no text."""
    assert shaped("a\0b") == "ab"
    assert text("a\ud800b", 10) == "a\ufffdb"
    assert list(shape({"a\0b": 1}, revenue=True)) == ["ab"]


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (42, 42),
        (-7, -7),
        (True, True),
        (3.5, 3.5),
        (999_999_999_999_999, 999_999_999_999_999),
        (10**15, "1000000000000000"),
        (-(10**15), "-1000000000000000"),
        (2**53 + 1, "9007199254740993"),
        (1e15, "1000000000000000.0"),
        (1e300, "1e+300"),
        (float("nan"), "NaN"),
        (float("inf"), "Infinity"),
        (float("-inf"), "-Infinity"),
        (10**2000, "[integer too large]"),
    ],
)
def test_numbers_beyond_the_column_become_text(value: float, stored: Any) -> None:
    """``numeric(19,4)`` holds less than 1e15; an id of 2**53 and more must arrive whole."""
    assert stored == shaped(value)
    assert type(stored) is type(shaped(value))


def test_none_vanishes_and_nested_mappings_become_dotted_keys() -> None:
    """As Umami itself would flatten them; null would be stored as the text "null"."""
    assert shape({"a": None, "b": {"c": {"d": 1}, "e": {}}, "f.g": 2, "": 3}, revenue=True) == {
        "b.c.d": 1,
        "f.g": 2,
        "_": 3,
    }


def test_arrays_keep_the_longest_beginning_that_fits() -> None:
    """An array is stored as its JSON text; over 500 characters of it are a 500."""
    assert shaped([1, "a", None, {"x": [True]}]) == [1, "a", None, {"x": [True]}]
    cut = shaped(list(range(1000)))
    assert cut == list(range(len(cut)))
    assert 490 < len(json.dumps(cut, separators=(",", ":"))) <= MAX_TEXT
    assert shaped(["v" * 499]) == []
    # JavaScript writes 0.00001 where Python writes 1e-05.
    assert len(shaped([1e-05] * 200)) <= 62


def test_bytes_arrive_as_base64() -> None:
    """JSON has no bytes."""
    assert shaped(b"\xff\x00") == "/wA="
    assert shaped([b"\xff"]) == ["/w=="]


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"),
        ("2026-01-02T03:04:05", "2026-01-02T03:04:05.000Z"),
        ("2026-01-02T03:04:05.6", "2026-01-02T03:04:05.600Z"),
        ("2026-01-02T03:04:05.678901+00:00", "2026-01-02T03:04:05.678Z"),
        ("2026-01-02T03:04:05.678-05:00", "2026-01-02T08:04:05.678Z"),
        ("2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05.000Z"),
        ("0999-01-02T03:04:05Z", "0999-01-02T03:04:05.000Z"),
        ("2026-01-02", "2026-01-02"),
        ("2026-02-30T00:00:00", "2026-02-30 00:00:00"),
        ("2026-99-99T99:99:99.999Z", "2026-99-99 99:99:99.999Z"),
        ("0000-01-01T00:00:00", "0000-01-01 00:00:00"),
        ("0001-01-01T00:00:00+02:00", "0001-01-01 00:00:00+02:00"),
        ("2026-01-02T03:04:05+99:00", "2026-01-02 03:04:05+99:00"),
        ("2026-01-02T03:04:05.678Z and more", "2026-01-02 03:04:05.678Z and more"),
    ],
)
def test_points_in_time_take_the_one_form_that_umami_knows(value: str, stored: str) -> None:
    """What only looks like a date is defused: Umami would fail on it after storing the event."""
    assert stored == shaped(value)


def test_currency_is_upper_case_and_short() -> None:
    """Eleven characters are a 500 in the revenue table, and Umami does not change the case."""
    assert shape({"currency": " usd "}, revenue=True) == {"currency": "USD"}
    assert shape({"currency": "c" * 11}, revenue=True) == {"currency": "C" * 10}
    assert shape({"currency": "  "}, revenue=True) == {}


@pytest.mark.parametrize(
    ("amount", "data"),
    [
        (19.99, {"revenue": 19.99}),
        ("19.99", {"revenue": 19.99}),
        (" 5 ", {"revenue": 5.0}),
        ("1e3", {"revenue": 1000.0}),
        ("abc", {"revenue_text": "abc"}),
        ("0x1F", {"revenue_text": "0x1F"}),
        ("Infinity", {"revenue_text": "Infinity"}),
        ("1_000", {"revenue_text": "1_000"}),
        (True, {"revenue_text": "true"}),
        ([5], {"revenue_text": "[5]"}),
        (1e15, {"revenue_text": "1000000000000000.0"}),
        ("1e400", {"revenue_text": "Infinity"}),
    ],
)
def test_revenue_is_a_number_or_no_revenue(amount: Any, data: dict[str, Any]) -> None:
    """JavaScript compares "0x1F" and [5] with 0 as numbers; the revenue table then fails on them."""
    assert {"currency": "EUR", **data} == shape({"revenue": amount, "currency": "eur"}, revenue=True)


def test_a_page_view_carries_no_revenue() -> None:
    """Without a name Umami stores the event and then fails on its revenue."""
    data = shape({"revenue": 5, "currency": "EUR"}, revenue=False)
    assert data == {"currency": "EUR", "revenue_text": "5"}
    assert not is_revenue(data)
    assert shape({"revenue": 5}, revenue=False) == {"revenue": 5}


def test_revenue_counts_when_umami_would_write_a_row() -> None:
    """Above nothing, and with a currency."""
    assert is_revenue({"revenue": 0.01, "currency": "EUR"})
    assert not is_revenue({"revenue": 0, "currency": "EUR"})
    assert not is_revenue({"revenue": -1, "currency": "EUR"})
    assert not is_revenue({"revenue": 1})


def test_properties_beyond_a_thousand_are_counted() -> None:
    """One key says how many found no room."""
    data = shape({f"k{number}": number for number in range(1_200)}, revenue=True)
    assert len(data) == MAX_KEYS
    assert data[TOO_MANY] == 201


def test_a_long_name_keeps_its_difference() -> None:
    """Two names that differ after the cut stay two, and each is always cut the same way."""
    one, two = stable_cut("n" * 60 + "1", 50), stable_cut("n" * 60 + "2", 50)
    assert one != two
    assert one == stable_cut("n" * 60 + "1", 50)
    assert len(one) == len(two) == 50
    assert stable_cut("n" * 50, 50) == "n" * 50
    assert len(next(iter(shape({"k" * 600: 1}, revenue=True)))) == 500


def test_depth_has_an_end() -> None:
    """A mapping inside 64 others is named instead of followed."""
    deep: dict[str, Any] = {"end": 1}
    for _ in range(100):
        deep = {"n": deep}
    assert list(shape(deep, revenue=True).values()) == ["[too deep]"]


_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary(max_size=600)
    | st.text(min_size=490)
)


@pytest.mark.slow
@given(
    st.dictionaries(
        st.text() | st.sampled_from(["revenue", "currency"]),
        st.recursive(_LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20),
    ),
    st.booleans(),
)
def test_whatever_is_shaped_fits(properties: dict[str, Any], revenue: bool) -> None:
    """No property of any kind leaves as something that Umami fails on."""
    for key, value in shape(properties, revenue=revenue).items():
        assert utf16_length(key) <= 500
        assert "\0" not in key
        assert value is not None
        written = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        assert "\\u0000" not in written
        if isinstance(value, (str, list)):
            assert utf16_length(value if isinstance(value, str) else written) <= MAX_TEXT
        elif not isinstance(value, bool):
            assert abs(value) < 1e15
