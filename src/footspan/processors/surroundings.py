"""In what a call runs: an asyncio task, a Flask request, or neither.

Asked when somebody sets or clears context outside any scope, never for an event. Nothing is imported: where nobody has
loaded asyncio or Flask, nobody runs in them.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import TYPE_CHECKING, Any

from footspan import _guard

if TYPE_CHECKING:
    from collections.abc import Callable


def in_task() -> bool:
    """Whether an asyncio task runs here. Its context is its own: what is set in it, no other task sees."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return False
    try:
        return asyncio.current_task() is not None
    except (AttributeError, RuntimeError):  # half imported, or no loop runs in this thread
        return False


def flask_request() -> Any:
    """Flask's current request; ``None`` outside one.

    Flask keeps it in context variables, so it is the one of this thread, greenlet or task.
    """
    flask = sys.modules.get("flask")
    if flask is None:
        return None
    try:
        return flask.request._get_current_object() if flask.has_request_context() else None  # noqa: SLF001 - werkzeug documents it
    except (AttributeError, RuntimeError):  # half imported, or a module of that name that is not Flask
        return None


@cache
def tell_of_requests(begun: Callable[[], None], ended: Callable[[], None]) -> None:
    """Have functions called when any Flask app begins a request, and when it has torn one down, whatever failed.

    Args:
        begun: Called before the app's own functions see the request.
        ended: Called behind the app's own teardown functions, while the request is still the current one.
    """
    flask: Any = sys.modules["flask"]

    def at_begin(*_: Any, **__: Any) -> None:
        with _guard.guard("context"):
            begun()

    def at_end(*_: Any, **__: Any) -> None:
        with _guard.guard("context"):
            ended()

    flask.request_started.connect(at_begin, weak=False)
    flask.request_tearing_down.connect(at_end, weak=False)
