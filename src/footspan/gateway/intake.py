"""Records of other processes to the pipeline: which are kept, which are refused, and when none can be kept.

What a record says about itself stays: its times, ids, resource and scope, and no context of this process is added. The
redactor sees all of it, resource and scope included.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c
from footspan.emit import Draft, new_uid
from footspan.gateway.refusal import RETRY_LATER, Refusal
from footspan.otlp_json import encode_record, encode_suffix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.event import Event
    from footspan.otlp_json.parse import Decoded
    from footspan.pipeline import Pipeline

NO_NAME: Final = "log records without an event name were not taken: this gateway keeps events"

_RECORD_ROOM: Final = 256
"""Bytes that a stored record takes beyond those it came in."""

_TRY_EVERY: Final = 1.0
"""Seconds between two tries of a spool that cannot write."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of one request's records.

    Attributes:
        accepted: How many are kept (or were left out by sampling, which is nobody's fault).
        rejected: How many will never be taken.
        message: Why not.
    """

    accepted: int
    rejected: int = 0
    message: str = ""


class Intake:
    """Takes records into a pipeline. Blocks on the disk; any thread may call it.

    Args:
        pipeline: Where they go.
        max_stored: Bytes that one request may take up in the spool.
    """

    def __init__(self, pipeline: Pipeline, max_stored: int) -> None:
        self._pipeline = pipeline
        self._max_stored = max_stored
        self._next_try = 0.0

    @property
    def ready(self) -> bool:
        """Whether what is appended now is kept as the settings ask for."""
        spool = self._pipeline.spool
        if self._pipeline.settings.spool.durability != "memory" and not spool.durable:
            return False
        return not spool.degraded

    def recovered(self) -> bool:
        """Whether it is ready, after another try where it was not: by itself a spool tries again with an append."""
        if not self.ready and time.monotonic() >= self._next_try:
            self._next_try = time.monotonic() + _TRY_EVERY
            self._pipeline.spool.maintain()
        return self.ready

    def take(self, records: Sequence[Decoded], size: int) -> Receipt:
        """Keep a request's events; when this returns, they are as durable as the settings say.

        Args:
            records: Its records.
            size: Bytes they came in, uncompressed.

        Raises:
            Refusal: They cannot be kept now (503), though some of them may have been. Or the spool would grow out of
                proportion to the request (413), and none was kept.
        """
        events = [record for record in records if record.event.name]
        suffixes = self._suffixes(events)
        growth = size + sum(len(suffixes[_group(record)]) + _RECORD_ROOM for record in events)
        if growth > self._max_stored:
            raise Refusal(413, f"stored, the events would exceed {self._max_stored} bytes: send smaller batches")
        # What is appended to a spool that cannot write waits in memory, and would come twice after another try.
        if not self.recovered():
            raise _cannot_keep()
        for record in events:
            self._keep(record, suffixes[_group(record)])
            if not self.ready:
                raise _cannot_keep()
        rejected = len(records) - len(events)
        if rejected:
            self._pipeline.spool.count("no_event_name", rejected)
        return Receipt(len(events), rejected, f"{rejected} {NO_NAME}" if rejected else "")

    def _keep(self, record: Decoded, suffix: bytes) -> None:
        event = record.event
        attributes = dict(event.attributes)
        self._clean_passing(attributes)
        now = time.time_ns()
        draft = Draft(
            event.name,
            event.time_ns or event.observed_ns or now,
            event.observed_ns or (0 if event.time_ns else now),
            attributes,
            event.body,
            event.severity_number,
            trace_id=int(event.trace_id or "0", 16),
            span_id=int(event.span_id or "0", 16),
            flags=event.flags,
        )
        draft.severity_text = event.severity_text  # as its writer spelt it, be it empty
        if not attributes.get(c.LOG_RECORD_UID):
            uid = self._identity(event, draft, suffix)
            draft.attributes[c.LOG_RECORD_UID] = uid  # after redaction, which may have made new attributes
        self._pipeline.receive(draft, suffix, record.dropped)

    def _clean_passing(self, attributes: dict[str, Any]) -> None:
        """Two attributes of our own pass the redactor unseen; from elsewhere they may hold anything."""
        text = self._pipeline.redactor.text
        uid = attributes.get(c.LOG_RECORD_UID)
        if uid is not None and not (isinstance(uid, str) and text(uid) == uid):
            del attributes[c.LOG_RECORD_UID]
        touched = attributes.get(c.REDACTED)
        if isinstance(touched, list):
            attributes[c.REDACTED] = [text(key) for key in touched if isinstance(key, str)]
        elif touched is not None:
            del attributes[c.REDACTED]

    def _identity(self, event: Event, draft: Draft, suffix: bytes) -> str:
        """An id for an event that has none: the same for the same event, so that one sent twice is known again.

        It is made of what is left after redaction, for a hash of a secret among known values gives the secret away.
        Without a time of its own an event cannot be told from its like, and gets an id at random.
        """
        if not (event.time_ns or event.observed_ns):
            return new_uid(draft.time_ns)
        self._pipeline.redactor(draft)
        record = encode_record(
            name=draft.name,
            time_ns=draft.time_ns,
            attributes=draft.attributes,
            body=draft.body,
            trace_id=draft.trace_id,
            span_id=draft.span_id,
        )
        number = int.from_bytes(blake2b(suffix + record, digest_size=16).digest(), "big")
        # RFC 9562 §5.8: version 8, for ids made in a way of one's own.
        number = number & ~(0xF << 76 | 0x3 << 62) | 0x8 << 76 | 0x2 << 62
        return str(uuid.UUID(int=number))

    def _suffixes(self, events: Sequence[Decoded]) -> dict[tuple[int, int], bytes]:
        """What follows each record in its line, redacted; one for each scope of each resource."""
        redactor = self._pipeline.redactor
        found: dict[tuple[int, int], bytes] = {}
        for record in events:
            group = _group(record)
            if group not in found:
                event = record.event
                found[group] = encode_suffix(
                    redactor.mapping(event.resource)[0],
                    redactor.text(event.scope_name),
                    redactor.text(event.scope_version),
                    redactor.mapping(record.scope_attributes)[0],
                    redactor.text(record.resource_schema_url),
                    redactor.text(record.scope_schema_url),
                )
        return found


def _group(record: Decoded) -> tuple[int, int]:
    """The records of one scope share these objects, which live as long as the records."""
    return id(record.event.resource), id(record.scope_attributes)


def _cannot_keep() -> Refusal:
    return Refusal(503, "the spool cannot be written: try again", retry_after=RETRY_LATER)
