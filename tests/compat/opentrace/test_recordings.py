"""Every recording of the published client, beside what ours sends for the same call."""

from __future__ import annotations

from typing import Any, Final

import pytest

from compat.opentrace.recordings import NAMES, RESOLVE, Recorder, recorded_requests, recording, run
from footspan.compat.opentrace import OpenTrace

BETTER: Final[dict[str, list[tuple[str, str]]]] = {
    # What could not be said in JSON is said as text, instead of losing the event in a thread (O7).
    "event_payload_datetime": [("event", '"payload": {"when": "2025-01-02T00:00:00"}, "utm_source": null')],
    "event_payload_decimal": [("event", '"payload": {"v": "9.99"}, "utm_source": null')],
    # A text that is none makes the server's live feed fail for everybody (O15).
    "event_payload_lone_surrogate": [("event", '"payload": {"k": "\\ufffd"}, "utm_source": null')],
    # What the requests have fields for, the calls take (O12); whoever names a person or a session is understood.
    "event_unknown_fbclid": [("collect", '"meta": {}, "fbclid": "x", "ttclid": null}')],
    "event_unknown_user_id": [("event", '"session_id": "x"}')],
    "capture_session_id_kwarg": [("collect", '"ttclid": null, "sid": "x"}')],
    "track_alias_session_id": [("collect", '"ttclid": null, "sid": "x"}')],
    "capture_url_kwarg": [("collect", '"ttclid": null, "url": "http://x/"}')],
    "capture_utm_kwarg": [("collect", '"ttclid": null, "utm_s": "x"}')],
}
"""Recordings of defects: the request that ours makes, and what stands in its body."""

ELSEWHERE: Final = {"connection_refused", "get_user_hash_vectors", "resolve_ok", "resolve_404"}
"""Recordings of something else than a body; tests of their own below."""

LOOKED_UP: Final = {"bot_param_dotdot": "..%2F..%2Fv1%2Frules%2Fx", "bot_param_double_prefix": "utm_ab_utm_cd"}
"""Start codes that were looked up as another one: unquoted, or with more than the link's prefix cut out (O13)."""


def replay(name: str) -> tuple[Recorder, Any]:
    """Run a recorded call with our client; the server, closed, and what was returned."""
    expected = 1 if name in BETTER else len([each for each in recorded_requests(name) if each["method"] == "POST"])
    with Recorder(recording(name).get("server_answers", ())) as server:
        returned, client = run(name, server, OpenTrace)
        assert server.wait_for(lambda: len(server.posted) >= expected, 20.0)
        client.close(0.0)
    return server, returned


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(BETTER) - ELSEWHERE))
def test_a_recorded_call_sends_what_was_recorded(name: str) -> None:
    """Path and body to the letter; a refused event may be sent again."""
    server, returned = replay(name)
    posts = [(each["path"], each["body"]) for each in recorded_requests(name) if each["method"] == "POST"]

    assert posts == server.posted[: len(posts)]
    assert {body for _, body in posts} == set(server.bodies)
    assert recording(name)["returns"] == returned


@pytest.mark.parametrize("name", sorted(name for name in NAMES if name.startswith("bot_param_")))
def test_a_start_code_is_looked_up_as_recorded(name: str) -> None:
    """Once, before the event; a code that is no plain text quoted, as the server reads it."""
    server, _ = replay(name)
    paths = [each["path"] for each in recorded_requests(name) if each["method"] == "GET"]
    if name in LOOKED_UP:
        paths = [RESOLVE + LOOKED_UP[name]]

    assert paths == server.looked_up
    assert [each.method for each in server.requests][: len(paths)] == ["GET"] * len(paths)


@pytest.mark.parametrize("name", sorted(BETTER))
def test_a_recorded_defect_is_none_any_more(name: str) -> None:
    """Nothing was sent, or what no server can show; ours sends what the call meant."""
    server, returned = replay(name)

    assert returned is None
    assert [(f"/api/v1/{path}", True) for path, part in BETTER[name]] == [
        (path, part in body) for (path, body), (_, part) in zip(server.posted, BETTER[name], strict=True)
    ]


@pytest.mark.parametrize("name", ["resolve_ok", "resolve_404"])
def test_a_recorded_look_up_answers_as_recorded(name: str) -> None:
    """There and then, by the recorded request."""
    with Recorder(recording(name)["server_answers"]) as server:
        returned, _ = run(name, server, OpenTrace)

        assert recording(name)["returns"] == returned
        assert [each["path"] for each in recorded_requests(name)] == server.looked_up


def test_a_recorded_id_has_its_recorded_hash(server: Recorder) -> None:
    """Existing sessions go on."""
    client = OpenTrace(server.url)
    vectors: dict[str, str] = recording("get_user_hash_vectors")["vectors"]

    assert vectors == {text: client.get_user_hash(eval(text)) for text in vectors}


def test_where_nobody_listens_the_event_waits() -> None:
    """The recording has it lost after one attempt."""
    case = recording("connection_refused")
    client = eval(case["init"], {"OpenTrace": OpenTrace})
    eval(case["call"], {"ot": client})

    assert client.flush(0.5) == 1
