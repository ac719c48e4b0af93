"""Patterns: what they match, what wins, what they cost."""

from __future__ import annotations

import fnmatch
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footspan.patterns import Matcher, glob


@pytest.mark.parametrize(
    ("patterns", "name", "category", "taken"),
    [
        (None, "anything.at.all", "", True),
        ((), "anything", "user", False),
        (("user.*",), "user.login", "user", True),
        (("user.*",), "login", "user", True),
        (("user.*",), "checkout", "payment", False),
        (("*",), "", "", True),
        (("payment.*.done",), "payment.card.eu.done", "payment", True),
        (("payment.?",), "payment.x", "payment", True),
        (("payment.?",), "payment.xy", "payment", False),
        (("checkout",), "checkout", "payment", True),
        (("payment.checkout",), "checkout", "payment", True),
        (("Checkout",), "checkout", "payment", False),
        (("user.*", "!user.password"), "user.password", "user", False),
        (("!user.password", "user.*"), "user.name", "user", True),
        (("!debug.*",), "debug.noise", "debug", False),
        (("!debug.*",), "anything.else", "user", True),
        (("!debug.*",), "noise", "debug", False),
        (("! debug.* ", " user.* "), "user.login", "user", True),
        (("", " "), "user.login", "user", False),
    ],
)
def test_pattern(patterns: tuple[str, ...] | None, name: str, category: str, *, taken: bool) -> None:
    """A pattern matches the name or ``<category>.<name>``; an exclusion wins wherever it stands."""
    assert Matcher(patterns)(name, category) is taken


@given(st.text("ab?*.", max_size=12), st.text("ab.?*[", max_size=12))
def test_glob_agrees_with_the_shells_rules(pattern: str, text: str) -> None:
    """Any pattern of stars and question marks matches what the standard library's translation of it matches."""
    assert glob(pattern, text) is bool(re.fullmatch(fnmatch.translate(pattern), text))


def test_many_stars_cost_no_more_than_the_product_of_the_lengths() -> None:
    """A pattern that sends a backtracking matcher into the night is answered at once."""
    began = time.perf_counter()

    assert not Matcher(("*a" * 40 + "b",))("a" * 400)
    assert time.perf_counter() - began < 1.0


def test_a_million_names_do_not_grow_the_cache() -> None:
    """Whoever puts an id into event names costs time, not memory."""
    matcher = Matcher(("user.*",))
    for number in range(10_000):
        matcher(f"user.{number}")

    assert len(matcher._answers) <= 4096


def test_a_long_name_is_not_held() -> None:
    """It is answered and forgotten."""
    matcher = Matcher(("user.*",))
    assert matcher(f"user.{'x' * 10_000}")

    assert not matcher._answers
