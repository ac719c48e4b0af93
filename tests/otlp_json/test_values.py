"""Values and attributes as OTLP JSON: the quick way writes what the careful way would."""

from __future__ import annotations

import json
import threading
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footspan.otlp_json import plain
from footspan.otlp_json.parse import value_of
from footspan.otlp_json.sanitise import MAX_ENTRIES, MAX_TEXT, MAX_WEIGHT, tidy
from footspan.otlp_json.values import (
    _MAX_LARGE,
    KEY_CACHE_SIZE,
    _fragments,
    any_value,
    attributes_json,
    careful_attributes,
    key_fragment,
    quick_attributes,
)
from otlp_json import normal
from otlp_json.hazards import OUTCOMES, RaisingMapping
from otlp_json.strategies import VALUES

SURROGATES = st.text(alphabet=st.characters(), max_size=5)
ODD = st.recursive(
    st.one_of(VALUES, SURROGATES, st.integers(), st.decimals(), st.timedeltas(), st.dates(), st.sets(st.integers())),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.one_of(SURROGATES, st.integers()), inner)),
    max_leaves=10,
)


TWINS = dict.fromkeys([chr(0xD800), chr(0xDFFF)], 1)
"""Two keys that differ in nothing that can be written."""


def read(written: bytes) -> Any:
    """An ``AnyValue`` read back."""
    return value_of(json.loads(written))


@given(ODD)
def test_what_is_written_reads_back_as_the_plain_value(value: Any) -> None:
    """Whatever a value is made of, its bytes and its plain form agree."""
    assert normal.same(read(any_value(value)), plain(value))


@pytest.mark.parametrize(("value", "outcome"), OUTCOMES, ids=lambda value: type(value).__name__)
def test_hazards_are_written_as_their_outcome(value: Any, outcome: Any) -> None:
    """The encoder knows the same table as the sanitiser."""
    assert normal.same(read(any_value(value)), outcome)


@pytest.mark.parametrize(
    "value",
    [
        "x" * (MAX_TEXT + 1),
        ["x" * MAX_TEXT] * 100,
        {"k" * (MAX_TEXT + 1): 1},
        list(range(MAX_ENTRIES + 1)),
        ["y" * 1_000] * 1_000,
        [["y" * 990] * 990] * 3,
        [[[[[[[[["deep"]]]]]]]]],
        TWINS,
        {"a": TWINS},
        b"x" * (MAX_TEXT + 1),
    ],
    ids=["text", "texts", "key", "entries", "weight", "weights", "depth", "twin keys", "nested twin keys", "bytes"],
)
def test_what_is_too_much_for_the_quick_way_takes_the_careful_one(value: Any) -> None:
    """Every limit is the same both ways."""
    assert normal.same(read(any_value(value)), plain(value))


def test_a_value_is_bounded() -> None:
    """A heavy value takes a small multiple of its weight in bytes."""
    assert len(any_value([["\x01" * 1_000] * 1_000] * 1_000)) < 8 * MAX_WEIGHT


def test_a_dict_changed_by_another_thread_is_written() -> None:
    """Each outcome is valid JSON of some state of it."""
    shared = {f"k{n}": n for n in range(50)}
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            shared["more"] = 1
            del shared["more"]

    changer = threading.Thread(target=change)
    changer.start()
    try:
        written = [any_value({"shared": shared}) for _ in range(500)]
    finally:
        stop.set()
        changer.join(10)
    for item in written:
        assert len(read(item)["shared"]) in {50, 51}


def test_the_table_of_keys_is_bounded() -> None:
    """Names that vary without end do not fill the memory, and long ones are not kept at all."""
    for n in range(3 * KEY_CACHE_SIZE):
        key_fragment(f"k{n}")
    key_fragment("long" * 100)
    assert len(_fragments) <= KEY_CACHE_SIZE
    assert "long" * 100 not in _fragments


@pytest.mark.parametrize(
    "attributes",
    [{1: "a"}, {"": "a"}, {"\ud800": "a"}, {"a": "\ud800"} | {"\udfff": 1}, {"k" * (MAX_TEXT + 1): 1}],
)
def test_unusual_names_are_left_to_the_careful_way(attributes: dict[Any, Any]) -> None:
    """The quick way gives up rather than guess."""
    assert quick_attributes(attributes) is None
    assert all(name for name, _ in careful_attributes(tidy(attributes))[0])


def test_names_that_become_equal_are_written_once() -> None:
    """The last one counts."""
    assert careful_attributes(tidy({1: "a", "1": "b"})) == ([("1", b'{"key":"1","value":{"stringValue":"b"}}')], 0)


@pytest.mark.parametrize(
    "large", [["y" * 900] * 1_000, "y" * 60_000, {"a": list(range(900))}], ids=["list", "text", "dict"]
)
def test_large_values_share_an_allowance(large: Any) -> None:
    """A record full of them costs a bounded time: after two mebibytes they are left out, and counted."""
    attributes = {f"k{n}": large for n in range(500)} | {"small": "kept", "span": timedelta(1)}
    pairs, dropped = careful_attributes(attributes)
    assert ("small", b'{"key":"small","value":{"stringValue":"kept"}}') in pairs
    assert len(attributes) == len(pairs) + dropped
    assert dropped > 0
    assert sum(len(item) for _, item in pairs) < _MAX_LARGE + 2 * MAX_WEIGHT
    assert quick_attributes(attributes) is None


def test_an_unreadable_mapping_has_no_attributes() -> None:
    """A resource or a scope of the host's own making cannot spoil a line."""
    assert b"[]" == attributes_json(RaisingMapping({"a": 1}))
    assert b"[]" == attributes_json(None)
    assert b"[]" == attributes_json(5)  # type: ignore[arg-type]
