"""Rules of sampling and categories of names: what is read, what is refused, and what an error says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footspan.config import ConfigurationError, SamplingRule, load_settings
from footspan.config.composite import CATEGORIES, RULES
from footspan.config.kinds import BadValueError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FILE = """
telemetry:
  categories: {Invoice: payment, "ml.*": Generation, "cart.emptied": user}
  sampling:
    rules:
      - {events: "payment.*, !payment.probe", rate: "${env:RATE}"}
      - {events: [user.*], rate: 0.5, by: trace}
"""


def test_both_from_a_file(settings_file: Callable[[str], Path]) -> None:
    """They nest as YAML does, and references are put in at any depth."""
    settings_file(FILE)
    settings = load_settings(environ={"RATE": "0.25"})

    assert settings.categories == (("invoice", "payment"), ("ml.*", "generation"), ("cart.emptied", "user"))
    assert settings.sampling.rules == (
        SamplingRule(events=("payment.*", "!payment.probe"), rate=0.25),
        SamplingRule(events=("user.*",), rate=0.5, by="trace"),
    )


def test_both_from_the_environment() -> None:
    """Rules as JSON; categories as pairs or as JSON."""
    rules = '[{"events": ["a.*"], "rate": 1}]'
    for categories in ("invoice=payment, ml.*=generation", '{"invoice": "payment", "ml.*": "generation"}'):
        settings = load_settings(environ={"FOOTSPAN_SAMPLING_RULES": rules, "FOOTSPAN_CATEGORIES": categories})

        assert settings.sampling.rules == (SamplingRule(events=("a.*",), rate=1.0),)
        assert settings.categories == (("invoice", "payment"), ("ml.*", "generation"))


@pytest.mark.parametrize(
    ("value", "found", "fix"),
    [
        ("[{", "text that is no JSON", "as JSON"),
        ('{"events": "a", "rate": 1}', "a mapping of 2 keys", "list of rules"),
        (7, "a number", "list of rules"),
        (["a.*"], "a string of 3 characters as rule 1", "list of rules"),
        ([{"events": "a"}], "no `rate` in rule 1", "list of rules"),
        ([{"rate": 1}], "no `events` in rule 1", "list of rules"),
        ([{"events": [], "rate": 1}], "no `events` in rule 1", "list of rules"),
        ([{"events": "a", "rate": None}], "no `rate` in rule 1", "list of rules"),
        ([{"events": "a", "rate": 1}, {"event": "b", "rate": 1}], "an unknown key in rule 2", "Did you mean events?"),
        ([{"events": "a", "rate": 1, 5: 1}], "an unknown key in rule 1", "Known keys of a rule: events, rate, by."),
        ([{"events": "a", "rate": 2}], "2 as `rate` of rule 1", "from 0 to 1"),
        ([{"events": "a", "rate": 1, "by": "vistor"}], "'vistor' as `by` of rule 1", "one of session, user, trace"),
        ([{"events": "!", "rate": 1}], "no pattern after the ! of item 1 as `events` of rule 1", "patterns"),
        ("[" * 100_000, "text that is no JSON", "as JSON"),
    ],
)
def test_bad_rules(value: Any, found: str, fix: str) -> None:
    """The error says which rule and which key."""
    with pytest.raises(BadValueError) as caught:
        RULES.read(value)
    assert caught.value.found == found
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("{", "text that is no JSON"),
        ("invoice", "an entry without a category (entry 1)"),
        (7, "a number"),
        (["a"], "an entry without a category (entry 1)"),
        ({"invoice": ""}, "'' as the category of entry 1"),
        ({"invoice": None}, "nothing as the category of entry 1"),
        ({"a": "user", "invoice": "two words"}, "'two words' as the category of entry 2"),
        ({"invoice": "a.b"}, "'a.b' as the category of entry 1"),
        ({"": "user"}, "an empty string as the name of entry 1"),
        ({"!a": "user"}, "'!a' as the name of entry 1"),
        ({"..": "user"}, "'..' as the name of entry 1"),
        ({1.5: "user"}, "a number as the name of entry 1"),
    ],
)
def test_bad_categories(value: Any, found: str) -> None:
    """The error says which entry."""
    with pytest.raises(BadValueError) as caught:
        CATEGORIES.read(value)
    assert caught.value.found == found


def test_the_setting_is_named() -> None:
    """As for every other setting."""
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environ={"FOOTSPAN_SAMPLING_RULES": '[{"events": "a", "rte": 1}]'})
    assert str(caught.value) == "FOOTSPAN_SAMPLING_RULES: found an unknown key in rule 1. Did you mean rate?"


patterns = st.lists(st.from_regex(r"!?[a-z*.?]{1,8}", fullmatch=True), min_size=1, max_size=3)


@given(st.lists(st.builds(
    lambda events, rate, by: SamplingRule(events=tuple(events), rate=rate, by=by),
    patterns, st.floats(0, 1), st.sampled_from([None, "session", "user", "trace"])), max_size=4))  # fmt: skip
def test_rules_are_shown_as_they_are_read(rules: list[SamplingRule]) -> None:
    """Reading what is shown gives the same rules."""
    assert RULES.read(RULES.show(tuple(rules))) == tuple(rules)


@given(st.dictionaries(st.from_regex(r"[a-zA-Z*][a-zA-Z.*?é]{0,8}", fullmatch=True), st.sampled_from(["user", "x-1"])))
def test_categories_are_shown_as_they_are_read(categories: dict[str, str]) -> None:
    """Reading what is shown gives the same categories, in the same order."""
    read = CATEGORIES.read(categories)

    assert CATEGORIES.read(CATEGORIES.show(read)) == read
