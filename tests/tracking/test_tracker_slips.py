"""Tests for footspan.tracking.tracker: calls written as other products write them, and values at the edges."""

from __future__ import annotations

import datetime as dt
import logging
import uuid
from decimal import Decimal
from typing import Any

import pytest

import footspan
from footspan import _guard
from footspan.tracking.values import epoch_ns
from spooled import Spooled, spooled

track: Any = footspan.track  # what type checkers refuse is tried here
identify: Any = footspan.identify
page_view: Any = footspan.page_view


def only() -> Spooled:
    """The one event there is."""
    (event,) = spooled()
    return event


def counters() -> dict[str, int]:
    """What was counted so far."""
    return dict(footspan.status()["counters"])


def test_a_mapping_by_position_is_kept_and_named(caplog: pytest.LogCaptureFixture) -> None:
    """The slip everybody makes once costs no event and no exception; the log has the fix, and no payload."""
    with caplog.at_level(logging.WARNING, logger="footspan"):
        uids = [track("checkout.completed", {"plan": "premium", "seats": 3}, seats=4) for _ in range(5)]
    events = spooled()

    assert [event.uid for event in events] == uids
    assert {(event.attributes["plan"], event.attributes["seats"]) for event in events} == {("premium", 4)}
    assert counters()["invalid_call"] == 5
    said = [record.getMessage() for record in caplog.records if "track_event" in record.getMessage()]
    assert len(said) == 1
    assert "premium" not in said[0]


def test_a_slip_does_not_slip_through_on_the_quick_road() -> None:
    """A kind of event that is written the quick way is looked at no less."""
    for _ in range(4):
        footspan.track("x", n=1)
    track("x", {"lost": "no"}, n=1)

    assert spooled()[-1].attributes["lost"] == "no"


def test_what_is_no_mapping_is_kept_as_extra() -> None:
    """Two values by position, as where the user comes first, stay with the event."""
    track("u_1", "checkout.completed", {"plan": "pro"})
    event = only()

    assert event.name == "u_1"
    assert (event.attributes["extra"], event.attributes["plan"]) == ("checkout.completed", "pro")


def test_identify_and_page_view_take_the_slip_too() -> None:
    """Traits and properties in a mapping are traits and properties."""
    identify("u_1", {"plan": "pro"}, seats=2)
    page_view("/cart", {"title": "Cart"})
    identified, viewed = spooled()

    assert (identified.attributes["user.id"], identified.attributes["plan"], identified.attributes["seats"]) == (
        "u_1", "pro", 2,
    )  # fmt: skip
    assert (viewed.attributes["url.full"], viewed.attributes["footspan.page.title"]) == ("/cart", "Cart")


def test_an_event_without_a_name_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody's program ends for a forgotten name, or for another product's word for it; one line says so."""
    assert track()
    assert track(user_id="u_1", event="checkout.completed", properties={"plan": "pro"})
    assert [event.name for event in spooled()] == ["footspan.unnamed"] * 2
    assert spooled()[1].attributes["event"] == "checkout.completed"

    assert footspan.status()["counters"]["invalid_call"] == 2
    assert caplog.text.count("without a name") == 1
    assert "checkout.completed" not in caplog.text.partition("without a name")[2].partition("\n")[0]


def test_usual_objects_become_their_text() -> None:
    """Ids, amounts and times arrive readable; what is ``None`` does not arrive."""
    identifier = uuid.uuid4()
    when = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    footspan.track("x", id=identifier, amount=Decimal("1.10"), when=when, day=when.date(), nothing=None)
    attributes = only().attributes

    assert attributes["id"] == str(identifier)
    assert attributes["amount"] == "1.10"
    assert (attributes["when"], attributes["day"]) == ("2026-01-02T01:04:05Z", "2026-01-02")
    assert "nothing" not in attributes


def test_very_large_values_are_cut() -> None:
    """A megabyte in a property is no megabyte on disk, and its neighbours stay."""
    footspan.track("x", text="a" * 5_000_000, numbers=list(range(100_000)), good=1)
    attributes = only().attributes

    assert len(attributes["text"]) == 65_536
    assert len(attributes["numbers"]) == 1_000
    assert attributes["good"] == 1


def test_names_of_properties_need_not_be_text() -> None:
    """Numbers and the like name properties by their text; an empty name is none."""
    footspan.track_event("x", {1: "one", ("a", 2): "pair", None: "none", "": "empty", "good": 1})  # type: ignore[dict-item]
    attributes = only().attributes

    assert attributes["1"] == "one"
    assert attributes["good"] == 1
    assert "" not in attributes


def test_the_hosts_mapping_is_left_alone() -> None:
    """What is taken out of the properties is taken out of a copy."""
    mine = {"timestamp": 1_767_225_600, "category": "payment", "x": 1}
    footspan.track_event("x", mine)

    assert mine == {"timestamp": 1_767_225_600, "category": "payment", "x": 1}


class Zone(dt.tzinfo):
    """What every time zone has."""

    def dst(self, when: dt.datetime | None) -> None:
        return None

    def tzname(self, when: dt.datetime | None) -> str:
        return "odd"


class NoOffset(Zone):
    """A time zone that does not say how far it is from UTC."""

    def utcoffset(self, when: dt.datetime | None) -> None:
        return None


class Broken(Zone):
    """A time zone that raises."""

    def utcoffset(self, when: dt.datetime | None) -> dt.timedelta:
        raise LookupError


@pytest.mark.parametrize(
    "useless",
    [
        dt.datetime(2026, 1, 1, tzinfo=NoOffset()),
        dt.datetime(2026, 1, 1, tzinfo=Broken()),
        dt.datetime(9000, 1, 1, tzinfo=dt.timezone.utc),
        "2026-01-01T00:00:00Z",
    ],
    ids=["no offset", "broken zone", "year 9000", "text"],
)
def test_an_unusable_time_is_counted_and_costs_nothing_else(useless: Any) -> None:
    """The event happens now and keeps what it was given; the count tells the operator."""
    assert epoch_ns(useless) is None
    assert footspan.track("x", timestamp=useless)
    assert "timestamp" in only().attributes
    assert counters()["invalid_time"] == 1


def test_no_time_is_no_unusable_time() -> None:
    """``timestamp=None`` is nothing given."""
    footspan.track("x", timestamp=None)

    assert counters().get("invalid_time", 0) == 0
    assert "timestamp" not in only().attributes


def test_an_empty_category_is_none_on_either_road() -> None:
    """The first event of a kind and the tenth have one severity."""
    for _ in range(4):
        footspan.track("error.api", category="")

    assert {event.record["severityNumber"] for event in spooled()} == {17}


def test_an_exception_is_an_error_whatever_its_category() -> None:
    """``category`` in the extra data says where it goes, not how bad it is."""
    footspan.track_exception(LookupError("gone"), extra_data={"category": "payment"})

    assert only().record["severityNumber"] == 17
    assert only().attributes["footspan.event.category"] == "payment"


def test_switched_off_nothing_is_recorded_by_any_call() -> None:
    """Not by those either that do not take the quick road, and not although something was started before."""
    footspan.track("before")
    footspan.tracking.default_tracker.switch_off()
    calls = (
        footspan.track("x"), footspan.track_event("x"), footspan.page_view("/"), footspan.identify("u"),
        footspan.track_exception(LookupError()), track("x", {"a": 1}),
    )  # fmt: skip

    assert set(calls) == {""}
    assert [event.name for event in spooled()] == ["before"]


def test_a_bug_of_ours_stays_ours_in_a_slip_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong with what stands in the wrong place, the host goes on."""
    _guard.reraise_in_tests(False)
    monkeypatch.setattr("footspan.tracking.tracker.misplaced", lambda *_: 1 / 0)

    assert track("x", {"a": 1}) == ""


def test_identify_takes_the_id_by_name() -> None:
    """As people write it who have the other calls' ``user_id=`` in mind; by position it wins over a trait."""
    footspan.identify(user_id="u_1", plan="pro")
    footspan.Telemetry.get_instance().identify(user_id="u_2")
    identify("u_3", user_id="somebody else")

    assert [event.attributes["user.id"] for event in spooled()] == ["u_1", "u_2", "u_3"]
    assert spooled()[0].attributes["plan"] == "pro"


def test_an_exception_takes_properties_by_name() -> None:
    """A slip in a call that stands in an ``except`` block would hide what is being handled."""
    error = LookupError("gone")
    footspan.track_exception(error, user_id="u_1", order=7)
    footspan.Telemetry.get_instance().track_exception(error, "import.broken", {"line": 3, "order": 1}, order=8)
    first, second = spooled()

    assert (first.attributes["user.id"], first.attributes["order"]) == ("u_1", 7)
    assert (second.name, second.attributes["line"], second.attributes["order"]) == ("import.broken", 3, 8)


def test_the_instance_takes_what_the_functions_take() -> None:
    """``Telemetry``'s calls are the same ones: a name by keyword, a mapping by position."""
    telemetry: Any = footspan.Telemetry.get_instance()
    telemetry.track(event_name="a", name="n")
    telemetry.track("b", {"plan": "pro"})

    assert [(event.name, event.attributes.get("plan")) for event in spooled()] == [("a", None), ("b", "pro")]


@pytest.mark.parametrize("given", [5, "", None, ["a"], b"a"])
def test_the_id_that_comes_back_is_the_events(given: Any) -> None:
    """Also where a mapping from elsewhere has a key of that name, and no id under it."""
    uid = footspan.track_event("x", {"log.record.uid": given})

    assert uid
    assert [event.uid for event in spooled()] == [uid]
