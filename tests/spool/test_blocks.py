"""Blocks: what is read many lines at a time is what would have been read line by line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from footspan.delivery import routing
from footspan.otlp_json import LogLine, encode_line, encode_record, encode_suffix, merge, records
from footspan.spool import census, reels
from footspan.spool.base import Tally, Target
from footspan.spool.blocks import Odd, Strip, scan
from footspan.spool.cursor import Cursor
from footspan.spool.cut import FOREVER, Cut
from footspan.spool.disk import DiskSpool
from footspan.spool.layout import Layout
from footspan.spool.reels import Reel
from footspan.spool.sight import Sight
from spool.making import OTLP, PAYMENTS, SUFFIX, T0, UMAMI, line, segments, the_feed

if TYPE_CHECKING:
    from collections.abc import Iterator

OTHER_SUFFIX = encode_suffix({"service.name": "shop", "service.instance.id": "é2"}, "footspan.flask", "1.0")
PREFIX = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":['
TARGETS = (OTLP, PAYMENTS, Target(UMAMI.id, "web", "umami", ("*", "!payment.*")), UMAMI)


def own(uid: int, name: Any, time_ns: int, suffix: bytes = SUFFIX, **attributes: Any) -> bytes:
    """A line of ours without its newline."""
    named = {key.replace("__", "."): value for key, value in attributes.items() if value is not None}
    record = encode_record(name=name, time_ns=time_ns, attributes={"log.record.uid": f"u{uid}", **named})
    return encode_line(record, suffix)[:-1]


def line_by_line(data: bytes, start: int) -> Iterator[Strip | Odd]:
    """What :func:`scan` gives for lines of which none is like ours."""
    for each in data.split(b"\n")[:-1]:
        odd = Odd(start, each)
        yield odd
        start = odd.end


OWN = st.builds(
    own,
    st.integers(0, 99),
    st.sampled_from(["payment.done", "payment.done", "user.login", "ü", 'say "hi"', "a,\\b", ""]),
    st.sampled_from([T0, T0 + 1, T0 + 2, T0 + 2, T0 - 5, 7, 10**18 * 12]),
    st.sampled_from([SUFFIX, SUFFIX, SUFFIX, OTHER_SUFFIX]),
    footspan__event__category=st.sampled_from([None, None, "payment", "", 'pay"ment', 5]),
    footspan__destination=st.sampled_from([None, None, None, None, "store", "web", "umami", "nobody"]),
    footspan__redacted=st.sampled_from([None, None, ["a", "b"], ["c"], [], "no list"]),
    nested=st.sampled_from([None, None, None, {"footspan.event.category": "payment", "footspan.destination": "store"}]),
    text=st.sampled_from([None, '],"scope":{"timeUnixNano":"', '"footspan.destination"', "é\n\u2028", "x" * 300]),
)
TWO = st.tuples(OWN, OWN).map(lambda two: two[0].replace(SUFFIX, b"," + two[1][len(PREFIX) :], 1))


def _respaced(data: bytes) -> bytes:
    return json.dumps(json.loads(data)).encode()


def _flipped(data: bytes, at: int, byte: int) -> bytes:
    changed = bytearray(data)
    changed[at % len(changed)] = byte if byte != ord("\n") else 0
    return bytes(changed)


LINE = st.one_of(
    OWN,
    OWN,
    OWN,
    OWN.map(_respaced),
    TWO,
    st.builds(_flipped, OWN, st.integers(0, 10_000), st.one_of(st.integers(0, 255), st.sampled_from(b'",]}:[{\\'))),
    st.builds(lambda data, at: data[: at % len(data)], OWN, st.integers(0, 10_000)),
    st.builds(lambda data, at: data[at % len(data) :], OWN, st.integers(0, 10_000)),
    st.builds(lambda torn, whole, at: torn[: at % len(torn)] + whole, OWN, OWN, st.integers(0, 10_000)),
    st.builds(
        lambda data, at, more: data[: at % len(data)] + more + data[at % len(data) :],
        OWN,
        st.integers(0, 10_000),
        st.sampled_from([b'],"scope":', b'"timeUnixNano":"', b" ", b"\r", b"\0", b'}],"scope":{}}],"resource":{}}]}']),
    ),
    st.sampled_from([b"", b" ", b"\r", b"garbage", b"{}", b"\0\0\0", b"\xff", SUFFIX, PREFIX]),
)
WRITTEN = st.tuples(st.lists(LINE, max_size=12), st.sampled_from([b"", b"", b'{"resourceLogs":[{"scopeLogs":', b"x"]))


def spool_in(root: Path) -> DiskSpool:
    """A spool with true routing."""
    layout = Layout(root)
    layout.prepare()
    return DiskSpool(layout, TARGETS, routing.accepts)


def read(path: Path, target: Target, steps: list[tuple[int, int, int]], block: int) -> list[Any]:
    """What a reel gives to cuts of various limits, and how it stands after each."""
    sight = Sight([each for each in TARGETS if each.id == target.id], routing.accepts)
    cursor = Cursor()
    reel = Reel("segment", str(path), sight, cursor, block)
    seen: list[Any] = []
    for max_items, max_bytes, until in steps:
        cut = Cut(max_items, max_bytes)
        room = reel.run(cut, until, closed_for=0.0)
        batch = cut.batch()
        events = batch.events
        ranges = [(r.start, r.end, r.events) for r in batch.ranges]
        seen.append((room, reel.peek(closed_for=0.0), [event.line for event in events[:]], ranges, batch.skipped))
        seen.append((cut.garbage, *figures(events)))
        if max_items % 2:
            reel.release()
        for r in batch.ranges:
            cursor.add(r.start, r.end)
    return seen


def figures(events: Any) -> tuple[bytes, int, int]:
    """What is asked of a batch as a whole, which must be what its lines say one by one."""
    one_by_one = [LogLine(event.line) for event in events[:]]
    whole = merge(events), events.redacted, events.size
    assert whole == (
        merge(one_by_one),
        sum(event.redacted for event in one_by_one),
        sum(len(event.line) + 1 for event in one_by_one),
    )
    return whole


@pytest.fixture
def fixed_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged event without a time gets that of its reading."""
    monkeypatch.setattr(records, "time", SimpleNamespace(time_ns=lambda: T0))


TARGET = st.sampled_from([OTLP, PAYMENTS, UMAMI])
STEPS = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 5, 100]),
        st.sampled_from([1, 1500, 1 << 20]),
        st.sampled_from([0, T0, T0 + 1, FOREVER, FOREVER]),
    ),
    min_size=1,
    max_size=8,
)
BLOCKS = st.sampled_from([200, 2000, 1 << 17])


@pytest.mark.usefixtures("fixed_clock")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(WRITTEN, TARGET, STEPS, BLOCKS)
def test_blocks_hold_what_their_lines_hold(
    written: tuple[list[bytes], bytes], target: Target, steps: list[tuple[int, int, int]], block: int
) -> None:
    """Whatever lies in a segment: the same events, bodies, counts, ranges and garbage, cut anywhere."""
    lines, tail = written
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        path = Path(folder, "segment")
        path.write_bytes(b"".join(each + b"\n" for each in lines) + tail)
        seen = read(path, target, steps, block)
        patch.setattr(reels, "scan", line_by_line)
        assert read(path, target, steps, block) == seen


def history(root: Path, target: Target, max_items: int, max_bytes: int) -> list[Any]:
    """Everything that can be seen while a destination is delivered to."""
    spool = spool_in(root)
    feed = the_feed(spool, target)
    seen: list[Any] = [feed.waiting()]
    try:
        for _ in range(1000):
            batch = feed.take(max_items, max_bytes)
            if batch is None:
                break
            ranges = [(r.segment, r.start, r.end, r.events) for r in batch.ranges]
            seen.append(([event.line for event in batch.events[:]], ranges, batch.skipped, *figures(batch.events)))
            feed.done(batch, Tally(delivered=len(batch.events)))
        else:
            raise AssertionError("the feed never ends")
        kept = sorted((root / "quarantine").glob("*"))
        places = [
            [(entry["offset"], entry["base64"]) for entry in map(json.loads, path.read_bytes().splitlines())]
            for path in kept
        ]
        return [*seen, feed.waiting(), feed.fold.tally, feed.fold.unreadable, places]
    finally:
        feed.close()


@pytest.mark.slow
@pytest.mark.usefixtures("fixed_clock")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(WRITTEN, min_size=1, max_size=3),
    TARGET,
    st.sampled_from([1, 2, 5, 100]),
    st.sampled_from([1, 1500, 1 << 20]),
    BLOCKS,
)
def test_a_feed_sees_the_same_in_blocks(
    written: list[tuple[list[bytes], bytes]], target: Target, max_items: int, max_bytes: int, block: int
) -> None:
    """Of several writers: the same batches, counts and quarantined bytes as line by line."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        fast, slow = Path(folder, "fast"), Path(folder, "slow")
        spools = []
        for _ in written:  # each stays alive, so each has a segment of its own
            spools.append(spool_in(fast))
            spools[-1].append(line("begin"))
        for path, (lines, tail) in zip(segments(fast), written, strict=True):
            path.write_bytes(b"".join(each + b"\n" for each in lines) + tail)
        shutil.copytree(fast, slow)
        patch.setattr(reels, "BLOCK", block)
        seen = history(fast, target, max_items, max_bytes)
        patch.setattr(reels, "scan", line_by_line)
        patch.setattr(census, "scan", line_by_line)
        assert history(slow, target, max_items, max_bytes) == seen
        for spool in spools:
            spool.close()


def pieces(*lines: bytes) -> list[tuple[str, int, int]]:
    """What :func:`scan` makes of some lines: kind, start, lines."""
    data = b"".join(each + b"\n" for each in lines)
    return [
        ("strip", piece.start, len(piece)) if isinstance(piece, Strip) else ("odd", piece.start, 1)
        for piece in scan(data, 1000)
    ]


def test_sound_lines_make_one_strip() -> None:
    """Or else all this would be for nothing."""
    lines = [line(f"u{number}", text="é\n")[:-1] for number in range(9)]
    assert pieces(*lines) == [("strip", 1000, 9)]
    assert pieces(*lines, b"", *lines[:2]) == [
        ("strip", 1000, 9),
        ("odd", 1000 + 9 * (len(lines[0]) + 1), 1),
        ("strip", 1001 + 9 * (len(lines[0]) + 1), 2),
    ]


@pytest.mark.parametrize("mark", [b'"timeUnixNano":"', b'],"scope":', b"\0", b"\xff"])
def test_one_odd_line_leaves_its_neighbours_in_strips(mark: bytes) -> None:
    """What looks like a second record, a second end or no text at all is looked at by itself."""
    lines = [line(f"u{number}")[:-1] for number in range(5)]
    at = lines[2].index(b'"attributes":[') + len(b'"attributes":[')
    lines[2] = lines[2][:at] + mark + lines[2][at:]
    assert [(kind, count) for kind, _, count in pieces(*lines)] == [("strip", 2), ("odd", 1), ("strip", 2)]


def test_a_strip_knows_its_lines() -> None:
    """Where each starts, when it happened, and its bytes."""
    lines = [line(f"u{number}", time_ns=T0 + number, text="x" * number)[:-1] for number in range(4)]
    (strip,) = scan(b"\n".join(lines) + b"\n", 70)
    assert isinstance(strip, Strip)
    assert [strip.line(index) for index in range(4)] == lines
    assert strip.times == [T0, T0 + 1, T0 + 2, T0 + 3] == [strip.time(index) for index in range(4)]
    begin = 70
    for index, each in enumerate(lines):
        assert (strip.begin(index), strip.ends[index]) == (begin, begin + len(each) + 1)
        begin = strip.ends[index]


def test_no_changed_byte_goes_unseen() -> None:
    """Of the first, a middle or the last line: the bytes that come out are those that went in."""
    whole = b"".join(line(f"u{number}", x=1) for number in range(3))
    for at in range(len(whole)):
        data = whole[:at] + b"\x01" + whole[at + 1 :]
        if not data.endswith(b"\n"):
            continue
        read = []
        for piece in scan(data, 0):
            read += [piece.line] if isinstance(piece, Odd) else [piece.line(i) for i in range(len(piece))]
        assert read == data.split(b"\n")[:-1]


NAMED = {"footspan.destination": "store"}
CATEGORY = {"footspan.event.category": "payment"}


@pytest.mark.parametrize(
    ("name", "attributes", "takers"),
    [
        ("user.login", {}, "otlp umami"),
        ("payment.done", {}, "otlp store umami"),
        ("done", CATEGORY, "otlp store umami"),
        ("user.login", NAMED, "store"),
        ("payment.done", {"footspan.destination": "otlp", **CATEGORY}, "otlp"),
        ("user.login", {"nested": CATEGORY}, "otlp umami"),
        ("user.login", {"nested": {"a": 1}, **CATEGORY}, "otlp store umami"),
        ("user.login", {"nested": NAMED}, "otlp umami"),
        ("user.login", {"text": '"footspan.destination"'}, "otlp umami"),
    ],
)
def test_a_strip_is_routed_like_its_lines(name: str, attributes: dict[str, Any], takers: str) -> None:
    """By name, category and the destination that an event names, its own ones, also beside other lines."""
    others = [line(f"u{number}", "user.login") for number in range(2)]
    (strip,) = scan(others[0] + line("u9", name, **attributes) + others[1], 0)
    assert isinstance(strip, Strip)
    found = []
    for target in (OTLP, Target(PAYMENTS.id, "store", "store", ("payment.*",)), UMAMI):
        sight = Sight([target], routing.accepts)
        for _ in range(2):  # the second time from memory
            taken = sight.taken(strip) or [True] * 3
        assert taken[0] == taken[2] == (target.events is None)
        assert taken[1] == sight.takes(LogLine(strip.line(1)))
        found += [target.name] if taken[1] else []
    assert " ".join(found) == takers


def test_a_category_inside_a_value_is_nobody_s() -> None:
    """Lines that say the same, one of itself and one inside a value, do not share an answer."""
    own: Any = CATEGORY
    lines = line("u0", "user.login", nested=CATEGORY) + line("u1", "user.login", **own)
    for data, expected in (
        (lines, [False, True]),
        (b"".join(reversed(lines.splitlines(keepends=True))), [True, False]),
    ):
        (strip,) = scan(data, 0)
        assert isinstance(strip, Strip)
        assert Sight([PAYMENTS], routing.accepts).taken(strip) == expected


def test_what_is_skipped_belongs_where_the_event_before_it_does(tmp_path: Path) -> None:
    """An event that is not for a destination holds up no other, however late it is; nor does a blank line."""
    path = tmp_path / "segment"
    late = line("u1", "user.login", time_ns=T0 + 50)
    path.write_bytes(line("u0", "payment.done", time_ns=T0 + 9) + late + b"\n" + line("u2", "payment.done", time_ns=T0))
    reel = Reel("segment", str(path), Sight([PAYMENTS], routing.accepts), Cursor())
    assert reel.peek() == T0 + 9
    cut = Cut(100, 1 << 20)
    assert reel.run(cut, T0 + 9)
    batch = cut.batch()
    assert ([event.uid for event in batch.events], batch.skipped) == (["u2", "u0"], 1)
    assert reel.peek() is None
    reel = Reel("segment", str(path), Sight([PAYMENTS], routing.accepts), Cursor())
    cut = Cut(1, 1 << 20)
    assert not reel.run(cut, T0 + 9)
    assert (cut.batch().skipped, reel.peek()) == (1, T0)
