"""Whose turn it is: apps yield to a dedicated deliverer, destination by destination, and take over again."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from delivery.rig import Rig, otlp
from footspan.delivery import standing
from footspan.spool import locks
from footspan.spool.base import Target
from footspan.spool.layout import Layout
from programs import run, start, until
from servers.otlp import OtlpSink

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET = Target("otlp-0123456789ab", "otlp", "otlp")


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """An empty spool."""
    found = Layout(tmp_path / "shop")
    found.prepare()
    return found


def test_an_app_carries_where_nobody_stands(layout: Layout) -> None:
    """Looking makes nothing on disk."""
    assert standing.Yielding(layout).mine(TARGET)
    assert standing.who(layout, TARGET.id) == {}
    assert list(Path(layout.destinations).iterdir()) == []


def test_whoever_stands_is_known_and_makes_others_wait(layout: Layout) -> None:
    """A deliverer says who it is; apps yield until it lets go."""
    deliverer = standing.Dedicated(layout, {"spawned": {"settings": "x"}})
    assert deliverer.mine(TARGET)

    assert deliverer.stands_for == {TARGET.id}
    assert not standing.Yielding(layout).mine(TARGET)
    who = standing.who(layout, TARGET.id)
    assert (os.getpid(), {"settings": "x"}) == (who["pid"], who["spawned"])
    deliverer.release()
    assert standing.Yielding(layout).mine(TARGET)
    assert standing.who(layout, TARGET.id) == {}


def test_the_second_deliverer_stands_by(layout: Layout) -> None:
    """It gets the place when the first one lets go, and says so."""
    first, second = standing.Dedicated(layout), standing.Dedicated(layout)
    assert first.mine(TARGET)
    assert not second.mine(TARGET)
    assert second.stands_for == frozenset()
    first.release()

    assert second.mine(TARGET)
    assert second.stands_for == {TARGET.id}
    second.release()


def test_a_place_that_was_deleted_is_taken_anew(layout: Layout) -> None:
    """Somebody emptied the folder: the lock of a file that is gone keeps nobody away, so it is no place."""
    deliverer = standing.Dedicated(layout)
    assert deliverer.mine(TARGET)
    Path(layout.destination(TARGET.id), "standing").unlink()
    assert standing.Yielding(layout).mine(TARGET)

    assert deliverer.mine(TARGET)
    assert not standing.Yielding(layout).mine(TARGET)
    deliverer.release()


def test_a_death_frees_the_place(layout: Layout) -> None:
    """The system does it, whatever the end was like."""
    program = """
        import os, signal, sys
        from footspan.delivery import standing
        from footspan.spool.base import Target
        from footspan.spool.layout import Layout
        layout, target = Layout(sys.argv[1]), Target("otlp-0123456789ab", "otlp", "otlp")
        assert standing.Dedicated(layout).mine(target)
        os.write(1, b"stands")
        os.kill(os.getpid(), signal.SIGKILL)
    """
    assert run(program, None, layout.root).stdout == "stands"

    assert standing.Yielding(layout).mine(TARGET)
    assert json.loads(Path(layout.destination(TARGET.id), "standing.json").read_bytes())["pid"] != os.getpid()
    assert standing.who(layout, TARGET.id) == {}


def test_writers_are_seen_from_outside_only(layout: Layout) -> None:
    """What this process itself holds open is no app that lives."""
    lock = locks.acquire(f"{layout.events}/0123456789ab-0123456789ab.lock")
    assert lock is not None
    assert not standing.writers_alive(layout)
    lock.release()
    program = """
        import sys
        from footspan.spool import locks
        lock = locks.acquire(sys.argv[1])
        print(lock is not None, flush=True)
        sys.stdin.read()
    """
    other = start(program, None, f"{layout.events}/0123456789ab-0123456789ab.lock")
    assert other.stdout is not None
    assert other.stdout.readline() == "True\n"
    assert standing.writers_alive(layout)
    other.communicate(timeout=30)
    assert not standing.writers_alive(layout)


@pytest.fixture
def rig(tmp_path: Path, otlp_sink: OtlpSink) -> Iterator[Rig]:
    """A service with one destination."""
    made = Rig(tmp_path / "spool", [otlp(otlp_sink.url, max_items=10)])
    yield made
    made.close(0.2)


def folder(rig: Rig) -> Layout:
    """The rig's spool."""
    return rig.spool.layout  # type: ignore[attr-defined,no-any-return]


def carries(rig: Rig) -> bool:
    """Whether the rig's courier holds its destination."""
    return bool(rig.courier.status()["destinations"]["otlp"]["here"])


def test_a_courier_gives_up_between_batches_and_comes_back(rig: Rig, otlp_sink: OtlpSink) -> None:
    """The batch under way is finished and noted, nothing else is begun; afterwards nothing is missing or doubled."""
    otlp_sink.faults.latency = 0.01
    uids = rig.write(1)
    assert until(lambda: len(otlp_sink.events) == 1)
    deliverer = standing.Dedicated(folder(rig))
    assert deliverer.mine(Target(rig.destinations[0].id, "otlp", "otlp"))
    uids += rig.write(100)
    assert until(lambda: not carries(rig))
    arrived = len(otlp_sink.events)
    uids += rig.write(10)

    assert rig.courier.flush(0.5) == {"otlp": len(uids) - arrived}
    assert len(otlp_sink.events) == arrived
    deliverer.release()
    assert until(lambda: len(otlp_sink.events) == len(uids))
    assert carries(rig)
    assert Counter(str(event["uid"]) for event in otlp_sink.events) == Counter(uids)


def test_a_courier_keeps_what_nobody_stands_for(tmp_path: Path, otlp_sink: OtlpSink) -> None:
    """A deliverer that knows one destination does not stop an app from carrying the other."""
    with OtlpSink() as other:
        rig = Rig(tmp_path / "spool", [otlp(otlp_sink.url), otlp(other.url, "other")])
        try:
            deliverer = standing.Dedicated(folder(rig))
            assert deliverer.mine(Target(rig.destinations[0].id, "otlp", "otlp"))
            rig.write(5)

            assert until(lambda: rig.courier.flush(0.0) == {"otlp": 5, "other": 0})
            assert (5, 0) == (len(other.events), len(otlp_sink.events))
            deliverer.release()
        finally:
            rig.close()


def test_an_ending_app_leaves_at_once_where_somebody_stands(rig: Rig, otlp_sink: OtlpSink) -> None:
    """Exit work is the deliverer's as well."""
    deliverer = standing.Dedicated(folder(rig))
    assert deliverer.mine(Target(rig.destinations[0].id, "otlp", "otlp"))
    rig.write(5)
    rig.courier.shutdown(20.0)

    assert otlp_sink.events == []
    deliverer.release()


def test_what_a_destination_asked_for_holds_for_the_next_carrier(tmp_path: Path, otlp_sink: OtlpSink) -> None:
    """Its own pauses begin anew, but nothing is sent before the time that the destination named."""
    otlp_sink.faults.answer(429, headers={"Retry-After": "2"}, times=1)
    first = Rig(tmp_path / "spool", [otlp(otlp_sink.url)])
    first.write(1)
    assert until(lambda: len(otlp_sink.requests) == 1)
    answered = time.monotonic()
    assert until(lambda: first.courier.status()["destinations"]["otlp"]["state"] == "waiting")
    first.close(0.2)
    second = Rig(tmp_path / "spool", [otlp(otlp_sink.url)])
    second.write(1)
    assert until(lambda: second.courier.status()["destinations"]["otlp"]["reason"] == "retry_after")
    assert len(otlp_sink.requests) == 1
    assert until(lambda: len(otlp_sink.events) == 2)
    assert time.monotonic() - answered > 1.5
    second.close()
