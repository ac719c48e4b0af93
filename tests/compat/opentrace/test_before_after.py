"""The defects of the published client, measured with it and with ours, by the same program.

``pytest tests/compat/opentrace/test_before_after.py -n0 -m slow -s`` prints the figures that
``docs/migrate/opentrace.md`` shows.
"""

from __future__ import annotations

import itertools
import json
import sys
import textwrap
from typing import TYPE_CHECKING, Any, Final

import pytest

from compat.opentrace.recordings import RESOLVE, Recorder
from footspan.compat.opentrace import OpenTrace
from originals import original
from programs import run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

ORIGINAL: Final = "opentrace==1.2.8"
CAMPAIGN: Final = {"method": "GET", "path_prefix": RESOLVE, "status": 200, "body": {"utm_source": "telegram"}}

HEAD: Final = """
    import json, statistics, sys, threading, time
    if sys.argv[2] == "before":
        from opentrace import OpenTrace
    else:
        from footspan.compat.opentrace import OpenTrace
    ot = OpenTrace(sys.argv[1], "p")
    ot.get_user_hash(1)
"""
WAIT: Final = """
    if sys.argv[2] == "before":
        for thread in threading.enumerate():
            if thread is not threading.main_thread():
                thread.join(30)
    else:
        ot.flush(30)
"""


@pytest.fixture(params=["before", "after"])
def which(request: pytest.FixtureRequest) -> str:
    """The original, then ours."""
    return str(request.param)


def measure(which: str, server: Recorder, *parts: str) -> dict[str, Any]:
    """Run a program with the original or ours; the JSON that it prints last, if any."""
    python: Path | str = original(ORIGINAL) if which == "before" else sys.executable
    source = "\n".join(textwrap.dedent(part) for part in (HEAD, *parts))
    done = run(source, None, server.url, which, python=python)
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout) if done.stdout.strip() else {}
    return said


def show(what: str, which: str, **figures: object) -> None:
    """Print what was measured."""
    print(f"\n{what} {which}: " + ", ".join(f"{name} {value}" for name, value in figures.items()))


def test_threads_and_the_time_of_a_call(which: str, server: Recorder) -> None:
    """O1, O8: 300 events against a server that takes a second for each."""
    server.faults.hang(1.0, times=100_000)
    said = measure(
        which,
        server,
        """
        ot.track_event("first")
        took, most = [], 0
        for number in range(300):
            began = time.perf_counter()
            ot.track_event("a", payload={"n": number})
            took.append(time.perf_counter() - began)
            most = max(most, threading.active_count())
        print(json.dumps({"most": most, "median_us": round(statistics.median(took) * 1e6)}))
        sys.stdout.flush()
        import os; os._exit(0)
        """,
    )
    server.faults.clear()
    show("O1", which, **said)
    assert said["most"] > 100 if which == "before" else said["most"] < 10


def test_events_at_the_end_of_a_script(which: str, server: Recorder) -> None:
    """O2: ten scripts of 20 events, each of which ends at once."""
    for _ in range(10):
        measure(which, server, "for number in range(20): ot.track_event('a', payload={'n': number})")
    arrived = len(server.bodies)
    show("O2", which, arrived=arrived)
    if which == "before":
        assert arrived < 200
    else:
        assert OpenTrace(server.url, "p").flush(30) == 0  # whatever a script left in its two seconds
        assert len(server.bodies) == 200


def test_one_answer_of_503(which: str, server: Recorder) -> None:
    """O3: the server is away for one request."""
    server.faults.answer(503, headers={"Retry-After": "0"})
    measure(which, server, "ot.track_event('a')", WAIT)
    taken = [request for request in server.requests if request.status == 200]
    show("O3", which, requests=len(server.requests), stored=len(taken))
    assert len(taken) == (which == "after")


def test_the_order_of_a_thousand_events(which: str, server: Recorder) -> None:
    """O4: pairs of neighbours that arrive swapped."""
    measure(which, server, "for number in range(1000): ot.track_event('a', payload={'n': number})", WAIT)
    numbers = [json.loads(body)["payload"]["n"] for body in server.bodies]
    swapped = sum(first > second for first, second in itertools.pairwise(numbers))
    show("O4", which, arrived=len(numbers), swapped=swapped)
    if which == "after":
        assert numbers == list(range(1000))


def test_a_call_with_a_start_code(which: str, server: Recorder) -> None:
    """O5: a campaign server that takes three seconds."""
    server.answers = [CAMPAIGN]
    server.faults.hang(3.0, path=f"{RESOLVE}code")
    said = measure(
        which,
        server,
        """
        began = time.perf_counter()
        ot.track_event("a", bot_param="code")
        print(json.dumps({"seconds": round(time.perf_counter() - began, 3)}))
        """,
        WAIT,
    )
    show("O5", which, **said)
    assert said["seconds"] > 2.9 if which == "before" else said["seconds"] < 2.0
    assert len(server.bodies) == 1


def test_five_events_with_one_start_code(which: str, server: Recorder) -> None:
    """O5: how often it is looked up."""
    server.answers = [CAMPAIGN]
    measure(which, server, "for _ in range(5): ot.track_event('a', bot_param='code')", WAIT)
    show("O5", which, look_ups=len(server.looked_up))
    assert len(server.looked_up) == (5 if which == "before" else 1)
    assert {json.loads(body)["utm_source"] for body in server.bodies} == {"telegram"}


def test_an_error_told_in_an_answer_of_200(which: str, server: Recorder) -> None:
    """O6: the database was away."""
    server.faults.answer(200, b'{"status": "error", "message": "db down"}')
    measure(which, server, "ot.track_event('a')", WAIT)
    show("O6", which, requests=len(server.requests))
    assert len(server.requests) == (1 if which == "before" else 2)


def test_values_that_json_does_not_have(which: str, server: Recorder) -> None:
    """O7: a moment, a decimal number, an id, no number at all."""
    measure(
        which,
        server,
        """
        import datetime, decimal, uuid
        for value in (datetime.datetime(2025, 1, 2), decimal.Decimal("9.99"), uuid.UUID(int=7), float("nan")):
            ot.track_event("a", payload={"v": value})
        """,
        WAIT,
    )
    show("O7", which, arrived=len(server.bodies))
    assert len(server.bodies) == (0 if which == "before" else 4)


def test_a_redirect_that_loses_the_body(which: str, server: Recorder) -> None:
    """O9: the event counts as delivered, and was not."""
    server.faults.answer(302, headers={"Location": "/elsewhere"})
    measure(which, server, "ot.track_event('a')", "if sys.argv[2] == 'after': ot.flush(1)", WAIT)
    server.wait_for(lambda: len(server.requests) > 1, 20)
    followed = [request for request in server.requests if request.method == "GET"]
    show("O9", which, followed=len(followed))
    assert len(followed) == (which == "before")


def test_what_the_caller_handed_over(which: str, server: Recorder) -> None:
    """O13, O16: the payload is changed, and what the call said itself is overwritten."""
    server.answers = [{**CAMPAIGN, "body": {"utm_source": "telegram", "utm_medium": "bot"}}]
    said = measure(
        which,
        server,
        """
        payload = {}
        ot.track_event("a", payload={"k": 1}, bot_param="c", utm_medium="mail")
        given = {"k": 1}
        ot.track_event("b", payload=given, bot_param="c")
        print(json.dumps({"keys": len(given)}))
        """,
        WAIT,
    )
    medium = next(body["utm_medium"] for body in map(json.loads, server.bodies) if body["name"] == "a")
    show("O13, O16", which, **said, medium=medium)
    assert (said["keys"], medium) == ((2, "bot") if which == "before" else (1, "mail"))
