"""Keep a share of sessions, users or traces whole, and never drop an error."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from footspan import conventions as c
from footspan.emit import SEVERITY_ERROR
from footspan.processors import DropEvent

if TYPE_CHECKING:
    from footspan.config import SamplingSettings
    from footspan.emit import Draft

_SPACE = 1 << 32


class Sampler:
    """Decide by a hash of the key, so that every process and every event of one session decides alike.

    Args:
        settings: The rate (0 to 1) and what it is counted by. Where an event lacks that key, the next of session, user,
            trace and its own id is used.
    """

    def __init__(self, settings: SamplingSettings) -> None:
        self._rate = settings.rate
        self._threshold = int(settings.rate * _SPACE)
        order = {"session": (c.SESSION_ID, c.USER_ID), "user": (c.USER_ID, c.SESSION_ID), "trace": ()}
        self._keys = order[settings.by]

    def __call__(self, draft: Draft) -> None:
        """Mark a kept event with its rate.

        Raises:
            DropEvent: The event is not in the share (counted ``sampled_out``).
        """
        if draft.severity_number >= SEVERITY_ERROR:
            return
        attributes = draft.attributes
        key = next((value for name in self._keys if (value := attributes.get(name))), None)
        if key is None:
            key = f"{draft.trace_id:032x}" if draft.trace_id else attributes.get(c.LOG_RECORD_UID)
        # CRC-32 of the key: spread evenly, the same everywhere, and cheap; nothing here is a secret.
        if zlib.crc32(str(key).encode("utf-8", "replace")) >= self._threshold:
            raise DropEvent("sampled_out")
        attributes[c.SAMPLING_RATE] = self._rate
