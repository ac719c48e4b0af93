"""Repositories of one's own: told of events in a thread of ours, whatever they do."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import threading
from typing import Any

import pytest

from compat.dash.apps import shared
from destinations.making import line, settings
from footspan.compat.dash_user_tracker import HttpTrackerRepository, Tracker, TrackerError, TrackerRepository
from footspan.compat.dash_user_tracker.own import DashRepository, name_of
from footspan.config import ConfigurationError
from footspan.destinations import build_destination
from footspan.destinations.base import Verdict
from programs import until
from servers.dash_tracker import KEY, DashTrackerServer

BROWSER = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) H1Browser/1.0"}


class Kept(TrackerRepository):
    """Keeps events; raises what is lined up first."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.events: list[dict[str, Any]] = []
        self.threads: set[str] = set()
        self.calls = 0

    def save_event(self, event: dict[str, Any]) -> None:
        self.calls += 1
        self.threads.add(threading.current_thread().name)
        if self.errors:
            raise self.errors.pop(0)
        self.events.append(event)


class Awaited(Kept):
    """The same, awaited; on one loop."""

    loops: set[int]

    async def save_event(self, event: dict[str, Any]) -> None:  # type: ignore[override]
        self.loops = {*getattr(self, "loops", ()), id(asyncio.get_running_loop())}
        await asyncio.sleep(0)
        super().save_event(event)


class Duck:
    """No child of ours."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def save_event(self, event: dict[str, Any]) -> None:
        self.events.append(event)


def visited(repository: Any, times: int = 1) -> Tracker:
    """A tracker with the repository, its app visited."""
    app = shared()
    tracker = Tracker(app, repository=repository)
    for _ in range(times):
        assert app.server.test_client().get("/", headers=BROWSER).status_code == 200
    return tracker


@pytest.mark.parametrize("kind", [Kept, Awaited, Duck])
def test_it_gets_the_documented_event(kind: type[Any]) -> None:
    """In a thread that serves no page."""
    repository = kind()
    tracker = visited(repository, 2)
    assert tracker.flush(8) == 0
    assert [event["event"] for event in repository.events] == ["page_view"] * 2
    assert list(repository.events[0]) == ["event", "data", "timestamp"]
    assert repository.events[0]["data"]["path"] == "/"
    assert tracker.repository is repository
    assert tracker.analytics is not None
    assert tracker.analytics.repository is repository
    if kind is not Duck:
        assert threading.current_thread().name not in repository.threads
    if kind is Awaited:
        assert len(repository.loops) == 1


@pytest.mark.parametrize("kind", [Kept, Awaited])
@pytest.mark.parametrize(
    "error",
    [
        ConnectionError("away"),
        RuntimeError("?"),
        sqlite3.OperationalError("locked"),
        SystemExit(1),
        TrackerError("x", 503),
        asyncio.CancelledError(),
    ],
)
def test_what_passes_is_to_be_tried_again(kind: type[Kept], error: BaseException) -> None:
    """Whatever it is that says nothing of the event."""
    repository = kind(error)
    own = DashRepository(settings("x", repository=name_of(repository)))
    assert own.send([line()], 5.0).verdict is Verdict.RETRY
    assert own.send([line()], 5.0).verdict is Verdict.DELIVERED
    assert len(repository.events) == 1
    own.close()


@pytest.mark.parametrize("kind", [Kept, Awaited])
def test_it_is_tried_again(kind: type[Kept]) -> None:
    """Nobody's page notices, and nothing is lost."""
    repository = kind(ConnectionError("away"))
    tracker = visited(repository)
    assert until(lambda: repository.events)
    assert tracker.flush(8) == 0
    assert repository.calls == 2


@pytest.mark.parametrize("error", [ValueError("secret"), KeyError("secret"), sqlite3.IntegrityError("secret")])
def test_what_cannot_be_saved_is_given_up(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """With the reason, and nothing of it in a log; the next event passes."""
    repository = Kept(error)
    tracker = visited(repository, 2)
    assert tracker.flush(8) == 0
    assert (len(repository.events), repository.calls) == (1, 2)
    (figures,) = tracker.status()["destinations"].values()
    assert figures["refused"] == {f"repository_{type(error).__name__}": 1}
    assert "secret" not in caplog.text


def test_a_http_repository_with_something_more(dash_tracker_server: DashTrackerServer) -> None:
    """What a child overrides is called, and it may call ours."""

    class Marked(HttpTrackerRepository):
        async def save_event(self, event: dict[str, Any]) -> None:
            event["data"]["marked"] = True
            await super().save_event(event)

    tracker = visited(Marked(dash_tracker_server.endpoint, KEY))
    assert tracker.flush(8) == 0
    assert dash_tracker_server.events[0]["data"]["marked"] is True


def test_a_http_repository_is_the_destination(dash_tracker_server: DashTrackerServer) -> None:
    """Any process can carry for it."""

    class Other(HttpTrackerRepository):
        """Nothing of its own about events."""

    for kind in (HttpTrackerRepository, Other):
        tracker = visited(kind(dash_tracker_server.endpoint, KEY))
        assert tracker.flush(8) == 0
        assert [each["type"] for each in tracker.status()["destinations"].values()] == ["dash_tracker"]
    assert len(dash_tracker_server.events) == 2


def test_names() -> None:
    """The same program gives the same names; two of a class are two."""

    class Named(Kept):
        """Of which no other test has made one."""

    first, second = Named(), Named()
    path = f"{Named.__module__}:{Named.__qualname__}"
    assert (name_of(first), name_of(second), name_of(first)) == (path, f"{path}#2", path)
    del first
    gc.collect()
    assert name_of(Named()) == path


@pytest.mark.parametrize("repository", [3, object(), "http://localhost"])
def test_what_is_no_repository(repository: Any) -> None:
    """It is said at once."""
    with pytest.raises(ConfigurationError, match="save_event"):
        Tracker(shared(), repository=repository)


def test_one_that_cannot_be_known_by_name() -> None:
    """Names are kept as long as there is somebody who has the object."""

    class Slotted:
        __slots__ = ()

        def save_event(self, event: Any) -> None:
            """Take it."""

    with pytest.raises(ConfigurationError, match="weak reference"):
        Tracker(shared(), repository=Slotted())


def test_settings_that_name_nothing() -> None:
    """No file can make such an object."""
    with pytest.raises(ConfigurationError, match="does not have"):
        DashRepository(settings("x", repository="nowhere:Nothing"))
    with pytest.raises(ConfigurationError):
        build_destination(settings("footspan.compat.dash_user_tracker.own:DashRepository"))


def test_one_that_never_comes_back() -> None:
    """Awaiting has an end, and another try follows."""

    class Stuck(TrackerRepository):
        async def save_event(self, event: dict[str, Any]) -> None:
            del event
            await asyncio.sleep(60)

    repository = Stuck()
    own = DashRepository(settings("x", repository=name_of(repository)))
    assert own.send([line()], 0.05).verdict.value == "ambiguous"
    own.close()
