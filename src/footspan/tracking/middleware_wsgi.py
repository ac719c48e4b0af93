"""WSGI middleware: every request has a context of its own, from its first byte to its last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from footspan import _guard
from footspan import conventions as c
from footspan.processors.baggage import incoming
from footspan.processors.context import Held
from footspan.tracking.consent import HEARD, fields_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

# What a server has ready: nothing of the app runs while it is sent, and servers look at its type and length.
_READY = (list, tuple, bytes)


class WsgiMiddleware:
    """Opens a scope for every request of a WSGI application, and closes it whatever becomes of the request.

    The scope is open while the application runs, while its answer is iterated and while it is closed, in whatever
    thread that happens, and in between it is not: what else the thread does stays apart.

    Args:
        app: The application.
        fields: Says who asks: called with the request's ``environ``, returns what ``set_context`` takes (``user_id``,
            ``session_id``, …), or ``None``. If it raises, that is logged and the request goes on without.
    """

    def __init__(
        self, app: Callable[..., Iterable[bytes]], *, fields: Callable[[Any], Mapping[str, Any] | None] | None = None
    ) -> None:
        self._app = app
        self._fields = fields

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """Answer a request."""
        scope = Held(said_by(self._fields, environ, lambda name: environ.get(_variable(name))))
        environ[HEARD] = True
        with scope:
            answer = self._app(environ, start_response)
        wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(answer, _READY) or (isinstance(wrapper, type) and isinstance(answer, wrapper)):
            return answer
        return _Answer(answer, scope)


class _Answer:
    """An application's answer: each step of it runs in the request's scope."""

    def __init__(self, answer: Iterable[bytes], scope: Held) -> None:
        self._answer = answer
        self._scope = scope
        self._next: Callable[[], bytes] | None = None

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with self._scope:
            if self._next is None:
                self._next = iter(self._answer).__next__
            return self._next()

    def close(self) -> None:
        """Close the answer, if it can be closed (PEP 3333)."""
        close = getattr(self._answer, "close", None)
        if close is not None:
            with self._scope:
                close()


def _variable(header: str) -> str:
    """Where WSGI keeps a header (PEP 3333)."""
    return f"HTTP_{header.upper().replace('-', '_')}"


def said_by(
    fields: Callable[[Any], Mapping[str, Any] | None] | None, request: Any, header: Callable[[str], str | None]
) -> dict[str, Any]:
    """What is known of a request: its visitor's consent, what its baggage says, and over all that the app's own word.

    Args:
        fields: The app's callback.
        request: What it is called with.
        header: Gives one of the request's headers by its name in lower case.
    """
    known: dict[str, Any] = {}
    with _guard.guard("baggage"):
        known.update(incoming(lambda: header("baggage")))
    known.update(fields_of(lambda name: header(name) or ""))
    if fields is not None:
        with _guard.guard("fields of a request"):
            said = fields(request) or {}
            known.update({c.REQUEST_ALIASES.get(key, key): value for key, value in said.items()})
    return known
