"""Tests for footspan.compat.opentrace.spelling: a payload as JSON would have it."""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footspan.compat.opentrace.spelling import MAX_LOOKED_AT, spelled
from footspan.otlp_json import plain

KEYS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(min_size=1, alphabet=st.characters(codec="ascii"))
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats(allow_nan=False) | st.text(alphabet="ab"),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(KEYS, inner),
    max_leaves=20,
)


def restored(value: Any, path: list[str | int]) -> Any:
    """What stands at a path."""
    for step in path:
        value = value[step]
    return value


@given(VALUES)
def test_it_is_what_json_makes_of_it(payload: Any) -> None:
    """After the sanitiser too, save for integers whose digits it keeps as text: their paths are told."""
    found, integers = spelled(payload)
    expected = json.loads(json.dumps(payload))

    assert json.dumps(found) == json.dumps(payload) or expected == json.loads(json.dumps(found))
    for path in integers:
        assert restored(plain(found), path) == str(restored(expected, path))


def test_a_payload_is_not_changed() -> None:
    """A copy is."""
    payload = {"k": (1, {None: 2})}

    assert spelled(payload)[0] == {"k": [1, {"null": 2}]}
    assert payload == {"k": (1, {None: 2})}


def test_any_mapping_is_one() -> None:
    """At any depth."""
    assert spelled(MappingProxyType({1: MappingProxyType({None: 2})}))[0] == {"1": {"null": 2}}


def test_a_payload_inside_itself_ends() -> None:
    """With a mark."""
    payload: dict[str, Any] = {"k": 1}
    payload["self"] = payload

    assert spelled(payload)[0] == {"k": 1, "self": "[cycle]"}


def test_a_payload_that_grows_without_end_ends() -> None:
    """What lies behind so many entries stays as it is, for the sanitiser to cut."""
    payload: list[Any] = []
    for _ in range(60):
        payload = [payload, payload]

    assert plain(spelled(payload)[0])
    assert len(spelled([[1]] * (MAX_LOOKED_AT * 2))[0]) == MAX_LOOKED_AT * 2


class Broken(dict[str, Any]):
    """Raises when it is read."""

    def items(self) -> Any:
        raise RuntimeError


@pytest.mark.parametrize("payload", [Broken(a=1), {"k": Broken(a=1)}])
def test_what_cannot_be_read_stays_as_it_is(payload: Any) -> None:
    """For the sanitiser, which has a word for it."""
    assert spelled(payload) == (payload, [])
