"""``TrackerRepository``: what keeps events and answers queries. To be extended for a place of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from datetime import datetime


class TrackerRepository:
    """Where events go, and where queries are answered from.

    A repository of one's own overrides :meth:`save_event` and those queries that it can answer. Any of them may be an
    ordinary method as well as ``async def``.

    ``save_event`` is called in a thread of footspan's, once for each event, away from every request. An exception from
    it reaches nobody's page. The event is kept and tried again, unless the exception says that the event itself cannot
    be saved (``ValueError``, ``TypeError``, ``LookupError`` and alike, or a database's ``DataError``,
    ``IntegrityError``, ``ProgrammingError``).
    """

    def save_event(self, event: dict[str, Any]) -> Any:
        """Keep one event.

        Args:
            event: ``{"event": …, "data": {…}, "timestamp": …}``, as documented.
        """
        del event
        self._missing("save_event")

    def get_page_views(
        self, start: datetime | None = None, end: datetime | None = None, limit: int | None = None
    ) -> Any:
        """Page views in a span of time: ``{"count": …, "data": [{"path": …, "user_id": …, …}, …]}``."""
        del start, end, limit
        self._missing("get_page_views")

    def get_page_views_by_user(
        self, user_id: str, start: datetime | None = None, end: datetime | None = None, limit: int | None = None
    ) -> Any:
        """The page views of a user, as :meth:`get_page_views` gives them."""
        del user_id, start, end, limit
        self._missing("get_page_views_by_user")

    def get_page_views_by_path(
        self, path: str, start: datetime | None = None, end: datetime | None = None, limit: int | None = None
    ) -> Any:
        """The page views of a page, as :meth:`get_page_views` gives them."""
        del path, start, end, limit
        self._missing("get_page_views_by_path")

    def get_user_count(self, start: datetime | None = None, end: datetime | None = None) -> Any:
        """How many users there were."""
        del start, end
        self._missing("get_user_count")

    def get_user_count_by_path(self, path: str, start: datetime | None = None, end: datetime | None = None) -> Any:
        """How many users saw a page."""
        del path, start, end
        self._missing("get_user_count_by_path")

    def get_page_count(self, start: datetime | None = None, end: datetime | None = None) -> Any:
        """How many pages were seen."""
        del start, end
        self._missing("get_page_count")

    def get_page_count_by_user(self, user_id: str, start: datetime | None = None, end: datetime | None = None) -> Any:
        """How many pages a user saw."""
        del user_id, start, end
        self._missing("get_page_count_by_user")

    def _missing(self, method: str) -> NoReturn:
        raise NotImplementedError(f"{type(self).__name__} has no {method}(): override it.")
