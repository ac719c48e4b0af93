"""Tests for footspan.pipeline.quick: it writes what the ordinary road writes, or declines."""

from __future__ import annotations

import contextlib
import os
import re
import threading
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider

import footspan
from collecting import Collecting
from footspan import _guard, _otel, emit, pipeline, tracking
from footspan import conventions as c
from footspan.pipeline import quick
from footspan.pipeline.plans import MAX_TEXT
from footspan.pipeline.processor import Slot
from spooled import spooled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from footspan.pipeline.quick import QuickRoad

_TIME = re.compile(rb'(imeUnixNano":")\d+')
_UID = re.compile(rb'("key":"log\.record\.uid","value":\{"stringValue":)"[^"]*"')


class Open:
    """A started pipeline with its quick road, and every line that it appends."""

    def __init__(self) -> None:
        started = pipeline.get_pipeline()
        assert started is not None
        self.pipeline = started
        self.lines: list[bytes] = []
        started.spool.append = self.lines.append  # type: ignore[assignment, method-assign]
        self.closed = 0
        road = quick.quick_road(started, emit.default_logger(), self._close)
        assert road is not None
        self.road: QuickRoad = road

    def _close(self) -> None:
        self.closed += 1

    def ordinary(self, name: Any, properties: dict[str, Any]) -> bytes:
        """What the ordinary road writes for an event, without id and time."""
        self.lines.clear()
        slot = pipeline.default_slot()
        slot.close_road()
        slot.try_again = float("inf")
        assert footspan.track_event(name, properties)
        return self.written()

    def quickly(self, name: Any, properties: dict[str, Any]) -> bytes | None:
        """What the quick road writes for an event whose kind it knows; ``None`` if it declines."""
        self.lines.clear()
        for _ in range(3):
            if self.road(name, dict(properties)):
                return self.written()
            assert not self.lines
        return None

    def written(self) -> bytes:
        """The one line written, without id and time."""
        (line,) = self.lines
        return _UID.sub(rb"\1", _TIME.sub(rb"\1", line))


@pytest.fixture
def road() -> Iterator[Open]:
    """An open road: one destination, which takes everything and delivers nothing."""
    with opened() as found:
        yield found


@contextlib.contextmanager
def opened(**changed: Any) -> Iterator[Open]:
    """An open road under settings of one's own."""
    footspan.init(service_name="shop", courier="external", destinations={"console": {"enabled": True}}, **changed)
    yield Open()


USUAL: dict[str, Any] = {
    "user_id": "u_1",
    "amount": 9.99,
    "items": 3,
    "express": True,
    "gift": False,
    "coupon": None,
    "note": "so what, it's été",
}


def test_a_known_kind_is_written_as_the_ordinary_road_writes_it(road: Open) -> None:
    """Texts, numbers, yes and no, nothing: byte for byte but for id and time."""
    assert road.quickly("checkout.completed", USUAL) == road.ordinary("checkout.completed", USUAL)


def test_track_takes_it_from_the_third_event_of_a_kind_on(road: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """The public call goes the quick way by itself, and returns the id that is stored."""
    footspan.track("x", n=1)
    ordinary: list[Any] = []

    def emitted(*arguments: Any, **_: Any) -> str:
        ordinary.append(arguments)
        return ""

    monkeypatch.setattr(tracking.tracker, "emit_event", emitted)
    for _ in range(3):
        footspan.track("x", n=1)
    road.lines.clear()
    ordinary.clear()
    uid = footspan.track("x", n=2)

    assert ordinary == []
    assert uid
    assert uid.encode() in road.lines[0]


words = st.text(st.characters(codec=None), max_size=12)
scalars = (
    words
    | st.integers()
    | st.floats()
    | st.booleans()
    | st.none()
    | st.sampled_from(
        ["a@b.example", "https://u:p@x.example/?token=1&a=b", "50%", "what?", '"', "\\", "\n", "\x7f", "\ud800"]
    )
)
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(words, scalars, max_size=2) | st.binary(max_size=3)
keys = words | st.sampled_from(
    ["user_id", "email", "password", "category", "timestamp", "event_name", "url.full", c.LOG_RECORD_UID, c.CATEGORY,
     c.DESTINATION, c.PURPOSE, c.REDACTED, "user.id", "utm_source", "card_number", "a@b.example",
     "http.request.header.referer"]
)  # fmt: skip
names = words | st.sampled_from(["error.x", "checkout.completed", "to bob@example.com", "%s %d"])
contexts = st.dictionaries(
    st.sampled_from(
        [
            "user_id",
            "session_id",
            "visitor_id",
            "url",
            "ip",
            "referrer",
            "referrer_class",
            "first_touch_utm_source",
            "plan",
            "password",
            "category",
            "note",
        ]
    ),
    scalars,
    max_size=3,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=names, properties=st.dictionaries(keys, values, max_size=5), ambient=contexts, base=contexts)
@example(name="x", properties={"category": "error"}, ambient={}, base={})
@example(
    name="x", properties={"user_id": "u", "n": -0.0}, ambient={"user_id": "other", "plan": "pro"}, base={"plan": "x"}
)
@example(name="x", properties={"n": 1e16, "m": 5e-324, "i": 2**63 - 1}, ambient={"url": "/a?b=c"}, base={})
@example(name="x", properties={"i": 2**63}, ambient={"referrer": "https://x.example/"}, base={})
@example(name="x", properties={"note": "50% off? {b} %s"}, ambient={"ip": "10.0.0.1"}, base={})
@example(name="x", properties={"n": 1}, ambient={"user_id": None}, base={"user_id": "machine", "plan": "pro"})
def test_whatever_it_writes_is_what_the_ordinary_road_writes(
    road: Open, name: str, properties: dict[str, Any], ambient: dict[str, Any], base: dict[str, Any]
) -> None:
    """It may decline any event; it never writes another line, and never raises."""
    _guard.reraise_in_tests(False)
    footspan.clear_context()
    footspan.set_context(**base)
    with footspan.context(**ambient):
        found = road.quickly(name, properties)
        if found is not None:
            assert found == road.ordinary(name, properties)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.dictionaries(st.sampled_from(["x", "y", "category"]),
    st.sampled_from(["t", "error", 1, 2.5, True, None]), max_size=3)), max_size=12))  # fmt: skip
def test_kinds_are_told_apart(road: Open, events: list[tuple[str, dict[str, Any]]]) -> None:
    """One name with other properties, types or categories is another kind, in whatever order they come."""
    for name, properties in events * 3:
        road.lines.clear()
        if road.road(name, dict(properties)):
            assert road.written() == road.ordinary(name, properties)


def test_usual_events_are_not_declined(road: Open) -> None:
    """What a shop tracks all day takes the quick road, with a context and inside a span."""
    tracer = TracerProvider().get_tracer("t")
    with (
        footspan.context(
            user_id="u_1", session_id="s", url="https://shop.example/a?b=c", referrer="https://x.example/"
        ),
        tracer.start_as_current_span("s"),
    ):
        for properties in (
            {},
            USUAL,
            {"category": "error", "code": 500},
            {"email": "bob@example.com", "full_name": 'Bob "the builder"'},
            {"note": "50% off? yes\nsecond line"},
            {"utm_source": "x", "fbclid": "y"},
        ):
            found = road.quickly("checkout.completed", properties)
            assert found == road.ordinary("checkout.completed", properties)
            assert b"traceId" in (found or b"")


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("x", {"password": "hunter2"}),
        ("x", {"note": "to bob@example.com"}),
        ("to bob@example.com", {}),
        ("x", {"items": [1, 2]}),
        ("x", {"timestamp": 1.0}),
        ("x", {"log.record.uid": "mine"}),
        ("x", {"footspan.destination": "console"}),
        ("x", {"user_id": "a", "user.id": "b"}),
        ("x", {"n": 2**63}),
        ("x", {"n": float("nan")}),
        ("x", {"n": "\ud800"}),
        ("x", {"n": "y" * (MAX_TEXT + 1)}),
        ("x", {"url.full": "https://x.example/?token=1"}),
        (5, {}),
        ([], {}),
        ("", {}),
    ],
)
def test_what_needs_a_closer_look_is_declined(road: Open, name: Any, properties: dict[str, Any]) -> None:
    """Nothing is written, nothing raised: the ordinary road has it."""
    assert road.quickly(name, properties) is None


def test_a_secret_in_a_known_kind_is_found(road: Open) -> None:
    """A plan says nothing of the next values: each is examined."""
    assert road.quickly("x", {"note": "harmless"})
    assert road.quickly("x", {"note": "to bob@example.com"}) is None
    assert road.quickly("x", {"note": "https://bob:pw@x.example/"}) is None
    assert road.quickly("x", {"note": "harmless again"})


def test_the_context_that_counts_is_the_one_at_the_call(road: Open) -> None:
    """Written forms are kept with their values and never outlive them."""
    for number in range(5):
        with footspan.context(user_id=f"u{number}"):
            assert b'"u%d"' % number in (road.quickly("x", {"n": 1}) or b"")
            footspan.set_context(plan="pro")
            assert b'"pro"' in (road.quickly("x", {"n": 1}) or b"")
        assert b"user.id" not in (road.quickly("x", {"n": 1}) or b"user.id")


def test_a_context_with_what_can_change_is_read_for_every_event(road: Open) -> None:
    """Somebody may hold a list and add to it."""
    roles = ["reader"]
    with footspan.context(roles=roles):
        assert road.quickly("x", {}) is None
        roles.append("writer")
        assert b"writer" in road.ordinary("x", {})


@pytest.mark.parametrize(
    ("fields", "properties"),
    [
        ({f"k{number}": number for number in range(600)}, {}),
        ({f"k{number}": "v" * 60_000 for number in range(40)}, {}),
        ({"": "nameless", "plan": "pro"}, {}),
        ({"k%40z.com": "x"}, {"[contact]": "y"}),
    ],
    ids=["many", "large", "no name", "a name that is cut"],
)
def test_a_context_beyond_the_usual_is_cut_as_everywhere(
    road: Open, fields: dict[str, Any], properties: dict[str, Any]
) -> None:
    """No more attributes and no larger records than any event may have, and none without a name."""
    with footspan.context(**fields):
        found = road.quickly("x", properties)
        assert found is None or (b'"key":""' not in found and found == road.ordinary("x", properties))


def test_a_road_to_a_pipeline_that_ended_meanwhile_stays_closed(road: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings may change in another thread while a road is being made; it would lead to the former spool for ever."""
    slot = Slot()
    slot.pipeline = road.pipeline

    def late(*_: Any) -> QuickRoad:
        slot.pipeline = None
        return road.road

    monkeypatch.setattr(quick, "quick_road", late)
    quick.open_road(slot)

    assert slot.quick is None


def test_another_processor_closes_it(road: Open) -> None:
    """From then on events are log records again, which everybody gets."""
    assert road.quickly("x", {})
    provider = _otel.sdk_logger_provider()
    assert provider is not None
    foreign = Collecting()
    provider.add_log_record_processor(foreign)

    assert road.quickly("x", {}) is None
    assert road.closed
    footspan.track("x")
    assert len(foreign.seen) == 1
    assert quick.quick_road(road.pipeline, emit.default_logger()) is None


def test_a_processor_of_the_hosts_own_closes_it(road: Open) -> None:
    """What it adds or removes must not be missed."""
    assert road.quickly("x", {})
    road.pipeline.processors.insert(0, lambda draft: None)

    assert road.quickly("x", {}) is None
    assert quick.quick_road(road.pipeline, emit.default_logger()) is None


def test_it_is_closed_where_the_sdk_counts_records(road: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """The SDK's own metrics must stay true."""
    logger = emit.default_logger()
    monkeypatch.setattr(logger, "_logger_metrics", object())

    assert quick.quick_road(road.pipeline, logger) is None


def test_destinations_that_write_at_once_see_every_event(capfd: pytest.CaptureFixture[str]) -> None:
    """``logging`` writes in the caller's process; such events take the ordinary road, others the quick one."""
    logs = {"logging": {"enabled": True, "events": ["error.*"]}, "console": {"enabled": True}}
    footspan.init(courier="external", destinations=logs)
    road = Open()

    assert road.quickly("error.x", {}) is None
    assert road.quickly("x", {}) is not None


def test_an_event_that_nobody_takes_is_counted_each_time() -> None:
    """It is kept, and its number is known."""
    footspan.init(courier="external", destinations={"console": {"enabled": True, "events": ["a.*"]}})
    for _ in range(5):
        footspan.track("b.x")

    assert footspan.status()["counters"]["unrouted"] == 5
    assert len(spooled()) == 5


def test_kinds_without_end_cost_no_memory(road: Open) -> None:
    """Names that hold an id would else fill the tables."""
    for number in range(2 * quick.MAX_PLANS):
        for _ in range(3):
            road.road(f"x{number}", {"n": 1})
    cells: dict[str, Any] = {
        name: cell.cell_contents
        for name, cell in zip(road.road.__code__.co_freevars, road.road.__closure__ or (), strict=True)
    }

    assert len(cells["latest"]) <= quick.MAX_PLANS


@pytest.mark.parametrize("long", ["name", "property", "category"])
def test_long_names_are_not_held(road: Open, long: str) -> None:
    """Somebody who puts a text where a name belongs must not have thousands of them in memory."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        for number in range(50):
            text = f"{number:06}" + "x" * 29_994
            event: dict[str, Any] = {"name": "x", **({long: text} if long != "property" else {text: 1})}
            for _ in range(2):
                footspan.track_event(event["name"], event)
                road.road(event["name"], event)
                road.lines.clear()
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert after - before < 375_000  # they have one and a half million characters


def test_a_forked_child_draws_ids_of_its_own(road: Open) -> None:
    """Parent and child go on from the same state in the same millisecond."""
    assert road.quickly("x", {})
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover - measured in no process
        os.write(send, "\n".join(emit.new_uid(1) for _ in range(50)).encode())
        os._exit(0)
    os.close(send)
    with os.fdopen(receive) as stream:
        theirs = set(stream.read().split())
    os.waitpid(child, 0)

    assert len(theirs) == 50
    assert theirs.isdisjoint(emit.new_uid(1) for _ in range(50))


def test_many_threads_learn_at_once(road: Open) -> None:
    """Every event of every thread is kept once, whoever makes the plans."""
    uids: list[str] = []

    def work(number: int) -> None:
        for index in range(100):
            with footspan.context(user_id=f"u{number}"):
                uids.append(footspan.track(f"kind{index % 7}", n=index, who=f"u{number}"))

    threads: list[threading.Thread] = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert len(set(uids)) == 600
    assert len(road.lines) == 600
    for line in road.lines:
        who = re.search(rb'"who","value":\{"stringValue":"(u\d)"', line)
        assert who
        assert b'"user.id","value":{"stringValue":"%b"' % who[1] in line
