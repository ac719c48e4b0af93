"""``Event``: the view of one event that every reader shares."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from footspan import conventions as c
from footspan.event import Event


@pytest.mark.parametrize(
    ("attributes", "category"),
    [
        ({}, "payment"),
        ({c.CATEGORY: "sales"}, "sales"),
        ({c.CATEGORY: ""}, "payment"),
        ({c.CATEGORY: 5}, "payment"),
        ({c.CATEGORY: ["sales"]}, "payment"),
    ],
)
def test_the_category_is_named_or_follows_from_the_name(attributes: dict[str, Any], category: str) -> None:
    """A category that is no text counts as none."""
    assert category == Event(name="checkout.completed", attributes=attributes).category


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        ("", ""),
        (5, "5"),
        (0, "0"),
        (1.5, "1.5"),
        (True, ""),
        (None, ""),
        (b"a", ""),
        (["a", "b"], "a"),
        (("a",), "a"),
        ([], ""),
        ([5], "5"),
        ([["a"]], ""),
        ({"a": 1}, ""),
    ],
)
def test_an_attribute_as_text(value: Any, text: str) -> None:
    """Text and numbers, alone or first in a list; nothing else has a text."""
    assert text == Event(name="x", attributes={"a": value}).text("a")


def test_a_missing_attribute_is_empty() -> None:
    """Readers need no second case."""
    assert "" == Event(name="x").text("a")


def test_an_event_does_not_change() -> None:
    """It is shared between destinations."""
    event = Event(name="x")
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.name = "y"  # type: ignore[misc]


def test_events_do_not_share_their_defaults() -> None:
    """Two empty events have two dicts."""
    assert Event(name="x").attributes is not Event(name="x").attributes
