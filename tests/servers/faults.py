"""Faults a stand-in server can be told to have: down, wrong answers, hanging, reset connections. All are bounded."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_SECONDS: Final = 60.0
MAX_TIMES: Final = 100_000


@dataclass(slots=True)
class Scripted:
    """One fault in the line, taken by the next requests that fit its path."""

    kind: Literal["answer", "hang", "reset"]
    times: int
    stored: bool
    path: str | None = None
    status: int = 0
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


class Switch(Protocol):
    """What the faults need of their server."""

    def open(self) -> None:
        """Listen (again)."""

    def close(self) -> None:
        """Stop listening, close every connection, keep the port reserved."""


def _bounded(name: str, value: float, limit: float) -> float:
    if not 0 <= value <= limit:
        raise ValueError(f"{name} must lie between 0 and {limit:g}, found {value!r}")
    return value


class Faults:
    """The faults of one server; every method may be called from any thread."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self._lock = threading.Lock()
        self._line: deque[Scripted] = deque()
        self._timer: threading.Timer | None = None
        self._down = False
        self._latency = 0.0

    @property
    def latency(self) -> float:
        """Seconds that every item takes."""
        return self._latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self._latency = _bounded("latency", seconds, MAX_SECONDS)

    @property
    def is_down(self) -> bool:
        """Whether connections are refused now."""
        return self._down

    def down(self, seconds: float | None = None) -> None:
        """Refuse connections and close the open ones; with ``seconds`` only for so long."""
        if seconds is not None:
            _bounded("seconds", seconds, MAX_SECONDS)
        with self._lock:
            self._cancel_timer()
            if not self._down:
                self._down = True
                self._switch.close()
            if seconds is not None:
                self._timer = threading.Timer(seconds, self.up)
                self._timer.daemon = True
                self._timer.start()

    def up(self) -> None:
        """Listen on the same port again; does nothing while the server is up."""
        with self._lock:
            self._cancel_timer()
            if self._down:
                self._switch.open()
                self._down = False

    def answer(
        self,
        status: int,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        times: int = 1,
        *,
        path: str | None = None,
        stored: bool = False,
    ) -> None:
        """Give this answer instead of the real one; with ``stored`` the request is handled all the same."""
        self._add(Scripted("answer", times, stored, path, status, body, dict(headers or {})))

    def hang(self, seconds: float, times: int = 1, *, path: str | None = None, stored: bool = True) -> None:
        """Answer only after ``seconds``; without ``stored`` nothing is handled and the connection ends instead."""
        self._add(Scripted("hang", times, stored, path, seconds=_bounded("seconds", seconds, MAX_SECONDS)))

    def reset(self, times: int = 1, *, path: str | None = None, stored: bool = True) -> None:
        """Reset the connection in the middle of the answer; without ``stored`` before anything is handled."""
        self._add(Scripted("reset", times, stored, path))

    def clear(self) -> None:
        """End every fault."""
        with self._lock:
            self._line.clear()
        self._latency = 0.0
        self.up()

    def take(self, path: str) -> Scripted | None:
        """The scripted fault for a request to ``path``, used up once; called by the server."""
        with self._lock:
            for scripted in self._line:
                if scripted.path is None or scripted.path == path:
                    scripted.times -= 1
                    if not scripted.times:
                        self._line.remove(scripted)
                    return scripted
        return None

    def apply(self, command: Mapping[str, Any]) -> None:
        """Do what a ``POST /_test/faults`` body says.

        Raises:
            ValueError: The body names no fault, or one of its values is out of bounds.
        """
        kind = command.get("fault")
        common: dict[str, Any] = {"times": int(command.get("times", 1)), "path": command.get("path")}
        if kind == "down":
            self.down(float(command["seconds"]))
        elif kind == "up":
            self.up()
        elif kind == "clear":
            self.clear()
        elif kind == "latency":
            self.latency = float(command["seconds"])
        elif kind == "answer":
            body = str(command.get("body", "")).encode()
            stored = bool(command.get("stored", False))
            self.answer(int(command["status"]), body, command.get("headers"), stored=stored, **common)
        elif kind == "hang":
            self.hang(float(command["seconds"]), stored=bool(command.get("stored", True)), **common)
        elif kind == "reset":
            self.reset(stored=bool(command.get("stored", True)), **common)
        else:
            raise ValueError(f"no such fault: {kind!r}")

    def cancel(self) -> None:
        """Forget a pending timer; called when the server stops."""
        with self._lock:
            self._cancel_timer()

    def _add(self, scripted: Scripted) -> None:
        if not 1 <= scripted.times <= MAX_TIMES:
            raise ValueError(f"times must lie between 1 and {MAX_TIMES}, found {scripted.times}")
        with self._lock:
            self._line.append(scripted)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
