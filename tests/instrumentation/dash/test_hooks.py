"""How apps come to be watched: Dash's own hooks, OpenTelemetry's instrumentor, by hand; and how that ends."""

from __future__ import annotations

import importlib.metadata
import sys
from typing import Any

import dash
import pytest

import footspan
from footspan.instrumentation.dash import DashInstrumentor
from footspan.instrumentation.dash.hooks import offer
from instrumentation.dash import board
from instrumentation.dash.browsing import Tab
from programs import run
from spooled import spooled


def names() -> list[str]:
    """What was told."""
    return [each.name for each in spooled()]


def test_dash_is_given_our_hook() -> None:
    """By the group that it loads, and OpenTelemetry by its own."""
    (hook,) = importlib.metadata.entry_points(group="dash_hooks", name="footspan")
    assert hook.load().offer is offer
    (instrumentor,) = importlib.metadata.entry_points(group="opentelemetry_instrumentor", name="footspan_dash")
    assert instrumentor.load() is DashInstrumentor


@pytest.mark.skipif(not hasattr(dash, "hooks"), reason="this version of Dash has no hooks")
def test_an_app_needs_nothing_but_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dash itself offers every app; one is watched where events go anywhere."""
    tab = Tab(board.pages())
    tab.load("/")
    assert not names()
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_CONSOLE_ENABLED", "true")
    footspan.init(service_name="board")
    tab.load("/")
    assert ["footspan.page_view"] == names()


@pytest.mark.skipif(not hasattr(dash, "hooks"), reason="this version of Dash has no hooks")
@pytest.mark.parametrize(
    ("name", "value"),
    [("FOOTSPAN_DASH_ENABLED", "false"), ("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "x, footspan_dash")],
)
def test_the_hook_can_be_off(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """By the setting or by OpenTelemetry's own."""
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_CONSOLE_ENABLED", "true")
    monkeypatch.setenv(name, value)
    Tab(board.pages()).load("/")
    assert not names()


def test_a_configuration_that_cannot_be_used_leaves_the_app_alone(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said once, and the app answers."""
    monkeypatch.setenv("FOOTSPAN_DASH_INTERACTIONS", "perhaps")
    app = board.pages()
    offer(app)
    tab = Tab(app)
    assert [tab.load("/").status_code, tab.load("/dashboard").status_code] == [200, 200]
    assert ["footspan is off" in each.getMessage() for each in caplog.records] == [True]


def test_what_dash_loads_never_costs_the_app() -> None:
    """Also where Dash is another one than we know."""
    found = run(
        """
        import sys, types
        sys.modules["dash"] = types.ModuleType("dash")
        import footspan.instrumentation.dash.hooks as hooks
        hooks.offer(object())
        print("goes on")
        """
    )
    assert "goes on" in found.stdout, found.stderr


def test_the_hook_loads_little() -> None:
    """Neither the SDK nor Flask for an app that is not watched."""
    found = run(
        """
        import sys
        sys.modules["dash"] = type(sys)("dash")
        import footspan.instrumentation.dash.hooks
        print([name for name in ("opentelemetry.sdk", "flask", "requests") if name in sys.modules])
        """
    )
    assert found.stdout.strip() == "[]"


def test_every_app_made_before_or_after() -> None:
    """``instrument()`` is for the process; ``uninstrument()`` ends it, and gives Dash its functions back."""
    callback: Any = sys.modules["dash._callback"]
    original = callback._invoke_callback
    before = board.plain(url_base_pathname="/a/")
    DashInstrumentor().instrument(skip_dep_check=True)
    after = board.plain(url_base_pathname="/b/")
    Tab(before).load("/a/")
    Tab(after).load("/b/")
    assert len(names()) == 2
    assert callback._invoke_callback is not original
    DashInstrumentor().uninstrument()
    Tab(before).load("/a/")
    assert len(names()) == 2
    assert callback._invoke_callback is original


def test_one_app_of_several() -> None:
    """``instrument_app`` is for that one; its options stand above those of ``instrument()``."""
    one, other = board.plain(url_base_pathname="/a/"), board.plain(url_base_pathname="/b/")
    DashInstrumentor.instrument_app(one)
    Tab(one).load("/a/")
    Tab(other).load("/b/")
    assert len(names()) == 1
    DashInstrumentor().instrument(skip_dep_check=True, page_views=False)
    Tab(one).load("/a/")
    Tab(other).load("/b/")
    assert len(names()) == 2
    DashInstrumentor.uninstrument_app(one)
    Tab(one).load("/a/")
    assert len(names()) == 2


def test_a_tracker_of_its_own() -> None:
    """What records may be any tracker."""
    app = board.plain()
    with footspan.Tracker("aside") as tracker:
        DashInstrumentor.instrument_app(app, tracker=tracker)
        tab = Tab(app)
        tab.load("/")
        tab.go("/a")
        assert ["aside", "aside"] == [each.resource["service.name"] for each in spooled()]


def test_routes_that_somebody_wrapped() -> None:
    """As a log-in does; with ``functools.wraps`` the app is known, without it still watched."""
    import functools  # noqa: PLC0415 - only here

    app = board.pages(**({"use_async": False} if hasattr(dash, "hooks") else {}))
    for endpoint, view in list(app.server.view_functions.items()):
        if endpoint == "/_dash-layout":
            app.server.view_functions[endpoint] = lambda *args, _view=view, **kwargs: _view(*args, **kwargs)
        else:

            @functools.wraps(view)
            def wrapped(*args: Any, _view: Any = view, **kwargs: Any) -> Any:
                return _view(*args, **kwargs)

            app.server.view_functions[endpoint] = wrapped
    DashInstrumentor().instrument(skip_dep_check=True)
    tab = Tab(app)
    tab.load("/")
    tab.go("/dashboard")
    assert len(names()) == 2
