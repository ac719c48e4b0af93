"""An OpenTrace server: one event a request, few requests at once, and none sent again that may have been stored."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final
from urllib.parse import urljoin, urlsplit

from footspan._guard import warn_once
from footspan.config import ConfigurationError
from footspan.config.campaigns import server_of
from footspan.destinations import campaigns
from footspan.destinations.base import Answer, FaultKind, Outcome, Request, Verdict
from footspan.destinations.http import HttpDestination
from footspan.destinations.opentrace import wire as w
from footspan.destinations.opentrace.answers import BROKEN, FAILED, read
from footspan.destinations.opentrace.payloads import Item, Site, item_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from footspan.config import DestinationSettings
    from footspan.otlp_json import LogLine

NO_PROJECT: Final = "no_project"
ONE_BY_ONE: Final = "one_by_one"

TRIES: Final = 4
"""Times that the server may fail on one event before the event is held to be at fault."""

_REMEMBERED: Final = 256
_SAME_BODY: Final = (307, 308)
"""Redirects after which the same request is to be made elsewhere (RFC 9110, section 15.4)."""


class OpenTraceDestination(HttpDestination):
    """One project of an OpenTrace server.

    Attributes:
        site: What the settings say of every event.
        urls: Where each kind of request goes.
    """

    type: ClassVar[str] = "opentrace"
    address_options: ClassVar[tuple[str, ...]] = ("url", "project_id")
    # The server stores one event after the other, some 190 ms each, whatever arrives at once; a client that hurries
    # only runs out of time.
    default_max_items: ClassVar[int] = 1
    default_concurrency: ClassVar[int] = 2
    default_on_ambiguous: ClassVar[str] = "drop"
    max_answer: ClassVar[int] = 64 * 1024

    def __init__(self, settings: DestinationSettings) -> None:
        super().__init__(settings)
        options = settings.options
        base = str(options.get("url") or "").rstrip("/")
        if not base:
            raise ConfigurationError(
                f"telemetry.destinations.{self.name}.url", "nothing", "Set the address of the OpenTrace server."
            )
        self.max_items = 1
        self.site = Site(
            project=str(options.get("project_id") or ""),
            amounts=tuple(options.get("revenue") or ()),
            ids=bool(options.get("include_ids")),
        )
        # Put together as the old client does it.
        self.urls: Mapping[str, str] = {w.EVENT: f"{base}/api/v1/event", w.COLLECT: f"{base}/api/v1/collect"}
        self._failures: OrderedDict[str, int] = OrderedDict()
        self._failures_lock = threading.Lock()
        self.campaign_server = server_of(options)
        campaigns.note(self)

    def _forked(self) -> None:
        super()._forked()
        self._failures_lock = threading.Lock()

    # -- requests ------------------------------------------------------------------------------------------------------

    def item(self, event: LogLine) -> Item:
        """Translate one event."""
        return item_of(event.event, self.site)

    def send(self, events: Sequence[LogLine], timeout: float) -> Outcome:
        """Deliver one event. See :meth:`Destination.send`."""
        if len(events) > 1:
            return Outcome(Verdict.AGAIN, ONE_BY_ONE)
        return super().send(events, timeout)

    def build(self, events: Sequence[LogLine]) -> Request:
        """The request for the first of some events: it takes one."""
        item = self.item(events[0])
        headers = {"Accept": "*/*", "Content-Type": "application/json"}
        if item.user_agent:
            headers["User-Agent"] = item.user_agent
        refused = {} if item.project else {0: NO_PROJECT}
        if refused:
            warn_once(
                f"opentrace.project.{self.id}",
                "footspan: %s has no project_id: events that name no project of their own are refused",
                self.name,
            )
        return Request(self.urls[item.endpoint], item.json, headers, refused)

    def post(self, request: Request, timeout: float) -> Answer | FaultKind:
        """Post one request; where the same server has another place for it, there. See :meth:`HttpDestination.post`."""
        answer = super().post(request, timeout)
        if not isinstance(answer, Answer) or answer.status not in _SAME_BODY:
            return answer
        target = _elsewhere(request.url, answer.headers.get("location", ""))
        return super().post(replace(request, url=target), timeout) if target else answer

    # -- answers -------------------------------------------------------------------------------------------------------

    def read(self, answer: Answer, events: Sequence[LogLine]) -> Outcome:
        """Read the answer to one event."""
        outcome = read(answer)
        if outcome in (FAILED, BROKEN):
            return self._failed(outcome, events[0])
        if outcome.verdict is Verdict.DELIVERED and self._failures:
            with self._failures_lock:
                self._failures.pop(_key(events[0]), None)
        return outcome

    def _failed(self, outcome: Outcome, event: LogLine) -> Outcome:
        """The server failed: on its own account, as long as it does not so on the same event again and again."""
        key = _key(event)
        with self._failures_lock:
            count = self._failures.pop(key, 0) + 1
            if count >= TRIES:
                return replace(outcome, verdict=Verdict.REFUSED)
            self._failures[key] = count
            if len(self._failures) > _REMEMBERED:
                self._failures.popitem(last=False)
        return outcome


def _key(event: LogLine) -> str:
    """What tells an event from others: its id, if it has one."""
    return event.uid or str(hash(event.line))


def _elsewhere(url: str, location: str) -> str:
    """Where a redirect leads, if that is on the same server; else empty."""
    try:
        here, there = urlsplit(url), urlsplit(urljoin(url, location))
    except ValueError:
        return ""
    same = location and (here.scheme, here.netloc) == (there.scheme, there.netloc)
    return there.geturl() if same and "@" not in there.netloc else ""
