"""A real browser walks through real apps under ``opentelemetry-instrument``; what arrives at an OTLP endpoint is told.

Nothing is set but environment variables, and no line of the apps knows of footspan.
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from instrumentation.dash.chromium import AGENT, Browser
from programs import until
from servers.otlp import OtlpSink
from serving import Served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.slow

NO_BOTS = {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "footspan_aiogram,footspan_python_telegram_bot"}
"""Their libraries take seconds to load, and these apps have no bots."""
HERE = Path(__file__).parent


class Walk:
    """A browser at an app, and what arrived."""

    def __init__(self, browser: Browser, server: Served, sink: OtlpSink) -> None:
        self.browser, self.server, self.sink = browser, server, sink
        self.driver = browser.driver

    def open(self, path: str, shows: str) -> None:
        """Load a page as a whole, and wait for what it shows."""
        self.browser.open(self.server.url + path)
        self.browser.shows(shows)

    def click(self, identity: str, shows: str) -> None:
        """Click, and wait for what that shows."""
        self.browser.click(identity)
        self.browser.shows(shows)

    def do(self, action: Callable[[], object], shows: str) -> None:
        """Do something else."""
        action()
        self.browser.shows(shows)

    def arrived(self, last: str) -> list[dict[str, Any]]:
        """Every event, once the last one is there; the spool keeps their order."""
        assert until(lambda: any(each["name"] == last for each in self.sink.events), 60), self.server.said()
        return sorted(self.sink.events, key=lambda each: int(each["time_ns"]))

    def views(self, last: str) -> list[tuple[str, str]]:
        """Every page view: where and from where, without the host."""
        found = [each["attributes"] for each in self.arrived(last) if each["name"] == "footspan.page_view"]
        return [
            (self._short(each["url.full"]), self._short(*each.get("http.request.header.referer", [""])))
            for each in found
        ]

    def _short(self, url: str) -> str:
        return url.removeprefix(self.server.url)


@contextmanager
def walking(folder: Path, command: list[str], **env: str) -> Iterator[Walk]:
    """An app, a browser, and where events arrive."""
    shutil.copy(HERE / "board.py", folder / "board.py")
    with OtlpSink() as sink:
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": sink.url, "OTEL_SERVICE_NAME": "board", **NO_BOTS, **env}
        with Served(command, folder, settings) as server, Browser(folder / "profile") as browser:
            yield Walk(browser, server, sink)


@pytest.mark.parametrize("prefix", ["", "/app"])
def test_pages(tmp_path: Path, prefix: str) -> None:
    """Deep link, reload, links, query, back, unknown page; a click, a failure, a password that goes nowhere."""
    with walking(tmp_path, ["python", "board.py", "pages", *([f"{prefix}/"] if prefix else [])]) as walk:
        walk.open(f"{prefix}/dashboard", "figures")
        walk.do(walk.driver.refresh, "figures")
        walk.click("to-home", "welcome")
        walk.click("to-report", "r7")
        walk.click("to-query", "r7")
        assert until(lambda: "tab=y" in walk.driver.current_url)
        walk.do(walk.driver.back, "r7")
        walk.do(walk.driver.back, "welcome")
        walk.click("to-nowhere", "404")
        walk.click("to-numbers", "figures")
        walk.click("add", "added 1 7")
        walk.click("keep", "added 1 7")
        walk.click("break", "added 1 7")
        events = walk.arrived("exception")
        at = [f"{prefix}{path}" for path in ("/dashboard", "/", "/reports/7?tab=x", "/reports/7?tab=y")]
        dashboard, home, report, query = at
        assert walk.views("exception") == [
            (dashboard, ""),
            (dashboard, ""),
            (home, dashboard),
            (report, home),
            (query, report),
            (report, query),
            (home, report),
            (f"{prefix}/no/such/page", home),
            (dashboard, f"{prefix}/no/such/page"),
        ]
        views = [each["attributes"] for each in events if each["name"] == "footspan.page_view"]
        titles = ["Numbers", "Numbers", "Home", "Report", "Report", "Report", "Home", None, "Numbers"]
        assert [each.get("footspan.page.title") for each in views] == titles
        assert [each.get("not_found") for each in views] == [None] * 7 + [True, None]
        assert {each["user_agent.original"] for each in views} == {AGENT}
        touched = [each["attributes"] for each in events if each["name"] == "footspan.interaction"]
        assert [(each["component"], each["callback"], each.get("error.type")) for each in touched] == [
            ("add", "add", None),
            ("keep", "keep", None),
            ("break", "fail", "WidgetError"),
        ]
        assert {each["url.path"] for each in touched} == {dashboard}
        assert b"hunter2" not in b"".join(each.body for each in walk.sink.requests)


@pytest.mark.parametrize(
    "command", [["python", "board.py", "own"], ["gunicorn", "board:served", "-w", "3", "-b", "127.0.0.1:0"]]
)
def test_own_location(tmp_path: Path, command: list[str]) -> None:
    """A location of the app's own, which two callbacks read; also where each request is another process's."""
    with walking(tmp_path, command) as walk:
        walk.open("/dashboard", "in /dashboard.")
        walk.click("to-home", "in /.")
        walk.click("to-numbers", "in /dashboard.")
        walk.click("to-query", "at /dashboard?year=7.")
        walk.do(walk.driver.back, "at /dashboard.")
        walk.do(walk.driver.back, "in /.")
        walk.do(walk.driver.refresh, "in /.")
        walk.driver.switch_to.new_window("tab")
        walk.open("/dashboard", "in /dashboard.")
        walk.click("to-home", "in /.")
        walk.click("add", "added 1 7")
        views = walk.views("footspan.interaction")
        assert views[:-1] == [
            ("/dashboard", ""),
            ("/", "/dashboard"),
            ("/dashboard", "/"),
            ("/dashboard?year=7", "/dashboard"),
            ("/dashboard", "/dashboard?year=7"),
            ("/", "/dashboard"),
            ("/", ""),
            ("/dashboard", ""),
        ]
        assert views[-1][0] == "/"


def test_without_the_wrapper(tmp_path: Path) -> None:
    """Without ``opentelemetry-instrument`` Dash itself finds us."""
    shutil.copy(HERE / "board.py", tmp_path / "board.py")
    with OtlpSink() as sink:
        env = {"FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT": sink.url, "OTEL_SERVICE_NAME": "board"}
        command = ["python", "board.py", "pages"]
        with Served(command, tmp_path, env, instrument=False) as server, Browser(tmp_path / "profile") as browser:
            walk = Walk(browser, server, sink)
            walk.open("/dashboard", "figures")
            walk.click("to-home", "welcome")
            walk.click("add", "added 1 7")
            assert walk.views("footspan.interaction") == [("/dashboard", ""), ("/", "/dashboard")]
