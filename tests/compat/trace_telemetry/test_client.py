"""Tests for footspan.compat.trace_telemetry: when events leave, where they wait, and what never happens to the host."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import ssl
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import footspan
from footspan.compat.trace_telemetry import TelemetryClient, TelemetryOptions
from footspan.config import ConfigurationError
from programs import run as run_program
from servers.otlp import OtlpSink
from servers.trace_telemetry import TraceTelemetryServer
from spooled import spooled

if TYPE_CHECKING:
    from collections.abc import Iterator

WAIT = 20.0
CERTIFICATE = Path(__file__).parents[2] / "destinations" / "localhost.pem"
"""Of localhost, with its key; no authority signed it."""


@pytest.fixture
def server() -> Iterator[TraceTelemetryServer]:
    """An endpoint that wants no key."""
    with TraceTelemetryServer() as found:
        yield found


class Clients:
    """Makes clients of one folder, and stops them."""

    def __init__(self, folder: Path, server: TraceTelemetryServer) -> None:
        self.folder = folder
        self.server = server
        self.made: list[TelemetryClient] = []

    def __call__(self, **options: Any) -> TelemetryClient:
        """A client of the server and of ``queue.ndjson``, unless the options say otherwise."""
        given = {
            "endpoint_url": self.server.endpoint,
            "queue_path": str(self.folder / "queue.ndjson"),
            "application_name": "Kiosk",
            "application_version": "1.0",
            **options,
        }
        client = TelemetryClient(TelemetryOptions(**given))
        self.made.append(client)
        return client


@pytest.fixture
def make(tmp_path: Path, server: TraceTelemetryServer) -> Iterator[Clients]:
    """See :class:`Clients`."""
    clients = Clients(tmp_path, server)
    yield clients
    for each in clients.made:
        each.stop()


def names(server: TraceTelemetryServer) -> list[str]:
    """The names of the events that arrived, those that came twice among them."""
    return [each["name"] for each in server.received]


def fill(client: TelemetryClient, count: int, first: int = 0) -> list[str]:
    """Track so many events; their names."""
    found = [f"e{number}" for number in range(first, first + count)]
    for name in found:
        client.track(name, "n", name)
    return found


# -- when events leave -------------------------------------------------------------------------------------------------


def test_nothing_is_sent_before_somebody_asks(make: Clients, server: TraceTelemetryServer) -> None:
    """Neither by tracking nor by the flush or the end of anything else of ours; what waits is counted."""
    client = make()
    fill(client, 30)
    footspan.flush(1)
    footspan.shutdown(1)
    time.sleep(0.3)
    assert (server.requests, client.queued_count) == ([], 30)
    client.flush()
    assert (len(server.events), client.queued_count) == (30, 0)


def test_a_flush_sends_all_in_batches(make: Clients, server: TraceTelemetryServer) -> None:
    """Of ``batch_size``, in order."""
    client = make(batch_size=7)
    tracked = fill(client, 30)
    client.flush()
    assert names(server) == tracked
    assert [len(request.json()) for request in server.requests] == [7, 7, 7, 7, 2]


def test_a_tick_sends_all_that_waits(make: Clients, server: TraceTelemetryServer) -> None:
    """T4: not one batch a tick; what comes after it waits for the next one or, after ``stop``, for ever."""
    client = make(flush_interval_seconds=1, batch_size=20)
    tracked = fill(client, 200)
    client.start()
    client.start()
    assert not server.requests
    assert server.wait_for(lambda: len(server.received) == 200, WAIT)
    assert names(server) == tracked
    client.stop()
    client.stop()
    client.track("late")
    time.sleep(1.2)
    assert (len(server.received), client.queued_count) == (200, 1)
    client.start()
    assert server.wait_for(lambda: names(server)[-1] == "late", WAIT)


def test_flushes_at_once_send_nothing_twice(make: Clients, server: TraceTelemetryServer) -> None:
    """T1: threads, the timer, and clients with the same queue."""
    server.faults.latency = 0.002
    clients = [make(batch_size=5, flush_interval_seconds=1), make(batch_size=5), make(batch_size=10)]
    tracked = fill(clients[0], 100)
    clients[0].start()
    threads = [threading.Thread(target=each.flush) for each in clients * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert names(server) == tracked
    assert [each.queued_count for each in clients] == [0, 0, 0]


def test_a_flush_waits_for_the_one_under_way(make: Clients, server: TraceTelemetryServer) -> None:
    """So that its events are there when it returns."""
    client = make()
    fill(client, 10)
    server.faults.hang(0.5)
    other = threading.Thread(target=client.flush)
    other.start()
    assert server.wait_for(lambda: server.requests, WAIT)
    client.flush()
    assert len(server.events) == 10
    other.join(WAIT)


def test_a_flush_in_a_signal_handler_returns(make: Clients, server: TraceTelemetryServer) -> None:
    """Also where it interrupts the thread that is delivering."""
    client = make()
    tracked = fill(client, 5)
    before = signal.signal(signal.SIGUSR1, lambda *_: client.flush())
    try:
        server.faults.hang(0.4)
        timer = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1))
        timer.start()
        client.flush()
        timer.join(WAIT)
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert names(server) == tracked


def test_what_comes_in_meanwhile_keeps_no_flush(make: Clients, server: TraceTelemetryServer) -> None:
    """It ends with what waited when it was called."""
    client = make(batch_size=1)
    over = threading.Event()

    def go_on() -> None:
        while not over.is_set():
            client.track("more")
            time.sleep(0.001)

    fill(client, 5)
    server.faults.latency = 0.01
    other = threading.Thread(target=go_on)
    other.start()
    try:
        client.flush()
    finally:
        over.set()
        other.join(WAIT)
    assert len(server.received) < 100


# -- trouble -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [302, 401, 404, 429, 500, 503])
def test_trouble_keeps_everything(status: int, make: Clients, server: TraceTelemetryServer) -> None:
    """One request, and all events are there at the next one."""
    client = make()
    tracked = fill(client, 45)
    server.faults.answer(status, times=1)
    client.flush()
    assert (len(server.requests), client.queued_count) == (1, 45)
    client.flush()
    assert names(server) == tracked


def test_bad_events_hold_up_no_others(make: Clients, server: TraceTelemetryServer) -> None:
    """T5: also where several of them are the oldest; they are kept aside."""
    client = make()
    server.refused = {"bad"}
    for _ in range(5):
        client.track("bad")
    tracked = fill(client, 60)
    client.flush()
    assert (names(server), client.queued_count) == (tracked, 0)
    kept = next(Path(f"{make.folder}/queue.ndjson.d").glob("queue/rejected/*.jsonl"))
    assert len(kept.read_text().splitlines()) == 5


def test_a_server_that_refuses_everything_gets_nothing_lost(make: Clients, server: TraceTelemetryServer) -> None:
    """T5: whose fault it is shows once it takes something; two events at the most are given up before that."""
    client = make()
    fill(client, 30)
    server.faults.answer(400, times=1_000)
    client.flush()
    client.flush()
    assert client.queued_count >= 28
    server.faults.clear()
    client.flush()
    assert client.queued_count == 0
    assert len(server.events) >= 28


def test_an_event_that_is_too_large_goes_aside(make: Clients, server: TraceTelemetryServer) -> None:
    """T5: a 413 is about what is too large alone."""
    server.max_body = 4_000
    client = make()
    client.track("large", {"text": "x" * 10_000})
    tracked = fill(client, 40)
    client.flush()
    assert (names(server), client.queued_count) == (tracked, 0)


def test_retry_after_is_obeyed(make: Clients, server: TraceTelemetryServer) -> None:
    """T9: by the timer and by flush, in this process and the next."""
    client = make()
    client.track("a")
    server.faults.answer(429, headers={"Retry-After": "600"})
    client.flush()
    client.flush()
    make(batch_size=3).flush()
    assert (len(server.requests), client.queued_count) == (1, 1)


def test_a_server_that_nobody_vouches_for_gets_no_key(make: Clients, caplog: pytest.LogCaptureFixture) -> None:
    """T8: certificates are checked."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE)
    with TraceTelemetryServer(api_key="k", tls=context) as secret:
        client = make(endpoint_url=secret.endpoint, api_key="k")
        client.track("a")
        client.flush()
        assert (secret.requests, client.queued_count) == ([], 1)
    assert "tls" in caplog.text


def test_trouble_is_said_once(make: Clients, server: TraceTelemetryServer, caplog: pytest.LogCaptureFixture) -> None:
    """T10: on the logger, with the reason; and when it is over."""
    client = make()
    client.track("a")
    server.faults.answer(401, times=4)
    for _ in range(4):
        client.flush()
    assert [record.getMessage() for record in caplog.records if "parked" in record.getMessage()] == [
        "footspan: destination tracetelemetryclient is parked (http_401): events are kept, it is probed now and then"
    ]
    client.flush()
    assert "takes events again" in caplog.text


def test_the_timer_pauses_after_failures(make: Clients, server: TraceTelemetryServer) -> None:
    """T9: a server that is down for long is not asked at every tick; ``flush`` asks at once."""
    client = make(flush_interval_seconds=1)
    client.track("a")
    server.faults.answer(401, times=100)
    client.start()
    assert server.wait_for(lambda: server.requests, WAIT)
    time.sleep(2.4)
    assert len(server.requests) == 1
    client.flush()
    assert len(server.requests) == 2


# -- where they wait ---------------------------------------------------------------------------------------------------


def test_the_queue_is_beside_its_path(
    make: Clients, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: TraceTelemetryServer
) -> None:
    """Whatever the settings say of the spool; and nothing lies anywhere else."""
    monkeypatch.setenv("FOOTSPAN_SPOOL_DIRECTORY", str(tmp_path / "elsewhere"))
    make(application_name="one").track("a")
    make(application_name="two").track("b")
    assert sorted(each.name for each in spooled(tmp_path / "queue.ndjson.d")) == ["a", "b"]
    assert not (tmp_path / "elsewhere").exists()
    client = make(application_name="three")
    assert client.queued_count == 2
    client.flush()
    assert sorted(each["applicationName"] for each in server.events) == ["one", "two"]


def test_a_folder_that_is_missing_is_made(make: Clients, tmp_path: Path) -> None:
    """Before the first event."""
    make(queue_path=str(tmp_path / "a" / "b" / "q.ndjson"))
    assert (tmp_path / "a" / "b" / "q.ndjson.d").is_dir()


def test_a_path_that_cannot_be_written(
    make: Clients, tmp_path: Path, caplog: pytest.LogCaptureFixture, server: TraceTelemetryServer
) -> None:
    """T7: events wait in memory, with one warning."""
    (tmp_path / "file").write_text("")
    client = make(queue_path=str(tmp_path / "file" / "q.ndjson"))
    client.track("a")
    assert client.queued_count == 1
    client.flush()
    assert (names(server), client.queued_count) == (["a"], 0)
    assert [record.getMessage().count("in memory only") for record in caplog.records] == [1]


def test_a_queue_that_is_deleted_is_made_again(make: Clients, server: TraceTelemetryServer) -> None:
    """What this process wrote there is saved, and all that comes later arrives."""
    client = make()
    tracked = fill(client, 1)
    shutil.rmtree(f"{make.folder}/queue.ndjson.d")
    for number in range(1, 4):
        tracked += fill(client, 1, first=number)
        client.flush()
        client.flush()  # the first may only find that the folder is gone
    assert names(server) == tracked
    assert client.queued_count == 0


@pytest.mark.parametrize("endpoint", ["", "  ", None, "localhost:8080/telemetry", "ftp://x/y"])
def test_without_an_endpoint_events_wait_for_one(
    endpoint: Any, make: Clients, server: TraceTelemetryServer, caplog: pytest.LogCaptureFixture
) -> None:
    """T7: a blank one, or one that cannot be used, is no success; a later client of the queue delivers."""
    client = make(endpoint_url=endpoint)
    tracked = fill(client, 3)
    client.start()
    client.flush()
    client.flush()
    assert client.queued_count == 3
    assert len([record for record in caplog.records if record.levelno >= logging.WARNING]) == 1
    later = make(application_name="later")
    later.track("new")
    assert later.queued_count == 4
    later.flush()
    assert names(server) == [*tracked, "new"]
    assert (client.queued_count, later.queued_count) == (0, 0)


def test_options_may_change(make: Clients, server: TraceTelemetryServer, tmp_path: Path) -> None:
    """An app may set its endpoint, its version or its batches later."""
    options = TelemetryOptions(queue_path=str(tmp_path / "q.ndjson"))
    client = TelemetryClient(options)
    client.track("a")
    options.endpoint_url, options.application_version, options.batch_size = server.endpoint, "2", 1
    client.track("b")
    client.flush()
    assert [(each["name"], each["applicationVersion"]) for each in server.events] == [("a", ""), ("b", "2")]
    assert len(server.requests) == 2


def test_each_event_goes_to_the_endpoint_of_its_client(make: Clients, server: TraceTelemetryServer) -> None:
    """Several clients with names and endpoints of their own, on one queue or several."""
    with TraceTelemetryServer() as other:
        one, two = make(application_name="one"), make(application_name="two", endpoint_url=other.endpoint)
        apart = make(queue_path=str(make.folder / "apart.ndjson"), application_name="apart")
        for client in (one, two, apart):
            client.track("e")
        assert [each.queued_count for each in (one, two, apart)] == [1, 1, 1]
        for client in (one, two, apart):
            client.flush()
        assert [each["applicationName"] for each in server.received] == ["one", "apart"]
        assert [each["applicationName"] for each in other.received] == ["two"]


def test_the_process_gets_every_event_too(make: Clients, server: TraceTelemetryServer) -> None:
    """As a standard event with the same id, whatever its data are."""
    with OtlpSink() as sink:
        footspan.init(service_name="shop", destinations={"otlp": {"endpoint": sink.url}})
        client = make()
        client.track("a", {"user_id": "u", "n": 1})
        client.track("b", [1])
        client.track_exception(ValueError("boom"))
        client.flush()
        assert footspan.flush(WAIT) == {"otlp": 0}
        assert [each["attributes"]["log.record.uid"].replace("-", "") for each in sink.events] == [
            each["id"] for each in server.events
        ]
        assert server.events[0]["data"] == {"user_id": "u", "n": 1}
        exception = sink.events[2]["attributes"]
        assert (exception["exception.type"], exception["exception.message"]) == ("ValueError", "boom")
        assert "NoneType" not in exception["exception.stacktrace"]


def test_a_context_of_ours_stays_out_of_the_data(make: Clients, server: TraceTelemetryServer) -> None:
    """The format has no place for it."""
    client = make()
    with footspan.context(user_id="u", session_id="s", plan="pro"):
        client.track("a", {"k": 1})
        client.track("b")
    client.flush()
    assert [each["data"] for each in server.events] == [{"k": 1}, None]


# -- calls -------------------------------------------------------------------------------------------------------------


class Strange:
    """An object that can do nothing."""

    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__


def test_no_call_raises(make: Clients, server: TraceTelemetryServer) -> None:
    """Whatever it is given; the events are worth what they can tell."""
    client = make()
    cycle: list[Any] = []
    cycle.append(cycle)
    for data in (cycle, {"x": {1}}, {1: {None: 2.5}}, {"a": float("nan")}, b"\xff", {"": 1}, 2**80, "\ud800", object()):
        client.track("odd", data)
    client.track("x" * 500)
    client.track("two\nlines", "k", "v")
    client.track(5)
    client.track_exception(None)  # type: ignore[arg-type] # as it was recorded
    client.track_exception("no exception")  # type: ignore[arg-type] # a slip
    client.track_exception(ValueError(), extra_data=[1])
    client.flush()
    events = server.events
    assert len(events) == 14
    assert client.queued_count == 0
    assert [each["name"] for each in events[9:12]] == ["x" * 500, "two\nlines", "5"]
    assert events[2]["data"] == {"1": {"null": 2.5}}
    assert events[-1]["data"]["extra"] == [1]


def test_keyword_arguments(make: Clients, server: TraceTelemetryServer) -> None:
    """By the names that the document uses."""
    client = make()
    client.track(name="a", data={"k": 1})
    client.track("b", property_name="k", property_value="v")
    client.track_exception(exc=ValueError("x"), event_name="e", extra_data=None)
    client.flush()
    assert [each["data"] for each in server.events[:2]] == [{"k": 1}, {"k": "v"}]


def test_data_that_bear_names_of_other_meanings(make: Clients, server: TraceTelemetryServer) -> None:
    """They arrive as they were given, nested or not."""
    client = make()
    given: list[dict[str, Any]] = [
        {"user_id": "u", "category": "c", "timestamp": 5, "event_name": "n"},
        {"user.id": 1, "url.full": "x", "footspan.screen": "1x1", "k": None},
        {"log.record.uid": "mine", "deep": {"user.id": [1, {"a": None}]}},
        {f"k{number}": number for number in range(600)},
        {"email_sent": True, "amount": 1e22, "n": 10**15, "z": -0.0},
    ]
    for data in given:
        client.track("a", data)
    client.flush()
    assert [each["data"] for each in server.events] == given
    assert len({each["id"] for each in server.events}) == len(given)


def test_tracking_can_be_switched_off(
    make: Clients, monkeypatch: pytest.MonkeyPatch, server: TraceTelemetryServer
) -> None:
    """As everything of ours."""
    monkeypatch.setenv("TELEMETRY_ENABLED", "false")
    client = make()
    client.start()
    client.track("a")
    client.flush()
    client.stop()
    assert (client.queued_count, server.requests) == (0, [])


def test_a_bad_setting_of_the_process_is_an_error(make: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, where the client is made."""
    monkeypatch.setenv("FOOTSPAN_SPOOL_MAX_BYTES", "many")
    with pytest.raises(ConfigurationError, match="MAX_BYTES"):
        make()


def test_the_key_is_nowhere(make: Clients, caplog: pytest.LogCaptureFixture) -> None:
    """Neither on disk nor in what is logged or shown."""
    client = make(api_key="hunter2-key")
    client.track("a")
    client.flush()
    assert "hunter2" not in repr(TelemetryOptions(api_key="hunter2-key")) + caplog.text
    assert not [path for path in make.folder.rglob("*") if path.is_file() and b"hunter2" in path.read_bytes()]


# -- processes ---------------------------------------------------------------------------------------------------------


def test_a_forked_child_goes_on(make: Clients, server: TraceTelemetryServer) -> None:
    """Its events are the queue's; its own timer delivers them, and its flush."""
    client = make(flush_interval_seconds=1)
    client.track("parent")
    client.flush()
    client.start()
    child = os.fork()
    if not child:
        client.track("child")
        client.flush()
        os._exit(client.queued_count)
    assert os.waitpid(child, 0)[1] == 0
    assert sorted(names(server)) == ["child", "parent"]


PROGRAM = """
    import sys
    from footspan.compat.trace_telemetry import TelemetryClient, TelemetryOptions
    options = TelemetryOptions(sys.argv[1], "", sys.argv[2], flush_interval_seconds=1)
    client = TelemetryClient(options)
    if "start" in sys.argv:
        client.start()
    for number in range(int(sys.argv[3])):
        client.track("e", "n", number)
        if "flush" in sys.argv and number % 50 == 0:
            client.flush()
    if "flush" in sys.argv:
        client.flush()
"""


@pytest.mark.slow
def test_what_waits_at_the_end_of_a_process_waits_for_the_next(make: Clients, server: TraceTelemetryServer) -> None:
    """Nothing is sent at exit that was not asked for, and exit takes no time for it."""
    done = run_program(PROGRAM, None, server.endpoint, str(make.folder / "queue.ndjson"), "7", "start")
    assert (done.returncode, done.stderr, server.requests) == (0, "", [])
    client = make()
    assert client.queued_count == 7
    client.flush()
    assert len(server.received) == 7


@pytest.mark.slow
def test_two_processes_with_one_queue(make: Clients, server: TraceTelemetryServer) -> None:
    """T2: nothing is lost, nothing is sent twice."""
    arguments = (server.endpoint, str(make.folder / "queue.ndjson"), "500", "flush")
    threads = [threading.Thread(target=run_program, args=(PROGRAM, None, *arguments)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    make().flush()
    assert (len(server.received), len(server.events)) == (1000, 1000)
