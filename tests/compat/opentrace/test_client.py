"""Tests for footspan.compat.opentrace: every call, by position and by name, and what a host may do to it."""

from __future__ import annotations

import copy
import inspect
import json
import logging
import pickle
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, Final

import pytest

import footspan
from compat.opentrace.recordings import RESOLVE, Recorder
from footspan.compat.opentrace import OpenTrace
from footspan.config import ConfigurationError
from servers.otlp import OtlpSink
from spooled import spooled

if TYPE_CHECKING:
    from collections.abc import Callable

    from servers.umami import UmamiServer

CAMPAIGN: Final = {
    "utm_source": "telegram",
    "utm_medium": "bot",
    "utm_campaign": "spring",
    "utm_content": "banner",
    "utm_term": "vpn",
}
KNOWN: Final = [{"method": "GET", "path_prefix": RESOLVE, "status": 200, "body": CAMPAIGN}]


def sent(client: OpenTrace, server: Recorder) -> list[dict[str, Any]]:
    """The bodies that arrived."""
    assert client.flush(20) == 0
    return [json.loads(body) for body in server.bodies]


def test_the_parameters_stand_in_the_recorded_order() -> None:
    """An app may give all of them by position."""
    calls = ("__init__", "track_event", "capture", "track", "resolve_bot_param", "get_user_hash")
    orders = {name: list(inspect.signature(getattr(OpenTrace, name)).parameters) for name in calls}

    assert orders["__init__"] == ["self", "host", "project_id", "debug"]
    assert orders["track_event"][1:9] == [
        "name",
        "project_id",
        "payload",
        "utm_source",
        "utm_medium",
        "utm_campaign",
        "session_id",
        "bot_param",
    ]
    assert orders["capture"][1:7] == ["name", "payload", "resource_id", "user_id", "fbclid", "ttclid"]
    assert orders["track"][1:3] == ["name", "payload"]
    assert orders["resolve_bot_param"][1] == "param"
    assert orders["get_user_hash"][1] == "user_id"


def test_calls_by_position(server: Recorder) -> None:
    """Each in its place."""
    client = OpenTrace(server.url + "/", "ot_1", False)
    client.track_event("a", "ot_2", {"k": 1}, "google", "cpc", "spring", "s_1", "code")
    client.capture("b", {"k": 2}, "ot_3", "u_1", "fb", "tt")
    client.track("c", {"k": 3})

    assert sent(client, server) == [
        {
            "name": "a",
            "project_id": "ot_2",
            "payload": {"k": 1},
            "utm_source": "google",
            "utm_medium": "cpc",
            "utm_campaign": "spring",
            "session_id": "s_1",
        },
        {"type": "b", "rid": "ot_3", "meta": {"k": 2}, "fbclid": "fb", "ttclid": "tt", "sid": "u_1"},
        {"type": "c", "rid": "ot_1", "meta": {"k": 3}, "fbclid": None, "ttclid": None},
    ]
    assert server.looked_up == []


def test_meta_is_the_payload_by_its_documented_name(server: Recorder) -> None:
    """Where no payload is given."""
    client = OpenTrace(server.url, "p")
    client.capture("a", meta={"k": 1})
    client.capture("b", {"k": 2}, meta={"k": 3})
    client.track("c", meta={"k": 4})

    assert [body["meta"] for body in sent(client, server)] == [{"k": 1}, {"k": 2}, {"k": 4}]


def test_campaigns_and_pages_of_a_capture_arrive_in_their_fields(server: Recorder) -> None:
    """In the request's own words; what OpenTrace has no field for stays out of its payload."""
    client = OpenTrace(server.url, "p")
    client.capture(
        "a",
        utm_source="google",
        utm_medium="cpc",
        utm_campaign="spring",
        utm_term="shoes",
        gclid="g",
        url="https://shop.example/",
        ref="https://news.example/",
        lang="de",
        res="800x600",
    )

    assert sent(client, server) == [
        {
            "type": "a",
            "rid": "p",
            "meta": {},
            "fbclid": None,
            "ttclid": None,
            "url": "https://shop.example/",
            "ref": "https://news.example/",
            "res": "800x600",
            "lang": "de",
            "utm_s": "google",
            "utm_m": "cpc",
            "utm_c": "spring",
        }
    ]
    assert spooled()[0].attributes["footspan.click_id.gclid"] == "g"
    assert spooled()[0].attributes["footspan.utm.term"] == "shoes"


def test_a_click_id_takes_a_business_event_where_there_is_a_field_for_it(server: Recorder) -> None:
    """The other request; there a session is text, or the server stores nothing."""
    client = OpenTrace(server.url, "p")
    client.track_event("a", session_id=7, fbclid="fb", utm_source="google", payload={"k": 1})

    assert sent(client, server) == [
        {"type": "a", "rid": "p", "meta": {"k": 1}, "fbclid": "fb", "ttclid": None, "sid": "7", "utm_s": "google"}
    ]


def test_each_object_has_its_own_host_and_project(server: Recorder) -> None:
    """Side by side, and a project may be changed."""
    with Recorder() as other:
        one, two = OpenTrace(server.url, "p"), OpenTrace(other.url, "q")
        three = OpenTrace(server.url, "r")
        one.track_event("a")
        two.track_event("b")
        three.track_event("c")
        one.project_id = "s"
        one.track_event("d")
        assert [(body["name"], body["project_id"]) for body in sent(one, server)] == [
            ("a", "p"),
            ("c", "r"),
            ("d", "s"),
        ]
        assert [(body["name"], body["project_id"]) for body in sent(two, other)] == [("b", "q")]


def test_context_is_not_added_to_the_body(server: Recorder) -> None:
    """It was never there; every other destination has it."""
    client = OpenTrace(server.url, "p")
    with footspan.context(user_id="u", session_id="s", utm_source="x", bot_param="code", url="/a", plan="pro"):
        client.track_event("a", payload={"k": 1})
        client.capture("b")

    assert sent(client, server) == [
        {
            "name": "a",
            "project_id": "p",
            "payload": {"k": 1},
            "utm_source": None,
            "utm_medium": None,
            "utm_campaign": None,
            "session_id": None,
        },
        {"type": "b", "rid": "p", "meta": {}, "fbclid": None, "ttclid": None},
    ]
    assert {(event.attributes["user.id"], event.attributes["plan"]) for event in spooled()} == {("u", "pro")}


def test_a_start_code_of_the_context_changes_no_body(server: Recorder) -> None:
    """Although it is looked up for other destinations."""
    server.answers = KNOWN
    client = OpenTrace(server.url, "p")
    with footspan.context(bot_param="code"):
        client.track_event("a")

    assert [(body["utm_source"], body["payload"]) for body in sent(client, server)] == [(None, {})]


def test_an_event_is_a_standard_one_everywhere_else(server: Recorder) -> None:
    """Under the conventional names, with the payload's entries as its properties."""
    with OtlpSink() as sink:
        footspan.init(destinations={"otlp": {"endpoint": sink.url}})
        client = OpenTrace(server.url, "p")
        client.capture("purchase", {"amount": 49.99, "items": [{"sku": 1}]}, user_id=7, fbclid="fb", utm_source="g")
        assert (client.flush(20), footspan.flush(20)) == (0, {"otlp": 0})
        [event] = sink.events

    assert event["name"] == "purchase"
    assert {key: value for key, value in event["attributes"].items() if key != "log.record.uid"} == {
        "amount": 49.99,
        "items": [{"sku": 1}],
        "session.id": "7",
        "user.id": "7",
        "footspan.click_id.fbclid": "fb",
        "footspan.utm.source": "g",
    }


def test_a_start_code_becomes_the_campaign_everywhere(server: Recorder, umami_server: UmamiServer) -> None:
    """All five fields; the code stays."""
    server.answers = KNOWN
    footspan.init(destinations={"umami": {"url": umami_server.url, "website": umami_server.website}})
    client = OpenTrace(server.url, "p")
    client.track_event("bot_start", bot_param="utm_abc", session_id="7", utm_medium="mail")
    assert (client.flush(20), footspan.flush(20)) == (0, {"umami": 0})
    [row] = umami_server.events()
    [body] = sent(client, server)

    # What the call said itself wins (O16).
    assert [body[key] for key in ("utm_source", "utm_medium", "utm_campaign")] == ["telegram", "mail", "spring"]
    assert body["payload"] == {"bot_param": "utm_abc"}
    assert (row["utm_source"], row["utm_medium"], row["utm_content"]) == ("telegram", "mail", "banner")
    assert umami_server.data_of(row["event_id"])["bot_param"] == "utm_abc"
    assert server.looked_up == [RESOLVE + "abc"]


def test_a_place_that_the_process_knows_gets_an_event_once(server: Recorder) -> None:
    """Whatever the project is."""
    footspan.init(destinations={"opentrace": {"url": server.url, "project_id": "other"}})
    client = OpenTrace(server.url, "p")
    client.track_event("a")

    assert [(body["name"], body["project_id"]) for body in sent(client, server)] == [("a", "p")]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda client: client.track_event("a"), "without a project"),
        (lambda client: client.capture("a"), "without a project"),
        (lambda client: client.track("a"), "without a project"),
        (lambda client: client.track_event(project_id="p"), "without an event's name"),
        (lambda client: client.track_event(None, "p"), "without an event's name"),
        (lambda client: client.capture(resource_id="p"), "without an event's name"),
        (lambda client: client.track(resource_id="p"), "without an event's name"),
    ],
)
def test_what_is_missing_is_refused_visibly(
    call: Callable[[OpenTrace], None], says: str, server: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    """An error in the log and a count; nothing is sent, and nothing raised."""
    client = OpenTrace(server.url)
    call(client)

    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert says in caplog.text
    assert sent(client, server) == []
    assert client.status()["counters"]["invalid_call"] == client.status()["counters"]["dropped"] == 1


def test_what_is_too_much_is_kept_and_said(server: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    """A slip in a call raises nothing; unknown keywords go into the payload."""
    client = OpenTrace(server.url, "p")
    payload = {"k": 1}
    client.track_event("a", payload=payload, amount=5)
    client.capture("b", {}, "p", None, None, None, "one", "two")
    client.track("c", [1], "p", plan="pro")

    assert [body.get("payload", body.get("meta")) for body in sent(client, server)] == [{"k": 1, "amount": 5}, {}, [1]]
    assert payload == {"k": 1}
    assert client.status()["counters"]["invalid_call"] == 4
    assert "amount" in caplog.text
    assert "'one'" not in caplog.text


@pytest.mark.parametrize("code", [5, b"abc", ["a"], True])
def test_a_start_code_that_is_no_text_is_said_and_not_looked_up(
    code: Any, server: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    """The event goes without."""
    client = OpenTrace(server.url, "p")
    client.track_event("a", bot_param=code)
    assert client.resolve_bot_param(code) is None

    assert [body["utm_source"] for body in sent(client, server)] == [None]
    assert server.looked_up == []
    assert caplog.text.count("no text") == 2


class Hostile:
    """Raises whatever one asks it."""

    def __bool__(self) -> bool:
        raise RuntimeError

    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__


def _cycle() -> dict[str, Any]:
    found: dict[str, Any] = {}
    found["self"] = found
    return found


AWKWARD: Final[list[Any]] = [
    Hostile(),
    {"k": Hostile()},
    {(1, 2): 3},
    _cycle(),
    object(),
    float("nan"),
    b"\xff",
    10**400,
    {"": 1},
    {"log.record.uid": "x", "footspan.destination": "x", "session.id": 5},
    [[]] * 2_000,
    "\ud800",
    {1, 2},
    ...,
]


@pytest.mark.parametrize("call", ["track_event", "capture", "track", "get_user_hash", "resolve_bot_param", "flush"])
def test_no_argument_raises(call: str, server: Recorder) -> None:
    """In any place."""
    footspan._guard.reraise_in_tests(False)
    client = OpenTrace(server.url, "p")
    function = getattr(client, call)
    named = {"name": "a"} if call in {"track_event", "capture", "track"} else {}
    for value in AWKWARD:
        function(value)
        for keyword in inspect.signature(function).parameters:
            if keyword not in {"too_many", "more"}:
                function(**{**named, keyword: value})
    client.track_event("last")

    assert client.flush(30) == 0
    assert "last" in [json.loads(body).get("name") for body in server.bodies]


def test_a_payload_cannot_play_an_attribute(server: Recorder) -> None:
    """Its entries are the caller's data, whatever they are called."""
    payload = {"session.id": "x", "footspan.destination": "nowhere", "log.record.uid": "u", "k": 1}
    client = OpenTrace(server.url, "p")
    client.track_event("a", payload=payload, session_id="s")

    assert [(body["payload"], body["session_id"]) for body in sent(client, server)] == [(payload, "s")]
    [event] = spooled()
    assert (event.attributes["session.id"], event.attributes["k"]) == ("s", 1)
    assert event.uid != "u"


def test_an_id_passes_whatever_it_is(server: Recorder) -> None:
    """Cut out, the sessions of all people would become one."""
    client = OpenTrace(server.url, "p")
    client.track_event("a", session_id="ann@example.com")
    client.capture("b", user_id="ann@example.com")

    assert [body.get("session_id", body.get("sid")) for body in sent(client, server)] == ["ann@example.com"] * 2


def test_secrets_in_a_payload_are_not_stored(server: Recorder) -> None:
    """Redaction comes first, in every form that a payload takes."""
    client = OpenTrace(server.url, "p")
    for payload in ({"password": "hunter2"}, [{"password": "hunter2"}], {"session.id": 1, "password": "hunter2"}):
        client.track_event("a", payload=payload)

    assert len(sent(client, server)) == 3
    assert "hunter2" not in "".join(server.bodies) + json.dumps([event.record for event in spooled()])


@pytest.mark.parametrize("host", [None, "", "  ", 5, "stats.example.com", "ftp://stats.example.com", "http://"])
def test_an_unusable_host_is_said_at_once(host: Any) -> None:
    """With what was found, and what to write."""
    with pytest.raises(ConfigurationError, match=r"(?i)host|url"):
        OpenTrace(host)


@pytest.mark.parametrize("host", ["https://me:hunter2@stats.example.com", "http://stats.example.com/#x"])
def test_a_host_with_a_secret_is_not_quoted(host: str) -> None:
    """What cannot be used may be private."""
    with pytest.raises(ConfigurationError) as error:
        OpenTrace(host)

    assert "hunter2" not in str(error.value)


def test_a_path_in_the_host_stands_first(server: Recorder) -> None:
    """As a reverse proxy has it."""
    client = OpenTrace(f"{server.url}/stats//", "p")
    client.track_event("a")
    client.capture("b")
    client.resolve_bot_param("c")

    assert client.flush(20) == 0
    assert [path for path, _ in server.posted] == ["/stats/api/v1/event", "/stats/api/v1/collect"]
    assert server.looked_up == ["/stats/api/campaigns/resolve/c"]
    assert client.event_endpoint == f"{server.url}/stats/api/v1/event"
    assert client.collect_endpoint == f"{server.url}/stats/api/v1/collect"
    assert client.resolve_endpoint == f"{server.url}/stats/api/campaigns/resolve"


def test_debug_tells_of_each_event_and_nothing_of_its_content(
    server: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    """Delivered, not taken, refused: by name, id and reason."""
    client = OpenTrace(server.url, "p", True)
    server.faults.answer(422)
    client.track_event("bad", payload={"secret": "hunter2"})
    assert client.flush(20) == 0
    server.faults.answer(503, headers={"Retry-After": "0"})
    client.track_event("good", session_id="s_1")
    assert client.flush(20) == 0
    uids = [event.uid for event in spooled()]

    assert [
        (record.levelname, record.getMessage().replace(uids[0], "1").replace(uids[-1], "2"))
        for record in caplog.records
        if record.name == "footspan.opentrace"
    ] == [
        ("WARNING", "OpenTrace: event 'bad' (1) refused (http_422)"),
        ("WARNING", "OpenTrace: event 'good' (2) not taken, will be sent again (http_503)"),
        ("DEBUG", "OpenTrace: event 'good' (2) delivered"),
    ]
    assert "hunter2" not in caplog.text
    assert "s_1" not in caplog.text


def test_without_debug_deliveries_are_not_logged(server: Recorder, caplog: pytest.LogCaptureFixture) -> None:
    """As before."""
    client = OpenTrace(server.url, "p")
    client.track_event("a")
    assert client.flush(20) == 0

    assert not [record for record in caplog.records if record.name == "footspan.opentrace"]


def test_debug_tells_of_what_the_process_delivers_in_the_same_place(
    server: Recorder, caplog: pytest.LogCaptureFixture
) -> None:
    """Events go by its pipeline then."""
    footspan.init(destinations={"opentrace": {"url": server.url, "project_id": "p"}})
    client = OpenTrace(server.url, "p", debug=True)
    client.track_event("a")
    assert client.flush(20) == 0

    assert "delivered" in caplog.text


def test_debug_goes_to_standard_error_where_the_host_logs_nothing() -> None:
    """As the original's did."""
    source = """
        from footspan.compat.opentrace import OpenTrace
        from servers.http import StandIn
        from compat.opentrace.recordings import Recorder

        with Recorder() as server:
            client = OpenTrace(server.url, "p", debug=True)
            client.track_event("a")
            assert client.flush(20) == 0
            client.close()
    """
    import programs  # noqa: PLC0415 - this test alone starts a process

    done = programs.run(source, {"PYTHONPATH": "tests"})
    assert "delivered" in done.stderr, done.stderr


def test_look_ups_are_remembered_and_bounded(server: Recorder) -> None:
    """One request for equal codes, in calls and on the events' way; a server that does not answer costs two seconds."""
    server.answers = KNOWN
    client = OpenTrace(server.url, "p")
    assert [client.resolve_bot_param("utm_a") for _ in range(3)] == [CAMPAIGN] * 3
    client.track_event("b", bot_param="utm_a")
    assert client.flush(20) == 0
    assert server.looked_up == [RESOLVE + "a"]

    server.faults.hang(30.0)
    began = time.monotonic()
    assert client.resolve_bot_param("z") is None
    assert time.monotonic() - began < 15.0
    server.faults.clear()


def test_a_call_waits_for_no_server(server: Recorder) -> None:
    """Not for a start code either (O5), and no thread of its own starts (O1)."""
    server.faults.hang(10.0, times=100)
    client = OpenTrace(server.url, "p")
    client.track_event("first", bot_param="utm_a")
    threads = threading.active_count()
    began = time.monotonic()
    for number in range(50):
        client.track_event("a", payload={"n": number}, bot_param=f"utm_{number}")
    assert time.monotonic() - began < 5.0
    assert threading.active_count() <= threads + 4
    server.faults.clear()
    client.close(0.0)


def test_events_arrive_in_order(server: Recorder) -> None:
    """In the one in which they were recorded (O4)."""
    client = OpenTrace(server.url, "p")
    for number in range(50):
        client.track_event("a", payload={"n": number})

    assert [body["payload"]["n"] for body in sent(client, server)] == list(range(50))


def test_an_error_in_the_answer_is_no_delivery(server: Recorder) -> None:
    """Nor is one status that asks for patience (O3, O6)."""
    server.faults.answer(200, b'{"status": "error", "message": "db down"}')
    client = OpenTrace(server.url, "p")
    client.track_event("a")
    assert client.flush(30) == 0

    assert [json.loads(body)["name"] for body in server.bodies] == ["a", "a"]


def test_a_redirect_that_drops_the_body_is_no_delivery(server: Recorder) -> None:
    """O9: the event waits."""
    server.faults.answer(302, headers={"Location": "/elsewhere"}, times=1000)
    client = OpenTrace(server.url, "p")
    client.track_event("a")

    assert client.flush(1.0) == 1
    assert {request.method for request in server.requests} == {"POST"}
    client.close(0.0)


def test_the_callers_data_stay_as_they_are(server: Recorder) -> None:
    """O13: a resolved code was written into them."""
    server.answers = KNOWN
    payload: dict[str, Any] = {"k": {"n": (1, 2)}}
    before = copy.deepcopy(payload)
    client = OpenTrace(server.url, "p")
    client.track_event("a", payload=payload, bot_param="utm_a")
    client.capture("b", payload, color="red")

    assert [body.get("payload", body.get("meta")) for body in sent(client, server)] == [
        {"k": {"n": [1, 2]}, "bot_param": "utm_a"},
        {"k": {"n": [1, 2]}, "color": "red"},
    ]
    assert payload == before


def test_the_end_of_a_with_block_delivers(server: Recorder) -> None:
    """What comes after is not recorded, and raises nothing."""
    with OpenTrace(server.url, "p") as client:
        client.track_event("a")
    client.track_event("b")
    client.close()

    assert [json.loads(body)["name"] for body in server.bodies] == ["a"]


def test_tracking_that_is_off_sends_nothing(server: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing asks."""
    monkeypatch.setenv("TELEMETRY_ENABLED", "false")
    client = OpenTrace(server.url, "p", debug=True)
    client.track_event("a", bot_param="utm_a")
    client.capture("b")
    client.track_event()
    assert client.resolve_bot_param("utm_a") is None
    assert client.flush() == 0

    assert server.requests == []


def test_a_client_can_be_copied_and_sent_to_other_processes(server: Recorder) -> None:
    """With its host, its project and its debug."""
    client = OpenTrace(server.url + "/", "p")
    for each in (copy.copy(client), copy.deepcopy(client), pickle.loads(pickle.dumps(client))):
        assert (each.host, each.project_id) == (server.url, "p")
        each.track_event("a")

    assert len(sent(client, server)) == 3


def test_importing_it_loads_nothing_heavy() -> None:
    """What sending needs comes with the first object."""
    heavy = ("requests", "opentelemetry.sdk")
    source = f"import footspan.compat.opentrace, sys; print([each for each in {heavy} if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.strip() == "[]"


def test_the_logger_is_not_the_hosts(server: Recorder) -> None:
    """Without ``debug`` no level and no handler changes anywhere."""
    before = (logging.getLogger().level, list(logging.getLogger().handlers))
    OpenTrace(server.url, "p").track_event("a")

    assert before == (logging.getLogger().level, list(logging.getLogger().handlers))
    assert logging.getLogger("footspan.opentrace").level == logging.NOTSET
    assert logging.getLogger("opentrace").level == logging.NOTSET
