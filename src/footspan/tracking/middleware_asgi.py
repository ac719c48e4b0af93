"""ASGI middleware: every request and every WebSocket has a context of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from footspan.processors.context import enter_request, leave
from footspan.tracking.middleware_wsgi import said_by

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, MutableMapping

_WITH_CLIENTS = frozenset({"http", "websocket"})


class AsgiMiddleware:
    """Opens a scope for every request and WebSocket of an ASGI application, and closes it whatever becomes of it.

    Messages pass untouched; ``lifespan`` and whatever else has no client passes without a scope.

    Args:
        app: The application.
        fields: Says who asks: called with the connection's ``scope``, returns what ``set_context`` takes (``user_id``,
            ``session_id``, …), or ``None``. If it raises, that is logged and the request goes on without. It runs in
            the event loop and must not block.
    """

    def __init__(
        self,
        app: Callable[[Any, Any, Any], Awaitable[Any]],
        *,
        fields: Callable[[Any], Mapping[str, Any] | None] | None = None,
    ) -> None:
        self._app = app
        self._fields = fields

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        """Serve a connection."""
        if scope["type"] not in _WITH_CLIENTS:
            await self._app(scope, receive, send)
            return
        opened = enter_request(said_by(self._fields, scope, lambda name: _header(scope, name.encode())))
        try:
            await self._app(scope, receive, send)
        finally:
            leave(opened)


def _header(scope: Mapping[str, Any], name: bytes) -> str | None:
    """A header's values, joined as HTTP joins them, cookies with a semicolon; ``None`` without any."""
    values = [value for key, value in scope.get("headers", ()) if bytes(key).lower() == name]
    return (b"; " if name == b"cookie" else b",").join(values).decode("latin-1") if values else None
