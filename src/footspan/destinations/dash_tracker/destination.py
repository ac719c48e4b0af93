"""A Dash-Tracker endpoint: one event a request, and what its answers mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from footspan.config import ConfigurationError
from footspan.destinations.base import Answer, Outcome, Request, Verdict
from footspan.destinations.dash_tracker.document import document_of, encoded
from footspan.destinations.http import HttpDestination
from footspan.destinations.status import outcome_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.config import DestinationSettings
    from footspan.otlp_json import LogLine

KEY_HEADER: Final = "X-API-Key"
WEB_PAGE: Final = Outcome(Verdict.PARK, "web_page")
"""Somebody's sign-in page stands where the endpoint should be."""

_HEADERS: Final = {"Accept": "*/*", "Content-Type": "application/json"}
_OK: Final = range(200, 300)


class DashTrackerDestination(HttpDestination):
    """An endpoint that takes Dash-Tracker's events at its very address.

    Its server is not public. What is known of it is what its client takes for a success: a status, whatever the body.
    Redirects are not followed, since the ``POST`` would arrive as a ``GET`` and be lost.

    Attributes:
        url: Where events go, exactly as it was given.
    """

    type: ClassVar[str] = "dash_tracker"
    address_options: ClassVar[tuple[str, ...]] = ("url",)
    default_max_items: ClassVar[int] = 1
    default_concurrency: ClassVar[int] = 4
    max_answer: ClassVar[int] = 16 * 1024

    def __init__(self, settings: DestinationSettings) -> None:
        super().__init__(settings)
        self.url = str(settings.options.get("url") or "")
        if not self.url:
            raise ConfigurationError(
                f"telemetry.destinations.{self.name}.url", "nothing", "Set the address of the endpoint."
            )
        self.max_items = 1  # the format has no batches, whatever the settings wish
        key = settings.options.get("api_key")
        self._headers = _HEADERS if key is None else {KEY_HEADER: str(key), **_HEADERS}

    def build(self, events: Sequence[LogLine]) -> Request:
        """The request for one event; the format has no place for a second."""
        (event,) = events
        return Request(self.url, encoded(document_of(event.event)).encode(), self._headers)

    def read(self, answer: Answer, events: Sequence[LogLine]) -> Outcome:  # noqa: ARG002 - one event, one answer
        """Read the answer: any success, unless it is a web page."""
        if answer.status in _OK and _is_web_page(answer.body):
            return WEB_PAGE
        return outcome_of(answer)


def _is_web_page(body: bytes) -> bool:
    """Whether an answer is a document for people. Its media type does not tell: it is Flask's default for ``"ok"``."""
    return body[:512].lstrip().lower().startswith((b"<!doctype html", b"<html"))
