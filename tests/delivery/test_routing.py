"""Routing: which destination takes an event."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from delivery.doubles import line
from footspan.delivery import accepts
from footspan.delivery.routing import Why, decide
from footspan.spool.base import Target


def target(name: str = "umami", events: tuple[str, ...] | None = None) -> Target:
    """A destination as the spool knows it."""
    return Target(f"{name}-000000000000", name, "umami", events)


def test_an_event_that_names_its_destination_goes_there_only() -> None:
    """``footspan.destination`` wins over patterns, for and against."""
    event = line("user.login", destination="umami")

    assert accepts(target("umami", ("payment.*",)), event)
    assert not accepts(target("otlp", None), event)


def test_category_attribute_is_what_patterns_see() -> None:
    """The category an event carries counts before the one its name stands for."""
    assert accepts(target(events=("payment.*",)), line("user.login", category="payment"))
    assert accepts(target(events=("payment.*",)), line("checkout.completed"))
    assert not accepts(target(events=("payment.*",)), line("user.login"))


# -- against a matcher that is slow and plain --------------------------------------------------------------------------

WORDS = st.text("ab.", max_size=6)
PATTERN = st.builds(str.__add__, st.sampled_from(["", "", "!"]), st.text("ab.*?", min_size=1, max_size=6))


def fits(pattern: str, text: str) -> bool:
    """Every way to share a text out among stars."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(fits(pattern[1:], text[cut:]) for cut in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and fits(pattern[1:], text[1:])


def naive(patterns: list[str] | None, name: str, category: str) -> bool:
    """The rule as the page on settings has it, word for word."""
    if patterns is None:
        return True
    subjects = [name, f"{category}.{name}"]
    excluded = [pattern[1:] for pattern in patterns if pattern.startswith("!")]
    included = [pattern for pattern in patterns if not pattern.startswith("!")]
    if any(fits(pattern, subject) for pattern in excluded for subject in subjects):
        return False
    if excluded and not included:
        return True
    return any(fits(pattern, subject) for pattern in included for subject in subjects)


@given(
    patterns=st.none() | st.lists(PATTERN, max_size=4),
    name=st.builds("e{}".format, WORDS),
    category=st.sampled_from(["a", "b", "ab", "a.b"]),
    destination=st.sampled_from(["", "", "", "umami", "otlp"]),
)
def test_routing_is_the_rule_of_the_settings(
    patterns: list[str] | None, name: str, category: str, destination: str
) -> None:
    """For any patterns and events; and the reason that people are given belongs to what is done."""
    events = None if patterns is None else tuple(patterns)
    event = line(name, category=category, destination=destination)
    taken = destination == "umami" if destination else naive(patterns, name, category)
    decision = decide(target(events=events), event)

    assert accepts(target(events=events), event) is taken
    assert decision.takes is taken
    assert taken is (decision.why in {Why.NAMED, Why.EVERYTHING, Why.MATCHED, Why.NOT_EXCLUDED})
    if decision.pattern:
        assert decision.pattern in (patterns or [])
        assert decision.matched in {name, f"{category}.{name}"}
        assert fits(decision.pattern.removeprefix("!"), decision.matched)


@pytest.mark.parametrize(
    ("events", "options", "expected"),
    [
        (None, {}, (True, Why.EVERYTHING, "", "")),
        (("user.*",), {}, (False, Why.NO_MATCH, "", "")),
        ((), {}, (False, Why.NO_MATCH, "", "")),
        (("payment.*",), {}, (True, Why.MATCHED, "payment.*", "payment.checkout.done")),
        (("checkout.*",), {}, (True, Why.MATCHED, "checkout.*", "checkout.done")),
        (("checkout.*", "!*.done"), {}, (False, Why.EXCLUDED, "!*.done", "checkout.done")),
        (("!user.*",), {}, (True, Why.NOT_EXCLUDED, "", "")),
        (("user.*",), {"destination": "umami"}, (True, Why.NAMED, "", "")),
        (None, {"destination": "otlp"}, (False, Why.NAMES_ANOTHER, "", "")),
    ],
)
def test_the_reason(events: tuple[str, ...] | None, options: dict[str, str], expected: tuple[object, ...]) -> None:
    """Each reason has a case, with the pattern that decided and what it matched."""
    decision = decide(target(events=events), line("checkout.done", category="payment", **options))

    assert (decision.takes, decision.why, decision.pattern, decision.matched) == expected
