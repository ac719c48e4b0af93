"""What one destination makes of one event: whether it goes there, and the request as it would leave. Sends nothing."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from footspan.config.web import MASK, mask_address
from footspan.delivery.routing import Why, decide, refused_by
from footspan.destinations import build_destination
from footspan.otlp_json.text import loads
from footspan.spool.base import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from footspan.config import DestinationSettings
    from footspan.destinations import Destination, HttpDestination, LogLine, Request

_OPEN_HEADERS: Final = frozenset(
    {"accept", "accept-encoding", "content-encoding", "content-length", "content-type", "user-agent"}
)
"""Headers that hold no secret; the value of any other is not shown."""

_SHORTEST_SECRET: Final = 4
"""Characters of an option that are looked for in a body; fewer are found everywhere."""

_GUNZIP: Final = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class Sent:
    """A request, without what is secret in it.

    Attributes:
        method: ``POST``, or ``gRPC`` for a call.
        address: Where it goes.
        headers: Its headers.
        body: Its body: what JSON says where it is or stands for JSON, else text.
        form: How the body is written on the wire.
        size: Bytes of the body on the wire.
    """

    method: str
    address: str
    headers: dict[str, str]
    body: Any
    form: str
    size: int


@dataclass(slots=True)
class Fate:
    """What becomes of an event at one destination.

    Attributes:
        name: The destination's name.
        type: Its type.
        goes: Whether the event goes there.
        why: What decided, a short constant.
        text: The same as a sentence.
        pattern: The pattern that decided, if one did.
        matched: What that pattern matched.
        request: The request, where there is one.
        printed: What a destination without requests prints.
    """

    name: str
    type: str
    goes: bool
    why: str
    text: str
    pattern: str = ""
    matched: str = ""
    request: Sent | None = None
    printed: str = ""

    def dropped(self, why: str, text: str) -> None:
        """What no destination gets, since it is dropped before."""
        if self.goes:
            self.goes, self.why, self.request, self.printed = False, why, None, ""
            self.text += f"; {text}"


def fate_of(settings: DestinationSettings, line: LogLine, secrets: Sequence[str]) -> Fate:
    """What becomes of an event at a destination.

    Args:
        settings: The destination.
        line: The event.
        secrets: What must be shown nowhere, the longest first; see :func:`secrets_of`.

    Raises:
        ConfigurationError: The destination cannot be built from its settings.
    """
    if not settings.enabled:
        return Fate(settings.name, settings.type, goes=False, why="disabled", text="it is switched off: enabled: false")
    destination = build_destination(settings)
    target = Target(destination.id, settings.name, settings.type, settings.events, settings.consent.passes)
    decision = decide(target, line)
    if decision.why is Why.NO_CONSENT:
        text = f"nobody agreed to what it is for: {refused_by(target, line)}"
    else:
        text = _sentence(decision.why, decision.pattern, decision.matched, line, settings)
    fate = Fate(
        settings.name, settings.type, decision.takes, decision.why.value, text, decision.pattern, decision.matched
    )
    if fate.goes:
        try:
            _fill(fate, destination, line, secrets)
        finally:
            destination.close()
    return fate


def _sentence(why: Why, pattern: str, matched: str, line: LogLine, settings: DestinationSettings) -> str:
    if why is Why.NAMED:
        return "the event names this destination (footspan.destination)"
    if why is Why.NAMES_ANOTHER:
        return f"the event names another destination (footspan.destination): {line.destination}"
    if why is Why.EVERYTHING:
        return "it has no `events`, so it takes every event"
    if why is Why.NOT_EXCLUDED:
        return "its `events` only exclude, and nothing there excludes this one"
    if why is Why.NO_MATCH:
        known = ", ".join(f"`{each}`" for each in settings.events or ())
        return f"no pattern matches it: {known}" if known else "its `events` are empty, so it takes nothing"
    verb = "excludes" if why is Why.EXCLUDED else "matches"
    whole = "its name" if matched == line.name else "its category and name"
    return f"`{pattern}` {verb} {matched} ({whole})"


def _fill(fate: Fate, destination: Destination, line: LogLine, secrets: Sequence[str]) -> None:
    """Have a destination write the event as it would send it."""
    from footspan.destinations.console import ConsoleDestination  # noqa: PLC0415 - only what the command needs
    from footspan.destinations.http import HttpDestination  # noqa: PLC0415 - the same
    from footspan.destinations.logging import LoggingDestination  # noqa: PLC0415 - the same
    from footspan.destinations.readable import line_of  # noqa: PLC0415 - the same
    from footspan.destinations.tightening import FAILED, tightened  # noqa: PLC0415 - the same

    allowed = tightened(destination, line)
    if allowed is None:
        fate.goes, fate.why = False, "refused"
        fate.text += f"; but it is refused before it is sent: {FAILED}"
        return
    line = allowed
    if isinstance(destination, ConsoleDestination):
        fate.printed = _without(destination.line(line.event), secrets)
    elif isinstance(destination, LoggingDestination):
        fate.printed = _without(line_of(line.event), secrets)
    elif isinstance(destination, HttpDestination):
        request = None
        try:
            request = destination.build([line])
            reason = request.refused.get(0, "")
        except Exception as error:  # noqa: BLE001 - whatever the class does, an event that it cannot write is refused
            reason = f"unencodable ({type(error).__name__})"
        if request is None or reason:
            fate.goes, fate.why = False, "refused"
            fate.text += f"; but it is refused before it is sent: {reason}"
        else:
            fate.request = _sent(destination, request, secrets)


def _sent(destination: HttpDestination, request: Request, secrets: Sequence[str]) -> Sent:
    from footspan.destinations.http import DEFAULT_HEADERS  # noqa: PLC0415 - only what the command needs

    options = destination.settings.options
    grpc = getattr(destination, "protocol", "") == "grpc"
    given = options.get("headers") if grpc else None
    headers = {} if grpc else dict(DEFAULT_HEADERS)
    for name, value in {**(given or {}), **request.headers}.items():
        for same in [each for each in headers if each.lower() == name.lower()]:
            del headers[same]
        headers[name] = value
    if not grpc:
        headers["Content-Length"] = str(len(request.body))
    body, form = _readable(request.body, {name.lower(): value for name, value in headers.items()}, grpc=grpc)
    return Sent(
        method="gRPC" if grpc else "POST",
        address=_without(_address(request.url, grpc=grpc), secrets),
        headers={
            name: _without(value, secrets) if name.lower() in _OPEN_HEADERS else MASK for name, value in headers.items()
        },
        body=_without(body, secrets),
        form=form,
        size=len(request.body),
    )


def _address(url: str, *, grpc: bool) -> str:
    """An address without what may be secret in it. The name of a call is long, and none."""
    from footspan.destinations.otlp_grpc import METHODS  # noqa: PLC0415 - only what the command needs

    for method in METHODS.values():
        if grpc and url.endswith(method):
            return mask_address(url.removesuffix(method)) + method
    return mask_address(url)


def secrets_of(destinations: Iterable[DestinationSettings]) -> list[str]:
    """What the settings hold that must not be shown, wherever it turns up; the longest first."""
    found = {secret for each in destinations for secret in _secrets(each)}
    return sorted(found, key=len, reverse=True)


def _secrets(settings: DestinationSettings) -> set[str]:
    from footspan.config.own_types import type_of  # noqa: PLC0415 - only what the command needs

    found: set[str] = set()
    for option in type_of(settings.type).options:
        value = settings.options.get(option.name)
        # An address that may hold a key is masked as an address is.
        if value is not None and option.secret and not option.address and option.kind.name != "address":
            found.update(str(each) for each in (value.values() if isinstance(value, dict) else (value,)))
    return {each for each in found if len(each) >= _SHORTEST_SECRET}


def _without(value: Any, secrets: Iterable[str]) -> Any:
    """A value of JSON without secrets inside its texts."""
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, MASK)
        return value
    if isinstance(value, dict):
        return {_without(key, secrets): _without(item, secrets) for key, item in value.items()}
    return [_without(item, secrets) for item in value] if isinstance(value, list) else value


def _readable(body: bytes, headers: Mapping[str, str], *, grpc: bool) -> tuple[Any, str]:
    """A body as people can read it, and how it is written on the wire."""
    content = headers.get("content-type", "").partition(";")[0].strip().lower()
    packed = headers.get("content-encoding", "").lower()
    try:
        plain = zlib.decompress(body, _GUNZIP) if packed == "gzip" else body
        if grpc or content == "application/x-protobuf":
            return _protobuf(plain), "protobuf" + (f", {packed}" if packed else "")
        parsed = loads(plain)
    except (ValueError, zlib.error):
        plain = body if packed else plain
    else:
        return parsed, "JSON" + (f", {packed}" if packed else "")
    try:
        return plain.decode(), content or "text"
    except UnicodeDecodeError:
        return f"<{len(body)} bytes>", content or "bytes"


def _protobuf(body: bytes) -> Any:
    """An ``ExportLogsServiceRequest`` as JSON has it, ids in hex as OTLP writes them."""
    from base64 import b64decode  # noqa: PLC0415 - only protobuf needs it

    from google.protobuf.json_format import MessageToDict  # noqa: PLC0415 - the same
    from google.protobuf.message import DecodeError  # noqa: PLC0415 - the same
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (  # noqa: PLC0415 - the same
        ExportLogsServiceRequest,
    )

    try:
        found: Any = MessageToDict(ExportLogsServiceRequest.FromString(body), use_integers_for_enums=True)
    except DecodeError:
        raise ValueError("no such message") from None
    for resource in found.get("resourceLogs", ()):
        for scope in resource.get("scopeLogs", ()):
            for record in scope.get("logRecords", ()):
                for name in ("traceId", "spanId"):
                    if name in record:
                        record[name] = b64decode(record[name]).hex()
    return found
