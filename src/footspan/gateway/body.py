"""A request's body: read in pieces, unpacked in pieces, and given up at the limit."""

from __future__ import annotations

import asyncio
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from starlette.requests import ClientDisconnect

from footspan.gateway.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable

    from starlette.requests import Request

# What zlib calls the formats. A name that RFC 9110 or a Collector also uses for the same thing stands beside it.
_GZIP, _ZLIB = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS
_FORMATS: Final = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB, "zlib": _ZLIB}
_PLAIN: Final = frozenset({"", "identity"})
_PIECE: Final = 256 * 1024
_MEMBERS: Final = 1_000
"""Gzip members of one body. Each costs more than its bytes, and senders write one."""

DISCARD_TIMEOUT: Final = 5.0
MAX_DISCARDED: Final = 256 * 1024 * 1024
"""How long and how much is read of a refused request, so that its sender gets to the answer."""

ENCODINGS: Final = "gzip, deflate, identity"
"""The content codings that are taken."""


def content_coding(header: str) -> str:
    """The coding that a ``Content-Encoding`` header names.

    Raises:
        Refusal: It is none of those taken (415).
    """
    coding = header.strip().lower()
    if coding not in _PLAIN and coding not in _FORMATS:
        raise Refusal(415, f"unknown content coding; taken are: {ENCODINGS}")
    return coding


def announced_length(header: str | None) -> int:
    """The bytes that a ``Content-Length`` header announces; 0 without one."""
    return int(header) if header is not None and header.isascii() and header.isdigit() else 0


def check_length(size: int, limit: int) -> None:
    """Raise :class:`Refusal` (413) for more than ``limit`` bytes."""
    if size > limit:
        raise Refusal(413, f"the body is larger than {limit} bytes: send smaller batches")


async def collect(stream: AsyncIterator[bytes], limit: int, hold: Callable[[int], None]) -> list[bytes]:
    """Read a body as it comes over the network.

    Args:
        stream: Its pieces.
        limit: The bytes it may have.
        hold: Called with the size of each piece before it is kept.

    Raises:
        Refusal: It is too large (413), or ``hold`` refuses.
    """
    pieces: list[bytes] = []
    size = 0
    async for piece in stream:
        size += len(piece)
        check_length(size, limit)
        hold(len(piece))
        pieces.append(piece)
    return pieces


async def discard(request: Request, stream: AsyncIterator[bytes] | None = None) -> None:
    """Read what still comes of a request that is refused, keeping nothing, for a while.

    A sender that is still writing when the connection closes sees a reset instead of the answer, and tries the same
    again, for ever. One that waits to be told to go on gets its answer at once.

    Args:
        request: The request.
        stream: Its body, where somebody has begun to read it.
    """
    if request.headers.get("expect", "").lower() == "100-continue":
        return
    with suppress(asyncio.TimeoutError, ClientDisconnect):
        await asyncio.wait_for(_read_on(stream or request.stream()), DISCARD_TIMEOUT)


async def _read_on(stream: AsyncIterator[bytes]) -> None:
    size = 0
    async for piece in stream:
        size += len(piece)
        if size > MAX_DISCARDED:
            break


def unpack(pieces: Iterable[bytes], coding: str, limit: int) -> bytes:
    """The body in clear.

    Args:
        pieces: The body as it came.
        coding: What :func:`content_coding` returned.
        limit: The bytes it may have in clear; no more than that (and one piece) is ever unpacked.

    Raises:
        Refusal: It is too large (413), or not what its coding says (400).
    """
    if coding in _PLAIN:
        return b"".join(pieces)
    try:
        return _inflate(pieces, _FORMATS[coding], limit)
    except zlib.error:
        raise Refusal(400, "the body is not what its content coding says") from None


def _inflate(pieces: Iterable[bytes], window: int, limit: int) -> bytes:
    clear = bytearray()
    inflater, members = zlib.decompressobj(window), 1
    for piece in pieces:
        packed = piece
        while packed:
            if inflater.eof:  # gzip allows several members, one after the other
                if window != _GZIP or members == _MEMBERS:
                    raise zlib.error
                inflater, members = zlib.decompressobj(window), members + 1
            clear += inflater.decompress(packed, _PIECE)
            check_length(len(clear), limit)
            packed = inflater.unconsumed_tail or inflater.unused_data
    # What zlib holds back without having been given more: bounded by one window.
    clear += inflater.flush()
    check_length(len(clear), limit)
    if not inflater.eof:
        raise zlib.error
    return bytes(clear)
