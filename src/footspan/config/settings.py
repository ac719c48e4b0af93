"""The settings, each declared once: name, type, default, meaning.

Environment names, the reference table and every check derive from these declarations. A field's metadata says how its
value is read (``parse``), what it means (``help``) and, for a destination's options, whether it may hold a secret.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Durability = Literal["process", "disk", "memory"]
CourierMode = Literal["thread", "process", "external"]
OnAmbiguous = Literal["retry", "drop"]

MIB = 1024 * 1024
DAY = 86_400.0

DEFAULT_IGNORED_ROUTES = (
    "/favicon.ico",
    "/health",
    "/healthz",
    "/livez",
    "/metrics",
    "/ping",
    "/ready",
    "/readyz",
    "/robots.txt",
    "/static/*",
)


def _setting(default: Any, help_text: str) -> Any:
    """A field with its documentation."""
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """Which service the events are of."""

    name: str | None = _setting(None, "The service's name; also the name of its spool directory.")
    version: str | None = _setting(None, "The service's version.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolSettings:
    """Where events wait until every destination has them."""

    directory: Path | None = _setting(None, "Folder of the spool; default: the user's state home.")
    durability: Durability = _setting("process", "process: survives the process; disk: survives the power; memory.")
    max_bytes: int = _setting(512 * MIB, "Size the spool may take on disk; the oldest events go first.")
    max_age: float = _setting(7 * DAY, "Age at which an undelivered event is given up (seconds).")
    spans: bool = _setting(False, "Keep spans and plain logs in the spool as well.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacySettings:
    """What may leave."""

    policy: Path | None = _setting(None, "File of the privacy policy.")
    consent: Literal["opt_out", "opt_in"] = _setting("opt_out", "Whether events flow until a person objects.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingSettings:
    """Which share of the events is kept."""

    enabled: bool = _setting(False, "Whether to sample at all.")
    rate: float = _setting(1.0, "Share of sessions, users or traces kept, 0 to 1.")
    by: Literal["session", "user", "trace"] = _setting("session", "What is kept or dropped as a whole.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PageViewSettings:
    """Page views taken from server spans."""

    enabled: bool = _setting(True, "Whether server spans become page views.")
    ignore_routes: tuple[str, ...] = _setting(DEFAULT_IGNORED_ROUTES, "Paths that are no pages; * crosses slashes.")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSettings:
    """How many events one request may carry. ``None`` leaves the destination's own limit."""

    max_items: int | None = _setting(None, "Events per request.")
    max_bytes: int | None = _setting(None, "Bytes per request before compression.")
    max_age: float | None = _setting(None, "Longest wait for a fuller batch (seconds).")


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationSettings:
    """One destination.

    Attributes:
        name: Its name in the settings: its type, or an own name of ``[a-z0-9]+``.
        type: ``umami``, ``otlp``, ``logging``, ``console``, …
        options: The keys that only this type knows (``url``, ``website``, ``endpoint``, …), parsed and checked.
    """

    name: str
    type: str
    enabled: bool = _setting(True, "Whether anything is sent there.")
    events: tuple[str, ...] | None = _setting(None, "Patterns of the events it gets; none: every event.")
    on_ambiguous: OnAmbiguous | None = _setting(None, "What to do when nobody knows whether a request arrived.")
    batch: BatchSettings = field(default_factory=BatchSettings, metadata={"help": "Limits of one request."})
    timeout: float = _setting(10.0, "Time one request may take (seconds).")
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one pipeline."""

    enabled: bool = _setting(True, "Whether anything is recorded at all.")
    debug: bool = _setting(False, "Print every event, log verbosely, do not sample.")
    courier: CourierMode = _setting("thread", "Who delivers: a thread here, a spawned process, or an external one.")
    exit_timeout: float = _setting(2.0, "Time an ending process may spend on delivery (seconds).")
    service: ServiceSettings = field(default_factory=ServiceSettings)
    spool: SpoolSettings = field(default_factory=SpoolSettings)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    sampling: SamplingSettings = field(default_factory=SamplingSettings)
    page_views: PageViewSettings = field(default_factory=PageViewSettings)
    destinations: tuple[DestinationSettings, ...] = ()
