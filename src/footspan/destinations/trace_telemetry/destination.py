"""A TraceTelemetry endpoint: one batch a request, one request at a time, so that events arrive in their order.

The address is used as it stands. Success is any 2xx; an answer's body says nothing, but for a web page: that is the
sign-in page of a network in between, which took the events for nobody. Events keep their ids when they are sent again,
so duplicates can be told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from footspan._guard import warn_once
from footspan.config import ConfigurationError
from footspan.destinations.base import Outcome, Request, Verdict
from footspan.destinations.http import HttpDestination
from footspan.destinations.status import outcome_of
from footspan.destinations.trace_telemetry.encoding import Form, encode
from footspan.otlp_json.text import dumps

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from footspan.config import DestinationSettings
    from footspan.destinations.base import Answer
    from footspan.otlp_json import LogLine

_PAGES: Final = (b"<!doctype html", b"<html")
_BEFORE_A_PAGE: Final = b"\xef\xbb\xbf \t\r\n"


class TraceTelemetryDestination(HttpDestination):
    """One endpoint that takes arrays of events.

    Attributes:
        url: Where they go.
        form: How an event is written.
    """

    type: ClassVar[str] = "trace_telemetry"
    address_options: ClassVar[tuple[str, ...]] = ("url",)
    default_max_items: ClassVar[int] = 100
    # Half of what common servers take by default, since letters beyond ASCII are twice as long in a request.
    default_max_bytes: ClassVar[int] = 512 * 1024
    max_concurrency: ClassVar[int] = 1
    max_answer: ClassVar[int] = 4 * 1024

    def __init__(self, settings: DestinationSettings) -> None:
        super().__init__(settings)
        options = settings.options
        key = f"telemetry.destinations.{self.name}"
        self.url = str(options.get("url") or "")
        if not self.url:
            raise ConfigurationError(f"{key}.url", "nothing", "Set the whole address that takes the events.")
        self.form = Form(pascal=options.get("key_case") == "pascal", country=self._country_finder(key))
        wrapper = str(options.get("wrapper") or "").strip()
        self._open, self._close = (b"{%b: [" % dumps(wrapper), b"]}") if wrapper else (b"[", b"]")
        self._headers = {"Content-Type": "application/json", "Accept": "*/*"}
        api_key = str(options.get("api_key") or "").strip()
        if api_key:
            self._headers["X-API-Key"] = api_key

    def build(self, events: Sequence[LogLine]) -> Request:
        """The request for some events."""
        body = b", ".join([encode(event, self.form) for event in events])
        return Request(self.url, self._open + body + self._close, self._headers)

    def read(self, answer: Answer, events: Sequence[LogLine]) -> Outcome:  # noqa: ARG002 - all share one fate
        """Read the answer: its status alone, unless it is a web page."""
        outcome = outcome_of(answer)
        if outcome.verdict is Verdict.DELIVERED and answer.body.lstrip(_BEFORE_A_PAGE)[:14].lower().startswith(_PAGES):
            return Outcome(Verdict.PARK, "web_page")
        return outcome

    def _country_finder(self, key: str) -> Callable[[str], str] | None:
        options = self.settings.options
        if not options.get("enable_country_lookup"):
            return None
        path = options.get("country_database")
        if not path:
            warn_once(
                f"trace_telemetry.country.{self.id}",
                "footspan: %s looks no countries up: %s.country_database names no file",
                self.name,
                key,
            )
            return None
        from footspan.destinations.trace_telemetry.country import country_finder  # noqa: PLC0415 - rarely needed

        return country_finder(str(path), f"{key}.country_database")
