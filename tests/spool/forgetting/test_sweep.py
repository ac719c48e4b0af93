"""Tests for :mod:`footspan.spool.forgetting.sweep`: nothing of a person is left, and nothing else is touched."""

from __future__ import annotations

import base64
import json
import os
import random
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from footspan.delivery.suppression import Gate
from footspan.otlp_json import LogLine
from footspan.spool import sidefiles
from footspan.spool.base import Tally
from footspan.spool.blank import Blank, blank_of
from footspan.spool.forgetting.person import Person
from footspan.spool.forgetting.suppressed import add
from footspan.spool.forgetting.sweep import BusyError, Found, Stopped, Sweep, linked_to
from footspan.spool.locks import acquire
from footspan.spool.reading import read_line
from otlp_json.test_span_lines import stored as stored_span
from spool.making import OTLP, T0, UMAMI, drain, having, line, open_disk, segments, stored, the_feed

if TYPE_CHECKING:
    from footspan.spool.disk import DiskSpool

ADA = Person(ids=frozenset({"u_ada"}))


def sweep(root: Path, person: Person = ADA, **options: Any) -> Found:
    """One sweep."""
    return Sweep(str(root), person, **options).run()


def settle_one(feed: Any, items: int = 5) -> tuple[list[str], int] | None:
    """Deliver one batch as a carrier does: the ids delivered, and how many events were withheld."""
    batch = feed.take(items, 1 << 20)
    if batch is None:
        return None
    gate = Gate(feed.roots)
    assert gate.version >= 0
    tally = Tally()
    arrived = []
    for event in batch.events:
        reason = gate.reason(event)
        if reason:
            tally.refuse(reason)
        else:
            arrived.append(event.uid)
    tally.delivered = len(arrived)
    feed.sending(batch)
    feed.done(batch, tally)
    return arrived, sum(tally.refused.values())


def settle_all(feed: Any) -> tuple[list[str], int]:
    """Deliver everything."""
    arrived: list[str] = []
    withheld = 0
    while (found := settle_one(feed)) is not None:
        arrived += found[0]
        withheld += found[1]
    return arrived, withheld


def entry_of(spool: DiskSpool, target: Any = UMAMI) -> dict[str, Any]:
    """A destination's figures."""
    found: dict[str, Any] = spool.status()["destinations"][target.id]
    return found


def test_what_waits_is_forgotten_and_counted(tmp_path: Path) -> None:
    """The lines keep their places; others' events arrive in order; the figures add up at every moment."""
    spool = open_disk(tmp_path)
    for number in range(10):
        spool.append(line(str(number), **having({"user.id": "u_ada" if number % 3 == 0 else "u_bob"})))
    size = len(stored(tmp_path))
    found = sweep(tmp_path)

    assert found.events == {"events": 4}
    assert found.clean
    assert len(stored(tmp_path)) == size
    assert b"u_ada" not in stored(tmp_path)
    assert entry_of(spool)["waiting"] == 10
    assert entry_of(spool)["accepted"] == 10
    feed = the_feed(spool)
    assert settle_all(feed) == (["1", "2", "4", "5", "7", "8"], 4)
    entry = entry_of(spool)
    assert (entry["delivered"], entry["refused"], entry["waiting"]) == (6, {"forgotten": 4}, 0)
    feed.close()
    spool.close()


def test_a_batch_in_hand_is_not_disturbed(tmp_path: Path) -> None:
    """A carrier that has read the lines finishes them; a part that it gives back is found blank, and counted."""
    spool = open_disk(tmp_path)
    for number in range(4):
        spool.append(line(str(number), **having({"user.id": "u_ada" if number == 3 else "u_bob"})))
    feed = the_feed(spool)
    batch = feed.take(10, 1 << 20)
    sweep(tmp_path)
    assert feed.settle(batch, list(batch.events)[2:], Tally(delivered=2))
    assert settle_all(feed) == (["2"], 0)
    entry = entry_of(spool)
    assert (entry["delivered"], entry["refused"], entry["waiting"]) == (3, {"forgotten": 1}, 0)
    assert entry["accepted"] == 4
    feed.close()
    spool.close()


def test_the_age_of_a_segment_stays(tmp_path: Path) -> None:
    """Retention counts from the last event, not from the sweep."""
    spool = open_disk(tmp_path)
    spool.append(line("1", **having({"user.id": "u_ada"})))
    [segment] = segments(tmp_path)
    os.utime(segment, (1_000_000, 1_000_000))
    sweep(tmp_path)

    assert b"u_ada" not in stored(tmp_path)
    assert segment.stat().st_mtime == 1_000_000
    spool.close()


@pytest.mark.parametrize(
    "attributes",
    [
        {"user.id": "u_ada"},
        {"enduser.pseudo.id": "u_ada"},
        {"customer": "u_ada"},
        {"cart": {"owner": {"ids": ["x", "u_ada"]}}},
        {"payload": json.dumps({"who": {"id": "u_ada"}})},
        {"url.full": "https://shop.example/profile?user=u_ada&tab=1"},
        {"url.path": "/users/u_ada/orders"},
        {"url.query": "a=1&who=u_ada"},
        {"raw": b"u_ada"},
    ],
    ids=str,
)
def test_where_an_id_may_stand(tmp_path: Path, attributes: dict[str, Any]) -> None:
    """Any whole value: an attribute, one inside another, in JSON, in an address, in bytes."""
    spool = open_disk(tmp_path)
    spool.append(line("1", **attributes))
    assert sweep(tmp_path).events == {"events": 1}
    data = stored(tmp_path)
    assert b"u_ada" not in data
    assert base64.b64encode(b"u_ada") not in data
    spool.close()


@pytest.mark.parametrize(
    "attributes",
    [
        {"user.id": "u_ada2"},
        {"user.id": "xu_ada"},
        {"note": "asked about u_ada today"},
        {"user.id": "U_ADA"},
        {"u_ada": "key"},
        {"note": "who=u_ada and more"},
        {"note": "see https://shop.example/u_ada for more"},
        {"url.path": "/u_adam"},
    ],
    ids=str,
)
def test_no_part_of_a_value(tmp_path: Path, attributes: dict[str, Any]) -> None:
    """Somebody else's event stays as it is, to the byte."""
    spool = open_disk(tmp_path)
    spool.append(line("1", **attributes))
    before = stored(tmp_path)
    assert sweep(tmp_path).events == {}
    assert stored(tmp_path) == before
    spool.close()


def test_numbers_count_under_a_key_that_tells_of_an_id(tmp_path: Path) -> None:
    """The bot's user 4711 is not everybody who bought 4711 things."""
    spool = open_disk(tmp_path)
    spool.append(line("1", telegram_user_id=4711))
    spool.append(line("2", quantity=4711))
    found = sweep(tmp_path, Person(ids=frozenset({"4711"})))

    assert found.events == {"events": 1}
    assert b'"4711"' in stored(tmp_path)
    spool.close()


def test_named_ids_count_in_identity_alone(tmp_path: Path) -> None:
    """An id that may be anything is looked for only where identity stands."""
    spool = open_disk(tmp_path)
    spool.append(line("1", **having({"user.id": "admin"})))
    spool.append(line("2", role="admin"))
    assert sweep(tmp_path, Person(named=frozenset({"admin"}))).events == {"events": 1}
    assert b'"role"' in stored(tmp_path)
    spool.close()


def test_addresses_are_blind_to_case(tmp_path: Path) -> None:
    """An e-mail address is the same however it is written."""
    spool = open_disk(tmp_path)
    spool.append(line("1", **having({"user.email": "Ada@Shop.Example"})))
    sweep(tmp_path, Person(emails=frozenset({"ada@shop.example"})))
    assert b"Ada" not in stored(tmp_path)
    spool.close()


HOSTILE = [
    "a.*",
    "[",
    "(?i)x",
    "ü-ß-😀",
    'quo"te',
    "back\\slash",
    "new\nline",
    "x" * 40_000,
    "%41",
    "\u2028",
    "a b+c",
    "\x7f",
]


@pytest.mark.parametrize("identifier", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_ids(tmp_path: Path, identifier: str) -> None:
    """Whatever an id is made of, it is compared, never interpreted."""
    spool = open_disk(tmp_path)
    spool.append(line("1", **having({"user.id": identifier, "page": f"/p?u={quote(identifier)}"})))
    spool.append(line("2", **having({"user.id": "another"})))
    assert sweep(tmp_path, Person(ids=frozenset({identifier}))).events == {"events": 1}
    data = stored(tmp_path)
    for spelling in (identifier.encode(), quote(identifier).encode(), json.dumps(identifier).encode()):
        assert len(identifier) < 3 or spelling not in data
    feed = the_feed(spool)
    assert settle_all(feed) == (["2"], 1)
    feed.close()
    spool.close()


def test_routing_stays_as_it_was(tmp_path: Path) -> None:
    """A destination that did not take an event does not count its blank record, either."""
    spool = open_disk(tmp_path, UMAMI, OTLP)
    event = LogLine(
        line(
            "1",
            name="payment.done",
            **having({"footspan.event.category": "x", "footspan.destination": "otlp", "k": "u_ada"}),
        )
    )
    blank = blank_of(event)
    assert (blank.name, blank.category, blank.destination) == (event.name, event.category, event.destination)
    assert blank.uid == ""
    assert blank.time_ns % 3_600_000_000_000 == 0
    spool.close()


def test_refused_and_quarantined(tmp_path: Path) -> None:
    """What a destination refused, and bytes that were no event, are blank as well; what stays can be read."""
    spool = open_disk(tmp_path)
    for uid, who in (("1", "u_ada"), ("2", "u_bob")):
        sidefiles.reject(spool.layout, UMAMI.id, line(uid, **having({"user.id": who})), "http_400", 400)
    quarantine = sidefiles.Quarantine(spool.layout)
    quarantine.keep("a-segment", 7, b'torn "u_ada"')
    quarantine.keep("a-segment", 70, b"torn u_bob")
    found = sweep(tmp_path)

    assert found.events == {"rejected": 1}
    assert found.damaged == 1
    rejected = Path(spool.layout.rejects(UMAMI.id)).read_bytes()
    assert b"u_ada" not in rejected
    assert b"u_bob" in rejected
    kept = [json.loads(each) for each in (tmp_path / "quarantine/a-segment.jsonl").read_bytes().splitlines()]
    assert [base64.b64decode(each["base64"]) for each in kept] == [b"", b"torn u_bob"]
    assert sidefiles.Quarantine(spool.layout).keep("a-segment", 7, b"torn u_ada") is False
    spool.close()


def test_a_damaged_line_loses_only_what_is_theirs(tmp_path: Path) -> None:
    """Where a writer died in the middle, the whole event behind the torn one stays if it is another's."""
    spool = open_disk(tmp_path)
    spool.append(line("0", **having({"user.id": "u_bob"})))
    [segment] = segments(tmp_path)
    torn = line("1", **having({"user.id": "u_ada", "pad": "x" * 50})).rstrip(b"\n")[:-70]
    with segment.open("ab") as file:
        file.write(torn + line("2", **having({"user.id": "u_bob"})))
        file.write(b'{"damaged":"u_ada\n')
    found = sweep(tmp_path)

    assert found.damaged == 2
    assert b"u_ada" not in stored(tmp_path)
    feed = the_feed(spool)
    assert settle_all(feed)[0] == ["0", "2"]
    feed.close()
    spool.close()


def test_a_line_of_many_records_keeps_those_of_others(tmp_path: Path) -> None:
    """A Collector's line holds several people's events."""
    spool = open_disk(tmp_path)
    spool.append(line("0"))
    [segment] = segments(tmp_path)
    records = [
        {
            "timeUnixNano": str(T0 + number),
            "eventName": "user.login",
            "attributes": [
                {"key": "log.record.uid", "value": {"stringValue": str(number)}},
                {"key": "user.id", "value": {"stringValue": who}},
            ],
        }
        for number, who in enumerate(["u_bob", "u_ada", "u_eve"], start=1)
    ]
    foreign = {"resourceLogs": [{"resource": {}, "scopeLogs": [{"scope": {"name": "x"}, "logRecords": records}]}]}
    with segment.open("ab") as file:
        file.write(json.dumps(foreign).encode() + b"\n")
    assert entry_of(spool)["waiting"] == 4
    sweep(tmp_path)

    assert b"u_ada" not in stored(tmp_path)
    assert entry_of(spool)["waiting"] == 4
    feed = the_feed(spool)
    arrived, forgotten = settle_all(feed)
    assert (sorted(arrived), forgotten) == (["0", "1", "3"], 1)
    feed.close()
    spool.close()


def test_a_second_sweep_changes_nothing(tmp_path: Path) -> None:
    """Blank records are final."""
    spool = open_disk(tmp_path)
    for number in range(5):
        spool.append(line(str(number), **having({"user.id": "u_ada"})))
    sweep(tmp_path)
    before = stored(tmp_path)
    assert sweep(tmp_path).events == {}
    assert stored(tmp_path) == before
    spool.close()


@pytest.mark.parametrize("cut", [1, 18, 60, 130, 150, 400])
def test_a_kill_in_the_middle_of_a_line(tmp_path: Path, cut: int) -> None:
    """Half a blank record is one to every reader, is kept nowhere as garbage, and the next sweep ends it."""
    spool = open_disk(tmp_path)
    whole = line("1", **having({"user.id": "u_ada", "pad": "y" * 300})).rstrip(b"\n")
    spool.append(whole + b"\n")
    spool.append(line("2"))
    [segment] = segments(tmp_path)
    sweep(tmp_path)
    blank = segment.read_bytes()[: len(whole)]
    for torn in (blank[:cut] + whole[cut:], whole[:cut] + blank[cut:]):
        with segment.open("r+b") as file:
            file.write(torn)
        found, garbage = read_line(torn)
        if torn != whole:
            assert garbage == b""
            assert [type(event) for event in found] == [Blank]
        sweep(tmp_path)
        assert b"u_ada" not in stored(tmp_path)
        assert len(segment.read_bytes()) == len(whole) + 1 + len(line("2"))
    spool.close()


@pytest.mark.parametrize("survive", range(8))
def test_death_before_any_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, survive: int) -> None:
    """Whichever write is the last one, carriers read on, and the next sweep ends what was begun."""
    spool = open_disk(tmp_path)
    for number in range(8):
        spool.append(line(str(number), **having({"user.id": "u_ada" if number % 2 else "u_bob", "pad": "z" * 700})))
    left = [survive]

    class Death(BaseException):
        """The process is no more."""

    def dying(descriptor: int, data: bytes, offset: int) -> int:
        left[0] -= 1
        if left[0] < 0:
            os.pwrite(descriptor, bytes(data)[: len(data) // 2], offset)
            raise Death
        return os.pwrite(descriptor, data, offset)

    add(str(tmp_path), ADA, expires=None)
    with monkeypatch.context() as dead:
        dead.setattr("footspan.spool.files.pwrite", dying)
        with pytest.raises(Death):
            sweep(tmp_path)
    feed = the_feed(spool)
    found = settle_one(feed, 4)
    assert found == (["0", "2"], 2)
    sweep(tmp_path)
    assert b"u_ada" not in stored(tmp_path)
    assert settle_all(feed) == (["4", "6"], 2)
    assert not list((tmp_path / "quarantine").iterdir())
    assert entry_of(spool)["accepted"] == 8
    feed.close()
    spool.close()


def test_stopping_and_going_on(tmp_path: Path) -> None:
    """Ctrl-C ends a sweep between blocks; the next one does the rest."""
    spool = open_disk(tmp_path)
    for number in range(50):
        spool.append(line(str(number), **having({"user.id": "u_ada"})))

    def stop(_done: int, _total: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        sweep(tmp_path, progress=stop)
    sweep(tmp_path)
    assert b"u_ada" not in stored(tmp_path)
    spool.close()


def test_one_sweep_at_a_time(tmp_path: Path) -> None:
    """Another process at work on the spool is said; a look that changes nothing is possible meanwhile."""
    open_disk(tmp_path).close()
    lock = acquire(f"{tmp_path}/forgetting.lock")
    assert lock is not None
    with pytest.raises(BusyError):
        sweep(tmp_path)
    assert sweep(tmp_path, dry=True).events == {}
    lock.release()


def test_a_dry_sweep_changes_nothing(tmp_path: Path) -> None:
    """It counts."""
    spool = open_disk(tmp_path)
    spool.append(line("1", **having({"user.id": "u_ada"})))
    before = stored(tmp_path)
    assert sweep(tmp_path, dry=True).events == {"events": 1}
    assert stored(tmp_path) == before
    spool.close()


def test_sessions_and_visitors_that_are_theirs_alone(tmp_path: Path) -> None:
    """A session in which another user is named is no sign of the person; what happened before the login is."""
    spool = open_disk(tmp_path)
    spool.append(line("0", **having({"session.id": "s_1"})))
    spool.append(line("1", **having({"session.id": "s_1", "enduser.pseudo.id": "v_1", "user.id": "u_ada"})))
    spool.append(line("2", **having({"session.id": "s_2", "user.id": "u_ada"})))
    spool.append(line("3", **having({"session.id": "s_2", "user.id": "u_bob"})))
    linked = linked_to([str(tmp_path)], ADA)
    assert linked == {"s_1", "v_1"}
    sweep(tmp_path, Person(ids=ADA.ids, linked=linked))
    feed = the_feed(spool)
    assert settle_all(feed)[0] == ["3"]
    feed.close()
    spool.close()


@pytest.mark.parametrize("key", ["user.id", "user_id", "userId", "visitor_id", "session-id"])
def test_an_id_that_counts_in_identity_alone(tmp_path: Path, key: str) -> None:
    """However an old SDK's data spell its key; an amount is none."""
    spool = open_disk(tmp_path)
    spool.append(line("1", **having({key: "42"})))
    spool.append(line("2", **having({"amount": "42", "user.id": "u_bob"})))
    assert sweep(tmp_path, Person(named=frozenset({"42"}))).events == {"events": 1}
    assert b"u_bob" in stored(tmp_path)
    spool.close()


@pytest.mark.parametrize("key", ["user.id", "user_id", "userId"])
def test_a_session_in_which_old_data_name_somebody_else(tmp_path: Path, key: str) -> None:
    """Their event stays."""
    spool = open_disk(tmp_path)
    spool.append(line("1", **having({"session.id": "s_1", "user.id": "u_ada"})))
    spool.append(line("2", **having({"session.id": "s_1", key: "u_bob"})))
    assert linked_to([str(tmp_path)], ADA) == set()
    sweep(tmp_path, Person(ids=ADA.ids, linked=frozenset({"s_1"})))
    assert b"u_bob" in stored(tmp_path)
    spool.close()


def test_an_id_whose_tilde_is_percent_encoded(tmp_path: Path) -> None:
    """Some write it so in an address, next to the word that is looked for."""
    spool = open_disk(tmp_path)
    spool.append(line("1", **having({"url.full": "http://localhost/?who=ada%7Elovelace"})))
    assert sweep(tmp_path, Person(ids=frozenset({"ada~lovelace"}))).events == {"events": 1}
    spool.close()


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    """What it points to stays as it is; it counts as one file that could not be read."""
    spool = open_disk(tmp_path / "spool")
    other = tmp_path / "other.jsonl"
    other.write_bytes(line("1", **having({"user.id": "u_ada"})))
    (tmp_path / "spool" / "events" / "0.jsonl").symlink_to(other)
    assert sweep(tmp_path / "spool").unreadable == 1
    assert b"u_ada" in other.read_bytes()
    spool.close()


def test_a_line_longer_than_a_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks grow until a line fits."""
    monkeypatch.setattr("footspan.spool.forgetting.sweep.BLOCK", 64)
    spool = open_disk(tmp_path)
    for number in range(4):
        spool.append(line(str(number), **having({"user.id": "u_ada" if number % 2 else "u_bob", "pad": "x" * 1000})))
    sweep(tmp_path)
    assert b"u_ada" not in stored(tmp_path)
    assert stored(tmp_path).count(b"u_bob") == 2
    spool.close()


def test_a_writer_at_work(tmp_path: Path) -> None:
    """Lines appended while a sweep goes on are whole, and none is lost."""
    spool = open_disk(tmp_path, segment_bytes=64 * 1024)
    for number in range(500):
        spool.append(line(str(number), **having({"user.id": "u_ada" if number % 2 else "u_bob"})))

    def write() -> None:
        for number in range(500, 1500):
            spool.append(line(str(number), **having({"user.id": "u_bob"})))

    writer = threading.Thread(target=write)
    writer.start()
    sweep(tmp_path)
    writer.join()
    feed = the_feed(spool)
    arrived, forgotten = settle_all(feed)
    assert arrived == [str(number) for number in range(1500) if number >= 500 or number % 2 == 0]
    assert forgotten == 250
    feed.close()
    spool.close()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_spool(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Random writers, carriers and sweeps: nobody's event is lost or repeated but theirs, in order, and all add up."""
    root = tmp_path_factory.mktemp("spool")
    rng = random.Random(data.draw(st.integers(0, 2**32)))
    people = [f"u_{name}" for name in ("ada", "bob", "eve", "dan")]
    spools = [open_disk(root, UMAMI, OTLP, segment_bytes=4_096) for _ in range(2)]
    feeds = {target.id: the_feed(spools[0], target) for target in (UMAMI, OTLP)}
    owner: dict[str, str] = {}
    written: list[list[str]] = [[], []]
    arrived: dict[str, list[str]] = {key: [] for key in feeds}
    for step in range(data.draw(st.integers(5, 60))):
        what = rng.random()
        if what < 0.6:
            which, uid, who = rng.randrange(2), f"e{step}", rng.choice(people)
            pad = "p" * rng.choice((0, 10, 900))
            spools[which].append(line(uid, time_ns=T0 + step, **having({"user.id": who, "pad": pad})))
            owner[uid] = who
            written[which].append(uid)
        elif what < 0.9:
            key = rng.choice(sorted(feeds))
            found = settle_one(feeds[key], rng.randrange(1, 6))
            arrived[key] += found[0] if found else []
        else:
            add(str(root), ADA, expires=None)
            sweep(root)
    add(str(root), ADA, expires=None)
    sweep(root)
    before = {key: len(each) for key, each in arrived.items()}
    for key, feed in feeds.items():
        arrived[key] += settle_all(feed)[0]
        entry = spools[0].status()["destinations"][key]
        assert entry["accepted"] == len(owner)
        assert entry["delivered"] == len(arrived[key])
        assert entry["delivered"] + sum(entry["refused"].values()) == len(owner)
        assert entry["refused"].keys() <= {"forgotten", "suppressed"}
        assert len(set(arrived[key])) == len(arrived[key])
        assert all(owner[uid] != "u_ada" for uid in arrived[key][before[key] :])
        for order in written:
            mine = [uid for uid in arrived[key] if uid in set(order)]
            assert mine == [uid for uid in order if uid in set(mine)]
        assert {uid for uid, who in owner.items() if who != "u_ada"} <= set(arrived[key])
        feed.close()
    assert b"u_ada" not in stored(root)
    for spool in spools:
        spool.close()


def test_drained_as_any_other(tmp_path: Path) -> None:
    """Whoever knows nothing of blank records still gets every other event."""
    spool = open_disk(tmp_path)
    spool.append(line("1", **having({"user.id": "u_ada"})))
    spool.append(line("2"))
    sweep(tmp_path)
    feed = the_feed(spool)
    assert drain(feed)[1:] == ["2"]
    feed.close()
    spool.close()


def test_spans_and_plain_logs(tmp_path: Path) -> None:
    """Lanes are swept with their spool; a span names somebody in any of its parts."""
    open_disk(tmp_path).close()
    spans = open_disk(tmp_path / "spans")
    for who in ("u_ada", "u_bob"):
        spans.append(stored_span("db.query", service=who).rstrip(b"\n") + b"\n")
    assert sweep(tmp_path).events == {"events": 1}
    assert b"u_ada" not in stored(tmp_path / "spans")
    assert stored(tmp_path / "spans").count(b"u_bob") == 1
    assert entry_of(spans)["waiting"] == 2
    feed = the_feed(spans)
    batch = feed.take(10, 1 << 20)
    assert [isinstance(event, Blank) for event in batch.events] == [True, False]
    feed.close()
    spans.close()
