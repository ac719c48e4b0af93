"""Events of the past, sent again: what is read, what is chosen, what is noted."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from delivery.doubles import ScriptedDestination
from delivery.rig import Rig, otlp
from footspan.delivery.pace import Pace
from footspan.delivery.replay import Ended, Replay, rehearse
from footspan.delivery.replay_feed import ReplayFeed, Selection
from footspan.delivery.replay_notes import BusyError, Notes
from footspan.delivery.replay_source import Source, open_source, rejected_of
from footspan.destinations.base import Outcome, Verdict
from footspan.otlp_json import LogLine, encode_line, encode_record, encode_suffix
from footspan.spool.base import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

DELIVERED = Outcome(Verdict.DELIVERED)
TARGET = Target("scripted-1", "scripted", "scripted")
_SUFFIX = encode_suffix({"service.name": "shop"}, "footspan")
_NS = 1_000_000_000
BAD = {"e4", "e5", "e6"}


def stored(name: str, at: int = 1, **attributes: Any) -> bytes:
    """A stored line of an event that happened so many seconds after the epoch."""
    found = {"log.record.uid": f"uid-{name}", **attributes}
    return encode_line(encode_record(name=name, time_ns=at * _NS, attributes=found), _SUFFIX)


def collector_line(*names: str, **attributes: str) -> bytes:
    """A line as a Collector's file exporter writes it: many records, other order, blanks, no id."""
    records = [
        {
            "body": {"stringValue": "x"},
            "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
            "eventName": name,
            "timeUnixNano": str(number * _NS),
        }
        for number, name in enumerate(names, start=1)
    ]
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}).encode() + b"\n"


def write(path: Path, *lines: bytes) -> Path:
    """A file of lines."""
    path.write_bytes(b"".join(lines))
    return path


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """A spool's folder as it lies on disk: events of two writers."""
    folder = tmp_path / "shop"
    (folder / "events").mkdir(parents=True)
    (folder / "rejected").mkdir()
    (folder / "FORMAT").write_text("1\n")
    write(folder / "events" / f"{'a' * 12}-{'1' * 12}-00000001.jsonl", stored("late.a", 50), stored("late.b", 60))
    write(folder / "events" / f"{'a' * 12}-{'2' * 12}-00000001.jsonl", stored("early.a", 10), stored("early.b", 20))
    return folder


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Notes]:
    """Notes in a folder of their own."""
    found = Notes(tmp_path / "state" / "notes" / "one.json")
    found.open()
    yield found
    found.close()


def again(notes: Notes) -> Notes:
    """The same notes as the next run reads them."""
    notes.close()
    found = Notes(notes.path)
    found.open()
    return found


class Server:
    """A destination's answers, and what it was sent."""

    def __init__(self, script: Callable[[list[str]], Outcome] = lambda _: DELIVERED) -> None:
        self.destination = ScriptedDestination(script)

    @property
    def sent(self) -> list[str]:
        """The names of all requests' events."""
        return [name for request in self.destination.requests for name in request]


def run(
    server: Server,
    source: Source,
    notes: Notes,
    *,
    selection: Selection | None = None,
    patience: float = 0.0,
    rate: float | None = None,
    stop_after: int = 10**9,
) -> tuple[Ended, ReplayFeed]:
    """Replay without waiting for anything; ``stop_after`` requests, somebody presses Ctrl-C."""

    def stopped() -> bool:
        return len(server.destination.requests) >= stop_after

    pace = Pace(rate)
    feed = ReplayFeed(source, selection or Selection(TARGET), notes, stopped)
    replay = Replay(server.destination, feed, pace, patience=patience, wait=lambda _: stopped())
    return replay.run(), feed


# -- sources -----------------------------------------------------------------------------------------------------------


def names_in(source: Source, offsets: dict[str, int] | None = None) -> list[str]:
    """The names of all events."""
    return [event.name for found in source.read(offsets or {}) for event in found.events]


def test_a_spool_is_read_from_its_oldest_segment_on(spool: Path) -> None:
    """Segments follow one another by their first events' times; the events are ours and need no redaction."""
    source = open_source(spool)

    assert names_in(source) == ["early.a", "early.b", "late.a", "late.b"]
    assert not source.foreign
    assert source.size == sum(path.stat().st_size for path in (spool / "events").iterdir())


def test_a_segment_that_is_deleted_meanwhile_is_passed_over(spool: Path) -> None:
    """A running service drops what every destination has."""
    source = open_source(spool)
    source.pieces[0].path.unlink()

    assert names_in(source) == ["late.a", "late.b"]


def test_a_file_inside_a_spool_is_ours(spool: Path) -> None:
    """A segment, and what was refused, went through the redactor before."""
    segment = next((spool / "events").iterdir())
    rejected = write(spool / "rejected" / "umami-1.jsonl", stored("a"))

    assert not open_source(segment).foreign
    assert not open_source(rejected).foreign
    assert open_source(write(spool / "else.jsonl", stored("a"))).foreign


def test_rejected_events_are_those_of_the_file_before_too(spool: Path) -> None:
    """What was moved aside for its size comes first; where nothing was refused there is nothing to send."""
    write(spool / "rejected" / "umami-1.old.jsonl", stored("older"))
    write(spool / "rejected" / "umami-1.jsonl", stored("newer"))

    assert names_in(rejected_of(spool, "umami-1")) == ["older", "newer"]
    assert names_in(rejected_of(spool, "otlp-1")) == []


# -- choosing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection(TARGET), ["early.a", "early.b", "late.a", "late.b"]),
        (Selection(TARGET, since=20 * _NS), ["early.b", "late.a", "late.b"]),
        (Selection(TARGET, until=50 * _NS), ["early.a", "early.b"]),
        (Selection(TARGET, events=("late.*", "!late.b")), ["late.a"]),
        (Selection(Target("x", "x", "otlp", ("early.*",))), ["early.a", "early.b"]),
        (Selection(Target("x", "x", "otlp", ("early.*",)), events=("*.b",)), ["early.b", "late.b"]),
    ],
)
def test_what_is_chosen(spool: Path, notes: Notes, selection: Selection, expected: list[str]) -> None:
    """By time, from `since` on and before `until`; by the destination's patterns, or by others in their place."""
    server = Server()
    ended, feed = run(server, open_source(spool), notes, selection=selection)

    assert (ended, server.sent) == (Ended.FINISHED, expected)
    assert feed.figures.passed_over == 4 - len(expected)
    assert feed.figures.tally.delivered == len(expected)


def test_an_event_that_names_its_destination_goes_nowhere_else(tmp_path: Path, notes: Notes) -> None:
    """As in ordinary delivery."""
    other: dict[str, Any] = {"footspan.destination": "other"}
    this: dict[str, Any] = {"footspan.destination": "scripted"}
    lines = (stored("a", **other), stored("b", **this))
    server = Server()
    run(server, open_source(write(tmp_path / "f.jsonl", *lines)), notes, selection=Selection(TARGET, events=("*",)))

    assert server.sent == ["b"]


def test_plain_log_records_are_no_events(tmp_path: Path, notes: Notes) -> None:
    """A Collector's file may hold both."""
    server = Server()
    _, feed = run(server, open_source(write(tmp_path / "f.jsonl", collector_line("", "a"))), notes)

    assert server.sent == ["a"]
    assert feed.figures.passed_over == 1


def test_a_rehearsal_sends_and_notes_nothing(spool: Path, tmp_path: Path) -> None:
    """It counts, by name, what a replay would send."""
    notes = Notes(tmp_path / "state" / "x.json")
    feed = ReplayFeed(open_source(spool), Selection(TARGET, events=("*.a",)), notes)
    rehearse(feed)

    assert feed.finished
    assert feed.figures.names == {"early.a": 1, "late.a": 1}
    assert (feed.figures.first, feed.figures.last) == (10 * _NS, 50 * _NS)
    assert not notes.path.exists()


# -- going on ----------------------------------------------------------------------------------------------------------


def many(path: Path, count: int) -> Source:
    """A file of that many events."""
    return open_source(write(path, *(stored(f"e{number}", number + 1) for number in range(count))))


@pytest.mark.parametrize("stop_after", [1, 2, 5])
def test_a_replay_that_was_stopped_goes_on_where_it_stopped(tmp_path: Path, notes: Notes, stop_after: int) -> None:
    """Each event is sent once, over all runs."""
    source = many(tmp_path / "f.jsonl", 1000)
    server = Server()
    server.destination.max_items = 100
    ended, feed = run(server, source, notes, stop_after=stop_after)
    assert ended is Ended.STOPPED
    assert feed.figures.tally.delivered == 100 * stop_after

    ended, feed = run(server, source, again(notes))
    assert ended is Ended.FINISHED
    assert server.sent == [f"e{number}" for number in range(1000)]
    assert feed.figures.read == source.size


def test_a_finished_replay_sends_only_what_is_new(tmp_path: Path, notes: Notes) -> None:
    """The same command again: what was added since."""
    source = many(tmp_path / "f.jsonl", 5)
    server = Server()
    run(server, source, notes)
    with source.pieces[0].path.open("ab") as file:
        file.write(stored("new"))
    run(server, open_source(source.pieces[0].path), again(notes))

    assert server.sent == ["e0", "e1", "e2", "e3", "e4", "new"]


def test_a_half_delivered_batch_is_not_repeated(tmp_path: Path, notes: Notes) -> None:
    """Where one answer stores some of a batch and then nothing works, the next run sends the others."""
    source = many(tmp_path / "f.jsonl", 10)
    items = {index: Outcome(Verdict.RETRY, "http_503") for index in range(5, 10)}
    answers = [Outcome(Verdict.DELIVERED, items=items)]
    server = Server(lambda _: answers.pop() if answers else Outcome(Verdict.RETRY, "http_503"))
    ended, _ = run(server, source, notes)
    assert ended is Ended.UNAVAILABLE

    server = Server()
    ended, feed = run(server, source, again(notes))
    assert ended is Ended.FINISHED
    assert server.sent == [f"e{number}" for number in range(5, 10)]
    assert feed.figures.tally.delivered == 5


def test_refused_events_are_counted_and_not_written_back(spool: Path, notes: Notes) -> None:
    """A replay of what was refused must not feed itself."""
    file = write(spool / "rejected" / "scripted-1.jsonl", stored("good"), stored("bad"))
    before = file.read_bytes()
    server = Server(lambda request: Outcome(Verdict.REFUSED, "http_400") if "bad" in request else DELIVERED)
    ended, feed = run(server, rejected_of(spool, "scripted-1"), notes)

    assert ended is Ended.FINISHED
    assert (feed.figures.tally.delivered, feed.figures.tally.refused) == (1, {"http_400": 1})
    assert file.read_bytes() == before


def test_offsets_follow_a_file_that_is_moved_aside(spool: Path, notes: Notes) -> None:
    """A file of refused events is renamed when it is full; what was sent of it is not sent again."""
    file = write(spool / "rejected" / "scripted-1.jsonl", stored("a"))
    server = Server()
    run(server, rejected_of(spool, "scripted-1"), notes)
    file.rename(spool / "rejected" / "scripted-1.old.jsonl")
    write(file, stored("b"))
    run(server, rejected_of(spool, "scripted-1"), again(notes))

    assert server.sent == ["a", "b"]


def test_patience_ends_and_a_success_renews_it(tmp_path: Path, notes: Notes) -> None:
    """A server that is away for a moment is waited for; one that stays away is not."""
    flaky = [DELIVERED, Outcome(Verdict.RETRY, "http_503")] * 5
    server = Server(lambda _: flaky.pop() if flaky else DELIVERED)
    server.destination.max_items = 10
    ended, _ = run(server, many(tmp_path / "f.jsonl", 50), notes, patience=5.0)
    assert ended is Ended.FINISHED

    notes.offsets = {}
    server = Server(lambda _: Outcome(Verdict.PARK, "http_401"))
    ended, feed = run(server, many(tmp_path / "f.jsonl", 50), notes, patience=0.0)
    assert ended is Ended.UNAVAILABLE
    assert feed.figures.tally.delivered == 0
    assert len(server.destination.requests) == 1


def test_a_retry_after_beyond_patience_ends_at_once(tmp_path: Path, notes: Notes) -> None:
    """Nobody sits before a terminal for an hour."""
    server = Server(lambda _: Outcome(Verdict.RETRY, "http_429", 3600.0))
    ended, _ = run(server, many(tmp_path / "f.jsonl", 5), notes, patience=60.0)

    assert ended is Ended.UNAVAILABLE


def test_two_of_the_same_replay_do_not_run_at_once(notes: Notes) -> None:
    """They would send everything twice."""
    with pytest.raises(BusyError):
        Notes(notes.path).open()
    notes.close()
    second = Notes(notes.path)
    second.open()
    second.close()


def test_a_replay_whose_notes_cannot_be_written_stops(
    tmp_path: Path, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that cannot say how far it is would send everything again the next time."""

    def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(notes, "save", full)
    server = Server()
    server.destination.max_items = 10
    ended, feed = run(server, many(tmp_path / "f.jsonl", 100), notes)

    assert ended is Ended.UNREADABLE
    assert feed.figures.tally.delivered == 10


# -- pace and size -----------------------------------------------------------------------------------------------------


def test_a_large_source_is_read_a_bit_at_a_time(tmp_path: Path, notes: Notes) -> None:
    """What is taken is never more than a batch, however much there is and however little is chosen of it."""
    source = many(tmp_path / "f.jsonl", 3000)
    feed = ReplayFeed(source, Selection(TARGET, events=("e2999",)), notes)
    batch = feed.take(10, 1 << 20)

    assert batch is not None
    assert [event.name for event in batch.events] == ["e2999"]
    everything = ReplayFeed(source, Selection(TARGET), Notes(tmp_path / "other.json"))
    taken = everything.take(10, 1 << 20)
    assert taken is not None
    assert len(taken.events) == 10
    assert everything.figures.read < 10_000


def test_a_slow_replay_outlives_bad_events_in_a_row(tmp_path: Path, notes: Notes) -> None:
    """The rate limits the pace, and says nothing about whose fault a refusal is."""
    server = Server(lambda request: DELIVERED if set(request) - BAD == set(request) else Outcome(Verdict.REFUSED, "x"))
    ended, feed = run(server, many(tmp_path / "f.jsonl", 12), notes, rate=2.0)

    assert ended is Ended.FINISHED
    assert (feed.figures.tally.delivered, feed.figures.tally.refused) == (9, {"x": 3})
    assert {len(request) for request in server.destination.requests} == {1}


# -- beside ordinary delivery ------------------------------------------------------------------------------------------


def test_a_replay_leaves_the_spools_own_cursors_alone(tmp_path: Path, notes: Notes) -> None:
    """What waits for a destination still waits for it afterwards."""
    rig = Rig(tmp_path / "spools", [otlp("http://127.0.0.1:9")], carry=False)
    try:
        uids = rig.write(20)
        (folder,) = (path.parent for path in (tmp_path / "spools").glob("*/FORMAT"))
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.stat().st_size}
        sent: list[str] = []

        class Listener(ScriptedDestination):
            def send(self, events: Sequence[LogLine], timeout: float) -> Outcome:
                sent.extend(event.uid for event in events)
                return DELIVERED

        pace = Pace(None)
        feed = ReplayFeed(open_source(folder), Selection(TARGET), notes)
        ended = Replay(Listener(), feed, pace, patience=0.0, wait=lambda _: False).run()

        assert ended is Ended.FINISHED
        assert sent == uids
        assert {path: path.read_bytes() for path in before} == before
        assert rig.spool.waiting() == {rig.destinations[0].id: 20}
    finally:
        rig.close(0.0)


def test_a_file_that_was_begun_anew_is_read_from_its_start(tmp_path: Path, notes: Notes) -> None:
    """Shorter than what was sent of it, it cannot be what was sent."""
    server = Server()
    run(server, many(tmp_path / "f.jsonl", 10), notes)
    run(server, many(tmp_path / "f.jsonl", 2), again(notes))

    assert server.sent[10:] == ["e0", "e1"]
