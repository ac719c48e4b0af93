"""Parity with what TraceTelemetry's Python client was recorded to send; where it lost events, the better behaviour.

``T1`` to ``T13`` are the numbers of its known faults; ``docs/migrate/trace-telemetry.md`` lists them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import pytest

from compat.trace_telemetry.recorded_calls import comparable, names, place, recorded_bodies, recording
from footspan.compat.trace_telemetry import TelemetryClient, TelemetryOptions

if TYPE_CHECKING:
    from pathlib import Path

OTHERWISE: Final = {
    "answer_302": "T12",
    "answer_400": "T5",
    "answer_413": "T5",
    "blank_queue_path_option": "T7",
    "default_api_key": "the document's default is blank",
    "restart_after_stop": "the issue's start after stop",
    "torn_tail_line": "T6",
    "track_unserialisable": "T10",
}
"""Cases that ours must not repeat; each has a test of its own below."""

ALIKE: Final = [name for name in names() if name not in OTHERWISE]


def test_there_are_recordings() -> None:
    """And each one that is left out by name."""
    assert len(ALIKE) > 20
    assert set(names()) >= OTHERWISE.keys()


@pytest.mark.parametrize("name", ALIKE)
def test_parity(name: str, tmp_path: Path) -> None:
    """The same events in the same requests, and as many wait afterwards."""
    case = recording(name)
    with place(tmp_path, case["options"]) as ours:
        if name.startswith("answer_"):
            answer = case["server_answer"]
            ours.server.faults.answer(answer["status"], answer["body"].encode())
        ours.run(case["call"])

        if name.startswith("answer_") and case["queued_count_after"]:
            assert len(ours.server.requests) == 1
        elif not name.startswith("answer_"):
            assert ours.bodies == recorded_bodies(name)
        assert ours.client.queued_count == case["queued_count_after"]
        waiting = [comparable(json.loads(line)) for line in ours.queue_lines]
        assert waiting == [comparable(json.loads(line)) for line in case["queue_file_after"] or ()]
        if "queue_lines" in case:
            assert _without_times(ours.names["queue_lines"]) == _without_times(case["queue_lines"])


def _without_times(lines: list[str]) -> list[str]:
    """Lines to the letter, but for what a run decides."""
    return [json.dumps(comparable(json.loads(line)), ensure_ascii=False) for line in lines]


@pytest.mark.parametrize("name", ["no_api_key", "batch_two", "track_dict"])
def test_headers(name: str, tmp_path: Path) -> None:
    """Those that mean something: content type, and the key if there is one."""
    case = recording(name)
    expected = {key.lower(): value for key, value in case["request"]["headers"]}
    with place(tmp_path, case["options"]) as ours:
        ours.run(case["call"])
        sent = ours.server.requests[0].headers

        assert {key: sent.get(key) for key in ("content-type", "x-api-key", "accept")} == {
            key: expected.get(key) for key in ("content-type", "x-api-key", "accept")
        }


# -- better ------------------------------------------------------------------------------------------------------------


def test_a_redirect_is_no_success(tmp_path: Path) -> None:
    """``answer_302`` (T12): the events stay, nothing is asked for elsewhere."""
    with place(tmp_path) as ours:
        ours.server.faults.answer(302, headers={"Location": "/elsewhere"})
        ours.run(recording("answer_302")["call"])
        assert [request.path for request in ours.server.requests] == ["/telemetry"]
        assert ours.client.queued_count == 1

        ours.client.flush()
        assert ([each["name"] for each in ours.server.events], ours.client.queued_count) == (["a"], 0)


@pytest.mark.parametrize("name", ["answer_400", "answer_413"])
def test_a_refused_event_holds_up_no_other(name: str, tmp_path: Path) -> None:
    """T5: it is kept aside, with the reason."""
    case = recording(name)
    with place(tmp_path) as ours:
        ours.server.faults.answer(case["server_answer"]["status"], times=1)
        ours.run(case["call"])
        ours.client.track("b")
        ours.client.flush()

        assert ([each["name"] for each in ours.sent[1:]], ours.client.queued_count) == (["b"], 0)
        rejected = list(ours.queue.parent.glob("*.d/queue/rejected/*.jsonl"))
        assert len(rejected) == 1


def test_a_blank_path_is_the_default_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """``blank_queue_path_option`` (T7): the event waits in the working directory."""
    monkeypatch.chdir(tmp_path)
    with place(tmp_path / "elsewhere") as ours:
        ours.run(recording("blank_queue_path_option")["call"])
        assert ours.names["result"] == ["1"]
        assert (tmp_path / "telemetry-queue.ndjson.d").is_dir()


def test_the_key_is_blank_by_default(tmp_path: Path) -> None:
    """``default_api_key``: as the document says; the code sent three stars."""
    case = recording("default_api_key")
    with place(tmp_path, case["options"]) as ours:
        ours.run(case["call"])
        assert ours.bodies == recorded_bodies("default_api_key")
        assert "x-api-key" not in ours.server.requests[0].headers


def test_it_starts_again(tmp_path: Path) -> None:
    """``restart_after_stop``: delivery goes on."""
    case = recording("restart_after_stop")
    with place(tmp_path, case["options"]) as ours:
        ours.run(case["call"])
        assert ours.server.wait_for(lambda: ours.server.events, 20)
        assert [each["name"] for each in ours.server.events] == ["a"]


def test_a_line_that_was_cut_off_swallows_nothing(tmp_path: Path) -> None:
    """``torn_tail_line`` (T6): the next event arrives, and the line is kept in the file that was taken over."""
    case = recording("torn_tail_line")
    with place(tmp_path) as ours:
        ours.run(case["call"])
        assert [each["name"] for each in ours.server.events] == ["lost"]
        assert ours.client.queued_count == 0
        assert ours.queue.with_name(f"{ours.queue.name}.migrated").read_text() == '{"id": "x", "na'


def test_what_json_does_not_have_costs_no_event(tmp_path: Path) -> None:
    """``track_unserialisable`` (T10): the value becomes text or a list."""
    with place(tmp_path) as ours:
        ours.run(recording("track_unserialisable")["call"])
        data: list[Any] = [each["data"] for each in ours.sent]
        assert data == [{"x": "1.5"}, {"x": "00000000-0000-0000-0000-000000000001"}, {"x": [1]}]


def test_an_options_object_may_be_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then every default holds."""
    monkeypatch.chdir(tmp_path)
    client = TelemetryClient()
    client.track("a")
    client.flush()
    assert client.queued_count == 1
    assert TelemetryOptions() == TelemetryOptions("", "", "telemetry-queue.ndjson", 20, 10, "", "", False)
