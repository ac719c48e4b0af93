"""What every stand-in server shares: a threaded HTTP/1.1 server on loopback that records requests and has faults."""

from __future__ import annotations

import json
import threading
import time
import traceback
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from servers.faults import Faults
from servers.wire import Listener

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from typing_extensions import Self

    from servers.faults import Scripted

CONTROL: Final = "/_test/"


@dataclass(slots=True)
class RecordedRequest:
    """A request as it came in."""

    method: str
    path: str
    """With the query, as sent."""
    headers: dict[str, str]
    """Names in lower case; a repeated header is joined with a comma."""
    body: bytes
    """As sent, that is, still compressed when it was."""
    time: float = field(default_factory=time.time)
    """When it had arrived, Unix seconds."""
    status: int | None = None
    """The status of the answer; None while there is none, and when the connection ended without one."""

    def json(self) -> Any:
        """The body, parsed.

        Raises:
            ValueError: It is no JSON.
        """
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to be sent."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def json_answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """``value`` as a JSON answer."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return Answer(status, text, {"Content-Type": "application/json", **(headers or {})})


class StandIn(ABC):
    """A server on 127.0.0.1 that behaves as the real one does; a context manager.

    Args:
        port: The port to listen on; 0 picks a free one.
        tls: Makes it speak TLS.
    """

    faults: Faults

    def __init__(self, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self._scheme = "https" if tls else "http"
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._stopping = threading.Event()
        self._requests: list[RecordedRequest] = []
        self._failures: list[str] = []
        self._listener = Listener(self._serve, port, tls)
        self.faults = self._make_faults()

    # -- life ----------------------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Listen; returns the server."""
        self._listener.open()
        return self

    def stop(self) -> None:
        """Close everything.

        Raises:
            AssertionError: The stand-in itself failed while it handled a request.
        """
        self._stopping.set()
        self.faults.cancel()
        self._listener.end()
        if self._failures:
            raise AssertionError("the stand-in server failed:\n" + "\n".join(self._failures))

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.stop()

    # -- what tests read -----------------------------------------------------------------------------------------------

    @property
    def port(self) -> int:
        """The port it listens on, the same for its whole life."""
        return self._listener.port

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"{self._scheme}://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[RecordedRequest]:
        """Every request so far, in the order of arrival."""
        with self._lock:
            return list(self._requests)

    def wait_for(self, test: Callable[[], object], timeout: float = 5.0) -> bool:
        """Wait until ``test()`` is true, asking again after every request; returns its last answer."""
        deadline = time.monotonic() + timeout
        with self._changed:
            while not test():
                rest = deadline - time.monotonic()
                if rest <= 0:
                    return False
                self._changed.wait(min(rest, 0.5))
        return True

    def forget(self) -> None:
        """Drop recorded requests and stored rows; faults stay."""
        with self._lock:
            self._requests.clear()
            self._forget()

    # -- what a server fills in ----------------------------------------------------------------------------------------

    @abstractmethod
    def handle(self, request: RecordedRequest) -> Answer:
        """The answer to a request, its effects stored."""

    @abstractmethod
    def snapshot(self) -> object:
        """What is stored, JSON-ready, for ``GET /_test/rows``."""

    @abstractmethod
    def _forget(self) -> None:
        """Drop what is stored."""

    def _make_faults(self) -> Faults:
        return Faults(self._listener)

    def pause(self, seconds: float) -> None:
        """Sleep, but not past the server's end."""
        if seconds > 0:
            self._stopping.wait(seconds)

    # -- serving -------------------------------------------------------------------------------------------------------

    def _serve(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[Answer | None, bool]:
        """The answer to a request, and whether the connection is reset while it is sent. None: end the connection."""
        if path.startswith(CONTROL):
            return self._control(method, path, body), False
        request = RecordedRequest(method, path, headers, body)
        with self._changed:
            self._requests.append(request)
        scripted = self.faults.take(path.split("?", 1)[0])
        try:
            answer = self._faulty(request, scripted)
        except Exception:  # noqa: BLE001 - a bug here must reach the test, which runs in another thread
            with self._lock:
                self._failures.append(traceback.format_exc())
            answer = Answer(599, b"the stand-in server failed")
        with self._changed:
            request.status = answer.status if answer else None
            self._changed.notify_all()
        return answer, scripted is not None and scripted.kind == "reset"

    def _faulty(self, request: RecordedRequest, scripted: Scripted | None) -> Answer | None:
        if scripted is None:
            return self.handle(request)
        answer = self.handle(request) if scripted.stored else None
        if scripted.kind == "answer":
            return Answer(scripted.status, scripted.body, scripted.headers)
        self.pause(scripted.seconds)
        return answer

    def _control(self, method: str, path: str, body: bytes) -> Answer:
        what = (method, path.removeprefix(CONTROL))
        if what == ("GET", "rows"):
            with self._lock:
                return json_answer(self.snapshot())
        if what == ("GET", "requests"):
            names = ("method", "path", "headers", "time", "status")
            return json_answer(
                [{n: getattr(r, n) for n in names} | {"body": r.body.decode("utf-8", "replace")} for r in self.requests]
            )
        if what == ("POST", "forget"):
            self.forget()
            return json_answer({"ok": True})
        if what == ("POST", "faults"):
            return self._order_fault(body)
        return json_answer({"error": "no such control path"}, 404)

    def _order_fault(self, body: bytes) -> Answer:
        try:
            command = json.loads(body)
            if command["fault"] == "down":
                # The client must get its answer before the connection it asked by is closed.
                float(command["seconds"])
                threading.Timer(0.05, self.faults.apply, [command]).start()
            else:
                self.faults.apply(command)
        except (ValueError, KeyError, TypeError) as error:
            return json_answer({"error": f"{type(error).__name__}: {error}"}, 400)
        return json_answer({"ok": True})
