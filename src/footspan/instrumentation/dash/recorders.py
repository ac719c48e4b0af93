"""Who else records what happens in a Dash app, so that nothing is recorded twice."""

from __future__ import annotations

from typing import Any, Final, Protocol
from weakref import WeakKeyDictionary, WeakSet


class Recorder(Protocol):
    """Records a Dash app by itself, for the process's destinations as well.

    Attributes:
        enable_page_view_tracking: Whether it records pages.
        enable_page_interaction_tracking: Whether it records interactions.
    """

    enable_page_view_tracking: bool
    enable_page_interaction_tracking: bool


_of_app: Final[WeakKeyDictionary[Any, WeakSet[Any]]] = WeakKeyDictionary()


def add(app: Any, recorder: Recorder) -> None:
    """Leave an app's pages, or interactions, to somebody for as long as they live."""
    _of_app.setdefault(app, WeakSet()).add(recorder)


def pages_of(app: Any) -> bool:
    """Whether somebody else records an app's pages."""
    return any(each.enable_page_view_tracking for each in _recorders(app))


def interactions_of(app: Any) -> bool:
    """Whether somebody else records what is done in an app."""
    return any(each.enable_page_interaction_tracking for each in _recorders(app))


def _recorders(app: Any) -> list[Any]:
    return list(_of_app.get(app, ())) if app is not None else []
