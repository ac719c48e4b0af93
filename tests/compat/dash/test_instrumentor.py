"""An app that imports the published package, unchanged."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from opentelemetry.instrumentation.dependencies import DependencyConflictError

from compat.dash.apps import classic_app
from footspan import _guard
from footspan.compat.dash_user_tracker.instrumentor import DashUserTrackerInstrumentor
from footspan.instrumentation import startup
from originals import original
from servers.dash_tracker import DashTrackerServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) H1Browser/1.0"}
PACKAGE: Final = """
class TrackerRepository:
    pass

class HttpTrackerRepository(TrackerRepository):
    def __init__(self, endpoint, api_key):
        self.endpoint, self.api_key = endpoint, api_key

    async def save_event(self, event):
        raise AssertionError("the original sent")

class TrackerAnalytics:
    def __init__(self, repository):
        self.repository = repository

class Tracker:
    def __init__(self, app, app_name=None, tracker_endpoint=None, api_key=None, ignore_routes=None,
                 user_provider=None, repository=None, enable_page_view_tracking=True,
                 enable_page_interaction_tracking=False):
        self.app = app
        self.original = True

    def set_user_provider(self, user_provider):
        self.provider = user_provider

def add_ignore_routes(app, routes):
    raise AssertionError("the original was asked")
"""
"""What the published package looks like from outside."""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Installs the package; it is gone afterwards, and nothing is instrumented."""

    def get(version: str = "1.2.0") -> Any:
        folder = tmp_path / "site"
        (folder / "dash_user_tracker").mkdir(parents=True)
        (folder / "dash_user_tracker" / "__init__.py").write_text(PACKAGE, encoding="utf-8")
        (folder / f"dash_user_tracker-{version}.dist-info").mkdir()
        metadata = f"Name: dash-user-tracker\nVersion: {version}\n"
        (folder / f"dash_user_tracker-{version}.dist-info" / "METADATA").write_text(metadata)
        monkeypatch.syspath_prepend(folder)
        return importlib.import_module("dash_user_tracker")

    startup.reset()
    yield get
    instrumentor = DashUserTrackerInstrumentor()
    if instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.uninstrument()
    sys.modules.pop("dash_user_tracker", None)
    startup.reset()


def test_auto_instrumentation_finds_it() -> None:
    """Under the name by which it is opted out of."""
    [found] = entry_points(group="opentelemetry_instrumentor", name="dash_user_tracker")
    assert found.load() is DashUserTrackerInstrumentor


@pytest.mark.parametrize("form", ["endpoint", "repository", "own"])
def test_its_trackers_send_through_footspan(form: str, package: Callable[..., Any]) -> None:
    """By address, by the package's repository, by one of the app's own."""
    module = package()
    DashUserTrackerInstrumentor().instrument(skip_dep_check=True)

    class Own(module.TrackerRepository):  # type: ignore[misc, name-defined] # as an app may write it
        def __init__(self) -> None:
            self.events: list[Any] = []

        async def save_event(self, event: Any) -> None:
            self.events.append(event)

    with DashTrackerServer() as server:
        own = Own()
        options: Any = {
            "endpoint": {"tracker_endpoint": server.endpoint, "api_key": "k"},
            "repository": {"repository": module.HttpTrackerRepository(server.endpoint, "k")},
            "own": {"repository": own},
        }[form]
        app = classic_app()
        tracker = module.Tracker(app, "Shop", **options)
        tracker.set_user_provider(lambda: {"id": "u1"})
        module.add_ignore_routes(app, ["/health"])
        for path in ("/", "/health"):
            assert app.server.test_client().get(path, headers=BROWSER).status_code == 200
        assert tracker._footspan_tracker.flush(20) == 0
        (event,) = own.events if form == "own" else server.events
        assert (event["data"]["app_name"], event["data"]["user_id"]) == ("Shop", "u1")
    assert type(tracker) is module.Tracker
    assert isinstance(tracker.analytics, module.TrackerAnalytics)
    assert isinstance(tracker.repository, module.TrackerRepository)
    assert tracker.analytics.repository is tracker.repository


@pytest.mark.parametrize("taken_back", [False, True])
def test_it_waits_until_the_app_loads_the_package(taken_back: bool, package: Callable[..., Any]) -> None:
    """An app without it loads nothing for it; and where nobody wants it any more, it stays as it is."""
    package()
    del sys.modules["dash_user_tracker"]
    DashUserTrackerInstrumentor().instrument(skip_dep_check=True)
    assert "dash_user_tracker" not in sys.modules
    if taken_back:
        DashUserTrackerInstrumentor().uninstrument()
    tracker = importlib.import_module("dash_user_tracker").Tracker(classic_app(), tracker_endpoint="http://127.0.0.1:9")
    assert vars(tracker).get("original", False) is taken_back


def test_uninstrumented_it_is_as_before(package: Callable[..., Any]) -> None:
    """The very same functions."""
    module = package()
    before = dict(vars(module.Tracker)), module.add_ignore_routes
    DashUserTrackerInstrumentor().instrument(skip_dep_check=True)
    assert before[1] is not module.add_ignore_routes
    DashUserTrackerInstrumentor().uninstrument()
    assert before == (dict(vars(module.Tracker)), module.add_ignore_routes)


def test_what_footspan_cannot_use_is_left_to_the_original(
    package: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    """An unchanged app goes on, and the log says why."""
    _guard.reraise_in_tests(False)
    module = package()
    DashUserTrackerInstrumentor().instrument(skip_dep_check=True)
    tracker = module.Tracker(classic_app(), tracker_endpoint="no address", api_key="secret-key")
    tracker.set_user_provider(dict)
    assert tracker.original
    assert tracker.provider is dict
    assert caplog.text.count("leaves a Dash tracker as it is") == 1
    assert "secret-key" not in caplog.text


@pytest.mark.parametrize("variable", ["OTEL_SDK_DISABLED=true", "TELEMETRY_ENABLED=false"])
def test_switched_off_it_stays_as_it_is(
    variable: str, package: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As though footspan were not installed."""
    monkeypatch.setenv(*variable.split("="))
    module = package()
    DashUserTrackerInstrumentor().instrument(skip_dep_check=True)
    assert module.Tracker(classic_app()).original


@pytest.mark.parametrize("version", ["1.1.9", "2.0.0"])
def test_another_version_is_not_touched(version: str, package: Callable[..., Any]) -> None:
    """Its calls may be others."""
    module = package(version)
    with pytest.raises(DependencyConflictError):
        DashUserTrackerInstrumentor().instrument(skip_dep_check=True)
    assert module.Tracker(classic_app()).original


APP: Final = """
import sys
from dash import Dash, html
from dash_user_tracker import HttpTrackerRepository, Tracker

app = Dash("shop")
app.layout = html.Div()
Tracker(app, "Shop", repository=HttpTrackerRepository(sys.argv[1], "k"))
agent = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) H1Browser/1.0"}
assert app.server.test_client().get("/", headers=agent).status_code == 200
"""


@pytest.mark.slow
@pytest.mark.parametrize("disabled", [False, True])
def test_an_unchanged_app_under_opentelemetry_instrument(disabled: bool, tmp_path: Path) -> None:
    """The published package itself: by footspan, and by its own requests where the operator opts out."""
    python = original("dash-user-tracker==1.2.0", "dash==2.18.2")
    packages = next(python.parents[1].glob("lib/python*/site-packages"))
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    variables = {"PYTHONPATH": str(packages), "OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}
    if disabled:
        variables["OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"] = "dash_user_tracker"
    command = Path(sys.executable).with_name("opentelemetry-instrument")
    with DashTrackerServer(key="k") as server:
        server.faults.answer(503, headers={"Retry-After": "0"})
        done = subprocess.run(
            [str(command), sys.executable, "app.py", server.endpoint],
            env={**os.environ, **variables},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        # One answer of 503: the package itself does not try again.
        assert (len(server.requests), len(server.events)) == ((1, 0) if disabled else (2, 1)), done.stderr
