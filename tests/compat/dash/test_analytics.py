"""The queries: every recording of the original's, awaited and not; and what goes wrong."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

import pytest

from compat.dash.recorded import NAMES, recording, sent
from footspan.compat.dash_user_tracker import (
    HttpTrackerRepository,
    TrackerAnalytics,
    TrackerError,
    TrackerRepository,
    UnexpectedAnswerError,
)
from servers.dash_tracker import KEY, DashTrackerServer

if TYPE_CHECKING:
    from servers.http import RecordedRequest

CASES: Final = [name for name in NAMES if name.startswith("analytics_")]
_HEADERS: Final = ("x-api-key", "accept", "content-type")


def called(name: str, server: DashTrackerServer, *, sync: bool) -> Any:
    """The recorded call; the result, or the exception."""
    case = recording(name)
    names: dict[str, Any] = {
        "REC": server.url,
        "HttpTrackerRepository": HttpTrackerRepository,
        "TrackerAnalytics": TrackerAnalytics,
        "datetime": datetime,
        "timezone": timezone,
    }
    answer = case["server_answer"]
    server.faults.answer(answer["status"], json.dumps(answer["body"]).encode(), {"Content-Type": "application/json"})
    call = case["call"].removeprefix("await ")
    try:
        names["a"] = eval(case["init"], names)
        if not sync:
            return asyncio.run(eval(call, names))
        return eval(call.replace("a.", "a.sync.", 1), names)
    except (TrackerError, ValueError) as error:
        return error


@pytest.mark.parametrize("sync", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_the_same_is_asked_and_told(name: str, sync: bool) -> None:
    """Path, query and headers as they were recorded; the result is the recorded one, or a clear error."""
    case = recording(name)
    if sync and "repository" in case["call"]:
        pytest.skip("the repository has awaitable methods only")
    with DashTrackerServer(path="/api") as server:
        found = called(name, server, sync=sync)
        requests = server.requests
    if name == "analytics_endpoint_no_key":  # D1: the original fails without a key
        assert found == case["server_answer"]["body"]
        assert "x-api-key" not in requests[0].headers
        return
    assert len(requests) == (1 if case["request"] else 0)
    if requests:
        _compare(requests[0], case["request"])
    if "raises" not in case:
        assert found == case.get("returns")
    else:
        expected = {"C": TrackerError, "V": ValueError, "A": UnexpectedAnswerError, "K": UnexpectedAnswerError}
        assert isinstance(found, expected[case["raises"][0]])


def _compare(seen: RecordedRequest, known: dict[str, Any]) -> None:
    assert (seen.method, seen.path, seen.body.decode()) == (known["method"], known["path"], known["body"])
    headers = {key.lower(): value for key, value in known["headers"]}
    assert [seen.headers.get(each) for each in _HEADERS] == [headers.get(each) for each in _HEADERS]


def test_nothing_is_left_out() -> None:
    """Every recorded query is asked here."""
    assert len(CASES) > 20
    assert not [name for name in CASES if sent(name) and name != "analytics_repo_save_event"]


@pytest.mark.parametrize("user", ["u/1", "a b", "a@b.c", "x?y=1&z", "ü", "%2F", "a#b", 7])
def test_ids_are_quoted(user: Any, dash_tracker_server: DashTrackerServer) -> None:
    """D12: whatever an id holds, the path ends with it."""
    analytics = TrackerAnalytics(dash_tracker_server.endpoint, KEY)
    assert analytics.sync.get_user_activity(user)["total_views"] == 0
    assert dash_tracker_server.requests[-1].status == 200


@pytest.mark.parametrize("user", ["", ".", ".."])
def test_ids_that_no_address_can_hold(user: str, dash_tracker_server: DashTrackerServer) -> None:
    """They would lead elsewhere."""
    analytics = TrackerAnalytics(dash_tracker_server.endpoint, KEY)
    with pytest.raises(ValueError, match="user's id"):
        analytics.sync.get_user_activity(user)
    assert not dash_tracker_server.requests


@pytest.mark.parametrize("status", [301, 401, 404, 500])
def test_errors_are_clear(status: int, dash_tracker_server: DashTrackerServer, caplog: Any) -> None:
    """They say what was asked and what came back, and neither address nor key."""
    caplog.set_level(logging.DEBUG)
    dash_tracker_server.faults.answer(status, b"secret-answer", {"Location": "/x"})
    analytics = TrackerAnalytics(f"{dash_tracker_server.endpoint}?token=secret", "secret-key")
    with pytest.raises(TrackerError, match=f"{status} to get_user_count") as found:
        analytics.sync.get_user_count()
    assert found.value.status == status
    assert found.value.__cause__ is found.value.__context__ is None
    assert "secret-" not in str(found.value)


def test_no_answer(dash_tracker_server: DashTrackerServer) -> None:
    """Neither a broken one, nor none at all."""
    analytics = TrackerAnalytics(repository=HttpTrackerRepository(dash_tracker_server.endpoint, KEY, timeout=0.3))
    dash_tracker_server.faults.answer(200, b"<html>")
    with pytest.raises(UnexpectedAnswerError, match="no JSON"):
        analytics.sync.get_page_count()
    dash_tracker_server.faults.hang(5.0)
    with pytest.raises(TrackerError, match=r"get_page_count .ReadTimeout") as found:
        analytics.sync.get_page_count()
    assert found.value.status is None
    dash_tracker_server.faults.clear()
    dash_tracker_server.faults.down()
    with pytest.raises(TrackerError, match="ConnectionError"):
        asyncio.run(analytics.get_page_count())


def test_queries_under_an_endpoint_with_a_query(dash_tracker_server: DashTrackerServer) -> None:
    """It stays at the end."""
    analytics = TrackerAnalytics(f"{dash_tracker_server.endpoint}/?src=a", KEY)
    assert analytics.sync.get_user_count_by_path("/x y") == 0
    assert dash_tracker_server.requests[0].path == "/track/page-views/user-count?src=a&path=/x+y"


class Sync(TrackerRepository):
    """Ordinary methods."""

    def get_page_views(self, start: Any = None, end: Any = None, limit: Any = None) -> Any:
        return {"start": start, "end": end, "limit": limit}

    def get_page_views_by_user(self, user_id: str, start: Any = None, end: Any = None, limit: Any = None) -> Any:
        del start, end, limit
        return {"count": 2, "data": [{"path": f"/{user_id}"}, {"path": ["a list"]}]}


class Async(Sync):
    """The same to be awaited, on one loop."""

    loops: set[int]

    async def get_page_views(self, start: Any = None, end: Any = None, limit: Any = None) -> Any:
        self.loops.add(id(asyncio.get_running_loop()))
        await asyncio.sleep(0)
        return super().get_page_views(start, end, limit)


@pytest.mark.parametrize("kind", [Sync, Async])
def test_a_repository_of_ones_own_answers(kind: type[Any]) -> None:
    """Awaited or not, with ordinary or awaitable methods; what it cannot answer it says."""
    repository = kind()
    repository.loops = set()
    analytics = TrackerAnalytics(repository=repository)
    expected = {"start": None, "end": None, "limit": 3}
    assert analytics.sync.get_page_views(limit=3) == expected
    assert analytics.sync.get_page_views(limit=3) == expected
    assert len(repository.loops) == (kind is Async)
    assert asyncio.run(analytics.get_page_views(limit=3)) == expected

    async def within() -> Any:
        return analytics.sync.get_page_views(limit=3)

    assert asyncio.run(within()) == expected
    assert analytics.sync.get_user_activity("u")["unique_pages"] == {"count": 2, "pages": ["/u", ["a list"]]}
    with pytest.raises(NotImplementedError, match="get_user_count"):
        analytics.sync.get_user_count()
    with pytest.raises(NotImplementedError, match="get_page_count_by_user"):
        asyncio.run(analytics.get_page_count_by_user("u"))


@pytest.mark.parametrize("answer", [[], "x", None, 3, {"data": 3}, {"data": [3]}, {"data": [{"user_id": 1}]}])
def test_answers_of_another_form(answer: Any) -> None:
    """They are errors that say what is wrong."""
    repository = Sync()
    repository.get_page_views_by_user = lambda **_: answer  # type: ignore[method-assign]
    with pytest.raises(UnexpectedAnswerError):
        TrackerAnalytics(repository=repository).sync.get_user_activity("u")
