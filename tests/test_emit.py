"""Tests for footspan.emit."""

from __future__ import annotations

import time
import uuid
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider, LogRecordProcessor
from opentelemetry.sdk.resources import Resource

from collecting import Collecting
from footspan.emit import Draft, Emitter, new_uid


def emitter(*processors: LogRecordProcessor) -> Emitter:
    """An emitter whose logger leads to these processors."""
    provider = LoggerProvider(resource=Resource({}), shutdown_on_exit=False)
    for processor in processors:
        provider.add_log_record_processor(processor)
    return Emitter(provider.get_logger("scope"))


@given(st.integers(min_value=0, max_value=(1 << 48) * 1_000_000 - 1))
def test_uids_are_uuids_that_carry_their_time(time_ns: int) -> None:
    """Version, variant and milliseconds are where RFC 9562 puts them."""
    uid = uuid.UUID(new_uid(time_ns))

    assert (uid.version, uid.variant) == (7, uuid.RFC_4122)
    assert uid.int >> 80 == time_ns // 1_000_000


def test_uids_do_not_repeat() -> None:
    """A hundred thousand ids of one instant are all different."""
    assert len({new_uid(1) for _ in range(100_000)}) == 100_000


def test_our_processors_get_the_draft_itself() -> None:
    """While every processor is ours, nothing is copied or cleaned on the way."""
    processor = Collecting(ours=True)
    value = object()
    uid = emitter(processor).emit("x", {"k": value}, severity_number=17)
    draft: Any = processor.seen[0].log_record

    assert type(draft) is Draft
    assert draft.attributes == {"log.record.uid": uid, "k": value}
    assert draft.attributes["k"] is value
    assert (draft.severity_number, draft.severity_text) == (17, "ERROR")
    assert abs(draft.time_ns - time.time_ns()) < 60 * 10**9


def test_foreign_processors_get_what_the_sdk_can_digest() -> None:
    """With another processor present, values are made plain first: a cycle does not raise in the caller."""
    ours, foreign = Collecting(ours=True), Collecting(ours=False)
    cycle: dict[str, Any] = {}
    cycle["self"] = cycle
    uid = emitter(ours, foreign).emit("x", {"cycle": cycle, "big": 1 << 70, "n": 1}, time_ns=-5, body={"b": cycle})
    record: Any = foreign.seen[0].log_record
    attributes = dict(record.attributes or {})

    assert record is ours.seen[0].log_record
    assert attributes["log.record.uid"] == uid
    assert attributes["n"] == 1
    assert attributes["big"] == str(1 << 70)
    assert record.event_name == "x"
    assert record.severity_number is SeverityNumber.INFO
    assert record.timestamp is not None
    assert record.timestamp > 0


def test_a_processor_added_later_is_noticed() -> None:
    """The short way closes as soon as a foreign processor joins."""
    ours, foreign = Collecting(ours=True), Collecting(ours=False)
    provider = LoggerProvider(resource=Resource({}), shutdown_on_exit=False)
    provider.add_log_record_processor(ours)
    subject = Emitter(provider.get_logger("scope"))
    subject.emit("a", {})
    provider.add_log_record_processor(foreign)
    subject.emit("b", {})

    first: Any = ours.seen[0].log_record
    assert type(first) is Draft
    assert [record.log_record.event_name for record in foreign.seen] == ["b"]


def test_an_id_that_is_given_is_kept() -> None:
    """Replays and gateways keep the id that an event has."""
    assert emitter(Collecting(ours=True)).emit("x", {"log.record.uid": "mine"}) == "mine"
