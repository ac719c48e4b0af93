"""Tests for footspan.tracking.categories: categories of the settings drive routing and severity to the end."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import footspan
from footspan import conventions as c
from footspan import emit
from footspan.tracking import EventCategory
from spooled import spooled

if TYPE_CHECKING:
    from servers.otlp import OtlpSink

PAGE = Path(__file__).parents[2] / "docs" / "categories.md"
CATEGORIES = {"invoice": "payment", "ml.*": "generation", "oops": "error", "error.ignored": "system"}


def test_the_documented_values() -> None:
    """Plain texts, so that they can be compared, stored and passed as ``category=``."""
    values = {name: value for name, value in vars(EventCategory).items() if name.isupper()}

    assert values == {
        "USER": "user",
        "GENERATION": "generation",
        "PAYMENT": "payment",
        "ERROR": "error",
        "PERFORMANCE": "performance",
        "SYSTEM": "system",
    }
    assert tuple(values.values()) == c.CATEGORIES


def test_the_page_has_the_table() -> None:
    """Values and first parts, as they are in force."""
    rows = re.findall(r"^\| `([A-Z]+)` \| `([a-z]+)` \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    shown = {part: value for _, value, parts in rows for part in re.findall(r"`(\w+)`", parts)}

    assert [(name, value) for name, value, _ in rows] == [(value.upper(), value) for value in c.CATEGORIES]
    assert shown == c.CATEGORY_SYNONYMS


def test_a_call_may_name_a_category() -> None:
    """It counts before what the name says."""
    footspan.track("anything.at.all", category=EventCategory.PAYMENT)
    (event,) = spooled()

    assert event.attributes[c.CATEGORY] == "payment"


def test_categories_of_the_settings_route_events(otlp_sink: OtlpSink) -> None:
    """Patterns of destinations see them, for events of ``track`` and of OpenTelemetry alike."""
    footspan.init(
        service_name="shop",
        categories=CATEGORIES,
        destinations={"otlp": {"endpoint": otlp_sink.url, "events": ["payment.*", "generation.*"]}},
    )
    for _ in range(4):  # the later ones take the quick road
        footspan.track("invoice.sent", amount=1)
        footspan.track("cart.filled")
    emit.emit_event("ml.train", {})
    assert footspan.flush(20) == {"otlp": 0}

    assert sorted(event["name"] for event in otlp_sink.logs) == ["invoice.sent"] * 4 + ["ml.train"]


def test_categories_of_the_settings_give_the_severity() -> None:
    """An error by the settings is one; what they take out of the errors is none."""
    footspan.init(service_name="shop", courier="external", categories=CATEGORIES)
    for _ in range(4):
        footspan.track("oops")
        footspan.track("error.ignored")
        footspan.track("error.seen")
    found = {(each.name, each.attributes.get(c.CATEGORY), each.record["severityNumber"]) for each in spooled()}

    assert found == {("oops", "error", 17), ("error.ignored", "system", 9), ("error.seen", None, 17)}


def test_own_trackers_have_their_own(otlp_sink: OtlpSink) -> None:
    """One service's words are not another's."""
    footspan.init(service_name="shop", courier="external")
    mine = footspan.Tracker(
        service_name="bills", categories=CATEGORIES, destinations={"otlp": {"endpoint": otlp_sink.url}}
    )
    mine.track("oops")
    footspan.track("oops")
    assert mine.flush(20) == {"otlp": 0}
    mine.shutdown()

    assert [event["severity_number"] for event in otlp_sink.logs] == [17]
    assert [event.record["severityNumber"] for event in spooled() if event.resource[c.SERVICE_NAME] == "shop"] == [9]
