"""Destinations that are HTTP servers: one tuned ``requests`` session, and faults told apart.

What matters for the fate of events is whether a request may have arrived. The body is therefore handed over as a stream
that remembers how far it was read: a connection that broke before the whole body was handed over cannot have stored
anything, so it is no ambiguous outcome, whatever broke it.
"""

from __future__ import annotations

import os
import threading
import time
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Final

from footspan import _otel, _platform
from footspan._guard import guard
from footspan._version import __version__
from footspan.config import ConfigurationError
from footspan.config.web import ENVIRONMENT
from footspan.destinations.base import Answer, Destination, FaultKind, Outcome, Verdict
from footspan.destinations.http_faults import fault_of, is_timeout
from footspan.destinations.quiet import keep_quiet, quiet
from footspan.destinations.status import outcome_of_fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import requests

    from footspan.config import DestinationSettings
    from footspan.destinations.base import Request
    from footspan.destinations.http_time import TimedBody
    from footspan.otlp_json import LogLine

POOL_SIZE: Final = 8
"""Connections kept to one destination; more requests than that at once open further ones for a moment."""

MAX_CONNECT_SECONDS: Final = 5.0
"""Longest wait for a connection, inside a request's time."""

DEFAULT_HEADERS: Final = {"User-Agent": f"footspan/{__version__}", "Accept-Encoding": "identity"}
"""Sent with every request that does not set them itself."""

_CHUNK: Final = 16 * 1024


class HttpDestination(Destination):
    """A destination reached by ``POST``.

    Subclasses say what a request is made of (:meth:`build`) and what an answer means (:meth:`read`); faults have a
    shared reading (:meth:`fault`).

    Attributes:
        max_answer: Bytes of an answer that are read; the rest is left.
    """

    max_answer: ClassVar[int] = 256 * 1024

    def __init__(self, settings: DestinationSettings) -> None:
        super().__init__(settings)
        self.certificate = self._file("certificate")
        self.client_certificate = self._file("client_certificate")
        self.client_key = self._file("client_key")
        self.proxy: str | None = settings.options.get("proxy")
        self._session: requests.Session | None = None
        self._session_pid = 0
        self._session_lock = threading.Lock()
        _platform.on_fork(self._forked)

    def __repr__(self) -> str:
        """Name and id: an address or a header may hold a key."""
        return f"<{type(self).__name__} {self.name} {self.id}>"

    # -- what a subclass says ------------------------------------------------------------------------------------------

    @abstractmethod
    def build(self, events: Sequence[LogLine]) -> Request:
        """Make the request for some events; those that cannot be sent are named in its ``refused``."""

    @abstractmethod
    def read(self, answer: Answer, events: Sequence[LogLine]) -> Outcome:
        """Say what an answer means for the events that the request carried.

        Args:
            answer: What came back.
            events: The events in the body, those left out of it not among them.
        """

    def fault(self, kind: FaultKind, events: Sequence[LogLine]) -> Outcome:  # noqa: ARG002 - for subclasses to refine
        """Say what it means that no answer came."""
        return outcome_of_fault(kind)

    # -- sending -------------------------------------------------------------------------------------------------------

    def prepare(self) -> None:
        """Load what requests need, a third of a second's work. See :meth:`Destination.prepare`."""
        if self._session is None:
            self._open_session()

    def send(self, events: Sequence[LogLine], timeout: float) -> Outcome:
        """Build one request, post it, read the answer. See :meth:`Destination.send`."""
        if not events:
            return Outcome(Verdict.DELIVERED)
        request: Request | None = None
        with guard(f"{self.type}.build"):
            request = self.build(events)
        if request is None:
            # Some event in here cannot be encoded; the courier finds out which by halves.
            return Outcome(Verdict.REFUSED, "unencodable")
        if not request.refused:
            return self.exchange(request, events, timeout)
        sent = [index for index in range(len(events)) if index not in request.refused]
        left_out = {index: Outcome(Verdict.REFUSED, reason) for index, reason in request.refused.items()}
        if not sent:
            return Outcome(Verdict.DELIVERED, items=left_out)
        outcome = self.exchange(request, [events[index] for index in sent], timeout)
        items = {sent[index]: item for index, item in outcome.items.items()}
        return Outcome(outcome.verdict, outcome.reason, outcome.retry_after, {**left_out, **items})

    def exchange(self, request: Request, events: Sequence[LogLine], timeout: float) -> Outcome:
        """Post one request and read its answer or its fault."""
        result = self.post(request, timeout)
        outcome = Outcome(Verdict.AMBIGUOUS, "unreadable_answer")
        with guard(f"{self.type}.read"):
            outcome = self.read(result, events) if isinstance(result, Answer) else self.fault(result, events)
        return outcome  # noqa: RET504 - the guard may have kept an exception and the assignment from happening

    def post(self, request: Request, timeout: float) -> Answer | FaultKind:
        """Post one request, once, without following redirects.

        Args:
            request: What to post.
            timeout: Seconds for everything; the connection gets at most half of them and at most
                :data:`MAX_CONNECT_SECONDS`.

        Returns:
            The answer, its body cut at ``max_answer``, or why there is none. Never raises.
        """
        return self._call("POST", request.url, request.headers, request.body, timeout)

    def get(self, url: str, timeout: float) -> Answer | FaultKind:
        """Ask for something, once, without following redirects. See :meth:`post`."""
        return self._call("GET", url, {}, None, timeout)

    def _call(
        self, method: str, url: str, given: Mapping[str, str], content: bytes | None, timeout: float
    ) -> Answer | FaultKind:
        total = max(timeout, 0.05)
        deadline = time.monotonic() + total
        body: TimedBody | None = None
        try:
            with _otel.suppressed(), quiet():
                session = self._open_session()
                from urllib3 import Timeout  # noqa: PLC0415 - came with requests

                from footspan.destinations import http_time  # noqa: PLC0415 - the same

                if content is not None:
                    body = http_time.TimedBody(content, time.monotonic() + total)
                limits: Any = Timeout(connect=min(total / 2, MAX_CONNECT_SECONDS), total=total)
                response = session.request(
                    method,
                    url,
                    data=body,
                    headers={key: value.encode("latin-1") for key, value in given.items()},
                    timeout=limits,
                    proxies=self._proxies(url),
                    allow_redirects=False,
                    stream=True,
                )
                with response:
                    # The headers came in time, whatever the clock says: who was stopped meanwhile reads on.
                    return self._read_answer(response, max(deadline, time.monotonic() + http_time.REST_SECONDS))
        except Exception as error:  # noqa: BLE001 - whatever goes wrong here is the fault to be told apart
            begun = body is not None and body.tell() > 0
            return fault_of(error, begun=begun, handed_over=begun and body is not None and body.sent)

    def _read_answer(self, response: requests.Response, deadline: float) -> Answer | FaultKind:
        headers = {key.lower(): value for key, value in response.headers.items()}
        # `read1` comes back after one look at the socket, so that the deadline holds for an answer that drips in.
        receive = getattr(response.raw, "read1", response.raw.read)
        parts: list[bytes] = []
        size = 0
        try:
            while size < self.max_answer:
                if time.monotonic() > deadline:
                    raise TimeoutError  # noqa: TRY301 - no single wait was too long, all of them were
                chunk = receive(min(_CHUNK, self.max_answer - size), decode_content=True)
                if not chunk:
                    break
                parts.append(chunk)
                size += len(chunk)
                if response.raw.length_remaining == 0:
                    break
        except Exception as error:  # noqa: BLE001 - a broken answer; the status still says something
            if response.status_code < 300:  # noqa: PLR2004 - a success nobody can read to its end
                return FaultKind.READ_TIMEOUT if is_timeout(error) else FaultKind.RESET
        return Answer(response.status_code, headers, b"".join(parts))

    def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        with self._session_lock:
            session, self._session = self._session, None
            own = self._session_pid == os.getpid()
        if session is not None and own:
            session.close()

    def _forked(self) -> None:
        """Another thread of the parent may have held the lock; the connections are the parent's."""
        self._session_lock = threading.Lock()
        self._session = None

    def _open_session(self) -> requests.Session:
        with self._session_lock:
            # A forked child must not speak on its parent's connections.
            if self._session is None or self._session_pid != os.getpid():
                self._session, self._session_pid = self._make_session(), os.getpid()
            return self._session

    def _make_session(self) -> requests.Session:
        with _platform.importing():
            import encodings.idna  # noqa: F401, PLC0415 - needed to look a host up

            import requests  # noqa: PLC0415 - costs time, so the sending thread loads it on its first request

            from footspan.destinations.http_time import TimedAdapter  # noqa: PLC0415 - with it

        session = requests.Session()
        # Nobody follows redirects here, and one that cannot be read would fail the request that was answered with it.
        session.get_redirect_target = _no_target  # type: ignore[method-assign]
        session.trust_env = False  # no .netrc, no proxy that the operator did not name for us
        session.headers.clear()
        session.headers.update(DEFAULT_HEADERS)
        session.verify = self.certificate or True
        if self.client_certificate:
            session.cert = (self.client_certificate, self.client_key) if self.client_key else self.client_certificate
        # Trying again is the courier's business: it knows what was stored.
        adapter = TimedAdapter(pool_connections=1, pool_maxsize=max(POOL_SIZE, self.concurrency), max_retries=0)
        session.mount("https://", adapter)
        session.mount("http://", adapter)
        keep_quiet()
        return session

    def _proxies(self, url: str) -> dict[str, str]:
        """The proxy for a request: none, unless the operator names one or wants the environment's."""
        if self.proxy is None:
            return {}
        if self.proxy != ENVIRONMENT:
            return {"http": self.proxy, "https": self.proxy}
        from requests.utils import get_environ_proxies  # noqa: PLC0415 - loaded already

        found: dict[str, str] = get_environ_proxies(url)
        return found

    def _file(self, option: str) -> str | None:
        """A file named in the options, which must be there."""
        value = self.settings.options.get(option)
        if not value:
            return None
        if not os.path.isfile(value):  # noqa: PTH113 - options may be text or paths
            raise ConfigurationError(
                f"telemetry.destinations.{self.name}.{option}", "no such file", "Name a readable PEM file."
            )
        return str(value)


def _no_target(resp: requests.Response) -> str | None:
    """Where a redirect leads: nobody wants to know."""


def join(base: str, path: str) -> str:
    """An address with a path added, whether or not it ends with a slash; a query stays at the end."""
    front, mark, query = base.partition("?")
    return f"{front.rstrip('/')}/{path.lstrip('/')}{mark}{query}"


def header_map(value: Mapping[str, Any] | None) -> dict[str, str]:
    """Headers from an option."""
    return {str(key): str(item) for key, item in (value or {}).items()}
