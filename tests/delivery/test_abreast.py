"""Several requests at once, against real servers."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from delivery.rig import TESTS, Rig, otlp, umami
from footspan.otlp_json import encode_line, encode_record, encode_suffix
from programs import until

if TYPE_CHECKING:
    from pathlib import Path

    from servers.otlp import OtlpSink
    from servers.umami import UmamiServer

_SUFFIX = encode_suffix({"service.name": "shop"}, "footspan")


def event(user: int, number: int) -> bytes:
    """One stored line of a user's n-th event."""
    attributes = {"log.record.uid": f"u{user}.{number}", "user.id": f"u{user}", "url.path": f"/{number}"}
    return encode_line(encode_record(name=f"u{user}.{number}", time_ns=time.time_ns(), attributes=attributes), _SUFFIX)


def write(rig: Rig, users: int, each: int) -> None:
    """Events of some users, in turn."""
    for number in range(each):
        for user in range(users):
            rig.spool.append(event(user, number))
    rig.courier.wake()


def assert_in_order(names: list[str], users: int, each: int) -> None:
    """Every event once, each user's in the order in which they were written."""
    assert len(names) == len(set(names)) == users * each
    for user in range(users):
        mine = [name for name in names if name.startswith(f"u{user}.")]
        assert mine == [f"u{user}.{number}" for number in range(each)]


def test_a_umami_without_batches_gets_events_side_by_side_in_order(tmp_path: Path, umami_server: UmamiServer) -> None:
    """The hosted Umami: one event is one request, so several are under way; nobody's events are out of order."""
    umami_server.faults.no_batch(404)
    rig = Rig(tmp_path, [umami(umami_server.url, umami_server.website)])
    try:
        write(rig, users=7, each=12)
        assert until(lambda: rig.courier.flush(1.0) == {"umami": 0}, 30.0)
        assert_in_order([row["event_name"] for row in umami_server.events()], users=7, each=12)
    finally:
        rig.close()


@pytest.mark.parametrize("durable", [True, False])
def test_an_otlp_destination_with_concurrency(tmp_path: Path, otlp_sink: OtlpSink, *, durable: bool) -> None:
    """Refusals, busy answers and 415 in between: everything once, each user's events in order."""
    otlp_sink.accepts = ("application/x-protobuf",)
    otlp_sink.faults.latency = 0.005
    otlp_sink.faults.answer(503, headers={"Retry-After": "0"}, times=2)
    rig = Rig(tmp_path if durable else None, [otlp(otlp_sink.url, max_items=10, concurrency=4)])
    try:
        write(rig, users=9, each=40)
        assert until(lambda: rig.courier.flush(1.0) == {"otlp": 0}, 30.0)
        assert_in_order([record["name"] for record in otlp_sink.events], users=9, each=40)
    finally:
        rig.close()


def test_a_server_that_takes_small_requests_only_gets_small_ones(tmp_path: Path, otlp_sink: OtlpSink) -> None:
    """413 lowers the limit for all lanes, and nobody is refused."""
    otlp_sink.faults.answer(413, times=3)
    rig = Rig(tmp_path, [otlp(otlp_sink.url, max_items=100, concurrency=2)])
    try:
        write(rig, users=5, each=60)
        assert until(lambda: rig.courier.flush(1.0) == {"otlp": 0}, 30.0)
        assert_in_order([record["name"] for record in otlp_sink.events], users=5, each=60)
        assert rig.courier.status()["destinations"]["otlp"]["refused"] == {}
    finally:
        rig.close()


_PROGRAM = """
import json, sys, time
from pathlib import Path
from delivery.rig import Rig, otlp
from delivery.test_abreast import write
rig = Rig(Path(sys.argv[1]), [otlp(sys.argv[2], max_items=5, concurrency=4)])
if sys.argv[3] == "write":
    write(rig, users=9, each=40)
    print("written", flush=True)
    time.sleep(60)
deadline = time.monotonic() + 30
while rig.courier.flush(1.0)["otlp"] and time.monotonic() < deadline:
    pass
print(json.dumps(rig.courier.status()["destinations"]["otlp"]))
rig.close()
"""


@pytest.mark.slow
def test_a_carrier_killed_with_requests_abreast_repeats_at_most_its_window(tmp_path: Path, otlp_sink: OtlpSink) -> None:
    """The journal names the whole window, so a successor repeats that and no more, and nothing is lost."""
    otlp_sink.faults.latency = 0.03
    program = [sys.executable, "-c", _PROGRAM, str(tmp_path), otlp_sink.url]
    with subprocess.Popen([*program, "write"], cwd=TESTS, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        assert until(lambda: len(otlp_sink.events) >= 60, 30.0)
        process.kill()
        process.wait(20.0)
    otlp_sink.faults.latency = 0.0
    answer = subprocess.run([*program, "flush"], cwd=TESTS, stdout=subprocess.PIPE, check=True, timeout=60)
    ledger = json.loads(answer.stdout)

    assert (ledger["waiting"], ledger["accepted"]) == (0, 360)
    arrived = [record["name"] for record in otlp_sink.events]
    assert set(arrived) == {f"u{user}.{number}" for user in range(9) for number in range(40)}
    assert len(arrived) - 360 <= 4 * 5
