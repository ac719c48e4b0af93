"""What the telemetry module's client was recorded to send, beside what ours sends for the same calls.

``MET`` lists the recordings that are matched; every other one shows a defect, or a promise of the document that the
code did not keep, and has a test of the better behaviour. The defects are M1 to M10 of ``docs/migrate/telemetry.md``.
"""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Final

import pytest

import footspan
from compat.recorded import GOLDEN, expected, recording, site
from footspan import ConfigurationError
from footspan.compat.telemetry import EventCategory, Telemetry, track
from spooled import spooled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from compat.recorded import Site

MET: Final = {
    "context": "request_id reaches Umami too",
    "disabled_api": "",
    "duration_args_result": "",
    "duration_fail_category": "",
    "error_decorator_ui": "the module's category UI by its value",
    "function_category": "the module's category UI by its value",
    "session_id_kw": "request_id reaches Umami too",
    "track_checkout": "",
    "track_payment": "",
    "track_readme": "",
}
"""Matched, and what ours sends besides."""

BETTER: Final = {
    "analytics_async": "a class of its own that the document lacks; track() arrives in order as well",
    "analytics_error": "the same class; track_exception() bears the same names",
    "analytics_event": "M5, M6",
    "answer_201": "sent twice, since 201 was no success to it",
    "answer_400": "M10",
    "answer_slow": "M4",
    "categories": "the document's categories are others",
    "context_nested": "M2",
    "context_other_thread": "M1",
    "context_overwrite": "M2",
    "context_referrer_ua_ip": "M6",
    "duration_fail": "the end was filed as an error and never reached Umami",
    "duration_readme_api": "documented, and never reached Umami",
    "env_default": "nothing is sent in its default environment",
    "env_development": "the same",
    "env_telemetry_enabled_false": "the documented switch was not read",
    "error_decorator": "documented, and never reached Umami",
    "function_bare": "never reached Umami",
    "function_readme": "the documented call was a TypeError",
    "no_website_id": "M10",
    "page_view_ctx": "M7",
    "pii_ids": "M8",
    "reserved_name": "M9",
    "sampling_api_request": "the rate was keyed by a name that no event had",
    "sampling_key": "chance decided for each event alone",
    "track_error_prefix": "went to the log, whatever the patterns said",
    "track_event_readme": "the documented call was a TypeError",
    "track_user_prefix": "user.* never reached Umami",
    "unserialisable": "M10",
}
"""Not matched, and why: a defect, or the document promised something else."""

_UI: Final = "EventCategory.UI"


@pytest.fixture
def umami() -> Iterator[Site]:
    """Our calls on their way to a Umami."""
    with site() as found:
        yield found


def test_every_recording_is_judged() -> None:
    """No recording is left out, and each test of a better behaviour names the recordings that it is about."""
    assert {path.stem for path in GOLDEN.glob("*.json")} == MET.keys() | BETTER.keys()
    assert not MET.keys() & BETTER.keys()

    tests = inspect.getsource(sys.modules[__name__]).partition("# -- better")[2]
    assert {name for name in BETTER if f'"{name}"' not in tests} == set()


@pytest.mark.parametrize("name", sorted(MET))
def test_a_recorded_call_arrives_as_it_did(name: str, umami: Site) -> None:
    """The same names, values and fields, in the same order of events; the recorded call runs as it stands."""
    call = recording(name)["call"].replace(_UI, "'ui'")
    if name == "track_payment":
        call = call.partition(";")[0]  # the rest looks at the module's own event object: track() gives the id here
    result = umami.run(call)
    sent = umami.sent()
    if name in {"context", "session_id_kw"}:
        assert sent[0]["data"].pop("request_id") in {"req_789", "r1"}

    assert sent == expected(name)
    assert name != "error_decorator_ui" or result == recording(name)["result"] == "None"


# -- better ------------------------------------------------------------------------------------------------------------


def test_another_class_for_plain_events(umami: Site) -> None:
    """``"analytics_async"``, ``"analytics_error"``: one call is there for both, and the order stays."""
    track("e1")
    track("e2")
    footspan.set_context(path="/p")
    footspan.track_exception(ValueError("x" * 300), "error", {"k": 1})
    sent = umami.sent()
    names, error = expected("analytics_async"), expected("analytics_error")[0]

    assert [payload["name"] for payload in sent[:2]] == [payload["name"] for payload in names]
    assert (sent[2]["name"], sent[2]["url"]) == (error["name"], error["url"])
    assert error["data"].keys() <= sent[2]["data"].keys()
    assert sent[2]["data"]["error_type"] == "ValueError"


def test_a_visitor_is_told_in_fields_that_umami_reads(umami: Site) -> None:
    """``"analytics_event"``, ``"context_referrer_ua_ip"`` (M5, M6): address and agent stand in their fields, once."""
    fields = recording("context_referrer_ua_ip")["call"].partition("\n")[0]
    umami.run(fields.replace("'UA'", "'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0'"))
    track("ui.click")
    request = recording("analytics_event")["request"]
    payload = umami.sent()[0]

    assert request["body_json"]["client_ip"] == payload["ip"] == "203.0.113.5"
    assert umami.umami.requests[0].body.count(b"203.0.113.5") == 1
    assert payload["userAgent"] == "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"
    assert (payload["url"], payload["referrer"]) == ("/p?x=1", "https://g.co/?q=1")
    assert payload["data"] == {}
    assert umami.umami.events("ui.click")


def test_secrets_in_addresses_do_not_leave(umami: Site) -> None:
    """``"analytics_event"``: what the module took out of a page's address stays out."""
    footspan.page_view("/signup?email=ann@example.com&token=abc", plan="pro")
    payload = umami.sent()[0]

    assert payload["url"].startswith("/signup")
    assert "ann" not in payload["url"]
    assert "abc" not in payload["url"]
    assert payload["data"] == {"plan": "pro"}


def test_an_answer_is_asked_for_once(umami: Site) -> None:
    """``"answer_201"``: the module sent the event again."""
    assert len(expected("answer_201")) == 2
    umami.umami.faults.answer(201, b'{"cache": "t", "sessionId": "s", "visitId": "v"}', times=1, stored=True)
    track("ui.x")
    umami.sent()

    assert len(umami.umami.events("ui.x")) == 1


def test_a_refusal_can_be_seen(umami: Site) -> None:
    """``"answer_400"`` (M10): the event is counted and kept with the reason; the next one goes on."""
    umami.umami.faults.answer(400, b"{}", times=1)
    track("ui.x")
    umami.sent()
    track("ui.y")
    umami.sent()
    account = footspan.status()["destinations"]["umami"]

    assert (account["refused"], account["delivered"]) == ({"http_400": 1}, 1)


def test_no_caller_waits_for_the_server(umami: Site) -> None:
    """``"answer_slow"`` (M4): with no server at all the event is recorded, and arrives once there is one."""
    umami.umami.faults.down()
    assert track("ui.x")
    assert [event.name for event in spooled()] == ["ui.x"]
    assert umami.umami.events() == []
    umami.umami.faults.up()
    sent = umami.sent()

    assert [payload["name"] for payload in sent] == ["ui.x"]
    assert recording("answer_slow")["blocked_caller_seconds"] >= 1.0


def test_the_documents_categories() -> None:
    """``"categories"``: the values that the document names; the words of the module's own table stand for them."""
    documented = {name: value for name, value in vars(EventCategory).items() if name.isupper()}
    assert list(documented.values()) == ["user", "generation", "payment", "error", "performance", "system"]

    table = recording("categories")["result"]["categories"]
    known = {word: footspan.conventions.category_of(f"{word}.x") for word in table}
    assert set(known.values()) == set(documented.values()), known


def test_context_merges_nests_and_ends(umami: Site) -> None:
    """``"context_overwrite"``, ``"context_nested"`` (M2): nothing that was not named is lost."""
    result = umami.run(recording("context_overwrite")["call"])
    assert (result["user_id"], result["session_id"], result["path"]) == ("u1", "s1", "/x")
    assert result.keys() == recording("context_overwrite")["result"].keys()
    Telemetry.get_instance().clear_context()
    result = umami.run(recording("context_nested")["call"])
    assert (result["user_id"], result["session_id"], result["path"]) == ("u1", "s1", None)
    click, inside, after = umami.sent()

    assert {key: click.get(key) for key in ("id", "url")} == {"id": "u1", "url": "/x"}
    assert {key: inside.get(key) for key in ("id", "url")} == {"id": "u1", "url": "/x"}
    assert {key: after.get(key) for key in ("id", "url")} == {"id": "u1", "url": None}
    assert {each["data"]["session_id"] for each in (click, inside, after)} == {"s1"}


def test_a_thread_sees_what_was_said_for_the_process(umami: Site) -> None:
    """``"context_other_thread"`` (M1): said outside any request, it goes for every thread."""
    umami.run(recording("context_other_thread")["call"])

    assert [(payload["name"], payload["id"]) for payload in umami.sent()] == [("ui.t", "u1")]


@pytest.mark.parametrize("name", ["duration_fail", "duration_readme_api"])
def test_a_start_has_its_end(name: str, umami: Site) -> None:
    """The ``.completed`` or ``.failed`` that the document promises goes where its ``.started`` goes."""
    umami.run(recording(name)["call"])
    started, ended = umami.sent()
    prefix, end = ("generation", "failed") if name == "duration_fail" else ("api.generate", "completed")

    assert (started["name"], ended["name"]) == (f"{prefix}.started", f"{prefix}.{end}")
    assert [started["name"]] == [payload["name"] for payload in expected(name)] or name == "duration_readme_api"
    failed = {"duration_ms", "error_type", "error_message", "stack_trace", "success"}
    assert ended["data"].keys() == (failed if end == "failed" else {"duration_ms", "success"})


@pytest.mark.parametrize("name", ["env_default", "env_development"])
def test_no_environment_is_guessed(name: str, umami: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is configured is used, whatever Flask is told of its environment."""
    case = recording(name)
    assert case["request"] is None
    if case["env"]["FLASK_ENV"] != "<unset>":
        monkeypatch.setenv("FLASK_ENV", case["env"]["FLASK_ENV"])
    umami.run(case["call"])

    assert [payload["name"] for payload in umami.sent()] == ["ui.x"]


def test_the_documented_switch_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """``"env_telemetry_enabled_false"``: nothing is recorded, nothing is sent, and nothing switches it on again."""
    monkeypatch.setenv("TELEMETRY_ENABLED", "false")
    with site() as umami:
        umami.run(recording("env_telemetry_enabled_false")["call"])
        umami.run(recording("disabled_api")["call"])

        assert (spooled(), umami.umami.requests) == ([], [])


def test_errors_are_told_to_who_asks_for_them(umami: Site) -> None:
    """``"error_decorator"``, ``"track_error_prefix"``: patterns decide where they go, and the default is everywhere."""
    umami.run(recording("error_decorator")["call"])
    umami.run(recording("track_error_prefix")["call"].partition(";")[0])
    decorated, plain = umami.sent()

    assert (decorated["name"], plain["name"]) == ("critical_function", "error.api")
    assert plain["data"] == {"status": 500}
    assert decorated["data"].keys() == expected("error_decorator_ui")[0]["data"].keys()


def test_documented_calls_that_were_type_errors(umami: Site) -> None:
    """``"function_readme"``, ``"track_event_readme"``, and the bare decorator (``"function_bare"``) send events."""
    umami.run(recording("function_readme")["call"] + "\nf('x')")
    umami.run(recording("track_event_readme")["call"])
    umami.run(recording("function_bare")["call"])
    image, click, bare = umami.sent()

    assert (image["name"], click["name"], bare["name"]) == ("generate_image", "button_click", "function.generate")
    assert image["data"]["model"] == "flux"
    assert click["data"] == {"button": "submit", "page": "/signup"}
    assert bare["data"].keys() == {"duration_ms", "success", "function", "module"}


def test_a_missing_website_is_an_error_at_the_start() -> None:
    """``"no_website_id"`` (M10): the module lost every event without a word."""
    with pytest.raises(ConfigurationError, match=r"destinations\.umami\.website"):
        footspan.init(destinations={"umami": {"url": "http://127.0.0.1:9"}})


def test_a_page_view_names_its_page(umami: Site) -> None:
    """``"page_view_ctx"`` (M7): its address is the page's, not the context's, and Umami counts it as a page view."""
    umami.run(recording("page_view_ctx")["call"])
    payload = umami.sent()[0]

    assert (payload["url"], payload.get("name"), payload["data"]) == ("/home", None, {})
    assert [row["url_path"] for row in umami.umami.page_views()] == ["/home"]


def test_ids_stay_ids(umami: Site) -> None:
    """``"pii_ids"`` (M8): a UUID is no secret, so two users stay two; order numbers are left alone."""
    umami.run(recording("pii_ids")["call"])
    track("ui.x", user_id="00000000-e89b-12d3-a456-426614174000", order="1234567890")
    first, second = umami.sent()

    assert (first["id"], second["id"]) == (
        "123e4567-e89b-12d3-a456-426614174000",
        "00000000-e89b-12d3-a456-426614174000",
    )
    assert second["data"]["order"] == "1234567890"


def test_no_name_is_reserved(umami: Site) -> None:
    """``"reserved_name"`` (M9): ``event_name=`` beside a name is a property, ``category=`` loses nothing."""
    umami.run(recording("reserved_name")["call"])
    track("ui.x", category="payment", name="n", timestamp="never")
    first, second = umami.sent()

    assert (first["name"], first["data"]) == ("ui.x", {"event_name": "z"})
    assert second["data"] == {"category": "payment", "name": "n", "timestamp": "never"}


@pytest.mark.parametrize("name", ["sampling_api_request", "sampling_key"])
def test_sampling_goes_by_the_names_that_events_have(name: str) -> None:
    """A rate for a pattern is in force for its events; who of one session is in is in with all events."""
    event = "api.request" if name == "sampling_api_request" else "api_request"
    assert event in recording(name)["call"]
    footspan.init(sampling={"enabled": True, "rules": [{"events": [event], "rate": 0.1}]})
    for n in range(400):
        track(event, session_id=f"s{n // 2}")
    track("page.seen", session_id="s0")
    stored = spooled()
    sessions = [each.attributes["session.id"] for each in stored if each.name == event]

    assert 0 < len(sessions) < 200
    assert {sessions.count(session) for session in sessions} == {2}
    assert [each.name for each in stored if each.name != event] == ["page.seen"]


def test_the_documents_patterns_send_users_to_umami() -> None:
    """``"track_user_prefix"``: ``user.*`` goes there, what no pattern names does not."""
    with site(events=["user.*", "generation.*", "payment.*"]) as umami:
        umami.run(recording("track_user_prefix")["call"].partition(";")[0])
        track("system.started")
        track("checkout.completed")

        assert [payload["name"] for payload in umami.sent()] == ["user.login", "checkout.completed"]


def test_a_value_that_is_no_json_costs_no_event(umami: Site) -> None:
    """``"unserialisable"`` (M10): the event arrives, its neighbours whole."""
    umami.run(recording("unserialisable")["call"].replace("when", "n=1, when"))
    payload = umami.sent()[0]

    assert (payload["name"], payload["data"]["n"]) == ("ui.x", 1)
    assert "when" in payload["data"]
