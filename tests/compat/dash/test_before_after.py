"""The published client and ours, by the same program; prints the figures of ``docs/migrate/dash-tracker.md``.

``pytest tests/compat/dash/test_before_after.py -n0 -m slow -s``
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from originals import original
from programs import run
from servers.dash_tracker import DashTrackerServer

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

OURS: Final = "footspan.compat.dash_user_tracker"
THEIRS: Final = "dash_user_tracker"
COMMON: Final = """
import importlib, json, os, sys, time
package = importlib.import_module(sys.argv[1])
endpoint = sys.argv[2]
from dash import Dash, Input, Output, State, dcc, html

AGENT = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) H1Browser/1.0"}

def app():
    found = Dash("shop", suppress_callback_exceptions=True)
    found.layout = html.Div([dcc.Location(id="url"), html.Div(id="content")])
    found.server.secret_key = "secret"

    @found.callback(Output("out", "children"), Input("btn", "n_clicks"), State("inp", "value"))
    def update(clicks, value):
        return "done"

    return found

def tracked(**options):
    os.environ.pop("DASH_TRACKER_INITIALIZED", None)
    found = app()
    found.kept = package.Tracker(found, **options)
    return found

def visit(found, path="/", times=1, **headers):
    client = found.server.test_client()
    begun = time.perf_counter()
    for _ in range(times):
        status = client.get(path, headers={**AGENT, **headers}).status_code
    return status, time.perf_counter() - begun

CLICK = {
    "output": "out.children",
    "outputs": {"id": "out", "property": "children"},
    "inputs": [{"id": "btn", "property": "n_clicks", "value": 1}],
    "changedPropIds": ["btn.n_clicks"],
    "state": [{"id": "inp", "property": "value", "value": "hunter2"}],
}

def done(**found):
    print("\\n" + json.dumps(found))
    sys.stdout.flush()
"""


def told(python: Path | str, package: str, program: str, server: DashTrackerServer) -> dict[str, Any]:
    """What a program prints in its last line."""
    done = run(COMMON + program, None, package, server.endpoint, python=python)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def python() -> Path:
    """The interpreter that has the published client, and the Dash that it wants."""
    return original("dash-user-tracker==1.2.0", "dash==2.18.2")


def both(python: Path, program: str, prepare: Any = None) -> list[tuple[dict[str, Any], DashTrackerServer]]:
    """The same program with the published client and with ours, each with a server of its own."""
    found = []
    for interpreter, package in ((python, THEIRS), (sys.executable, OURS)):
        with DashTrackerServer() as server:
            if prepare is not None:
                prepare(server)
            result = told(interpreter, package, program, server)
            server.wait_for(lambda: False, 0.3)
            found.append((result, server))
    return found


def show(what: str, *figures: object) -> None:
    """A line of the table."""
    print(f"\n{what}: {' | '.join(map(str, figures))}")


def test_a_slow_endpoint_costs_no_page_anything(python: Path) -> None:
    """D3: half a second for each event; four pages, tracked and not."""
    program = """
plain, slow = app(), tracked(tracker_endpoint=endpoint, api_key="k")
visit(plain); visit(app())
visit(slow); time.sleep(2.0)  # both have served one page, and what is loaded once is loaded
done(untracked=visit(plain, times=4)[1], tracked=visit(slow, times=4)[1])
"""
    (theirs, _), (ours, server) = both(python, program, lambda server: server.faults.hang(0.5, times=10))
    show("D3, four pages", theirs, ours)
    assert theirs["tracked"] > 2.0
    assert ours["tracked"] < ours["untracked"] + 0.5
    assert len(server.requests) >= 1


def test_what_a_page_costs(python: Path) -> None:
    """D4: with an endpoint that answers at once; milliseconds a page."""
    program = """
plain, fast = app(), tracked(tracker_endpoint=endpoint, api_key="k")
visit(plain, times=20); visit(fast, times=20); time.sleep(2.0)
figures = {"untracked": [], "tracked": []}
for _ in range(10):
    figures["untracked"].append(visit(plain, times=20)[1] / 20 * 1000)
    figures["tracked"].append(visit(fast, times=20)[1] / 20 * 1000)
done(**{name: round(sorted(each)[5], 2) for name, each in figures.items()})
"""
    (theirs, _), (ours, _) = both(python, program)
    show("D4, milliseconds a page", theirs, ours)
    assert ours["tracked"] > 0 < theirs["tracked"]


def test_the_basic_usage(python: Path) -> None:
    """D1: an endpoint and nothing else."""
    (_, before), (_, after) = both(python, "done(status=visit(tracked(tracker_endpoint=endpoint))[0])")
    show("D1, events", len(before.events), len(after.events))
    assert (len(before.events), len(after.events)) == (0, 1)


def test_deep_links(python: Path) -> None:
    """D2: a deep link, and the same page again."""
    program = """
found = tracked(tracker_endpoint=endpoint, api_key="k")
done(status=visit(found, "/dashboard", 2)[0])
"""
    (_, before), (_, after) = both(python, program)
    show("D2, page views", len(before.events), len(after.events))
    assert (len(before.events), len(after.events)) == (0, 2)


def test_forked_workers(python: Path) -> None:
    """D5: a tracker in the parent, another in its child: each gets its visit."""
    program = """
parent = tracked(tracker_endpoint=endpoint, api_key="k")
os.environ.setdefault("DASH_TRACKER_INITIALIZED", "1") if sys.argv[1] == "dash_user_tracker" else None
sys.stdout.flush()
child = os.fork()
if not child:
    found = app()
    found.kept = package.Tracker(found, tracker_endpoint=endpoint, api_key="k")
    visit(found)
    flush = getattr(found.kept, "flush", None)
    flush and flush(20)
    os._exit(0)
os.waitpid(child, 0)
done(status=visit(parent)[0])
"""
    (_, before), (_, after) = both(python, program)
    show("D5, events", len(before.events), len(after.events))
    assert (len(before.events), len(after.events)) == (1, 2)


def test_a_provider_that_fails(python: Path) -> None:
    """D6: the answer of the page."""
    program = "done(status=visit(tracked(tracker_endpoint=endpoint, api_key='k', user_provider=lambda: None))[0])"
    (before, _), (after, server) = both(python, program)
    show("D6, status", before["status"], after["status"])
    assert (before["status"], after["status"], len(server.events)) == (500, 200, 1)


def test_passwords(python: Path) -> None:
    """D9: what somebody has typed."""
    program = """
found = tracked(tracker_endpoint=endpoint, api_key="k", enable_page_interaction_tracking=True)
answer = found.server.test_client().post("/_dash-update-component", json=CLICK, headers=AGENT)
done(status=answer.status_code)
"""
    (_, before), (_, after) = both(python, program)
    held = ["hunter2" in json.dumps(server.events) for server in (before, after)]
    show("D9, the password is in the event", *held)
    assert (held, len(before.events), len(after.events)) == ([True, False], 1, 1)


def test_an_endpoint_that_is_away(python: Path) -> None:
    """D10: one answer of 503."""
    program = """
found = tracked(tracker_endpoint=endpoint, api_key="k")
status = visit(found)[0]
flush = getattr(found.kept, "flush", None)
flush and flush(20)
done(status=status)
"""
    (_, before), (_, after) = both(python, program, lambda server: server.faults.answer(503))
    kept = [len([each for each in server.requests if each.status == 200]) for server in (before, after)]
    show("D10, events that arrive", *kept)
    assert kept == [0, 1]
