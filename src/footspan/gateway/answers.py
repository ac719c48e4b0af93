"""What the gateway answers, in the encoding of the question (OTLP 1.x, "OTLP/HTTP Response").

The two protobuf messages, ``ExportLogsPartialSuccess`` and ``google.rpc.Status``, are both a number and a text: they
are written here, so that an answer needs no protobuf library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from footspan.otlp_json.text import dumps

if TYPE_CHECKING:
    from collections.abc import Mapping

    from footspan.gateway.refusal import Refusal

JSON: Final = "application/json"
PROTOBUF: Final = "application/x-protobuf"

MAX_MESSAGE: Final = 512
"""Characters of a message; a Collector reads no more than 64 KiB of an answer."""

# google.rpc.Code, by HTTP status.
_CODES: Final = {400: 3, 404: 5, 405: 12, 413: 3, 415: 3, 429: 8, 503: 14}
_UNKNOWN: Final = 2


def accepted(media_type: str, rejected: int = 0, message: str = "") -> Response:
    """200: what was not rejected is kept.

    Args:
        media_type: The request's.
        rejected: Log records that will never be taken.
        message: Why not.
    """
    message = message[:MAX_MESSAGE]
    if media_type == PROTOBUF:
        body = b"" if not rejected else _member(1, _number_and_text(rejected, message))
    else:
        partial = {"rejectedLogRecords": str(rejected), "errorMessage": message}
        body = dumps({"partialSuccess": partial} if rejected else {})
    return _response(200, body, media_type)


def refused(media_type: str, refusal: Refusal, headers: Mapping[str, str] | None = None) -> Response:
    """Any other status: a ``google.rpc.Status`` that says why, and when to try again where that helps.

    Args:
        media_type: The request's; JSON where it has none of the two.
        refusal: The status and its reason.
        headers: More headers.
    """
    code, message = _CODES.get(refusal.status, _UNKNOWN), refusal.message[:MAX_MESSAGE]
    body = _number_and_text(code, message) if media_type == PROTOBUF else dumps({"code": code, "message": message})
    more = dict(headers or {})
    if refusal.retry_after is not None:
        more["retry-after"] = str(refusal.retry_after)
    return _response(refusal.status, body, media_type, more)


def _response(status: int, body: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    return Response(body, status, {**(headers or {}), "content-type": media_type})


def _number_and_text(number: int, text: str) -> bytes:
    """A message whose first field is an integer and whose second is a string."""
    return b"\x08" + _varint(number) + (_member(2, text.encode()) if text else b"")


def _member(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    written = bytearray()
    while number > 0x7F:  # noqa: PLR2004 - seven bits a byte
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)
