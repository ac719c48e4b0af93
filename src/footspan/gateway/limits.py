"""How much the gateway takes on at once, declared in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds of one gateway.

    Attributes:
        max_body: Bytes of one request, before and after decompression. It must exceed the senders' batches: a Collector
            drops what was answered with 413.
        max_in_flight: Bytes of all requests that are not answered yet, as they came over the network.
        max_stored: Bytes that one request may take up in the spool, where every event carries its resource and scope.
        read_timeout: Seconds in which a request must have arrived whole.
        workers: Threads that decode and append; each holds one decoded request.
    """

    max_body: int = 16 * MIB
    max_in_flight: int = 64 * MIB
    max_stored: int = 128 * MIB
    read_timeout: float = 30.0
    workers: int = 2
