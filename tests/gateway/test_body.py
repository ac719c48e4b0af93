"""Tests for footspan.gateway.body."""

from __future__ import annotations

import asyncio
import gzip
import os
import zlib
from typing import TYPE_CHECKING

import pytest

from footspan.gateway import body
from footspan.gateway.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

CLEAR = b"some text, " * 5_000
LIMIT = 1024 * 1024


def pieces(data: bytes, size: int = 1_000) -> list[bytes]:
    """A body as it may arrive."""
    return [data[start : start + size] for start in range(0, len(data), size)]


@pytest.mark.parametrize("size", [1, 7, 1_000, 1_000_000])
@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("", CLEAR),
        ("identity", CLEAR),
        ("gzip", gzip.compress(CLEAR, mtime=0)),
        ("x-gzip", gzip.compress(CLEAR, mtime=0)),
        ("deflate", zlib.compress(CLEAR)),
        ("zlib", zlib.compress(CLEAR)),
        (
            "gzip",
            gzip.compress(CLEAR[:1_000], mtime=0) + gzip.compress(b"", mtime=0) + gzip.compress(CLEAR[1_000:], mtime=0),
        ),
    ],
)
def test_every_coding_in_any_pieces(coding: str, packed: bytes, size: int) -> None:
    """However the network cuts it; gzip of several members too."""
    assert CLEAR == body.unpack(pieces(packed, size), coding, LIMIT)


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", CLEAR),
        ("gzip", gzip.compress(CLEAR, mtime=0)[:-4]),
        ("gzip", gzip.compress(CLEAR, mtime=0) + b"rubbish"),
        ("gzip", b""),
        ("gzip", gzip.compress(b"", mtime=0) * 2_000),
        ("deflate", gzip.compress(CLEAR, mtime=0)),
        ("deflate", zlib.compress(CLEAR)[:-4]),
        ("deflate", zlib.compress(CLEAR) + zlib.compress(CLEAR)),
    ],
)
def test_what_is_not_its_coding_is_undecodable(coding: str, packed: bytes) -> None:
    """Cut off, followed by something, in thousands of members, or of another kind."""
    with pytest.raises(Refusal) as refused:
        body.unpack(pieces(packed), coding, LIMIT)

    assert refused.value.status == 400


@pytest.mark.parametrize("extra", [0, 1])
@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_the_limit_is_what_may_be_in_it(coding: str, extra: int) -> None:
    """A body of exactly the limit passes, one byte more does not."""
    clear = os.urandom(LIMIT + extra)
    packed = gzip.compress(clear) if coding == "gzip" else zlib.compress(clear)
    if extra:
        with pytest.raises(Refusal) as refused:
            body.unpack(pieces(packed), coding, LIMIT)
        assert refused.value.status == 413
    else:
        assert clear == body.unpack(pieces(packed), coding, LIMIT)


def test_a_bomb_is_not_unpacked() -> None:
    """Of a body that would be 256 MiB no more is unpacked than the limit and a piece."""
    packer = zlib.compressobj(9)
    bomb = b"".join([*(packer.compress(bytes(LIMIT)) for _ in range(256)), packer.flush()])
    asked = 0

    def arriving() -> Iterator[bytes]:
        nonlocal asked
        for piece in pieces(bomb, 512):
            asked += len(piece)
            yield piece

    with pytest.raises(Refusal) as refused:
        body.unpack(arriving(), "deflate", LIMIT)
    assert refused.value.status == 413
    assert asked < len(bomb) / 100


def test_a_body_too_large_is_not_kept() -> None:
    """Reading ends at the limit, whatever was announced."""
    sent = 0

    async def stream() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 1_000
            yield bytes(1_000)

    async def read() -> None:
        source, held = stream(), list[int]()
        with pytest.raises(Refusal):
            await body.collect(source, 10_000, held.append)
        assert sum(held) <= 10_000
        assert sent <= 11_000

    asyncio.run(read())


@pytest.mark.parametrize("header", ["br", "zstd", "gzip, gzip", "snappy"])
def test_other_codings_are_refused_by_name(header: str) -> None:
    """415, and the message tells which ones are taken."""
    with pytest.raises(Refusal, match="gzip, deflate") as refused:
        body.content_coding(header)

    assert refused.value.status == 415
