"""One run of watched work: what is said when it begins and when it ends.

What counts as its outcome: an ``Exception`` is a failure, and so is leaving the program with an error
(``SystemExit``). Whatever else ends it (a cancelled task, a closed generator, Ctrl-C, another library's way to call
work off) is no outcome: the work neither completed nor failed.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry import trace

from footspan import _guard, _otel
from footspan import conventions as c
from footspan._version import __version__
from footspan.emit import SCOPE_NAME
from footspan.tracking.arguments import shown
from footspan.tracking.values import exception_properties

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextvars import Token

    from opentelemetry.context import Context

    from footspan.tracking.arguments import Arguments
    from footspan.tracking.tracker import Tracker

NOTHING = object()
"""In place of a result, where there is none."""


class Told:
    """What the events of a decorated function or a block say, every time.

    Attributes:
        tracker: Whose events they are.
        name: Their name, or the beginning of it.
        properties: As given to the decorator.
        arguments: Which arguments they bear, if any.
        result: Whether they bear the result.
        about: Which function it is; nothing for a block.
    """

    __slots__ = ("about", "arguments", "name", "properties", "result", "tracker")

    def __init__(
        self,
        tracker: Tracker,
        name: str,
        properties: Mapping[str, Any],
        arguments: Arguments | None = None,
        result: bool = False,  # noqa: FBT001, FBT002 - the same
        about: Mapping[str, Any] | None = None,
    ) -> None:
        self.tracker = tracker
        self.name = name
        self.properties = properties
        self.arguments = arguments
        self.result = result
        self.about = about or {}

    def clean(self) -> Callable[[str], str]:
        """What redacts a text on its way to this tracker's spool."""
        slot = self.tracker._slot  # noqa: SLF001 - the tracker's own decorators
        pipeline = None if slot is None else slot.pipeline
        return (lambda _: "") if pipeline is None else pipeline.redactor.text

    def arguments_of(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """The arguments of a call, as far as they are asked for."""
        return {} if self.arguments is None else self.arguments.of(args, kwargs, self.clean())

    def result_of(self, result: Any) -> dict[str, Any]:
        """The result, where it is asked for."""
        return {"result": shown(result, self.clean())} if self.result and result is not NOTHING else {}

    def emit(
        self, name: str, measured: Mapping[str, Any], *, error: bool = False, context: Context | None = None
    ) -> None:
        """Emit an event; what was measured wins over what was given."""
        self.tracker._emit(  # noqa: SLF001 - the tracker's own decorators
            name, {**self.properties, **measured}, c.MEASUREMENT_ALIASES, error=error, context=context
        )


def outcome(error: BaseException | None) -> bool | None:
    """Whether work that ended like this completed (``True``) or failed (``False``); ``None``: it was called off."""
    if error is None:
        return True
    if isinstance(error, Exception):
        return False
    if isinstance(error, SystemExit):
        return error.code is None or error.code == 0
    return None


class Watch:
    """One run of watched work.

    Work that stops and goes on between (a generator) calls ``suspend`` and ``resume`` at each stop.

    Args:
        told: What its events say.
        args: The call's arguments by position.
        kwargs: Those by name.
    """

    __slots__ = ("_args", "_kwargs", "_start", "_told")

    def __init__(self, told: Told, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> None:
        self._told = told
        self._args = args
        self._kwargs = kwargs or {}
        self._start = 0.0

    def begin(self) -> None:
        """The work begins now. Never raises; what follows does nothing where there is nobody to tell."""
        with _guard.guard("decorator"):
            self._begin()

    def end(self, error: BaseException | None, result: Any = NOTHING) -> None:
        """The work has ended, with an exception or a result. Never raises."""
        with _guard.guard("decorator"):
            self._end(error, result)

    def resume(self) -> None:
        """The work goes on in this thread or task."""

    def suspend(self) -> None:
        """The work stops here, and others run."""

    def _begin(self) -> None:
        """What happens before the work."""

    def _end(self, error: BaseException | None, result: Any) -> None:
        """What happens after it."""


class Duration(Watch):
    """``.started``, then ``.completed`` or ``.failed``, inside one span."""

    __slots__ = ("_attached", "_context", "_given", "_span", "_token")

    def __init__(self, told: Told, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> None:
        super().__init__(told, args, kwargs)
        self._span: trace.Span | None = None
        self._context: Context | None = None  # what is current while the work runs
        self._attached: Context | None = None
        self._token: Token[Context] | None = None
        self._given: dict[str, Any] = {}

    def resume(self) -> None:
        """The span is current again, and what the work had made current inside it."""
        if self._context is not None:
            self._attached = self._context
            self._token = otel_context.attach(self._context)

    def suspend(self) -> None:
        """What was current before is so again."""
        token, self._token = self._token, None
        if token is not None:
            self._context = otel_context.get_current()  # with spans that the work opened and has not closed yet
            _otel.detach(token)

    def _begin(self) -> None:
        told = self._told
        if not told.tracker._ready():  # noqa: SLF001 - the tracker's own decorators
            return
        self._given = told.arguments_of(self._args, self._kwargs)
        self._span = trace.get_tracer(SCOPE_NAME, __version__).start_span(told.name)
        self._context = trace.set_span_in_context(self._span)
        told.emit(f"{told.name}.started", self._given, context=self._context)
        self._start = time.perf_counter()

    def _end(self, error: BaseException | None, result: Any) -> None:
        elapsed = now_ms(self._start)
        span, self._span = self._span, None
        if span is None:
            return
        done = outcome(error)
        try:
            if done is not None:
                self._tell(span, elapsed, error=None if done else error, result=result)
        finally:
            self._leave(error)
            # The exception is told by the `.failed` event; the span gets its status only.
            if done is False:
                span.set_status(trace.Status(trace.StatusCode.ERROR, type(error).__name__))
            span.end()

    def _tell(self, span: trace.Span, elapsed: int, *, error: BaseException | None, result: Any) -> None:
        told = self._told
        context = trace.set_span_in_context(span)
        if error is None:
            measured = {"duration_ms": elapsed, "success": True, **self._given, **told.result_of(result)}
            told.emit(f"{told.name}.completed", measured, context=context)
        else:
            measured = {"duration_ms": elapsed, "success": False, **exception_properties(error), **self._given}
            told.emit(f"{told.name}.failed", measured, error=True, context=context)

    def _leave(self, error: BaseException | None) -> None:
        # A coroutine that nobody wants any more may be closed from anywhere, where our span is not current.
        elsewhere = isinstance(error, GeneratorExit) and otel_context.get_current() is not self._attached
        if self._token is not None and not elsewhere:
            _otel.detach(self._token)
        self._token = None


class Function(Watch):
    """One event for each call."""

    __slots__ = ("_given", "_ready")

    def __init__(self, told: Told, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> None:
        super().__init__(told, args, kwargs)
        self._given: dict[str, Any] = {}
        self._ready = False

    def _begin(self) -> None:
        self._ready = self._told.tracker._ready()  # noqa: SLF001 - the tracker's own decorators
        if self._ready:
            self._given = self._told.arguments_of(self._args, self._kwargs)
            self._start = time.perf_counter()

    def _end(self, error: BaseException | None, result: Any) -> None:
        elapsed = now_ms(self._start)
        done = outcome(error)
        if not self._ready or done is None:
            return
        told = self._told
        measured: dict[str, Any] = {"duration_ms": elapsed, "success": done, **self._given}
        if done:
            measured.update(told.result_of(result))
        else:
            measured["error_type"] = type(error).__name__
            measured["category"] = "error"
        told.emit(told.name, {**told.about, **told.properties, **measured})


class Error(Watch):
    """Nothing on success, one event on an error."""

    __slots__ = ()

    def _end(self, error: BaseException | None, result: Any) -> None:  # noqa: ARG002 - as all
        told = self._told
        if error is None or outcome(error) is not False or not told.tracker._ready():  # noqa: SLF001 - as above
            return
        given = told.arguments_of(self._args, self._kwargs)
        measured = {**exception_properties(error), **given}
        told.emit(told.name, {"category": "error", **told.about, **told.properties, **measured}, error=True)


def now_ms(start: float) -> int:
    """Whole milliseconds since ``start``, a reading of ``time.perf_counter()``."""
    return int((time.perf_counter() - start) * 1000)
