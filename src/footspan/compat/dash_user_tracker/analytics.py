"""``TrackerAnalytics``: the seven queries, awaitable; and the same for callbacks, which cannot await."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING, Any, Final

from footspan.compat.dash_user_tracker.errors import UnexpectedAnswerError
from footspan.compat.dash_user_tracker.http_repository import HttpTrackerRepository
from footspan.compat.dash_user_tracker.loops import Awaiter

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

_DIRECT: Final = {
    "get_page_views": "page_views",
    "get_page_views_by_user": "page_views_by_user",
    "get_page_views_by_path": "page_views_by_path",
    "get_user_count": "user_count",
    "get_user_count_by_path": "user_count",
    "get_page_count": "page_count",
    "get_page_count_by_user": "page_count",
}


class TrackerAnalytics:
    """Asks who saw what. Every method is to be awaited; :attr:`sync` has the same ones for code that cannot.

    Times without an offset are sent as they are; what they mean is the server's choice.

    Args:
        tracker_endpoint: The collecting server's address, in place of a repository.
        api_key: Its key.
        repository: What answers.

    Raises:
        ValueError: Neither an address nor a repository was given.
    """

    def __init__(self, tracker_endpoint: str | None = None, api_key: str | None = None, repository: Any = None) -> None:
        if repository is None and not tracker_endpoint:
            raise ValueError("Analytics need a repository or a tracker_endpoint to ask.")
        self.repository: Any = repository or HttpTrackerRepository(str(tracker_endpoint), api_key)
        self._sync: SyncTrackerAnalytics | None = None

    @property
    def sync(self) -> SyncTrackerAnalytics:
        """The same queries as ordinary calls, for Dash callbacks and scripts."""
        if self._sync is None:
            self._sync = SyncTrackerAnalytics(self.repository)
        return self._sync

    async def get_page_views(
        self, start: datetime | None = None, end: datetime | None = None, limit: int | None = None
    ) -> Any:
        """Page views in a span of time, as the repository gives them."""
        return await self._ask("get_page_views", start=start, end=end, limit=limit)

    async def get_user_activity(
        self, user_id: str, start: datetime | None = None, end: datetime | None = None
    ) -> dict[str, Any]:
        """What a user saw: ``total_views``, ``unique_pages`` with ``count`` and ``pages``, and ``page_views``."""
        return user_activity(await self._ask("get_page_views_by_user", user_id=user_id, start=start, end=end))

    async def get_page_activity(
        self, path: str, start: datetime | None = None, end: datetime | None = None
    ) -> dict[str, Any]:
        """Who saw a page: ``total_views``, ``unique_users`` with their ids and e-mails, and ``page_views``."""
        return page_activity(await self._ask("get_page_views_by_path", path=path, start=start, end=end))

    async def get_user_count(self, start: datetime | None = None, end: datetime | None = None) -> Any:
        """How many users there were."""
        return await self._ask("get_user_count", start=start, end=end)

    async def get_user_count_by_path(
        self, path: str, start: datetime | None = None, end: datetime | None = None
    ) -> Any:
        """How many users saw a page."""
        return await self._ask("get_user_count_by_path", path=needed("path", path), start=start, end=end)

    async def get_page_count(self, start: datetime | None = None, end: datetime | None = None) -> Any:
        """How many pages were seen."""
        return await self._ask("get_page_count", start=start, end=end)

    async def get_page_count_by_user(
        self, user_id: str, start: datetime | None = None, end: datetime | None = None
    ) -> Any:
        """How many pages a user saw."""
        return await self._ask("get_page_count_by_user", user_id=needed("user_id", user_id), start=start, end=end)

    async def _ask(self, name: str, **arguments: Any) -> Any:
        method = getattr(self.repository, name)
        if inspect.iscoroutinefunction(method):
            return await method(**arguments)
        # An ordinary method may well wait for something, and must not keep the loop from running meanwhile.
        answer = await asyncio.to_thread(method, **arguments)
        return await answer if inspect.isawaitable(answer) else answer


class SyncTrackerAnalytics:
    """The queries of :class:`TrackerAnalytics` as ordinary calls.

    Args:
        repository: What answers.
    """

    def __init__(self, repository: Any) -> None:
        self.repository = repository
        self._awaiter = Awaiter()

    def get_page_views(
        self, start: datetime | None = None, end: datetime | None = None, limit: int | None = None
    ) -> Any:
        """Page views in a span of time, as the repository gives them."""
        return self._ask("get_page_views", start=start, end=end, limit=limit)

    def get_user_activity(
        self, user_id: str, start: datetime | None = None, end: datetime | None = None
    ) -> dict[str, Any]:
        """What a user saw: ``total_views``, ``unique_pages`` with ``count`` and ``pages``, and ``page_views``."""
        return user_activity(self._ask("get_page_views_by_user", user_id=user_id, start=start, end=end))

    def get_page_activity(
        self, path: str, start: datetime | None = None, end: datetime | None = None
    ) -> dict[str, Any]:
        """Who saw a page: ``total_views``, ``unique_users`` with their ids and e-mails, and ``page_views``."""
        return page_activity(self._ask("get_page_views_by_path", path=path, start=start, end=end))

    def get_user_count(self, start: datetime | None = None, end: datetime | None = None) -> Any:
        """How many users there were."""
        return self._ask("get_user_count", start=start, end=end)

    def get_user_count_by_path(self, path: str, start: datetime | None = None, end: datetime | None = None) -> Any:
        """How many users saw a page."""
        return self._ask("get_user_count_by_path", path=needed("path", path), start=start, end=end)

    def get_page_count(self, start: datetime | None = None, end: datetime | None = None) -> Any:
        """How many pages were seen."""
        return self._ask("get_page_count", start=start, end=end)

    def get_page_count_by_user(self, user_id: str, start: datetime | None = None, end: datetime | None = None) -> Any:
        """How many pages a user saw."""
        return self._ask("get_page_count_by_user", user_id=needed("user_id", user_id), start=start, end=end)

    def _ask(self, name: str, **arguments: Any) -> Any:
        if type(self.repository) is HttpTrackerRepository:
            if name.startswith("get_page_views_by"):
                arguments.setdefault("limit", None)
            return getattr(self.repository.queries, _DIRECT[name])(**arguments)
        method = getattr(self.repository, name)
        return self._awaiter.call(lambda: method(**arguments))


def needed(name: str, value: str) -> str:
    """An argument that must say something.

    Raises:
        ValueError: It is empty.
    """
    if not value:
        raise ValueError(f"{name} must not be empty.")
    return value


def user_activity(answer: Any) -> dict[str, Any]:
    """The page views of a user, counted."""
    count, rows = _rows(answer)
    pages = _distinct(rows, "path")
    return {"total_views": count, "unique_pages": {"count": len(pages), "pages": pages}, "page_views": rows}


def page_activity(answer: Any) -> dict[str, Any]:
    """The page views of a page, counted."""
    count, rows = _rows(answer)
    # Which of the user's fields there are, the app's user_provider decides.
    users = _distinct([row for row in rows if "user_id" in row], "user_id")
    emails = _distinct([row for row in rows if "email" in row], "email")
    people = {"count": len(users), "user_ids": users, "user_emails": emails}
    return {"total_views": count, "unique_users": people, "page_views": rows}


def _rows(answer: Any) -> tuple[Any, list[Any]]:
    if not isinstance(answer, dict):
        raise UnexpectedAnswerError(f"Page views are an object with count and data, not {_described(answer)}.")
    rows = answer.get("data", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UnexpectedAnswerError("The data of page views are a list of objects; the answer has something else.")
    return answer.get("count", 0), rows


def _distinct(rows: Iterable[Any], field: str) -> list[Any]:
    """The values of a field, each once, in the order they come."""
    found: dict[Any, Any] = {}
    for row in rows:
        if field not in row:
            raise UnexpectedAnswerError(f"A page view in the answer has no {field}.")
        value = row[field]
        found.setdefault(repr(value) if isinstance(value, (list, dict)) else value, value)
    return list(found.values())


def _described(value: Any) -> str:
    return {list: "a list", str: "a text", type(None): "nothing"}.get(type(value), f"a {type(value).__name__}")
