"""What an event bears under ``footspan.wire`` so that it can be written as Dash-Tracker's own client wrote it.

That client describes the HTTP request it was called in, which for a step inside the app is the callback's ``POST`` and
no page. The standard attributes describe the page; the request, where it differs, stands under ``{"dash": {...}}``:

=============== ====================================================================================================
``event``       the word in the field ``event``
``app_name``    the app's name, which need not be the service's
``request``     the fields ``base_url`` to ``method``, by their names, where they differ from what the page says
``user``        the names of the user's fields, in their order
``values``      the values of those fields that no attribute has place for
``interaction`` the field ``interaction``
=============== ====================================================================================================

Who the user is does not stand here a second time. ``user_id`` (and ``id``), ``email`` and ``full_name`` are read from
``user.id``, ``user.email`` and ``user.full_name``, the only places where the redactor lets such values pass; further
fields are attributes of their own names. A field without its attribute is ``anonymous``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from footspan.event import Event

SYSTEM: Final = "dash"
EVENT: Final = "event"
APP_NAME: Final = "app_name"
REQUEST: Final = "request"
USER: Final = "user"
VALUES: Final = "values"
INTERACTION: Final = "interaction"

ANONYMOUS: Final = "anonymous"
"""Whoever is not known. No attribute says so: elsewhere that would be one user, seen by everybody."""

IDENTITY: Final = {"user_id": c.USER_ID, "id": c.USER_ID, "email": c.USER_EMAIL, "full_name": c.USER_FULL_NAME}
"""Fields of the user, and the attribute that holds each."""

_TAKEN: Final = frozenset({*c.PROPERTY_NAMES, c.WIRE, c.LOG_RECORD_UID, c.DESTINATION})
"""Attributes that say something else than a field of the user would, whatever it is called."""


def wire_of(event: Event) -> Mapping[str, Any]:
    """What an event bears for this format alone; empty for one of any other origin."""
    systems = event.attributes.get(c.WIRE)
    found = systems.get(SYSTEM) if isinstance(systems, dict) else None
    return found if isinstance(found, dict) else {}


def user_of(wire: Mapping[str, Any], event: Event) -> dict[str, Any] | None:
    """The user's fields in their order; ``None`` where the event does not say which there are."""
    names = wire.get(USER)
    if not isinstance(names, list):
        return None
    values = wire.get(VALUES)
    known = values if isinstance(values, dict) else {}
    return {
        name: known[name] if name in known else event.attributes.get(IDENTITY.get(name, name), ANONYMOUS)
        for name in names
        if isinstance(name, str)
    }


def wire_user(user: Mapping[str, Any], taken: Container[str] = ()) -> tuple[dict[str, Any], dict[str, Any]]:
    """A user's fields, taken apart.

    Args:
        user: Field to value, in the order they are to be written.
        taken: Attributes that the event has anyway; a field of such a name is no second one.

    Returns:
        The attributes, and what belongs among the event's fields for this format.
    """
    attributes: dict[str, Any] = {}
    values: dict[str, Any] = {}
    for name, value in user.items():
        attribute = IDENTITY.get(name, name)
        if name in IDENTITY and value == ANONYMOUS:
            if attribute in attributes:
                values[name] = value
        elif (
            attribute in taken
            or (name not in IDENTITY and attribute in _TAKEN)
            or attributes.setdefault(attribute, value) is not value
        ):
            values[name] = value
    wire: dict[str, Any] = {USER: list(user)}
    if values:
        wire[VALUES] = values
    return attributes, wire
