"""Tests for footspan.tracking.life and pipeline.beside: trackers with settings of their own, side by side."""

from __future__ import annotations

import gc
import os
import threading
import time
import weakref
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import _logs, trace
from opentelemetry.sdk.trace import TracerProvider

import footspan
from footspan import Tracker, pipeline
from footspan.pipeline import beside
from footspan.pipeline.endings import shut_down_all
from servers.otlp import OtlpSink
from spooled import spooled

CONSOLE: dict[str, Any] = {"console": {"enabled": True}}


def state() -> Path:
    """The folder of every service's spool."""
    return Path(os.environ["XDG_STATE_HOME"]) / "footspan"


def of(service: str) -> list[str]:
    """The names of a service's stored events."""
    return [event.name for event in spooled() if event.resource.get("service.name") == service]


def arrived(sink: OtlpSink) -> list[str]:
    """The names of the events that a destination got."""
    return [event["name"] for event in sink.events]


def until(condition: Any, seconds: float = 20.0) -> bool:
    """Whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    return bool(condition())


def quiet(service: str, **settings: Any) -> Tracker:
    """A tracker that delivers nothing."""
    return Tracker(service_name=service, courier="external", destinations=CONSOLE, **settings)


def test_trackers_live_side_by_side() -> None:
    """Each has its service, its folder and its pipeline, and the process keeps its own."""
    footspan.init(service_name="shop", courier="external", destinations=CONSOLE)
    audit, billing = quiet("audit"), quiet("billing", service_version="7")
    uids = [footspan.track("a"), audit.track("b"), billing.track("c")]

    assert [event.uid for event in sorted(spooled(), key=lambda event: event.name)] == uids
    assert (of("shop"), of("audit"), of("billing")) == (["a"], ["b"], ["c"])
    assert sorted(folder.name for folder in state().iterdir()) == ["audit", "billing", "shop"]
    assert next(e for e in spooled() if e.name == "c").resource["service.version"] == "7"


def test_every_call_goes_to_its_tracker() -> None:
    """The calls, the decorators and the blocks."""
    audit = quiet("audit")
    audit.track("a")
    audit.track_event("b", {"x": 1})
    audit.page_view("/c")
    audit.identify("u")
    audit.track_exception(LookupError())
    audit.track_duration("d")(lambda: None)()
    audit.track_function("e")(lambda: None)()
    with audit.track_duration("f"), pytest.raises(LookupError), audit.track_error("g"):
        raise LookupError

    assert of("audit") == [
        "a", "b", "footspan.page_view", "footspan.identify", "exception", "d.started", "d.completed", "e",
        "f.started", "g", "f.completed",
    ]  # fmt: skip
    assert pipeline.get_pipeline() is None  # the process's was not started for them


def test_nothing_is_installed_globally() -> None:
    """Other libraries' logs do not come by, and a tracker's events pass no processor of theirs."""
    before = _logs.get_logger_provider()
    quiet("audit").track("a")

    assert _logs.get_logger_provider() is before


def test_each_has_its_quick_road(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the fourth event of a kind on, to the right folder, and written as on the ordinary road."""
    audit = quiet("audit")
    footspan.init(service_name="shop", courier="external", destinations=CONSOLE)
    for _ in range(3):
        audit.track("x", n=1)
        footspan.track("x", n=1)
    monkeypatch.setattr("footspan.tracking.tracker.emit_event", lambda *_, **__: "ordinary")
    assert "ordinary" not in {audit.track("x", n=1), footspan.track("x", n=1)}

    for service in ("audit", "shop"):
        first, *_, last = [event for event in spooled() if event.resource["service.name"] == service]
        volatile = {"timeUnixNano", "observedTimeUnixNano"}
        assert first.resource == last.resource
        assert {**first.attributes, "log.record.uid": ""} == {**last.attributes, "log.record.uid": ""}
        assert first.record.keys() == last.record.keys() >= volatile
    assert (of("audit"), of("shop")) == (["x"] * 4, ["x"] * 4)


def test_the_context_is_shared() -> None:
    """Who and where is the same for all of them, and so is the trace."""
    tracer = TracerProvider().get_tracer("t")
    with footspan.context(user_id="u_1"), tracer.start_as_current_span("s") as span:
        quiet("audit").track("a")
    (event,) = spooled()

    assert event.attributes["user.id"] == "u_1"
    assert event.record["traceId"] == trace.format_trace_id(span.get_span_context().trace_id)


def test_destinations_in_code_are_the_only_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """What goes elsewhere does not go to the process's destinations, too; keys left out come from below."""
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_UMAMI_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_UMAMI_WEBSITE", "b8b1f6f4-2c1b-4c0e-9f5e-2a1d5d2f3a4b")
    only = Tracker(service_name="a", courier="external", destinations=CONSOLE)
    same = Tracker(service_name="b", courier="external", destinations={"umami": {"hostname": "b.example"}})
    all_of_them = Tracker(service_name="c", courier="external")

    assert set(only.status()["destinations"]) == {"console"}
    assert set(same.status()["destinations"]) == {"umami"}
    assert set(all_of_them.status()["destinations"]) == {"umami"}


def test_each_flushes_and_ends_by_itself() -> None:
    """``flush`` and ``status`` tell of their own; after ``shutdown`` the others go on, and events are kept."""
    with OtlpSink() as first, OtlpSink() as second:
        one = Tracker(service_name="one", destinations={"otlp": {"endpoint": first.url}})
        two = Tracker(service_name="two", destinations={"otlp": {"endpoint": second.url}})
        one.track("a")
        two.track("b")
        assert one.flush(20.0) == {"otlp": 0}
        one.shutdown()
        one.track("late")
        two.track("c")
        assert two.flush(20.0) == {"otlp": 0}
        two.close()

        assert arrived(first) == ["a"]
        assert arrived(second) == ["b", "c"]
        assert of("one") == ["a", "late"]
        assert footspan.status() == {}


def test_one_service_twice_shares_a_folder() -> None:
    """Two trackers of one service append side by side; who carries, carries for both, and each event arrives once."""
    with OtlpSink() as sink:
        settings: dict[str, Any] = {"destinations": {"otlp": {"endpoint": sink.url}}}
        one, two = Tracker(service_name="shop", **settings), Tracker(service_name="shop", **settings)
        uids = {tracker.track("x") for _ in range(50) for tracker in (one, two)}
        assert one.flush(20.0) == {"otlp": 0}
        one.close()
        uids.add(two.track("after"))
        assert two.flush(20.0) == {"otlp": 0}
        two.close()

        assert len(uids) == 101
        assert sorted(event["uid"] for event in sink.events) == sorted(uids)
        assert [folder.name for folder in state().iterdir()] == ["shop"]


def test_leaving_a_block_closes() -> None:
    """What was tracked inside is delivered; afterwards nothing is recorded, and nothing raises."""
    with OtlpSink() as sink:
        with Tracker(service_name="job", exit_timeout=20.0, destinations={"otlp": {"endpoint": sink.url}}) as job:
            job.track("done")
        assert arrived(sink) == ["done"]
    assert (job.track("late"), job.track_event("late"), job.flush(), job.status()) == ("", "", {}, {})
    job.close()
    assert of("job") == ["done"]
    assert beside.pipelines() == []


def test_a_closed_one_can_start_again() -> None:
    """``init`` gives it settings again; the same ones twice change nothing."""
    job = quiet("job")
    job.close()
    job.init(service_name="other", courier="external", destinations=CONSOLE)
    slot = job._slot
    job.init(service_name="other", courier="external", destinations=CONSOLE)
    job.track("x")

    assert job._slot is slot
    assert of("other") == ["x"]


def test_a_dropped_one_closes_itself() -> None:
    """Nothing of it stays: not the pipeline, not its threads."""
    job = quiet("job")
    job.track("x")
    assert job._slot is not None
    left = weakref.ref(job._slot.pipeline)
    del job

    def gone() -> bool:
        gc.collect()
        return left() is None and beside.pipelines() == []

    assert until(gone)
    assert of("job") == ["x"]


def test_a_decorated_function_keeps_its_tracker() -> None:
    """As long as somebody can call it."""
    watched = quiet("job").track_function("w")(lambda: 7)
    gc.collect()

    assert watched() == 7
    assert of("job") == ["w"]


def test_without_settings_it_is_the_processs_own() -> None:
    """A further handle: same pipeline, same spool; the end of a block does not end what others use."""
    footspan.init(service_name="shop", courier="external", destinations=CONSOLE)
    with Tracker() as handle:
        handle.track("a")
    handle.track("b")
    footspan.track("c")

    assert of("shop") == ["a", "b", "c"]
    assert handle.status()["directory"] == footspan.status()["directory"]
    assert beside.pipelines() == []


def test_a_bad_setting_is_refused_at_once() -> None:
    """Key and fix, as for ``init``."""
    with pytest.raises(footspan.ConfigurationError, match="max_bytes"):
        Tracker(service_name="x", spool={"max_bytes": "many"})
    with pytest.raises(footspan.ConfigurationError, match="url"):
        Tracker(service_name="x", destinations={"umami": {"enabled": True}})


@pytest.mark.parametrize(("name", "value"), [("TELEMETRY_ENABLED", "false"), ("OTEL_SDK_DISABLED", "true")])
def test_switched_off_means_all_of_them(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator's switch is for trackers in code as well."""
    monkeypatch.setenv(name, value)
    job = quiet("job")

    assert (job.track("x"), job.flush(), job.status()) == ("", {}, {})
    assert not state().exists()


def test_all_end_within_one_exit_timeout() -> None:
    """Three that cannot deliver share the time of one, and what they could not deliver is on disk."""
    with OtlpSink() as sink:
        sink.faults.hang(20.0, times=100, stored=False)
        trackers = [
            Tracker(service_name=f"s{n}", exit_timeout=2.0, destinations={"otlp": {"endpoint": sink.url}})
            for n in range(3)
        ]
        for tracker in trackers:
            tracker.track("x")
        began = time.monotonic()
        shut_down_all(beside.pipelines())
        took = time.monotonic() - began

    assert took < 5.0  # each by itself would take two seconds
    assert [of(f"s{n}") for n in range(3)] == [["x"]] * 3


def test_a_handler_can_flush_one_of_its_own() -> None:
    """``flush_after`` takes the tracker whose events must leave before the platform freezes the process."""
    with OtlpSink() as sink:
        tracker = Tracker(service_name="job", destinations={"otlp": {"endpoint": sink.url}})
        footspan.flush_after(budget=20.0, tracker=tracker)(lambda: tracker.track("x"))()
        assert arrived(sink) == ["x"]


def test_threads_may_make_and_drop_trackers_at_once() -> None:
    """No lock of ours waits for another."""

    def work(number: int) -> None:
        for _ in range(3):
            with quiet(f"s{number % 2}") as tracker:
                tracker.track("x")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert not any(thread.is_alive() for thread in threads)
    assert len(of("s0")) + len(of("s1")) == 12
