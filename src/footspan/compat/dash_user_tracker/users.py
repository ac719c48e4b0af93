"""Who did something: what the app's provider says, in the fields of the documented event."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard
from footspan.destinations.dash_tracker.wire import ANONYMOUS

if TYPE_CHECKING:
    from collections.abc import Callable

NOBODY: Final = {"user_id": ANONYMOUS, "email": ANONYMOUS, "full_name": ANONYMOUS}


def from_session() -> dict[str, Any]:
    """The default provider: ``session["user"]`` with ``id``, ``email`` and ``full_name``."""
    from flask import session  # noqa: PLC0415 - only apps of Dash get here

    user = session.get("user")
    found = user if isinstance(user, Mapping) else {}
    return {
        "user_id": found.get("id", ANONYMOUS),
        "email": found.get("email", ANONYMOUS),
        "full_name": found.get("full_name", ANONYMOUS),
    }


def user_of(provider: Callable[[], Any], count: Callable[[str], None]) -> dict[str, Any]:
    """The user's fields, whatever the provider does.

    Args:
        provider: The app's function.
        count: Told of a provider that failed.

    Returns:
        What it returned; with ``user_id`` where it says ``id`` only. Nobody where it failed or returned no mapping.
    """
    try:
        found = provider()
        if isinstance(found, Mapping):
            return _named(found)
        if inspect.iscoroutine(found):
            found.close()
        wrong = f"returned a {type(found).__name__}"
    except Exception as error:  # noqa: BLE001 - the app's own code, which must not harm its pages
        wrong = f"failed with {type(error).__name__}"
    count("user_provider_failed")
    _guard.warn_once("dash user provider", "footspan: the user_provider %s; users are anonymous then", wrong)
    return dict(NOBODY)


def _named(found: Mapping[Any, Any]) -> dict[str, Any]:
    user: dict[str, Any] = {}
    for name, value in found.items():
        if name == "id" and "user_id" not in found:
            user["user_id"] = value
        user[str(name)] = value
    return user or dict(NOBODY)
