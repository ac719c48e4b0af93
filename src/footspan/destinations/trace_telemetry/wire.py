"""What only TraceTelemetry's wire format needs of an event that its drop-in client recorded.

It stands under :data:`footspan.conventions.WIRE`, as ``{"trace_telemetry": {...}}``. The rest of such an event is
standard: the caller's data are attributes under their own names (a mapping) or the body (anything else); an exception
is ``exception.message``, ``exception.stacktrace``, ``exception.type`` and, where it has a cause, the attribute
``innerMessage``. An event without these members, from any OpenTelemetry SDK, translates by convention alone.

The members pass redaction and are made plain like every attribute: a value whose spelling matters (a moment with an
offset) is text already when it gets here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypedDict

from footspan import conventions as c

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from footspan.event import Event

KEY: Final = "trace_telemetry"


class Wire(TypedDict, total=False):
    """The members, all optional.

    Attributes:
        data: ``data`` as it stands, where attributes and body cannot tell it: ``{}`` beside ``null``, or a mapping with
            a key that is a conventional attribute. It wins over everything else, ``None`` included.
        keys: Names of the attributes that are the caller's data, in the caller's order. Others are none.
        parity: Nothing ambient (user, session, page, …) is added to ``data``. Without ``keys``, what bears a
            conventional name counts as ambient.
        name: The name as it was given, where a record's cannot be it: blank, over 256 characters, with control
            characters.
        id: ``id`` as it stands, where it is no UUID; for events out of an old queue file.
        time: ``timestampUtc`` as it stands; for the same.
        country: ``countryCode`` as it stands; for the same.
        machine: ``machineName``, as the client found it when it recorded the event.
        os: ``osDescription``, the same.
        ip: ``ipAddress``, the same.
        app: ``applicationName``.
        version: ``applicationVersion``.
    """

    data: Any
    keys: list[str]
    parity: bool
    name: str
    id: str
    time: str
    country: str
    machine: str
    os: str
    ip: str
    app: str
    version: str


def attribute(**members: Unpack[Wire]) -> dict[str, Any]:
    """The attribute that bears these members; to be merged into an event's."""
    return {c.WIRE: {KEY: members}}


def wire_of(event: Event) -> Wire:
    """An event's members; empty where it has none. Members of another type than theirs are left out."""
    wires = event.attributes.get(c.WIRE)
    members = wires.get(KEY) if isinstance(wires, dict) else None
    if not isinstance(members, dict):
        return {}
    found: Wire = {}
    for name, value in members.items():
        if name in _TYPES and isinstance(value, _TYPES[name]):
            found[name] = value  # type: ignore[literal-required] # one of the keys of _TYPES
    return found


_TYPES: Final[dict[str, type]] = {
    "data": object,
    "keys": list,
    "parity": bool,
    **dict.fromkeys(("name", "id", "time", "country", "machine", "os", "ip", "app", "version"), str),
}
