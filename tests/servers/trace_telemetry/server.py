"""The endpoint: which requests it takes, how it answers, what it keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from servers.http import Answer, RecordedRequest, StandIn
from servers.trace_telemetry.contract import ContractError, events_of

if TYPE_CHECKING:
    import ssl
    from collections.abc import Collection

MAX_BODY: Final = 30_000_000


class TraceTelemetryServer(StandIn):
    """An endpoint on loopback that holds every request against what the Python client sends.

    Args:
        port: The port; 0 picks a free one.
        path: The path that takes events.
        api_key: The key that every request must bear; empty for none, and then none may come.
        pascal: Whether keys begin with a capital.
        wrapper: The key of an object that the array stands in.
        max_body: Bytes of a request that are taken; more get a 413.
        tls: Makes it speak TLS.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        path: str = "/telemetry",
        api_key: str = "",
        pascal: bool = False,
        wrapper: str = "",
        max_body: int = MAX_BODY,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(port=port, tls=tls)
        self.path = path
        self.api_key = api_key
        self.pascal = pascal
        self.wrapper = wrapper
        self.max_body = max_body
        self.refused: Collection[str] = ()
        self._events: list[dict[str, Any]] = []
        self._problems: list[str] = []

    # -- what tests read -----------------------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """The whole address that takes events."""
        return self.url + self.path

    @property
    def received(self) -> list[dict[str, Any]]:
        """Every event in the order of arrival, those that came again among them; keys in camel case."""
        with self._lock:
            return list(self._events)

    @property
    def events(self) -> list[dict[str, Any]]:
        """Every event once, told by its id, in the order of its first arrival."""
        found: dict[str, dict[str, Any]] = {}
        for event in self.received:
            found.setdefault(event["id"], event)
        return list(found.values())

    @property
    def problems(self) -> list[str]:
        """What was wrong with the requests that got 400 for breaking the contract."""
        with self._lock:
            return list(self._problems)

    def snapshot(self) -> dict[str, Any]:
        """What was received, for ``GET /_test/rows``."""
        return {"events": self.received, "problems": self.problems}

    # -- serving -------------------------------------------------------------------------------------------------------

    def handle(self, request: RecordedRequest) -> Answer:
        """The answer to a request."""
        # The address is used as it stands: a slash at its end or a query is another one.
        if request.path != self.path:
            return Answer(404)
        if request.method != "POST":
            return Answer(405, headers={"Allow": "POST"})
        if request.headers.get("x-api-key", "") != self.api_key:
            return Answer(401)
        if len(request.body) > self.max_body:
            return Answer(413)
        try:
            events = events_of(request.headers, request.body, pascal=self.pascal, wrapper=self.wrapper)
        except ContractError as error:
            with self._lock:
                self._problems.append(str(error))
            return Answer(400, str(error).encode(), {"Content-Type": "text/plain"})
        self.pause(self.faults.latency * len(events))
        if any(event["name"] in self.refused for event in events):
            return Answer(400)
        with self._lock:
            self._events += events
        return Answer(202)

    def _forget(self) -> None:
        self._events.clear()
        self._problems.clear()
