"""One update under way, whatever the library: its context, its span, its event."""

from __future__ import annotations

import asyncio
import functools
import time
from contextlib import ExitStack
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, StatusCode

from footspan import _guard
from footspan import conventions as c
from footspan.instrumentation.telegram.failures import properties_of
from footspan.processors.context import ambient, enter_request, leave, set_context, take
from footspan.processors.scopes import Values
from footspan.tracking.tracker import default_tracker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from footspan.instrumentation.telegram.people import People
    from footspan.instrumentation.telegram.updates import Facts
    from footspan.tracking.tracker import Tracker

JOB: Final = "job"
ERROR: Final = "telegram.error"
UNKNOWN_COMMAND: Final = "_OTHER"
"""A command that no handler is registered for: the word is whatever somebody typed."""

_GLOBAL_COMMANDS: Final = frozenset({"start", "help", "settings"})  # Bot API, "Global commands"
_MAX_NAME: Final = 200

# The request that brings an update by a webhook is Telegram's: nothing of it is about the user.
_OF_REQUESTS: Final = frozenset(c.REQUEST_ALIASES.values()) - {c.CATEGORY, c.REQUEST_ID, c.TAG}

current: ContextVar[Handling | None] = ContextVar("footspan_telegram_handling", default=None)
"""The update, or the job, that runs here."""


@dataclass(frozen=True, slots=True)
class Way:
    """How updates are recorded.

    Attributes:
        tracer: What makes spans.
        tracker: What records events; the module functions' tracker when not given.
        people: The users.
        with_text: Whether events bear a message's text.
    """

    tracer: trace.Tracer
    tracker: Tracker | None
    people: People
    with_text: bool


class Handling:
    """An update or a job, from its arrival until all its handlers are done. For a ``with`` block around the library's.

    Args:
        way: How it is recorded.
        facts: What it says.
        token: The bot's token.
        dump: Gives the update as plain mappings and lists.
        passing: Exceptions by which handlers steer the library; they are no errors.
    """

    def __init__(
        self,
        way: Way,
        facts: Facts,
        *,
        token: str = "",
        dump: Callable[[], Any] = dict,
        passing: tuple[type[BaseException], ...] = (),
    ) -> None:
        self.handler = ""
        self.handled = False
        self._way = way
        self._facts = facts
        self._token = token
        self._dump = dump
        self._passing = passing
        self._command = facts.command if facts.command in _GLOBAL_COMMANDS else ""
        self._identity: dict[str, Any] = {}
        self._error: BaseException | None = None
        self._cancelled = False
        self._started = time.time_ns()
        self._ticking = time.perf_counter_ns()
        self._holders: set[object] = set()
        self._end: Iterator[bool] = iter((True,))
        self._opened = ExitStack()
        with ExitStack() as opened:
            self._open(opened)
            self._opened = opened.pop_all()
        self._release = self.hold()

    @property
    def _is_job(self) -> bool:
        return self._facts.update_type == JOB

    def _open(self, opened: ExitStack) -> None:
        facts, people = self._facts, self._way.people
        who = None if facts.user_id is None else people.name(facts.user_id, self._token)
        touch = {} if who is None else people.came_by(who, facts.start_code)
        known = {} if who is None else {c.USER_ID: who, **touch}
        if facts.language:
            known[c.BROWSER_LANGUAGE] = facts.language
        if self._is_job:
            # A scheduler's timer runs in the context of whoever armed it: another user's handler, as a rule.
            opened.callback(leave, take(Values()))
            opened.callback(otel_context.detach, otel_context.attach(Context()))
        others = dict.fromkeys(name for name in ambient() if name in _OF_REQUESTS)
        opened.callback(leave, enter_request({**others, **known}))
        if who is not None:
            session = people.session_of(who) if self._is_job else people.seen(who, known)
            if session is not None:
                known[c.SESSION_ID] = session.id
                set_context(**{c.SESSION_ID: session.id})
        self._identity = known
        self._span = self._way.tracer.start_span(
            "telegram.job" if self._is_job else f"telegram.update {facts.update_type}",
            kind=SpanKind.CONSUMER,
            start_time=self._started,
        )
        opened.callback(otel_context.detach, otel_context.attach(trace.set_span_in_context(self._span)))
        opened.callback(current.reset, current.set(self))

    # -- what the library does -----------------------------------------------------------------------------------------

    def __enter__(self) -> None:
        """Everything is open already."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_back: TracebackType | None
    ) -> None:
        """The library is done, but for what :meth:`hold` says; whatever it raised is raised on."""
        if isinstance(error, self._passing):
            self.handled = True
        elif isinstance(error, asyncio.CancelledError):
            self._cancelled = True
        elif isinstance(error, Exception):
            self.failed(error)
        self._release()
        with _guard.guard("telegram context"):
            self._opened.close()

    def runs(self, callback: Any, command: str = "") -> None:
        """Note that a handler takes it.

        Args:
            callback: The handler.
            command: The command that it is registered for, where it is one.
        """
        with _guard.guard("telegram handler"):
            self.handler = name_of(callback)
            self._command = command or self._command

    def named_by(self, commands: Any) -> str:
        """The command that it gives, if a handler is registered for it; empty if not."""
        command = self._facts.command
        return command if isinstance(commands, (set, frozenset)) and command in commands else ""

    def failed(self, error: BaseException, handler: str = "") -> None:
        """Record an exception of a handler, of a filter or of a middleware; each once."""
        if self._error is error or isinstance(error, self._passing):
            return
        self._error = error
        self.handler = handler or self.handler
        with _guard.guard("telegram error event"):
            found: dict[str, Any] = {"error_type": type(error).__name__}
            with _guard.guard("telegram error"):
                found = properties_of(error, self._dump(), secrets=(self._token,), with_text=self._way.with_text)
            self._emit(ERROR, {"category": "error", **found, **self._described()}, c.MEASUREMENT_ALIASES, error=True)

    def hold(self) -> Callable[[], None]:
        """Keep it open beyond the ``with`` block, for a handler that the library does not wait for.

        Returns:
            To be called when that is done. Whoever comes last records the event.
        """
        holder = object()
        self._holders.add(holder)
        return functools.partial(self._let_go, holder)

    def _let_go(self, holder: object) -> None:
        self._holders.discard(holder)
        if not self._holders and next(self._end, False):
            self._finish()

    # -- what becomes of it --------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        facts, outcome = self._facts, self._outcome()
        described = {**self._described(), c.TELEGRAM_OUTCOME: outcome}
        if self._error is not None:
            described[c.ERROR_TYPE] = type(self._error).__name__
        with _guard.guard("telegram event"):
            fields = {**described, c.DURATION_MS: (time.perf_counter_ns() - self._ticking) // 1_000_000}
            if facts.start_code:
                fields[c.CAMPAIGN_START_CODE] = facts.start_code
            if self._way.with_text and facts.text:
                fields[c.TELEGRAM_TEXT] = facts.text
            self._emit(self._name(), {**fields, "timestamp": self._started / 1e9}, c.ALIASES)
        with _guard.guard("telegram span"):
            self._span.set_attributes(described)
            if outcome == "error":
                self._span.set_status(StatusCode.ERROR)
            self._span.end()

    def _name(self) -> str:
        return f"telegram.{'command' if self._facts.command or self._command else self._facts.update_type}"

    def _outcome(self) -> str:
        if self._error is not None:
            return "error"
        if self._cancelled:
            return "cancelled"
        return "handled" if self.handled else "unhandled"

    def _described(self) -> dict[str, Any]:
        facts = self._facts
        command = self._command or (UNKNOWN_COMMAND if facts.command else "")
        described = {
            c.TELEGRAM_UPDATE_TYPE: "" if self._is_job else facts.update_type,
            c.TELEGRAM_CHAT_TYPE: facts.chat_type,
            c.TELEGRAM_COMMAND: command,
            c.TELEGRAM_HANDLER: self.handler,
        }
        return {name: value for name, value in described.items() if value}

    def _emit(self, name: str, fields: dict[str, Any], aliases: dict[str, str], *, error: bool = False) -> None:
        if current.get() is not self:
            fields = {**self._identity, **fields}
        context = trace.set_span_in_context(self._span)
        tracker = self._way.tracker or default_tracker
        tracker._emit(name, fields, aliases, error=error, context=context)  # noqa: SLF001 - one package


def name_of(callback: Any) -> str:
    """What a handler is called in its source; of an object that can be called, its class."""
    for _ in range(8):
        inner = getattr(callback, "func", None) or getattr(callback, "__wrapped__", None)
        if inner is None:
            break
        callback = inner
    name = getattr(callback, "__qualname__", None)
    return str(name if isinstance(name, str) else type(callback).__qualname__)[:_MAX_NAME]
