"""What a callback's function did: how long it took and what it raised, noted in the request that asked for it.

Dash runs every function by one of two functions of its own; these are wrapped. The result and the exception are the
function's own, untouched; where there is no Flask request (other servers, jobs of the background), nothing is done.
"""

from __future__ import annotations

import functools
import importlib
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard
from footspan.processors.surroundings import flask_request

if TYPE_CHECKING:
    from collections.abc import Callable

RAN: Final = "footspan.dash.ran"
"""Where a request's environment keeps what its callback did."""
_MODULE: Final = "dash._callback"
_SYNC: Final = "_invoke_callback"
_ASYNC: Final = "_async_invoke_callback"


@dataclass(slots=True)
class Ran:
    """What a callback's function did.

    Attributes:
        started: When it began (seconds of the monotonic clock).
        duration_ms: How long it took.
        error: What it raised; ``PreventUpdate`` is none.
    """

    started: float
    duration_ms: int = 0
    error: Exception | None = None

    def end(self, error: BaseException | None) -> None:
        """Note the end."""
        self.duration_ms = round((time.perf_counter() - self.started) * 1000)
        if isinstance(error, Exception) and not _prevents(error):
            self.error = error


class Wrapping:
    """Wraps Dash's two functions, and gives them back."""

    def __init__(self) -> None:
        self._before: dict[str, Callable[..., Any]] = {}
        self._module: Any = None

    def install(self) -> None:
        """Wrap them, once somebody has loaded Dash.

        In a version that has none of their names, durations and handled errors stay unknown.
        """
        if self._module is not None or _MODULE not in sys.modules:
            return
        with _guard.guard("dash callbacks"):
            self._module = sys.modules[_MODULE]
            # Dash looks for the functions' own frames in what it shows of a failure, so it must know them unwrapped.
            with suppress(ImportError):  # older versions have none
                importlib.import_module("dash.backends._flask")
            for name, wrap in ((_SYNC, _wrapped), (_ASYNC, _wrapped_async)):
                original = getattr(self._module, name, None)
                if callable(original):
                    self._before[name] = original
                    setattr(self._module, name, wrap(original))

    def remove(self) -> None:
        """Put the originals back, unless somebody else has wrapped what we put there."""
        for name, original in self._before.items():
            if getattr(getattr(self._module, name, None), "__wrapped__", None) is original:
                setattr(self._module, name, original)
        self._before, self._module = {}, None


def _wrapped(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        ran = _begin()
        try:
            result = original(*args, **kwargs)
        except BaseException as error:
            _end(ran, error)
            raise
        _end(ran, None)
        return result

    return wrapper


def _wrapped_async(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        ran = _begin()
        try:
            result = await original(*args, **kwargs)
        except BaseException as error:
            _end(ran, error)
            raise
        _end(ran, None)
        return result

    return wrapper


def _begin() -> Ran | None:
    with _guard.guard("dash callback"):
        request = flask_request()
        if request is not None:
            ran = request.environ[RAN] = Ran(time.perf_counter())
            return ran
    return None


def _end(ran: Ran | None, error: BaseException | None) -> None:
    if ran is not None:
        with _guard.guard("dash callback"):
            ran.end(error)


def _prevents(error: Exception) -> bool:
    """Whether it is Dash's way to say that nothing changes."""
    return any(
        each.__name__ == "PreventUpdate" and each.__module__ == "dash.exceptions" for each in type(error).__mro__
    )
