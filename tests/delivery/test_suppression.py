"""Tests for :mod:`footspan.delivery.suppression`: what was forgotten does not leave, whoever has it in hand."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from delivery.rig import Rig, otlp
from footspan import _guard
from footspan.delivery.suppression import Gate, without_withheld
from footspan.otlp_json import LogLine
from footspan.spool.blank import blank_of
from footspan.spool.forgetting import suppressed
from footspan.spool.forgetting.person import Person
from footspan.spool.forgetting.sweep import Sweep
from programs import until
from spool.making import having, line

if TYPE_CHECKING:
    from servers.otlp import OtlpSink

ADA = Person(ids=frozenset({"u_ada"}))


def put(rig: Rig, *who: str) -> None:
    """Append one event of each."""
    for number, user in enumerate(who):
        rig.spool.append(line(f"{user}-{number}", name="order.placed", **having({"user.id": user})))
    rig.courier.wake()


def root_of(rig: Rig) -> str:
    """The spool's folder."""
    return str(rig.spool.layout.root)  # type: ignore[attr-defined]


def figures(rig: Rig) -> dict[str, Any]:
    """The destination's part of the ledger."""
    [entry] = rig.spool.status()["destinations"].values()  # type: ignore[attr-defined]
    return dict(entry)


def test_without_a_list_nothing_is_parsed(tmp_path: Path) -> None:
    """A look at the file's time stamp is all."""
    gate = Gate([str(tmp_path)])
    event = LogLine(line("1", **having({"user.id": "u_ada"})))
    assert gate.version == 0
    assert not gate.concerns([event])
    assert gate.reason(event) == ""


def test_a_list_holds_at_once_and_until_it_ends(tmp_path: Path) -> None:
    """Each change of the list is seen at the next look; so is the end of an entry."""
    root, now = str(tmp_path), time.time()
    clock = [now]
    gate = Gate([root], clock=lambda: clock[0])
    event = LogLine(line("1", **having({"user.id": "u_ada"})))
    assert gate.version == 0
    entry = suppressed.add(root, ADA, expires=now + 10)
    first = gate.version
    assert gate.reason(event) == "suppressed"
    assert gate.reason(LogLine(line("2", **having({"user.id": "u_bob"})))) == ""
    clock[0] = now + 11
    assert gate.version > first
    assert gate.reason(event) == ""
    clock[0] = now
    suppressed.remove(root, [entry.id])
    assert gate.version > first
    assert gate.reason(event) == ""


def test_an_event_that_cannot_be_read_does_not_leave(tmp_path: Path) -> None:
    """Whose it is cannot be told while somebody is on the list."""
    suppressed.add(str(tmp_path), ADA, expires=None)
    gate = Gate([str(tmp_path)])
    assert gate.version
    damaged = line("1", **having({"user.id": "u_bob"})).replace(b'"attributes":[', b'"attributes":[[')
    assert gate.reason(LogLine(damaged)) == "suppressed"


def test_blank_records_need_no_list() -> None:
    """They are forgotten wherever they turn up."""
    gate = Gate([])
    blank = blank_of(LogLine(line("1", **having({"user.id": "u_ada"}))))
    assert gate.concerns([blank])
    assert gate.reason(blank) == "forgotten"


def test_figures_of_a_destinations_own() -> None:
    """What we withheld is no refusal."""
    assert without_withheld({"forgotten": 1, "suppressed": 2, "http_400": 3}) == {"http_400": 3}


@pytest.mark.parametrize("concurrency", [1, 4])
def test_what_a_carrier_holds_does_not_leave(tmp_path: Path, otlp_sink: OtlpSink, concurrency: int) -> None:
    """A batch that waits for its destination is looked through again before the next request."""
    otlp_sink.faults.down()
    rig = Rig(tmp_path, [otlp(otlp_sink.url, concurrency=concurrency, max_items=4)])
    put(rig, *["u_ada", "u_bob", "u_eve"] * 6)
    assert until(lambda: figures(rig)["carrier"].get("state") == "waiting")
    suppressed.add(root_of(rig), ADA, expires=None)
    Sweep(root_of(rig), ADA).run()
    otlp_sink.faults.up()
    rig.courier.flush(20.0)
    entry = figures(rig)
    assert "u_ada" not in str(otlp_sink.logs)
    assert len(otlp_sink.logs) == 12
    assert entry["delivered"] == 12
    assert sum(entry["refused"].values()) == 6
    assert entry["refused"].keys() <= {"suppressed", "forgotten"}
    assert (entry["accepted"], entry["waiting"]) == (18, 0)
    assert not list(Path(root_of(rig)).glob("rejected/*"))
    rig.courier.shutdown(2.0)


def test_what_comes_later_does_not_leave_either(tmp_path: Path, otlp_sink: OtlpSink) -> None:
    """Somebody who is on the list and goes on using the app."""
    rig = Rig(tmp_path, [otlp(otlp_sink.url)])
    suppressed.add(root_of(rig), ADA, expires=None)
    put(rig, "u_ada", "u_bob", "u_ada")
    rig.courier.flush(20.0)
    entry = figures(rig)
    assert (entry["delivered"], entry["refused"], entry["waiting"]) == (1, {"suppressed": 2}, 0)
    rig.courier.shutdown(2.0)


def test_refused_and_forgotten_is_not_kept(tmp_path: Path, otlp_sink: OtlpSink) -> None:
    """An answer that comes after the person was forgotten puts nothing of theirs among the refused events."""
    otlp_sink.faults.answer(400, times=1)
    rig = Rig(tmp_path, [otlp(otlp_sink.url)])
    root = root_of(rig)

    def while_it_answers(_events: object, _outcome: object) -> None:
        suppressed.add(root, ADA, expires=None)
        Sweep(root, ADA).run()

    rig.destinations[0].on_outcome = while_it_answers
    put(rig, "u_ada")
    rig.courier.flush(20.0)
    entry = figures(rig)
    assert entry["waiting"] == 0
    assert entry["refused"] == {"http_400": 1}
    assert not list(Path(root).glob("rejected/*"))
    rig.courier.shutdown(2.0)


def test_a_damaged_list_stops_delivery_and_loses_nothing(tmp_path: Path, otlp_sink: OtlpSink) -> None:
    """Whom it names is not known, so nothing leaves until it can be read again."""
    _guard.reraise_in_tests(False)
    rig = Rig(tmp_path, [otlp(otlp_sink.url)])
    path = Path(root_of(rig)) / "suppressed.json"
    path.write_bytes(b"damaged")
    put(rig, "u_bob")
    rig.courier.flush(1.0)
    assert figures(rig)["waiting"] == 1
    path.unlink()
    rig.courier.flush(20.0)
    assert figures(rig)["delivered"] == 1
    rig.courier.shutdown(2.0)
