"""What is not tracked: routes by rules or by a function, callbacks by a decorator or by a function."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard
from footspan.config import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_RULES: Final = "footspan_dash_ignore_routes"
"""Where a Flask app keeps the rules that were added to it."""
_MARK: Final = "__footspan_ignored__"


class Rules:
    """Routes that are not tracked, as Flask's rules: ``/admin/<path:rest>``.

    Args:
        converters: The converters of the Flask app.
    """

    def __init__(self, converters: Any) -> None:
        self._converters = converters
        self._rules: list[str] = []
        self._adapter: Any = None

    def add(self, routes: Iterable[str]) -> None:
        """Add some rules.

        Raises:
            ConfigurationError: One is no rule.
        """
        from werkzeug.routing import Map, Rule  # noqa: PLC0415 - came with Flask

        if isinstance(routes, str) or not hasattr(routes, "__iter__"):
            raise ConfigurationError("ignore_routes", f"a {type(routes).__name__}", "Write a list of routes.")
        wanted = [*self._rules, *routes]
        try:
            found = Map([Rule(each, endpoint=each) for each in dict.fromkeys(wanted)], converters=self._converters)
            adapter = found.bind("localhost")
            adapter.test("/")  # compiles the rules
        except Exception as error:  # noqa: BLE001 - werkzeug raises what it likes
            wrong = type(error).__name__
        else:
            self._rules, self._adapter = wanted, adapter
            return
        raise ConfigurationError(
            "ignore_routes", f"a route that is none ({wrong})", "Write routes as Flask does: /admin/<path:rest>."
        )

    def match(self, path: str) -> bool:
        """Whether a path fits one of them; one with a slash at its end fits the path without it, too."""
        if self._adapter is None:
            return False
        from werkzeug.exceptions import HTTPException, NotFound  # noqa: PLC0415 - came with Flask

        try:
            self._adapter.match(path)
        except NotFound:
            return False
        except HTTPException:  # a redirect to the path with a slash
            return True
        return True


def rules_of(server: Any) -> Rules:
    """The rules of a Flask app."""
    found = server.extensions.get(_RULES)
    if not isinstance(found, Rules):
        found = server.extensions[_RULES] = Rules(server.url_map.converters)
    return found


def add_ignore_routes(app: Any, routes: Iterable[str]) -> None:
    """Have no page views of some routes any more.

    Args:
        app: The Dash app.
        routes: Flask's rules, without the app's base pathname.

    Raises:
        ConfigurationError: One is no rule.
    """
    rules_of(app.server).add(routes)


def ignore_callback(*args: Any, **kwargs: Any) -> Callable[[Callable[..., Any]], Any]:
    """Stands for ``dash.callback`` where a callback's interactions are not to be tracked.

    Args:
        *args: What ``dash.callback`` takes.
        **kwargs: The same.
    """

    def decorator(function: Callable[..., Any]) -> Any:
        from dash import callback  # noqa: PLC0415 - only apps of Dash get here

        setattr(function, _MARK, True)
        return callback(*args, **kwargs)(function)

    return decorator


def is_marked(function: Any) -> bool:
    """Whether a callback was registered by :func:`ignore_callback`."""
    return bool(getattr(function, _MARK, False) or getattr(unwrapped(function), _MARK, False))


def unwrapped(function: Any) -> Any:
    """The app's own function below what wraps it."""
    try:
        return inspect.unwrap(function)
    except ValueError:  # it wraps itself
        return function


def says(predicate: Callable[[str], Any] | None, *candidates: str) -> bool:
    """Whether a function of the app's says yes to one of some names. One that fails says no, once in a log."""
    if predicate is None:
        return False
    try:
        return any(predicate(each) for each in candidates if each)
    except Exception as error:  # noqa: BLE001 - the app's own code, which must not harm its pages
        _guard.warn_once(
            f"dash ignore {type(error).__name__}",
            "footspan: ignore_route or ignore_callback failed with %s: nothing is ignored by it then",
            type(error).__name__,
        )
        return False
