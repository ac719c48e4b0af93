"""Tests for footspan.gateway.intake: what is kept of a record, and what never reaches the disk."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import footspan
from footspan.config import load_settings
from footspan.gateway.intake import Intake, Receipt
from footspan.gateway.refusal import Refusal
from footspan.otlp_json.parse import decode
from footspan.pipeline import Pipeline
from gateway.running import TIME, record, request
from spooled import Spooled, spooled

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_STORED = 1024 * 1024


@pytest.fixture
def pipelines() -> Iterator[list[Pipeline]]:
    """Pipelines made here are closed."""
    made: list[Pipeline] = []
    yield made
    for pipeline in made:
        pipeline.close()


@pytest.fixture
def intake(pipelines: list[Pipeline]) -> Intake:
    """An intake that no destination empties."""
    pipelines.append(Pipeline(load_settings(overrides={"service_name": "gateway", "service_version": "9"})))
    return Intake(pipelines[0], MAX_STORED)


def take(intake: Intake, *records: dict[str, Any], **resource: str) -> Receipt:
    """Give it a request."""
    data = request(*records, resource=resource)
    return intake.take(decode(data), len(data))


def on_disk() -> str:
    """Everything that the spool's folder holds."""
    root = Path(os.environ["XDG_STATE_HOME"])
    return "".join(path.read_bytes().decode("latin-1") for path in root.rglob("*") if path.is_file())


def only() -> Spooled:
    """The one event in the spool."""
    (event,) = spooled()
    return event


def test_an_event_stays_what_it_was(intake: Intake) -> None:
    """Name, uid, times, ids, severity, body, counts, resource and scope; nothing of the gateway's own is added."""
    given = record(
        uid="their-own-id",
        observedTimeUnixNano="1700000000000000007",
        severityNumber=17,
        body={"stringValue": "hello"},
        flags=1,
        traceId="0AF7651916CD43DD8448EB211C80319C",
        spanId="b7ad6b7169203331",
        droppedAttributesCount=3,
        attributes={"plan": "pro"},
    )
    with footspan.context(user_id="of-this-process"):
        assert Receipt(1) == take(intake, given, **{"service.name": "theirs"})

    event = only()
    assert {"service.name": "theirs"} == event.resource
    assert {"log.record.uid": "their-own-id", "plan": "pro"} == event.attributes
    expected = {
        "timeUnixNano": str(TIME),
        "eventName": "order.placed",
        "observedTimeUnixNano": "1700000000000000007",
        "severityNumber": 17,
        "body": {"stringValue": "hello"},
        "flags": 1,
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "droppedAttributesCount": 3,
    }
    assert expected == {key: value for key, value in event.record.items() if key != "attributes"}
    assert '"scope":{"name":"their.library","version":"7"}' in on_disk()


def test_what_is_personal_never_reaches_the_disk(intake: Intake) -> None:
    """In attributes, body, name, resource, scope and in the two attributes that pass for our own events."""
    secrets = ("hunter2", "a@shop.example", "b@shop.example", "c@shop.example", "d@shop.example", "e@shop.example")
    given = record(
        "mail.a@shop.example",
        uid="b@shop.example",
        body={"stringValue": "to c@shop.example"},
        attributes={"password": "hunter2", "footspan.redacted": "d@shop.example"},
    )
    take(intake, given, owner="e@shop.example")

    assert only().attributes["password"] == "[secret]"
    assert [] == [secret for secret in secrets if secret in on_disk()]


def test_a_missing_id_is_the_same_for_the_same_event(intake: Intake) -> None:
    """An event that is sent twice, because an answer was lost, can be known again; any other event has another id."""
    take(intake, record(), record(attributes={"n": "2"}), record(timeUnixNano=str(TIME + 1)))
    take(intake, record())
    take(intake, record(), host="another")
    first, *others, again, elsewhere = [event.uid for event in spooled()]

    assert first == again
    assert len({first, *others, elsewhere}) == 4
    assert first[14] == "8"  # the version of ids that are made in a way of one's own


def test_a_missing_id_tells_nothing_of_what_was_removed(intake: Intake) -> None:
    """Two events that differ in a secret only have the same id: a hash would let the secret be guessed."""
    for password in ("hunter2", "hunter3"):
        take(intake, record(attributes={"password": password}))
    one, other = spooled()

    assert one.uid == other.uid


def test_events_without_any_time_get_ids_and_a_time(intake: Intake) -> None:
    """Nothing tells them apart, so the id is made at random; their time is that of their arrival."""
    take(intake, record(timeUnixNano="0"), record(timeUnixNano="0"))
    one, other = spooled()

    assert one.uid != other.uid
    assert int(one.record["timeUnixNano"]) > TIME


def test_plain_log_records_are_refused_and_counted(intake: Intake, pipelines: list[Pipeline]) -> None:
    """The events beside them are kept; the message says what the matter is."""
    receipt = take(intake, record(None), record(), record(None))

    assert (1, 2) == (receipt.accepted, receipt.rejected)
    assert "without an event name" in receipt.message
    assert only().name == "order.placed"
    counters: Any = pipelines[0].spool.status()["counters"]
    assert sum(counters.values()) >= 2


def test_sampling_is_not_the_senders_fault(pipelines: list[Pipeline]) -> None:
    """What the gateway's own settings leave out is accepted and gone."""
    settings = load_settings(overrides={"service_name": "gateway", "sampling": {"enabled": True, "rate": 0.0}})
    pipelines.append(Pipeline(settings))

    assert Receipt(1) == take(Intake(pipelines[0], MAX_STORED), record(uid="u"))
    assert [] == spooled()


def test_a_resource_may_not_multiply_without_bounds(intake: Intake) -> None:
    """Every stored event has its resource with it: few bytes could become many. Then nothing is kept."""
    with pytest.raises(Refusal) as refused:
        take(intake, *(record(uid=str(n)) for n in range(100)), long="x" * 20_000)

    assert refused.value.status == 413
    assert [] == spooled()


@pytest.mark.parametrize(("durability", "kept"), [("process", False), ("memory", True)])
def test_memory_that_nobody_asked_for_is_no_place_to_keep(
    durability: str, kept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pipelines: list[Pipeline]
) -> None:
    """Where the settings want a disk and there is none, nothing is acknowledged; memory on purpose is."""
    nowhere = tmp_path / "file"
    nowhere.touch()
    monkeypatch.setattr(tempfile, "gettempdir", lambda: str(nowhere))
    spool = {"directory": str(nowhere), "durability": durability}
    pipelines.append(Pipeline(load_settings(overrides={"service_name": "gateway", "spool": spool})))
    intake = Intake(pipelines[0], MAX_STORED)

    assert kept == intake.ready
    if kept:
        assert Receipt(1) == take(intake, record())
    else:
        with pytest.raises(Refusal) as refused:
            take(intake, record())
        assert refused.value.status == 503
