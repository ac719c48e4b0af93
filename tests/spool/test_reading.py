"""Reading: whole lines, events out of damaged ones, blocks of any size."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footspan.spool.reading import Tape, line_start, read_line
from spool.making import line, uids

if TYPE_CHECKING:
    from pathlib import Path

_RECORD = b'{"timeUnixNano": "1", "eventName": "a", "attributes": [%b]}'
_UID = b'{"key": "log.record.uid", "value": {"stringValue": "%b"}}'
FOREIGN = (
    b'{"resourceLogs": [{"resource": {"attributes": []}, "scopeLogs": [{"scope": {"name": "x"}, "logRecords": ['
    + b", ".join(_RECORD % (_UID % uid) for uid in (b"u1", b"u2"))
    + b"]}]}]}"
)


def test_our_own_line_is_one_event() -> None:
    """The bytes stay as they are."""
    stored = line("u1", text='],"scope":{"timeUnixNano":"', more="é\n\u2028")
    events, garbage = read_line(stored.rstrip(b"\n"))
    assert [event.line for event in events] == [stored.rstrip(b"\n")]
    assert garbage == b""


def test_a_foreign_line_may_hold_several() -> None:
    """A Collector's file exporter writes batches, in its own order and with blanks."""
    events, garbage = read_line(FOREIGN)
    assert uids(events) == ["u1", "u2"]
    assert garbage == b""


@pytest.mark.parametrize("blank", [b"", b"  ", b"\r"])
def test_blank_lines_are_nothing(blank: bytes) -> None:
    """A writer puts one in front when it does not know how its last line ended."""
    assert read_line(blank) == ([], b"")


@pytest.mark.parametrize("garbage", [b"x", b"{", b"\0" * 30, b"\xff\xfe", b'{"resourceSpans":[]}', b"[]", b"null"])
def test_what_is_no_event_is_given_back(garbage: bytes) -> None:
    """Whole, for the quarantine."""
    assert read_line(garbage) == ([], garbage)


def test_no_part_of_a_line_passes_for_an_event() -> None:
    """However a write was cut off."""
    stored = line("u1", cart=[{"sku": "x"}], body_like={"a": {"b": ["}]}"]}}).rstrip(b"\n")
    for cut in range(1, len(stored)):
        events, garbage = read_line(stored[:cut])
        assert (events, garbage) == ([], stored[:cut])


def test_an_event_glued_to_a_torn_one_is_kept() -> None:
    """A thread that wrote while another's line was cut off lost nothing."""
    torn, whole = line("u1").rstrip(b"\n"), line("u2").rstrip(b"\n")
    for cut in range(1, len(torn)):
        events, garbage = read_line(torn[:cut] + whole)
        assert uids(events) == ["u2"]
        assert garbage == torn[:cut] + whole


def test_a_damaged_newline_costs_no_event() -> None:
    """Both lines round it are still there."""
    events, garbage = read_line(line("u1")[:-1] + b"*" + line("u2")[:-1])
    assert uids(events) == ["u1", "u2"]
    assert garbage


@given(
    st.lists(st.binary(max_size=40).map(lambda data: data.replace(b"\n", b"_")), max_size=20),
    st.binary(max_size=30).map(lambda data: data.replace(b"\n", b"_")),
    st.integers(1, 64),
)
def test_a_tape_gives_every_whole_line(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], rest: bytes, block: int
) -> None:
    """Whatever the block's size; a last line without newline waits."""
    path = tmp_path_factory.mktemp("tape") / "segment"
    path.write_bytes(b"".join(data + b"\n" for data in lines) + rest)
    tape = Tape(str(path), 0, block)
    positions = [0]
    for expected in lines:
        assert tape.line() == expected
        positions.append(tape.position)
    assert tape.line() is None
    assert tape.rest() == rest
    with path.open("ab") as file:
        file.write(b"more\nlast")
    assert tape.line() == rest + b"more"
    assert tape.line() is None
    for position, expected in zip(positions, lines, strict=False):
        tape.seek(position)
        assert tape.line() == expected
    for offset in range(positions[-1] + 1):
        assert line_start(str(path), offset) == max(start for start in positions if start <= offset)


def test_a_deleted_segment_shows(tmp_path: Path) -> None:
    """No descriptor keeps it alive."""
    path = tmp_path / "segment"
    path.write_bytes(b"a\nb\n")
    tape = Tape(str(path), 0, 2)
    assert tape.line() == b"a"
    path.unlink()
    with pytest.raises(FileNotFoundError):
        tape.line()


def test_the_stored_line_is_json() -> None:
    """What these tests call a line is one."""
    assert json.loads(line("u1"))["resourceLogs"]
