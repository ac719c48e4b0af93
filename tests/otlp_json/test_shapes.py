"""Templates of attributes: when one is kept, and when it is passed over."""

from __future__ import annotations

from typing import Any

import pytest

from footspan import conventions as c
from footspan.otlp_json import shapes
from footspan.otlp_json.shapes import learn, shaped_attributes


@pytest.fixture(autouse=True)
def no_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    """No shape is known yet."""
    monkeypatch.setattr(shapes, "_shapes", {})


def test_a_learnt_shape_is_used() -> None:
    """Other values of the same types under the same names fit."""
    learn({"a": "x", c.LOG_RECORD_UID: "u", "n": 1})
    assert shaped_attributes({"a": "y", c.LOG_RECORD_UID: "v", "n": 2}) == (
        b'{"key":"log.record.uid","value":{"stringValue":"v"}},{"key":"a","value":{"stringValue":"y"}},'
        b'{"key":"n","value":{"intValue":"2"}}'
    )


@pytest.mark.parametrize("other", [{"a": 1}, {"b": "x"}, {"a": "x", "b": "x"}, {}])
def test_another_shape_is_not_confused_with_it(other: dict[str, Any]) -> None:
    """Names, types and number all count."""
    learn({"a": "x"})
    assert shaped_attributes(other) is None


@pytest.mark.parametrize(
    "attributes",
    [{}, {"a": object()}, {1: "a"}, {"k" * 5_000: 1}, {f"k{n}": n for n in range(65)}],
    ids=["empty", "object", "number as name", "long names", "many"],
)
def test_shapes_that_would_not_come_again_are_not_kept(attributes: dict[Any, Any]) -> None:
    """Neither is a class of the host's kept alive."""
    learn(attributes)
    assert not shapes._shapes


def test_the_table_is_bounded() -> None:
    """Shapes without end do not fill the memory."""
    for n in range(3_000):
        learn({f"k{n}": n})
    assert len(shapes._shapes) <= 1_024
