"""The event that ``footspan explain`` is about: found, read or made, cleaned as a pipeline would. Writes nothing."""

from __future__ import annotations

import time
from contextlib import suppress
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c
from footspan.config.policy import DEFAULT
from footspan.otlp_json import LogLine, encode_line, encode_record, encode_suffix, explode
from footspan.otlp_json.text import loads
from footspan.processors.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from footspan.config import Settings
    from footspan.config.policy import Policy

LARGEST: Final = 16 * 1024 * 1024
"""Bytes of a file or of standard input that are looked at."""


@dataclass(frozen=True, slots=True)
class Sampled:
    """What sampling says of an event.

    Attributes:
        rate: The share that is kept of such events.
        by: What is kept as a whole: ``session``, ``user`` or ``trace``.
        kept: Whether this event is kept; ``None`` where it has nothing but its own id, which is new each time.
    """

    rate: float
    by: str
    kept: bool | None


@dataclass(frozen=True, slots=True)
class Subject:
    """An event, ready to be routed.

    Attributes:
        line: The event as it is stored, or would be.
        origin: Where it comes from, for people.
        sampled: What sampling says; ``None`` where it is off, or the event has been through it.
        refused: The purpose that nobody agreed to, for which it is dropped before it is stored; else empty.
        made: Whether it was made for the question.
        others: Whether there are more events where it comes from.
    """

    line: LogLine
    origin: str
    sampled: Sampled | None = None
    refused: str = ""
    made: bool = False
    others: bool = False

    @property
    def redacted(self) -> list[str]:
        """The keys whose values redaction removed or changed."""
        keys = self.line.event.attributes.get(c.REDACTED)
        return [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []


# -- made --------------------------------------------------------------------------------------------------------------


def made(
    settings: Settings, name: str, properties: Mapping[str, Any], *, category: str | None, time_ns: int | None
) -> Subject:
    """The event that ``track(name, **properties)`` would store with these settings, outside any context."""
    from footspan.emit import SEVERITY_ERROR, SEVERITY_INFO, Draft, new_uid  # noqa: PLC0415 - only a made event needs it
    from footspan.privacy.epochs import epochs_for  # noqa: PLC0415 - the same
    from footspan.processors import DropEvent  # noqa: PLC0415 - the same
    from footspan.processors.categories import Categories  # noqa: PLC0415 - the same
    from footspan.processors.consent import ConsentGate  # noqa: PLC0415 - the same
    from footspan.processors.sampling import Sampler  # noqa: PLC0415 - the same
    from footspan.processors.scopes import to_attributes  # noqa: PLC0415 - the same
    from footspan.tracking.values import epoch_ns  # noqa: PLC0415 - the same

    given = dict(properties)
    if category:
        given["category"] = category
    if time_ns is None and (told := epoch_ns(given.get("timestamp"))) is not None:
        time_ns = told
        del given["timestamp"]
    now = time.time_ns()
    aliases = c.REQUEST_ALIASES if name == c.EVENT_PAGE_VIEW else c.ALIASES
    attributes = {c.LOG_RECORD_UID: new_uid(now), **to_attributes(given, aliases)}
    categories = Categories(settings.categories)
    written = attributes.get(c.CATEGORY)
    error = (written if isinstance(written, str) and written else categories.of(name)) == "error"
    draft = Draft(
        name, now if time_ns is None else time_ns, now, attributes, None, SEVERITY_ERROR if error else SEVERITY_INFO
    )
    categories(draft)
    sampled = None
    if settings.sampling.enabled:
        kept: bool | None = True
        try:
            Sampler(settings.sampling, categories.of)(draft)
        except DropEvent:
            kept = False
        rate, by = _rule(settings, name, str(draft.attributes.get(c.CATEGORY) or categories.of(name)))
        always = error or c.ERROR_TYPE in attributes or rate >= 1
        chance = not any(draft.attributes.get(key) for key in (c.SESSION_ID, c.USER_ID, c.ENDUSER_PSEUDO_ID))
        sampled = Sampled(1.0 if always else rate, by, None if chance and not always and rate > 0 else kept)
    redactor = Redactor(None, settings.privacy.rules, pseudonymiser=epochs_for(settings.privacy.pseudonyms))
    gate = ConsentGate(settings, categories.of, None, epochs_for(settings.privacy.pseudonyms))
    refused = ""
    try:
        gate(asked := copy(draft))
        draft = asked
    except DropEvent:
        refused = gate.purpose_of(draft.name, draft.attributes)
    redactor(draft)
    record = encode_record(
        name=draft.name,
        time_ns=draft.time_ns,
        attributes=draft.attributes,
        observed_ns=draft.observed_ns,
        severity_number=draft.severity_number,
        severity_text=draft.severity_text,
    )
    line = LogLine(encode_line(record, _suffix(settings, redactor)))
    return Subject(line, "made of the options", sampled, refused, made=True)


def _rule(settings: Settings, name: str, category: str) -> tuple[float, str]:
    from footspan.patterns import matcher  # noqa: PLC0415 - as above

    sampling = settings.sampling
    for rule in sampling.rules:
        if matcher(rule.events)(name, category):
            return rule.rate, rule.by or sampling.by
    return sampling.rate, sampling.by


def _suffix(settings: Settings, redactor: Redactor) -> bytes:
    """Resource and scope, as far as they can be known outside the service."""
    from footspan._version import __version__  # noqa: PLC0415 - as above
    from footspan.emit import SCOPE_NAME  # noqa: PLC0415 - as above
    from footspan.pipeline.host import host_for  # noqa: PLC0415 - as above

    attributes: dict[str, Any] = {c.TELEMETRY_DISTRO_NAME: "footspan", c.TELEMETRY_DISTRO_VERSION: __version__}
    if settings.service.name:
        attributes[c.SERVICE_NAME] = settings.service.name
    if settings.service.version:
        attributes[c.SERVICE_VERSION] = settings.service.version
    attributes |= host_for(settings)
    return encode_suffix(redactor.mapping(attributes)[0], SCOPE_NAME, __version__)


# -- read --------------------------------------------------------------------------------------------------------------


def read(data: bytes, origin: str, policy: Policy = DEFAULT, *, ours: bool = False) -> Subject | None:
    """The first event of some OTLP JSON: one request a line, or one request in many lines.

    Args:
        data: What a file or standard input holds.
        origin: What people call it.
        policy: What an event that somebody else wrote is held to.
        ours: Whether a pipeline of ours has cleaned it; anything else is redacted first, as ``replay`` does.
    """
    # A whole document may begin with a line that is none by itself.
    found = [*_events(data.splitlines(), policy, ours=ours)] or [*_events([data], policy, ours=ours)]
    return Subject(found[0], origin, others=len(found) > 1) if found else None


def _events(lines: list[bytes], policy: Policy, *, ours: bool) -> Iterator[LogLine]:
    """The first two events among some lines."""
    from footspan.processors.foreign import cleaned  # noqa: PLC0415 - a stored event needs none

    redactor = Redactor(None, policy)
    left = 2
    for line in lines:
        if left and line.strip():
            with suppress(ValueError):
                events = explode(line) if ours else list(cleaned(line, redactor))
                yield from events[:left]
                left -= len(events[:left])


def read_file(path: Path, policy: Policy = DEFAULT) -> Subject | None:
    """The first event of a file, held to a policy where somebody else wrote it.

    Raises:
        OSError: It cannot be read.
    """
    from footspan.delivery.replay_source import is_spool  # noqa: PLC0415 - only a file needs it

    with path.open("rb") as file:
        data = file.read(LARGEST)
    there = path.absolute().parent
    return read(data, str(path), policy, ours=there.name in {"events", "rejected"} and is_spool(there.parent))


# -- found -------------------------------------------------------------------------------------------------------------


def find(settings: Settings, uid: str) -> Subject | None:
    """The event of an id in the spools that the settings lead to: waiting events, the newest first, then refused ones.

    Args:
        settings: Which spools: those of every service, or of the one that is named.
        uid: Its ``log.record.uid``.
    """
    from footspan.spool.location import existing  # noqa: PLC0415 - only an id needs it

    for layout in existing(settings):
        root = Path(layout.root)
        for folder in ("events", "rejected"):
            for path in _newest(root / folder):
                for line in _lines_with(path, uid.encode()):
                    for event in explode(line):
                        if event.uid == uid:
                            return Subject(event, _place(root, folder, line))
    return None


def _newest(folder: Path) -> list[Path]:
    found = []
    with suppress(OSError):
        for path in folder.glob("*.jsonl"):
            with suppress(FileNotFoundError):  # delivered just now
                found.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(found, reverse=True)]


def _lines_with(path: Path, mark: bytes) -> Iterator[bytes]:
    """The lines of a file that hold some bytes, the last first."""
    data = b""
    with suppress(OSError):  # delivered just now
        data = path.read_bytes()
    end = len(data)
    while (at := data.rfind(mark, 0, end)) >= 0:
        start = data.rfind(b"\n", 0, at) + 1
        stop = data.find(b"\n", at)
        yield data[start : stop if stop >= 0 else len(data)]
        end = start


def _place(root: Path, folder: str, line: bytes) -> str:
    if folder == "events":
        return f"the spool of {root.name}"
    note: Any = {}
    with suppress(ValueError):
        note = loads(line).get("footspanRejected") or {}
    reason = f", for {note['reason']}" if isinstance(note, dict) and note.get("reason") else ""
    return f"the spool of {root.name}, among what a destination refused{reason}"
