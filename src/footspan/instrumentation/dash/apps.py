"""The Dash apps behind a Flask app, found by the routes that Dash gives them; nothing of Dash is replaced for it."""

from __future__ import annotations

import inspect
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from footspan.instrumentation.dash.reading import CALLBACKS, CATCH_ALL, App

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

_LAYOUT: Final = "_dash-layout"
_UNTITLED: Final = "Dash"


class Mounted(NamedTuple):
    """A Dash app on a server.

    Attributes:
        prefix: Under which the server sees its paths.
        dash: The app; ``None`` where somebody has wrapped its routes beyond recognition.
    """

    prefix: str
    dash: Any

    def facts(self) -> App:
        """What is known of the app now; pages may be registered at any time."""
        dash = self.dash
        if dash is None:
            return App(self.prefix, self.prefix)
        registry = None
        if getattr(dash, "use_pages", False):
            pages: Mapping[str, Any] = getattr(sys.modules.get("dash"), "page_registry", {})
            registry = tuple(pages.values())
        title = getattr(dash, "title", "")
        shown = getattr(dash.config, "requests_pathname_prefix", None) or self.prefix
        return App(self.prefix, shown, registry, title if isinstance(title, str) and title != _UNTITLED else "")

    def function_name(self, output: str) -> str:
        """The name of the function behind a callback; empty where it is not known."""
        name = getattr(self._callback(output).get("callback"), "__name__", "")
        return name if isinstance(name, str) else ""

    def is_job(self, output: str) -> bool:
        """Whether a callback runs in the background: elsewhere, and some time."""
        callback = self._callback(output)
        return bool(callback.get("background") or callback.get("long"))

    def _callback(self, output: str) -> Mapping[str, Any]:
        found = getattr(self.dash, "callback_map", {}).get(output)
        return found if isinstance(found, dict) else {}


class Mounts:
    """Which Dash app answers which rule of a Flask app."""

    def __init__(self) -> None:
        self._found: WeakKeyDictionary[Any, tuple[int, dict[str, Mounted]]] = WeakKeyDictionary()

    def of(self, server: Flask, endpoint: str | None) -> Mounted | None:
        """The Dash app whose page or callback a rule is; ``None`` for every other rule.

        Args:
            server: The Flask app.
            endpoint: The name of the matched rule.
        """
        if endpoint is None:
            return None
        known = self._found.get(server)
        if known is None or known[0] != len(server.view_functions):  # apps may be added while it serves
            known = self._found[server] = (len(server.view_functions), _rules(server))
        return known[1].get(endpoint)


def _rules(server: Flask) -> dict[str, Mounted]:
    rules = {}
    for endpoint in list(server.view_functions):
        if endpoint.endswith(f"/{CALLBACKS}"):
            prefix = endpoint.removesuffix(CALLBACKS)
            view = server.view_functions.get(prefix + _LAYOUT)
            mounted = Mounted(prefix, _owner(view))
            rules.update(dict.fromkeys((prefix, prefix + CATCH_ALL, prefix + CALLBACKS), mounted))
    return rules


def _owner(view: Any) -> Any:
    """The Dash app that a route's function is a method of, however often it was wrapped."""
    try:
        owner = getattr(inspect.unwrap(view), "__self__", None)
    except (TypeError, ValueError):
        return None
    return owner if hasattr(owner, "callback_map") and hasattr(owner, "config") else None
