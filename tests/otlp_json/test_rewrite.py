"""A stored line with other attributes is the same event otherwise."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from destinations.making import line
from footspan import conventions as c
from footspan.otlp_json import LogLine
from footspan.otlp_json.bulk import CODE_MARK, WIRE_MARK, Lines, holds
from footspan.otlp_json.rewrite import rewritten

_VALUES = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | st.text()


def test_attributes_come_change_and_go() -> None:
    """In place; the rest of the record and its scope and resource stay as they are."""
    event = line("e", {"a": 1, "b": {"c": [1]}, "d": "x"}, body={"k": 1}, trace_id=3, span_id=4, flags=1, dropped=2)
    found = rewritten(event, {"a": 2, "new": "n"}, without=("d",))
    assert found.event.attributes == {c.LOG_RECORD_UID: event.uid, "a": 2, "b": {"c": [1]}, "new": "n"}
    assert dataclasses.replace(found.event, attributes={}) == dataclasses.replace(event.event, attributes={})
    assert found.suffix == event.suffix
    assert b'"droppedAttributesCount":2' in found.line


@given(st.dictionaries(st.text(min_size=1, max_size=20), _VALUES, max_size=8))
def test_nothing_changed_is_the_same_event(attributes: dict[str, object]) -> None:
    """Of any values."""
    event = line("e", attributes)
    assert rewritten(event).event == event.event


def test_what_holds_no_event_is_given_back() -> None:
    """As it is."""
    broken = LogLine(b"garbage")
    assert rewritten(broken, {"a": 1}).event.attributes in ({}, {"a": 1})


def test_a_search_in_many_lines() -> None:
    """In those that were checked and those that were not; what is known to be ordinary is not looked at."""
    one = line("e", {"text": c.CAMPAIGN_START_CODE, "nested": [c.WIRE]})
    two, three = line("e", {c.CAMPAIGN_START_CODE: "x"}), line("e", {c.WIRE: {"seed": {}}})
    for mark, marked in ((CODE_MARK, two), (WIRE_MARK, three)):
        assert not holds([one], mark)
        assert holds([one, marked], mark)
        assert holds(Lines([one, marked], [b"", b""]), mark)
        assert holds(Lines([marked.line], [b""])[:1], mark)
        assert not holds(Lines([one.line], [b""]), mark)
        assert not holds(Lines([marked.line], [b""], ordinary=True)[:1], mark)
