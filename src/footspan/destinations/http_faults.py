"""Why a request got no answer, told apart from what ``requests`` raises."""

from __future__ import annotations

import re
import socket
import ssl
from typing import TYPE_CHECKING, Any, Final

from footspan.destinations.base import FaultKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_CAUSES: Final = 12
_TUNNEL: Final = re.compile(r"Tunnel connection failed: (\d{3})", re.ASCII)
"""What ``http.client`` says of a proxy that refuses."""

# Alerts (RFC 8446, section 6.2) by which a server ends the handshake because of who we are.
_ALERT: Final = re.compile(
    r"ALERT_(?:HANDSHAKE_FAILURE|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_\w+|UNKNOWN_CA|ACCESS_DENIED)"
)


def fault_of(error: BaseException, *, begun: bool, handed_over: bool) -> FaultKind:
    """Why a request got no answer.

    Args:
        error: What ``requests`` raised.
        begun: Whether the connection was there and took some of the body.
        handed_over: Whether the connection took the whole body, so that the server may have acted on it.
    """
    from requests import exceptions as r  # noqa: PLC0415 - loaded already

    causes = list(_causes(error))
    if any(isinstance(cause, socket.gaierror) or type(cause).__name__ == "NameResolutionError" for cause in causes):
        return FaultKind.DNS
    if isinstance(error, (r.InvalidURL, r.MissingSchema, r.InvalidSchema, r.InvalidHeader, UnicodeError)) or any(
        type(cause).__name__ in {"LocationParseError", "LocationValueError", "InvalidHeader"} for cause in causes
    ):
        return FaultKind.INVALID
    if any(isinstance(cause, ssl.SSLError) and _ALERT.search(str(cause)) for cause in causes):
        return FaultKind.TLS  # since TLS 1.3 that may come after the request, of which nothing was read
    if handed_over:
        return FaultKind.READ_TIMEOUT if is_timeout(error) else FaultKind.RESET
    # Hung up under the request, as a server may under one on a connection used before: no fault of TLS.
    ended = begun and any(isinstance(cause, (ssl.SSLEOFError, ssl.SSLZeroReturnError)) for cause in causes)
    if not ended and (
        any(isinstance(cause, ssl.SSLError) for cause in causes)
        or (isinstance(error, OSError) and not isinstance(error, (r.RequestException, ConnectionError, TimeoutError)))
    ):
        return FaultKind.TLS  # an unreadable certificate file is a plain OSError
    return _fault_of_connection(error, causes, r.RequestException)


def _fault_of_connection(error: BaseException, causes: Sequence[BaseException], kind: type[BaseException]) -> FaultKind:
    """The same where there was not even a connection that could carry the request."""
    refusal = next(filter(None, (_TUNNEL.search(str(cause)) for cause in causes)), None)
    if refusal is not None and not refusal[1].startswith("5"):
        return FaultKind.PROXY  # its answer to CONNECT; with 5xx it could not get through itself
    if isinstance(error, (kind, TimeoutError)) and is_timeout(error):
        return FaultKind.CONNECT_TIMEOUT
    return FaultKind.REFUSED if isinstance(error, kind) else FaultKind.INVALID


def is_timeout(error: BaseException) -> bool:
    """Whether an exception, or one behind it, says that the time was up."""
    return any(isinstance(cause, TimeoutError) or "Timeout" in type(cause).__name__ for cause in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception and what it wraps: by ``raise from``, by ``reason``, or among its arguments."""
    queue: list[Any] = [error]
    seen: set[int] = set()
    while queue and len(seen) < _CAUSES:
        item = queue.pop(0)
        if not isinstance(item, BaseException) or id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        queue += [getattr(item, "reason", None), item.__cause__, item.__context__, *item.args]
