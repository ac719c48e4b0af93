"""What an event bears under ``footspan.wire`` so that it can be written as Dash-Tracker's own client wrote it.

That client describes the HTTP request it was called in, which for a step inside the app is the callback's ``POST`` and
no page. The standard attributes describe the page; the request, where it differs, stands under ``{"dash": {...}}``:

=============== ====================================================================================================
``event``       the word in the field ``event``
``app_name``    the app's name, which need not be the service's
``request``     the fields ``base_url`` to ``method``, by their names, where they differ from what the page says
``user``        the names of the user's fields, in their order, and the value of each that no attribute bears:
                ``[["user_id"], ["email"], ["team", "x"]]``
``interaction`` the field ``interaction``
=============== ====================================================================================================

Who the user is does not stand here a second time: ``user_id``, ``email`` and ``full_name`` are read from ``user.id``,
``user.email`` and ``user.full_name``, the only places where the redactor lets such values pass.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c

if TYPE_CHECKING:
    from collections.abc import Mapping

    from footspan.event import Event

SYSTEM: Final = "dash"
EVENT: Final = "event"
APP_NAME: Final = "app_name"
REQUEST: Final = "request"
USER: Final = "user"
INTERACTION: Final = "interaction"

IDENTITY: Final = {"user_id": c.USER_ID, "id": c.USER_ID, "email": c.USER_EMAIL, "full_name": c.USER_FULL_NAME}
"""Fields of the user, and the attribute that holds each."""


def wire_of(event: Event) -> Mapping[str, Any]:
    """What an event bears for this format alone; empty for one of any other origin."""
    systems = event.attributes.get(c.WIRE)
    found = systems.get(SYSTEM) if isinstance(systems, dict) else None
    return found if isinstance(found, dict) else {}


def user_of(wire: Mapping[str, Any], event: Event) -> dict[str, Any] | None:
    """The user's fields in their order; ``None`` where the event does not say which there are."""
    listed = wire.get(USER)
    if not isinstance(listed, list):
        return None
    fields: dict[str, Any] = {}
    for entry in listed:
        if isinstance(entry, list) and entry and isinstance(entry[0], str):
            name = entry[0]
            fields[name] = entry[1] if len(entry) > 1 else event.attributes.get(IDENTITY.get(name, name))
    return fields


def wire_user(user: Mapping[str, Any]) -> tuple[dict[str, Any], list[list[Any]]]:
    """A user's fields, taken apart into attributes and what :data:`USER` holds.

    Args:
        user: Field to value, in the order they are to be written.
    """
    attributes: dict[str, Any] = {}
    listed: list[list[Any]] = []
    for name, value in user.items():
        attribute = IDENTITY.get(name)
        if attribute is None or attributes.setdefault(attribute, value) is not value:
            listed.append([name, value])
        else:
            listed.append([name])
    return attributes, listed
