"""Records that no pipeline of ours has cleaned, made ready to leave: redacted, resource and scope included."""

from __future__ import annotations

import uuid
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from footspan import conventions as c
from footspan.emit import Draft
from footspan.otlp_json import LogLine, encode_line, encode_record, encode_suffix
from footspan.otlp_json.parse import decode
from footspan.otlp_json.records import NO_NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from footspan.otlp_json.parse import Decoded
    from footspan.processors.redaction import Redactor


def cleaned(line: bytes, redactor: Redactor) -> Iterator[LogLine]:
    """The events of a line of OTLP JSON, each redacted and as a line of its own in our format.

    What a record says about itself stays: its times, trace, resource and scope, and its id. A record without an id gets
    one made of what is left of it after redaction, the same each time.

    Args:
        line: One ``ExportLogsServiceRequest``.
        redactor: What it goes through.

    Raises:
        ValueError: It is no such thing.
    """
    suffixes: dict[tuple[int, int], bytes] = {}
    for record in decode(line):
        group = (id(record.event.resource), id(record.scope_attributes))  # shared by the records of one scope
        if group not in suffixes:
            suffixes[group] = _suffix(record, redactor)
        yield LogLine(encode_line(_record(record, suffixes[group], redactor), suffixes[group]))


def _record(record: Decoded, suffix: bytes, redactor: Redactor) -> bytes:
    event = record.event
    attributes = dict(event.attributes)
    _clean_passing(attributes, redactor)
    draft = Draft(
        event.name,
        event.time_ns or event.observed_ns,
        event.observed_ns,
        attributes,
        event.body,
        event.severity_number,
        trace_id=int(event.trace_id or "0", 16),
        span_id=int(event.span_id or "0", 16),
        flags=event.flags,
    )
    draft.severity_text = event.severity_text  # as its writer spelt it, be it empty
    redactor(draft)
    if not draft.attributes.get(c.LOG_RECORD_UID):
        draft.attributes[c.LOG_RECORD_UID] = _identity(suffix + _encoded(draft, 0))
    return _encoded(draft, record.dropped)


def _encoded(draft: Draft, dropped: int) -> bytes:
    return encode_record(
        name=draft.name or NO_NAME,
        time_ns=draft.time_ns,
        attributes=draft.attributes,
        observed_ns=draft.observed_ns,
        body=draft.body,
        severity_number=draft.severity_number,
        severity_text=draft.severity_text,
        trace_id=draft.trace_id,
        span_id=draft.span_id,
        flags=draft.flags,
        dropped=dropped,
    )


def _suffix(record: Decoded, redactor: Redactor) -> bytes:
    event = record.event
    return encode_suffix(
        redactor.mapping(event.resource)[0],
        redactor.text(event.scope_name),
        redactor.text(event.scope_version),
        redactor.mapping(record.scope_attributes)[0],
        redactor.text(record.resource_schema_url),
        redactor.text(record.scope_schema_url),
    )


def _clean_passing(attributes: dict[str, Any], redactor: Redactor) -> None:
    """Two attributes of our own pass the redactor unseen; from elsewhere they may hold anything."""
    uid = attributes.get(c.LOG_RECORD_UID)
    if uid is not None and not (isinstance(uid, str) and redactor.text(uid) == uid):
        del attributes[c.LOG_RECORD_UID]
    touched = attributes.get(c.REDACTED)
    if isinstance(touched, list):
        attributes[c.REDACTED] = [redactor.text(key) for key in touched if isinstance(key, str)]
    elif touched is not None:
        del attributes[c.REDACTED]


def _identity(content: bytes) -> str:
    number = int.from_bytes(blake2b(content, digest_size=16).digest(), "big")
    # RFC 9562 §5.8: version 8, for ids made in a way of one's own.
    number = number & ~(0xF << 76 | 0x3 << 62) | 0x8 << 76 | 0x2 << 62
    return str(uuid.UUID(int=number))
