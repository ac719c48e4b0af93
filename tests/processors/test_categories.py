"""Tests for footspan.processors.categories."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footspan import conventions as c
from footspan.emit import Draft
from footspan.event import Event
from footspan.processors.categories import Categories

GIVEN = (
    ("invoice", "payment"),
    ("ml.*", "generation"),
    ("cart.emptied", "user"),
    ("checkout", "user"),
    ("oops", "error"),
    ("*.retry", "system"),
    ("checkout.retry", "never"),
)


@pytest.mark.parametrize(
    ("name", "category"),
    [
        ("invoice", "payment"),
        ("invoice.sent", "payment"),
        ("Invoice.Sent", "payment"),
        ("invoices.sent", "invoices"),
        ("ml.train.done", "generation"),
        ("ml", "ml"),
        ("cart.emptied", "user"),
        ("cart.filled", "cart"),
        ("checkout.completed", "user"),
        ("oops", "error"),
        ("api.retry", "system"),
        ("checkout.retry", "user"),
        ("payment.completed", "payment"),
        ("", ""),
    ],
)
def test_the_first_entry_that_fits_decides(name: str, category: str) -> None:
    """First parts, whole names and patterns, in the order they were written; else what is built in."""
    assert Categories(GIVEN).of(name) == category


@given(st.text(alphabet="abcheckout.invoiceml*-", max_size=16))
def test_every_reader_finds_the_same_category(name: str) -> None:
    """Whoever reads the event without these settings (attribute, else name) finds the category they give."""
    categories = Categories(GIVEN)
    draft = Draft(name, 1, 1, {})
    categories(draft)

    assert Event(name=name, attributes=draft.attributes).category == categories.of(name)


def test_only_what_a_reader_would_not_find_is_written() -> None:
    """An event costs nothing more where the name says it already, whoever says it a second time."""
    categories = Categories((("checkout", "payment"), ("invoice", "payment")))
    plain, other = Draft("checkout.done", 1, 1, {}), Draft("invoice.sent", 1, 1, {})
    categories(plain)
    categories(other)

    assert plain.attributes == {}
    assert other.attributes == {c.CATEGORY: "payment"}


@pytest.mark.parametrize(
    ("said", "kept"), [("system", "system"), (5, 5), (["a"], ["a"]), ("", "payment"), (None, "payment")]
)
def test_what_an_event_says_itself_counts(said: Any, kept: Any) -> None:
    """``category=`` at the call wins over the settings."""
    draft = Draft("invoice.sent", 1, 1, {c.CATEGORY: said})
    Categories(GIVEN)(draft)

    assert draft.attributes[c.CATEGORY] == kept


def test_a_name_that_is_none_is_left_alone() -> None:
    """Whatever a caller passes for a name must not lose the event."""
    for name in (5, None, ["a"]):
        draft = Draft(name, 1, 1, {})  # type: ignore[arg-type]
        Categories(GIVEN)(draft)
        assert draft.attributes == {}


def test_names_without_end_cost_no_memory() -> None:
    """Names that hold an id would else fill the table."""
    categories = Categories(GIVEN)
    for number in range(10_000):
        categories.of(f"invoice.{number}")

    assert len(categories._known) <= 4096
