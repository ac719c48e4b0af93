"""A batch dealt out to lanes: nobody's events in two of them."""

from __future__ import annotations

import random

import pytest

from delivery.doubles import stored
from delivery.test_fanout import _SUFFIX, in_order, names, of, users_events
from footspan.delivery.fanout import deal
from footspan.otlp_json import LogLine, encode_line, encode_record


@pytest.mark.parametrize("seed", range(10))
def test_dealing_keeps_every_event_once_and_every_user_in_one_lane_in_order(seed: int) -> None:
    """Whatever the mix: no lane shares a user with another, and nothing is lost."""
    dice = random.Random(seed)
    events = users_events(seed, users=7, count=60)
    for number in range(20):
        events.insert(dice.randrange(len(events)), of(f"nobody.{number}"))
    lanes = deal(events, 4)

    assert sorted(name for lane in names(lanes) for name in lane) == sorted(event.name for event in events)
    owners = [{name.partition(".")[0] for name in lane} - {"nobody"} for lane in names(lanes)]
    assert sum(map(len, owners)) == len(set().union(*owners))
    assert all(in_order([name for name in lane if name[0] == "u"]) for lane in names(lanes))


def test_lanes_are_about_equally_long() -> None:
    """One busy user has a lane of his own; the others share the rest."""
    events = [of(f"busy.{number}", user="busy") for number in range(30)]
    events += [of(f"u{number}.0", user=f"u{number}") for number in range(30)]
    lanes = names(deal(events, 3))

    assert sorted(map(len, lanes)) == [15, 15, 30]
    assert next(lane for lane in lanes if len(lane) == 30) == [f"busy.{number}" for number in range(30)]


def test_a_session_that_becomes_a_user_stays_with_him() -> None:
    """What came before ``identify`` without a user, and what comes after it without the session, is one person's."""
    events = [
        of("a", session="s1"),
        *(of(f"other{number}", user=f"o{number}") for number in range(9)),
        of("footspan.identify", user="u1", session="s1"),
        of("b", user="u1"),
        of("c", session="s1"),
    ]
    lanes = names(deal(events, 4))

    assert [name for name in next(lane for lane in lanes if "a" in lane) if "other" not in name] == [
        "a",
        "footspan.identify",
        "b",
        "c",
    ]


def test_events_of_nobody_are_spread_in_stretches() -> None:
    """Anonymous events may go side by side, neighbours together."""
    assert names(deal([of(f"n{number}") for number in range(6)], 3)) == [["n0", "n1"], ["n2", "n3"], ["n4", "n5"]]


def test_a_user_whose_id_is_no_text_is_a_user_too() -> None:
    """Numbers are ids as well."""
    record = encode_record(name="x", time_ns=1, attributes={"log.record.uid": "1", "user.id": 7})
    events = [LogLine(encode_line(record, _SUFFIX)), of("other", user="o"), LogLine(encode_line(record, _SUFFIX))]

    assert sorted(names(deal(events, 2))) == [["other"], ["x", "x"]]


def test_nothing_of_a_stored_line_is_needed_to_deal_it() -> None:
    """Lines of other writers without any owner are dealt as well."""
    events = [LogLine(stored("plain")) for _ in range(5)]

    assert sum(map(len, deal(events, 3))) == 5
