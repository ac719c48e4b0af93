"""Routing: which destination takes an event."""

from __future__ import annotations

from delivery.doubles import line
from footspan.delivery import accepts
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
