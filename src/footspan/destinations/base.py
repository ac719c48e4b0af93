"""What every destination is: events to a request, an answer to an outcome, and its limits.

A destination knows nothing of spools, cursors or retries. It builds one request from some events (``build``), and reads
one answer (``read``) or one failure to get an answer (``fault``) into an :class:`Outcome`, which says whose fault a
refusal is. The courier acts on that.
"""

from __future__ import annotations

import enum
import hashlib
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from footspan.config import DestinationSettings
    from footspan.config.options import Option
    from footspan.otlp_json import LogLine


class Verdict(enum.Enum):
    """What an answer means for the events of a request."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    """The event's fault: sending it again cannot help. A whole request is bisected down to the event."""
    RETRY = "retry"
    """Nothing was stored and nobody is at fault: again after a pause."""
    PARK = "park"
    """The destination's fault (address, key, TLS, …): keep everything, warn once, probe now and then."""
    AMBIGUOUS = "ambiguous"
    """Nobody knows whether the events were stored: ``on_ambiguous`` decides."""
    AGAIN = "again"
    """The destination changed how it sends (single events, another encoding): build and send anew at once."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The reading of one answer.

    Attributes:
        verdict: What holds for every event of the request that ``items`` does not name.
        reason: A short constant such as ``bot`` or ``http_503``; never a part of a payload or an answer.
        retry_after: Seconds the destination asked us to wait, if it did.
        items: Outcomes of single events, by their index in the request's events.
    """

    verdict: Verdict
    reason: str = ""
    retry_after: float | None = None
    items: Mapping[int, Outcome] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request for some events.

    Attributes:
        url: Where it goes.
        body: What it carries.
        headers: Its headers; values may be secret.
        refused: Events left out of the body, by index, with the reason.
    """

    url: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    refused: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer. ``headers`` are keyed in lower case; ``body`` is cut where its destination stops reading."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class FaultKind(enum.Enum):
    """Why no answer came."""

    REFUSED = "connection_refused"
    DNS = "dns"
    TLS = "tls"
    CONNECT_TIMEOUT = "connect_timeout"
    READ_TIMEOUT = "read_timeout"
    RESET = "reset"
    """The connection broke after the request may have left."""
    INVALID = "invalid_request"
    """The request could not even be made (address, header)."""
    PROTOCOL = "wrong_protocol"
    """Somebody answers there, but not in the protocol that was spoken."""
    PROXY = "proxy_refused"
    """The proxy that the settings name does not let us through."""
    UNUSABLE = "transport_unusable"
    """What makes requests no longer works in this process; nothing left."""


class Destination(ABC):
    """A place events go to.

    Attributes:
        type: The kind, as it stands in the settings (``umami``).
        options: What the settings of a class that is not built in may say besides what every destination takes. Those
            with ``identity`` are its ``address_options``.
        address_options: The options that make the identity: address and website or project, never a key, so that a
            rotated key keeps its place in the spool.
        name: Its name in the settings; for people.
        id: ``<type>-<12 hex digits>``, from type and address; names its cursor, its lock and its dead letters.
        timeout: Seconds one request may take.
        on_ambiguous: ``retry`` or ``drop``.
        max_items: Events one request may carry now; a destination may lower it after an answer.
        max_bytes: Bytes of stored lines one request may carry.
        linger: Seconds to wait for a fuller batch.
        concurrency: Requests that may be under way at once; ``send`` is called by as many threads.
        passes_on: Whether stored lines leave as they are, so that what only an old client's wire format needs is taken
            out of them before.
        plain_logs: Whether log records that are no events make sense there; the pipeline never sends it any.
        on_outcome: Called by the courier with the events of each request and what became of them, in the thread that
            sent them; for who watches one destination.
    """

    type: ClassVar[str]
    options: ClassVar[tuple[Option, ...]] = ()
    plain_logs: ClassVar[bool] = False
    passes_on: ClassVar[bool] = False
    address_options: ClassVar[tuple[str, ...]] = ()
    default_max_items: ClassVar[int] = 512
    default_max_bytes: ClassVar[int] = 1024 * 1024
    default_linger: ClassVar[float] = 0.1
    default_on_ambiguous: ClassVar[str] = "retry"
    default_concurrency: ClassVar[int] = 1
    max_concurrency: ClassVar[int] = 16
    on_outcome: Callable[[Sequence[LogLine], Outcome], None] | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "options" in cls.__dict__ and "address_options" not in cls.__dict__:
            cls.address_options = tuple(option.name for option in cls.options if option.identity)

    def __init__(self, settings: DestinationSettings) -> None:
        self.settings = settings
        self.name = settings.name
        self.id = identity(self.type, [str(settings.options.get(option) or "") for option in self.address_options])
        self.timeout = settings.timeout
        self.on_ambiguous = settings.on_ambiguous or self.default_on_ambiguous
        batch = settings.batch
        self.max_items = batch.max_items or self.default_max_items
        self.max_bytes = batch.max_bytes or self.default_max_bytes
        self.linger = self.default_linger if batch.max_age is None else batch.max_age
        self.concurrency = min(settings.concurrency or self.default_concurrency, self.max_concurrency)

    @abstractmethod
    def send(self, events: Sequence[LogLine], timeout: float) -> Outcome:
        """Deliver some events in one go.

        Args:
            events: One-record lines, at most ``max_items`` of them, oldest first.
            timeout: Seconds this may take, connecting included.

        Returns:
            What became of them. Never raises for a bad event, a bad answer or an unreachable destination.
        """

    def prepare(self) -> None:  # noqa: B027 - most destinations need nothing
        """Do what takes time before the first request and could be done at any time: nothing is under way yet.

        A process that is killed meanwhile has certainly sent nothing, and its successor knows.
        """

    def on_ambiguous_for(self, event: LogLine) -> str:  # noqa: ARG002 - most destinations treat all events alike
        """What becomes of one event when nobody knows whether it arrived.

        The courier asks this for every event of an ambiguous outcome, and of a batch whose carrier died while sending.

        Returns:
            ``retry`` or ``drop``.
        """
        return self.on_ambiguous

    def close(self) -> None:  # noqa: B027 - most destinations hold nothing
        """Release connections. The destination may be used again afterwards."""


def identity(kind: str, address: Sequence[str]) -> str:
    """The id of a destination: its type and a digest of its address."""
    digest = hashlib.sha256("\n".join((kind, *address)).encode()).hexdigest()[:12]
    return f"{kind.replace('_', '-')}-{digest}"
