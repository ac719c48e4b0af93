"""What a replay reads, how it notes where it is, and how fast it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from delivery.test_replay import _NS, TARGET, collector_line, names_in, stored, write
from footspan.delivery.replay_feed import Selection
from footspan.delivery.replay_notes import Notes, notes_for
from footspan.delivery.replay_source import MAX_LINE, open_source
from footspan.otlp_json import explode

if TYPE_CHECKING:
    from pathlib import Path


def test_a_foreign_file_is_redacted_and_its_events_get_ids_that_stay(tmp_path: Path) -> None:
    """Time, name and resource stay; an e-mail address and a password do not leave."""
    file = write(tmp_path / "export.jsonl", collector_line("a", "b", password="hunter2", note="ask jane@example.org"))
    events = [event for found in open_source(file).read({}) for event in found.events]

    assert [event.name for event in events] == ["a", "b"]
    assert [event.time_ns for event in events] == [_NS, 2 * _NS]
    text = b"".join(event.line for event in events)
    assert b"hunter2" not in text
    assert b"jane@" not in text
    assert events[0].redacted == 2
    assert len({event.uid for event in events}) == 2
    assert [event.uid for found in open_source(file).read({}) for event in found.events] == [e.uid for e in events]


def test_ids_of_foreign_events_are_kept(tmp_path: Path) -> None:
    """An event from another footspan is the same event."""
    file = write(tmp_path / "export.jsonl", stored("a"))

    assert [event.uid for found in open_source(file).read({}) for event in found.events] == ["uid-a"]


def test_damage_is_passed_over_and_said(tmp_path: Path) -> None:
    """Garbage, half lines, blank lines and lines without end cost themselves alone."""
    file = tmp_path / "events.jsonl"
    with file.open("wb") as out:
        out.write(stored("a") + b"garbage\n\n" + stored("b")[:40] + b"\n" + b"\xff\xfe{\n")
        out.write(b"x" * (MAX_LINE + 5) + b"\n")
        out.write(stored("c"))
    found = list(open_source(file).read({}))

    assert [event.name for each in found for event in each.events] == ["a", "c"]
    assert sum(each.damaged for each in found) == 4
    assert found[-1].end == file.stat().st_size


def test_a_last_line_without_its_newline_waits_unless_it_is_whole(tmp_path: Path) -> None:
    """It may be being written; a file that was simply not ended with a newline is read to its end."""
    half = write(tmp_path / "half.jsonl", stored("a"), stored("b")[:50])
    whole = write(tmp_path / "whole.jsonl", stored("a"), stored("b")[:-1])

    assert names_in(open_source(half)) == ["a"]
    assert names_in(open_source(whole)) == ["a", "b"]


def test_a_folder_that_is_no_spool_is_refused(tmp_path: Path) -> None:
    """Better than finding nothing in it."""
    with pytest.raises(ValueError, match="no spool"):
        open_source(tmp_path)


def test_other_sources_destinations_and_selections_have_notes_of_their_own() -> None:
    """And the same replay has the same."""
    paths = {
        notes_for(source, destination, selection.text).path
        for source in ("spool a", "spool b")
        for destination in ("otlp-1", "otlp-2")
        for selection in (Selection(TARGET), Selection(TARGET, since=1), Selection(TARGET, events=("a",)))
    }

    assert len(paths) == 12
    assert notes_for("spool a", "otlp-1", Selection(TARGET).text).path in paths


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"offsets":[],"dealt":[]}', b'{"offsets":{"a":"x"},"dealt":[]}']
)
def test_damaged_notes_are_no_notes(tmp_path: Path, content: bytes) -> None:
    """The replay begins again rather than not at all."""
    found = Notes(tmp_path / "notes.json")
    found.path.write_bytes(content)
    found.read()

    assert (found.offsets, found.dealt) == ({}, set())


def test_a_rejected_line_is_read_as_the_event_it_was() -> None:
    """The note on why it was refused is no part of the event."""
    line = stored("a", 7, amount=1.5)
    noted = line.rstrip()[:-1] + b',"footspanRejected":{"reason":"x","status":null,"time":"t","destination":"d"}}'
    (event,) = explode(noted)

    assert (event.name, event.uid, event.time_ns) == ("a", "uid-a", 7 * _NS)
    assert event.event.attributes["amount"] == 1.5
    assert b"footspanRejected" not in event.line


def test_what_comes_while_it_is_read_is_left_for_the_next_time(tmp_path: Path) -> None:
    """A service that tracks faster than a replay may send must not keep it going for ever."""
    path = tmp_path / "f.jsonl"
    path.write_bytes(stored("first") + stored("second"))
    source = open_source(path)
    found = []
    for each in source.read({}):
        found += [event.name for event in each.events]
        assert len(found) < 10
        with path.open("ab") as file:
            file.write(stored("later"))

    assert found == ["first", "second"]
