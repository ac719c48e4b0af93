"""``HttpTrackerRepository``: a collecting server as a repository."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from footspan.compat.dash_user_tracker.queries import TIMEOUT, Queries
from footspan.compat.dash_user_tracker.repository import TrackerRepository

if TYPE_CHECKING:
    from datetime import datetime


class HttpTrackerRepository(TrackerRepository):
    """A collecting server: events are posted to its address, queries go to paths under it.

    A :class:`~footspan.compat.dash_user_tracker.Tracker` does not call :meth:`save_event` of this class but delivers
    through footspan's spool. Where a class of one's own overrides it, that is called.

    Args:
        endpoint: The server's address.
        api_key: Its key, sent as ``X-API-Key``; ``None``: none.
        timeout: Seconds that a query may take.
    """

    def __init__(self, endpoint: str, api_key: str | None = None, *, timeout: float = TIMEOUT) -> None:
        self.endpoint = endpoint
        self.api_key = api_key
        self.queries = Queries(endpoint, api_key, timeout)

    def __repr__(self) -> str:
        """Without the key; an address may hold one, too."""
        return f"<{type(self).__name__}>"

    async def save_event(self, event: dict[str, Any]) -> None:
        """Post one event now, past the spool.

        Raises:
            TrackerError: It was not taken.
        """
        await asyncio.to_thread(self.queries.save_event, event)

    async def get_page_views(
        self, start: datetime | None = None, end: datetime | None = None, limit: int | None = None
    ) -> Any:
        """See :class:`TrackerRepository`, here and below; each raises ``TrackerError`` where there is no answer."""
        return await asyncio.to_thread(self.queries.page_views, start=start, end=end, limit=limit)

    async def get_page_views_by_user(
        self, user_id: str, start: datetime | None = None, end: datetime | None = None, limit: int | None = None
    ) -> Any:
        """The page views of a user."""
        return await asyncio.to_thread(self.queries.page_views_by_user, user_id, start=start, end=end, limit=limit)

    async def get_page_views_by_path(
        self, path: str, start: datetime | None = None, end: datetime | None = None, limit: int | None = None
    ) -> Any:
        """The page views of a page."""
        return await asyncio.to_thread(self.queries.page_views_by_path, path, start=start, end=end, limit=limit)

    async def get_user_count(self, start: datetime | None = None, end: datetime | None = None) -> Any:
        """How many users there were."""
        return await asyncio.to_thread(self.queries.user_count, start=start, end=end)

    async def get_user_count_by_path(
        self, path: str, start: datetime | None = None, end: datetime | None = None
    ) -> Any:
        """How many users saw a page."""
        return await asyncio.to_thread(self.queries.user_count, path=path, start=start, end=end)

    async def get_page_count(self, start: datetime | None = None, end: datetime | None = None) -> Any:
        """How many pages were seen."""
        return await asyncio.to_thread(self.queries.page_count, start=start, end=end)

    async def get_page_count_by_user(
        self, user_id: str, start: datetime | None = None, end: datetime | None = None
    ) -> Any:
        """How many pages a user saw."""
        return await asyncio.to_thread(self.queries.page_count, user_id=user_id, start=start, end=end)
