"""A collecting server over HTTP: the seven queries, and the posting of one event. Blocking; see ``http_repository``."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, quote_plus

from footspan import _platform
from footspan._version import __version__
from footspan.compat.dash_user_tracker.cleaning import cleaned
from footspan.compat.dash_user_tracker.errors import TrackerError, UnexpectedAnswerError
from footspan.destinations.dash_tracker.destination import KEY_HEADER
from footspan.destinations.dash_tracker.document import encoded
from footspan.destinations.http import join

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    import requests

TIMEOUT: Final = 30.0
"""Seconds that an answer may take."""

_VIEWS: Final = "page-views"


class Queries:
    """The requests to one collecting server.

    Args:
        endpoint: Its address. Events go there, queries to paths under it.
        api_key: Its key; ``None``: none is sent.
        timeout: Seconds that a request may take.
    """

    def __init__(self, endpoint: str, api_key: str | None, timeout: float = TIMEOUT) -> None:
        self.endpoint = endpoint
        self.api_key = api_key
        self.timeout = timeout
        self._lock = threading.Lock()
        self._session: requests.Session | None = None
        self._pid = 0
        _platform.on_fork(self._forked)

    def save_event(self, event: Mapping[str, Any]) -> None:
        """Post one event, now."""
        self._request("save_event", "POST", self.endpoint, encoded(cleaned(event)))

    def page_views(self, *, start: datetime | None, end: datetime | None, limit: int | None) -> Any:
        """Page views in a span of time."""
        return self._ask("get_page_views", _VIEWS, start=start, end=end, limit=limit)

    def page_views_by_user(
        self, user_id: str, *, start: datetime | None, end: datetime | None, limit: int | None
    ) -> Any:
        """The page views of a user, who is a part of the path."""
        part = quote(str(user_id), safe="")
        if part in {"", ".", ".."}:
            raise ValueError("That cannot be a user's id in an address: it must not be empty or consist of dots.")
        return self._ask("get_page_views_by_user", f"{_VIEWS}/user/{part}", start=start, end=end, limit=limit)

    def page_views_by_path(self, path: str, *, start: datetime | None, end: datetime | None, limit: int | None) -> Any:
        """The page views of a page."""
        return self._ask("get_page_views_by_path", f"{_VIEWS}/path", path=path, start=start, end=end, limit=limit)

    def user_count(self, *, start: datetime | None, end: datetime | None, path: str | None = None) -> Any:
        """How many users there were, anywhere or on a page."""
        return self._ask("get_user_count", f"{_VIEWS}/user-count", path=path, start=start, end=end)

    def page_count(self, *, start: datetime | None, end: datetime | None, user_id: str | None = None) -> Any:
        """How many pages were seen, by anybody or by a user."""
        return self._ask("get_page_count", f"{_VIEWS}/page-count", user_id=user_id, start=start, end=end)

    # -- requests ------------------------------------------------------------------------------------------------------

    def _ask(self, name: str, under: str, /, **parameters: Any) -> Any:
        parameters["limit"] = parameters.get("limit") or None
        given = [f"{key}={_spelt(value)}" for key, value in parameters.items() if value is not None]
        address = join(self.endpoint, under)
        mark = "&" if "?" in address else "?"
        answer = self._request(name, "GET", f"{address}{mark}{'&'.join(given)}" if given else address)
        try:
            return answer.json()
        except ValueError:
            pass
        raise UnexpectedAnswerError(f"The endpoint's answer to {name} is no JSON.", answer.status_code)

    def _request(self, name: str, method: str, url: str, body: str | None = None) -> requests.Response:
        import requests  # noqa: PLC0415 - costs time, and most processes ask nothing

        headers = {"User-Agent": f"footspan/{__version__}", "Accept": "*/*"}
        if self.api_key is not None:
            headers[KEY_HEADER] = self.api_key
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            answer = self._open().request(
                method, url, data=body, headers=headers, timeout=self.timeout, allow_redirects=False
            )
        except (requests.RequestException, OSError, ValueError) as error:
            wrong = f"The endpoint could not be asked for {name} ({type(error).__name__})."
        else:
            if 200 <= answer.status_code < 300:  # noqa: PLR2004 - HTTP's 2xx
                return answer
            raise TrackerError(f"The endpoint answered {answer.status_code} to {name}.", answer.status_code)
        raise TrackerError(wrong)  # outside the handler: no chained exception that quotes an address

    def _open(self) -> requests.Session:
        with self._lock:
            if self._session is None or self._pid != os.getpid():
                import requests  # noqa: PLC0415 - as above

                self._session, self._pid = requests.Session(), os.getpid()
                self._session.trust_env = False  # no .netrc, whose password would take the key's place
            return self._session

    def _forked(self) -> None:
        """Another thread of the parent may have held the lock; the connections are the parent's."""
        self._lock = threading.Lock()
        self._session = None


def _spelt(value: Any) -> str:
    """A parameter as the old client spells it: times in ISO 8601, slashes, colons and question marks as they are."""
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return quote_plus(text, safe="/:?")
