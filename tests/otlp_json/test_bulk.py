"""Many lines at once: a sequence like any other, and one request out of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from footspan.otlp_json import OPENING, Lines, LogLine, encode_line, encode_record, encode_suffix, merge

SHOP = encode_suffix({"service.name": "shop"}, "footspan")
BLOG = encode_suffix({"service.name": "blog"}, "footspan")


def stored(uid: str, suffix: bytes = SHOP, **attributes: object) -> bytes:
    """One line without its newline."""
    record = encode_record(name="a.b", time_ns=10**18, attributes={"log.record.uid": uid, **attributes})
    return encode_line(record, suffix)[:-1]


def lines_of(*lines: bytes | LogLine) -> Lines:
    """Checked lines, as a reader cuts them, and others as they are."""
    parts: list[bytes | LogLine] = []
    suffixes = []
    for line in lines:
        suffix = b""
        if isinstance(line, bytes):
            suffix = b"}" + (SHOP if line.endswith(SHOP) else BLOG)
            line = line[len(OPENING) : -len(suffix)]  # noqa: PLW2901 - what is left of it
        parts.append(line)
        suffixes.append(suffix)
    return Lines(parts, suffixes)


def test_it_is_a_sequence_of_lines() -> None:
    """Of length, by index, in slices, forwards and backwards."""
    written = [stored(f"u{number}", BLOG if number % 2 else SHOP) for number in range(5)]
    lines = lines_of(*written)
    assert len(lines) == 5
    assert [line.line for line in lines] == written
    assert [line.uid for line in reversed(lines)] == ["u4", "u3", "u2", "u1", "u0"]
    assert [line.uid for line in lines[1:3]] == ["u1", "u2"]
    assert lines[-1].line == written[-1]
    with pytest.raises(IndexError):
        lines[5]


def test_a_line_is_made_once() -> None:
    """What a destination found out about it is not found out again."""
    lines = lines_of(stored("u0"))
    assert lines[0] is lines[0]
    assert lines[0].event is lines[0].event


@pytest.mark.parametrize("looked_at", [False, True], ids=["untouched", "looked at"])
@pytest.mark.parametrize(
    "written",
    [
        [stored("u0")],
        [stored("u0"), stored("u1")],
        [stored("u0"), stored("u1", BLOG), stored("u2")],
        [stored("u0"), LogLine(stored("u1")), stored("u2", BLOG)],
        [LogLine(b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [{"eventName": "x", "timeUnixNano": "5"}]}]}]}')],
        [],
    ],
    ids=["one", "alike", "two services", "one unchecked", "foreign", "none"],
)
def test_joined_they_are_what_they_are_one_by_one(written: list[bytes | LogLine], looked_at: bool) -> None:
    """The same bytes, whether or not somebody had a look at one of them before."""
    one_by_one = [line if isinstance(line, LogLine) else LogLine(line) for line in written]
    lines = lines_of(*written)
    if looked_at and lines:
        assert lines[0].name
    assert merge(lines) == merge(one_by_one)
    assert len(json.loads(merge(lines))["resourceLogs"]) == len({line.suffix for line in one_by_one})
    assert lines.size == sum(len(line.line) + 1 for line in one_by_one)


def test_redacted_keys_are_counted() -> None:
    """In all lines, whoever read them before; a text that only looks like the mark counts for nothing."""
    marked: Any = {"footspan.redacted": ["a", "b"]}
    lines = lines_of(stored("u0"), stored("u1", **marked), LogLine(stored("u2", **marked)), stored("u3", x=str(marked)))
    assert lines.redacted == 4
    assert lines[:1].redacted == 0
    assert lines[1:3].redacted == 4
