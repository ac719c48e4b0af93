"""A Umami server: which events share a request, and in which order.

One event goes to ``/api/send``, several go to ``/api/batch``, but for those whose user agent Umami may take for a
bot's: only a single answer says so. Servers without batches (before 2.17, and the hosted one) get single events from
the first 404 or 405 on. Umami's contract: no gzip, no slash at the end, no ``x-umami-cache`` (a browser page's token,
which would put one visitor's events into another's session).
"""

from __future__ import annotations

import sys
import time
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Final

from footspan._guard import guard, warn_once
from footspan._version import __version__
from footspan.config import ConfigurationError
from footspan.destinations.base import Answer, FaultKind, Outcome, Request, Verdict
from footspan.destinations.http import HttpDestination, join
from footspan.destinations.status import outcome_of
from footspan.destinations.umami.answers import BOT, IGNORED, has_token_key, read_batch, read_single
from footspan.destinations.umami.bots import suspicious
from footspan.destinations.umami.limits import text
from footspan.destinations.umami.payload import MAX_TAG, Item, Site, item_of, option_text
from footspan.destinations.umami.urls import host_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from footspan.config import DestinationSettings
    from footspan.otlp_json import LogLine

USER_AGENT: Final = (
    f"Mozilla/5.0 (X11; Linux x86_64) footspan/{__version__} (Python {sys.version_info[0]}.{sys.version_info[1]})"
)
"""Says who we are and still passes Umami's bot check, which drops the names of all HTTP libraries."""

NO_TIME_LEFT: Final = "out_of_time"
"""Events that a request's time did not suffice for; they go with the next one."""

_HEADERS: Final = {"Content-Type": "application/json", "Accept": "application/json", "User-Agent": USER_AGENT}
_OK, _BAD_REQUEST, _NOT_FOUND, _METHOD_NOT_ALLOWED, _SERVER_ERROR = 200, 400, 404, 405, 500
_LEAST_SECONDS: Final = 0.05
_PROBE_SECONDS: Final = 1.0


class UmamiDestination(HttpDestination):
    """One website of a Umami server, 2.10 or later.

    Attributes:
        site: What the settings say of every event, and whether the server is an old one.
        send_url: Where single events go.
        batch_url: Where batches go.
        batches: Whether this server takes batches, as far as is known.
    """

    type: ClassVar[str] = "umami"
    address_options: ClassVar[tuple[str, ...]] = ("url", "website")
    # The server handles the items of a batch one after the other, some 12 ms each, and several batches at once.
    default_max_items: ClassVar[int] = 100
    default_concurrency: ClassVar[int] = 4
    # A hundred errors, each with a stack, are more than the usual answer.
    max_answer: ClassVar[int] = 1024 * 1024

    def __init__(self, settings: DestinationSettings) -> None:
        super().__init__(settings)
        options = settings.options
        base = option_text(options, "url")
        if not base:
            raise ConfigurationError(f"{self._key}.url", "nothing", "Set the address of the Umami server.")
        self.site = Site(
            website=self._website(option_text(options, "website")),
            hostname=self._hostname(option_text(options, "hostname")),
            tag=text(option_text(options, "tag"), MAX_TAG),
            amounts=tuple(options.get("revenue") or ()),
            currency=option_text(options, "currency").upper(),
        )
        self._money_marks = [f'"{name}"'.encode() for name in ("revenue", *self.site.amounts)]
        self.send_url = join(base, option_text(options, "path") or "/api/send").rstrip("/")
        self.batch_url = join(base, option_text(options, "batch_path") or "/api/batch").rstrip("/")
        self.batches = True
        # Servers from 3.0.3 on name a token in every batch answer; None until one was seen.
        self._names_token: bool | None = None
        self._asked_age = False

    # -- requests ------------------------------------------------------------------------------------------------------

    def item(self, event: LogLine) -> Item:
        """Translate one event."""
        return item_of(event.event, self.site)

    def build(self, events: Sequence[LogLine]) -> Request:
        """The request for some events, all in one: a single event alone, several as a batch."""
        return self._request([self.item(event) for event in events])

    def read(self, answer: Answer, events: Sequence[LogLine]) -> Outcome:
        """Read the answer to what :meth:`build` made of the same events."""
        return self._read(answer, [self.item(event) for event in events])

    def send(self, events: Sequence[LogLine], timeout: float) -> Outcome:
        """Deliver some events: suspected bots one by one, then the rest together, users' descriptions first.

        Returns:
            One outcome for the last request, and one item for each event that fared otherwise.
        """
        deadline = time.monotonic() + timeout
        items: dict[int, Item] = {}
        fates = _Fates(len(events))
        for index, event in enumerate(events):
            with guard("umami.build"):
                items[index] = self.item(event)
            if index not in items:
                fates.name(index, Outcome(Verdict.REFUSED, "unencodable"))
        for number, group in enumerate(self._groups(items)):
            left = deadline - time.monotonic()
            if number and left < _LEAST_SECONDS:
                fates.rest(Outcome(Verdict.RETRY, NO_TIME_LEFT, 0.0))
                break
            outcome = self._deliver([items[index] for index in group], max(left, _LEAST_SECONDS))
            fates.group(group, outcome, items)
            if outcome.verdict not in (Verdict.DELIVERED, Verdict.REFUSED):
                # The server is in trouble, or changes how it wants its events: the others wait for the next request.
                same = outcome.verdict in (Verdict.PARK, Verdict.AGAIN)
                fates.rest(Outcome(outcome.verdict if same else Verdict.RETRY, outcome.reason, outcome.retry_after))
                break
        return fates.together()

    def on_ambiguous_for(self, event: LogLine) -> str:
        """``drop`` for revenue unless the settings say otherwise: a payment counted twice is worse than one missing."""
        if self.settings.on_ambiguous is None and self._may_sell(event.line) and self.item(event).revenue:
            return "drop"
        return self.on_ambiguous

    def _may_sell(self, line: bytes) -> bool:
        """Whether it is worth finding out if an event makes a revenue row; a dotted name may mean a nested value."""
        return any(mark in line for mark in self._money_marks) or any("." in name for name in self.site.amounts)

    # -- one request ---------------------------------------------------------------------------------------------------

    def _groups(self, items: dict[int, Item]) -> list[list[int]]:
        """Which items share a request, in the order of requests and inside them."""
        # Whoever a user is must be known before what he did.
        order = sorted(items, key=lambda index: not items[index].identifies)
        if not self.batches:
            return [[index] for index in order]
        alone = [index for index in order if suspicious(items[index].user_agent)]
        together = [index for index in order if not suspicious(items[index].user_agent)]
        return [[index] for index in alone] + ([together] if together else [])

    def _request(self, items: Sequence[Item]) -> Request:
        if len(items) == 1:
            return Request(self.send_url, items[0].json, _HEADERS)
        return Request(self.batch_url, b"[%b]" % b",".join(item.json for item in items), _HEADERS)

    def _deliver(self, items: Sequence[Item], timeout: float) -> Outcome:
        result = self.post(self._request(items), timeout)
        outcome = Outcome(Verdict.AMBIGUOUS, "unreadable_answer")
        with guard("umami.read"):
            outcome = self.fault(result, ()) if isinstance(result, FaultKind) else self._read(result, items)
        return outcome  # noqa: RET504 - the guard may have kept an exception and the assignment from happening

    def _read(self, answer: Answer, items: Sequence[Item]) -> Outcome:
        if len(items) == 1:
            return self._read_single(answer, items[0])
        if answer.status in (_NOT_FOUND, _METHOD_NOT_ALLOWED):
            if answer.status == _NOT_FOUND:
                self.site = replace(self.site, old=True)  # the hosted server, which is not, says 405
            return self._without_batches("no_batches")
        if answer.status == _SERVER_ERROR and not self._knows_tokens():
            # 2.17 to 3.0.2 can fail on a whole batch before they look at its first item.
            return self._without_batches("no_batches_500") if self._names_token is False else outcome_of(answer)
        if answer.status != _OK:
            return outcome_of(answer)
        if has_token_key(answer):
            self._names_token = True
        elif self._names_token is None:
            self._knows_tokens()
        return read_batch(answer, items, tells_bots=bool(self._names_token))

    def _read_single(self, answer: Answer, item: Item) -> Outcome:
        outcome = read_single(answer, item)
        if answer.status not in (_BAD_REQUEST, _SERVER_ERROR) or outcome.verdict is not Verdict.REFUSED:
            return outcome
        payload = item.body["payload"]
        if self._asked_age or self.site.old or ("url" in payload and "hostname" in payload):
            return outcome
        # Before 2.17 every event had to name an address and a host. Which server this is, an empty batch tells.
        self._asked_age = True
        result = self.post(Request(self.batch_url, b"[]", _HEADERS), _PROBE_SECONDS)
        if not isinstance(result, Answer) or result.status != _NOT_FOUND:
            return outcome
        self.site = replace(self.site, old=True)
        again = self._without_batches("old_server")
        # After a 500 something may be stored: that event is not sent again.
        return again if answer.status == _BAD_REQUEST else outcome

    def _without_batches(self, reason: str) -> Outcome:
        self.batches = False
        self.max_items = 1
        warn_once(f"umami.single.{self.id}", "footspan: %s takes no batches; sending its events one by one", self.name)
        return Outcome(Verdict.AGAIN, reason)

    def _knows_tokens(self) -> bool:
        """Whether the server names a token in batch answers, found out by an empty batch, which stores nothing."""
        if self._names_token is None:
            result = self.post(Request(self.batch_url, b"[]", _HEADERS), _PROBE_SECONDS)
            if isinstance(result, Answer) and result.status == _OK:
                self._names_token = has_token_key(result)
        return bool(self._names_token)

    # -- settings ------------------------------------------------------------------------------------------------------

    @property
    def _key(self) -> str:
        return f"telemetry.destinations.{self.name}"

    def _website(self, value: str) -> str:
        try:
            website = str(uuid.UUID(value))
        except ValueError:
            found = "text that is no UUID" if value else "nothing"
            raise ConfigurationError(
                f"{self._key}.website", found, "Copy the website's id from its settings in Umami."
            ) from None
        return website

    def _hostname(self, value: str) -> str:
        hostname = host_name(value) if value else ""
        if value and not hostname:
            raise ConfigurationError(
                f"{self._key}.hostname", f"{value!r}", "Write a host name alone, such as shop.example.com."
            )
        return hostname


class _Fates:
    """What became of each event of one ``send``, over several requests."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._certain: set[int] = set()
        self._named: dict[int, Outcome] = {}
        self._unnamed: dict[int, Outcome] = {}

    def name(self, index: int, outcome: Outcome) -> None:
        """Note the fate of one event by itself."""
        self._named[index] = outcome

    def group(self, group: Sequence[int], outcome: Outcome, items: Mapping[int, Item]) -> None:
        """Note the outcome of one request."""
        whole = Outcome(outcome.verdict, outcome.reason, outcome.retry_after)
        for position, index in enumerate(group):
            if position in outcome.items or len(group) == 1:
                fate = self._named[index] = outcome.items.get(position, whole)
                # Umami does its work here; of an event that we took for a person's, its verdict on *us* is as likely.
                if fate.reason == IGNORED.reason or (fate == BOT and suspicious(items[index].user_agent)):
                    self._certain.add(index)
            else:
                self._unnamed[index] = whole

    def rest(self, outcome: Outcome) -> None:
        """Note the fate of the events that no request was made for."""
        for index in range(self._count):
            if index not in self._named:
                self._unnamed.setdefault(index, outcome)

    def together(self) -> Outcome:
        """One outcome: the gravest for the whole, every other as an item.

        A request refused as a whole stays unnamed, so that the courier cuts it; an event refused by itself stays named,
        so that it is not sent once more. The whole is refused, which casts doubt on the server, only where some refusal
        may be its own fault.
        """
        fates = {**self._named, **self._unnamed}
        doubtful = [fate for index, fate in fates.items() if index not in self._certain]
        whole = Outcome(Verdict.DELIVERED)
        if not any(fate.verdict is Verdict.DELIVERED for fate in fates.values()) or self._unnamed:
            graver = [*self._unnamed.values()] or doubtful
            whole = max([whole, *graver], key=lambda fate: _GRAVITY[fate.verdict])
        unfinished = [fate for fate in self._named.values() if fate.verdict in _UNFINISHED]
        whole = max([whole, *unfinished], key=lambda fate: _GRAVITY[fate.verdict])
        items = {**self._named, **{index: fate for index, fate in self._unnamed.items() if fate != whole}}
        if self._count == 1 and items.get(0) == whole:
            return whole
        return Outcome(whole.verdict, whole.reason, whole.retry_after, items)


_UNFINISHED: Final = frozenset({Verdict.AGAIN, Verdict.RETRY, Verdict.AMBIGUOUS, Verdict.PARK})
_GRAVITY: Final = {
    Verdict.DELIVERED: 0,
    Verdict.REFUSED: 1,
    Verdict.AGAIN: 2,
    Verdict.RETRY: 3,
    Verdict.AMBIGUOUS: 4,
    Verdict.PARK: 5,
}
