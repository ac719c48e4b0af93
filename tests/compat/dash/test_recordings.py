"""Every recording of Dash-Tracker's own client, for page views and interactions: the same call, the same requests."""

from __future__ import annotations

import json
import re
from typing import Any, Final

import pytest

from compat.dash.recorded import NAMES, Ours, asked, recording, running, sent

# What the original does otherwise because of a defect. Each name has a test of the better behaviour in `test_better`.
BETTER: Final = {
    "browser_classic__full_load_deep_link": "pages that are loaded count wherever they are",
    "browser_classic__unknown_page": "the same",
    "browser_pages__full_load_deep_link": "the same",
    "browser_pages_base__unknown_page": "the same",
    "browser_pages_interact__unknown_page": "the same",
    "callback_prefix_lookalike": "the same, and its answer stays what it was",
    "page_load_deep_link": "the same",
    "browser_classic__nav_dashboard": "moves by a location of the app's own count",
    "browser_classic__nav_home": "the same",
    "nav_classic_location": "the same",
    "nav_classic_no_referer": "the same",
    "page_load_bot": "bots do not count",
    "page_load_root_no_api_key": "an endpoint without a key gets events",
    "user_provider_none": "a provider that fails changes no answer",
    "user_provider_raises": "the same",
}
ELSEWHERE: Final = {
    "connection_refused": "test_better: nothing is lost",
    "page_load_print_mode": "test_printing",
    "readme_ignore_route_kwarg": "test_ignoring: the documented keyword works",
    "readme_ignore_routes_callable": "test_ignoring: a function works as well",
}
CASES: Final = [name for name in NAMES if "Tracker(app" in recording(name)["call"] and name not in ELSEWHERE]
_END: Final = re.compile(rb'"end_id":"[^"]*",?')
"""What Dash numbers each page with that it shows."""
_VOLATILE: Final = {"host", "accept-encoding", "user-agent", "content-length"}


def test_nothing_is_left_out() -> None:
    """What is not here is looked at elsewhere, and what is said of a recording is still true."""
    assert {*BETTER, *ELSEWHERE} <= set(NAMES)
    assert {name for name in NAMES if not name.startswith("analytics_")} == {*CASES, *ELSEWHERE}
    assert len(CASES) > 70


def served(own: Ours) -> None:
    """The server answers as it did when it was recorded, but at once."""
    answer = recording(own.name).get("server_answer")
    if answer and "slow" not in own.name:
        body = answer["body"]
        own.server.faults.answer(answer["status"], body.encode() if isinstance(body, str) else b"{}", stored=True)


@pytest.mark.parametrize("name", [name for name in CASES if name not in BETTER])
def test_the_same_is_sent(name: str) -> None:
    """Byte for byte but for the time, with the same headers; and the app answers what it would without a tracker."""
    with running(name, interaction_values=True) as own:
        served(own)
        own.ask()
        # Several events may overtake one another: each has its time.
        assert sorted(own.sent()) == sorted(request["body"] for request in sent(name))
        for seen, known in zip(own.server.requests, sent(name), strict=True):
            assert (seen.method, seen.path) == (known["method"], known["path"])
            headers = {key.lower(): value for key, value in known["headers"]}
            assert _lasting(seen.headers) == _lasting(headers)


def _lasting(headers: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in headers.items() if key not in _VOLATILE and key != "connection"}


@pytest.mark.parametrize("name", [name for name in CASES if "trigger" in recording(name)])
def test_answers_stay_what_they_are(name: str) -> None:
    """Status, headers and body are those of an app without a tracker, also where the original changed them."""
    with running(name) as own:
        own.ask()
        del own.app.server.extensions["footspan_dash_trackers"]
        tracked, own.answers = own.answers, []
        own.tracker = None  # type: ignore[assignment] # nobody holds it any more
        own.ask()
        for one, other in zip(tracked, own.answers, strict=True):
            assert one.status_code == other.status_code
            assert _END.sub(b"", one.data) == _END.sub(b"", other.data)
            assert sorted(one.headers.items()) == sorted(other.headers.items())


@pytest.mark.parametrize("name", [name for name in CASES if "interact" in name and name not in BETTER])
def test_no_value_leaves_unless_it_is_allowed(name: str) -> None:
    """The original sends what people type, passwords included; ours the same without the values."""
    with running(name) as own:
        served(own)
        own.ask()
        found = sorted(own.sent())
    known = sorted(json.dumps(_without_values(request["body_json"])) for request in sent(name))
    assert found == known
    assert "hunter2" not in str(found)


def _without_values(event: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(event))
    interaction = found["data"].get("interaction", {})
    for each in (*interaction.get("inputs", ()), *interaction.get("state", ())):
        each.pop("value", None)
    return found


@pytest.mark.parametrize("name", [name for name in BETTER if asked(name)])
def test_the_better_ones_differ(name: str) -> None:
    """A recording that is said to show a defect shows one: else it belongs to the others."""
    with running(name) as own:
        own.ask()
        differs = own.sent() != [request["body"] for request in sent(name)]
        assert differs or recording(name).get("app_answer") != recording(name).get("app_answer_without_tracker")
