"""The settings, each declared once: name, type, default, meaning.

Environment names, the reference table and every check derive from these declarations. A field's metadata says how its
value is read (``kind``) and what it means (``help``). What only one type of destination knows is declared in
:mod:`footspan.config.options`.
"""

# ruff: noqa: RUF009 - `_setting` is `dataclasses.field` with our metadata

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, get_args

from footspan.config.campaigns import CampaignServers, CampaignSettings
from footspan.config.composite import CATEGORIES, RULES, SAMPLED_BY, SampledBy, SamplingRule
from footspan.config.consent import ConsentRules, PurposeSettings
from footspan.config.policy import DEFAULT, Policy
from footspan.config.pseudonyms import PseudonymSettings
from footspan.config.values import (
    BOOLEAN,
    COUNT,
    DURATION,
    LIST,
    PATH,
    PATTERNS,
    POSITIVE_DURATION,
    RATE,
    SIZE,
    TEXT,
    choice,
)
from footspan.config.visitors import (
    AttributionSettings,
    DashSettings,
    IdentitySettings,
    SessionSettings,
    TelegramSettings,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from footspan.config.kinds import Kind

Durability = Literal["process", "disk", "memory"]
CourierMode = Literal["thread", "process", "external"]
OnAmbiguous = Literal["retry", "drop"]
Consent = Literal["opt_out", "opt_in"]

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


def _setting(kind: Kind, default: Any, help_text: str) -> Any:
    """A field with the way it is read and its documentation."""
    return field(default=default, metadata={"kind": kind, "help": help_text})


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """Which service the events are of."""

    name: str | None = _setting(TEXT, None, "The service's name; also the name of its spool directory.")
    version: str | None = _setting(TEXT, None, "The service's version.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolSettings:
    """Where events wait until every destination has them."""

    directory: Path | None = _setting(PATH, None, "Folder of the spool; default: the user's state home.")
    folder: str | None = _setting(
        TEXT, None, "Name of the service's folder in there, if not the service's; then no other place is tried."
    )
    durability: Durability = _setting(
        choice(*get_args(Durability)), "process", "process: survives the process; disk: survives the power; memory."
    )
    max_bytes: int = _setting(SIZE, 512 * MIB, "Size the spool may take on disk; the oldest events go first.")
    max_age: float = _setting(POSITIVE_DURATION, 7 * DAY, "Age at which an undelivered event is given up (seconds).")
    spans: bool = _setting(BOOLEAN, False, "Whether spans and plain logs wait in the spool as well.")
    spans_max_bytes: int = _setting(SIZE, 128 * MIB, "Size that waiting spans may take on disk; the oldest go first.")
    logs_max_bytes: int = _setting(SIZE, 128 * MIB, "Size that waiting plain logs may take; the oldest go first.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacySettings:
    """What may leave."""

    policy: Path | None = _setting(PATH, None, "File of the privacy policy; default: the built-in one.")
    consent: Consent = _setting(
        choice(*get_args(Consent)), "opt_out", "opt_out: events flow until a person refuses; opt_in: once they agreed."
    )
    purposes: PurposeSettings = field(default_factory=PurposeSettings)
    pseudonyms: PseudonymSettings = field(default_factory=PseudonymSettings)
    # What the file says, read and checked.
    rules: Policy = DEFAULT


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingSettings:
    """Which share of the events is kept."""

    enabled: bool = _setting(BOOLEAN, False, "Whether to sample at all.")
    rate: float = _setting(RATE, 1.0, "Share of sessions, users or traces kept, 0 to 1.")
    by: SampledBy = _setting(SAMPLED_BY, "session", "What is kept or dropped as a whole.")
    rules: tuple[SamplingRule, ...] = _setting(
        RULES, (), "Other rates for some events, the first that fits: a list of {events, rate, by}."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PageViewSettings:
    """Page views taken from server spans."""

    enabled: bool = _setting(BOOLEAN, True, "Whether server spans become page views.")
    ignore_routes: tuple[str, ...] = _setting(
        LIST, DEFAULT_IGNORED_ROUTES, "Paths that are no pages; * crosses slashes."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextSettings:
    """Where values of the context go besides events."""

    propagate: tuple[str, ...] | None = _setting(
        LIST, None, "Values that travel with requests as baggage, such as session_id; none by default."
    )
    spans: bool = _setting(BOOLEAN, False, "Whether spans bear the context's user, session and request id.")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSettings:
    """How many events one request may carry. ``None`` leaves the destination's own limit."""

    max_items: int | None = _setting(COUNT, None, "Events per request.")
    max_bytes: int | None = _setting(SIZE, None, "Bytes per request before compression.")
    max_age: float | None = _setting(DURATION, None, "Longest wait for a fuller batch (seconds).")


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationSettings:
    """One destination.

    Attributes:
        name: Its name in the settings: its type, or an own name of ``[a-z0-9]+``.
        type: ``umami``, ``otlp``, ``logging``, ``console``, …
        privacy: What the privacy policy removes for this destination besides; ``None``: nothing.
        options: The keys that only this type knows (``url``, ``website``, ``endpoint``, …), parsed and checked. A key
            that nobody set is there with its declared default, or not at all if it has none.
        consent: What becomes here of events whose purpose nobody agreed to.
        pseudonyms: Where the keys are with which its rules make pseudonyms.
        campaigns: Who resolves the start codes of its events; ``None`` where nobody said.
    """

    name: str
    type: str
    enabled: bool = _setting(BOOLEAN, True, "Whether anything is sent there.")
    events: tuple[str, ...] | None = _setting(PATTERNS, None, "Patterns of the events it gets; none: every event.")
    on_ambiguous: OnAmbiguous | None = _setting(
        choice(*get_args(OnAmbiguous)), None, "What to do when nobody knows whether a request arrived."
    )
    batch: BatchSettings = field(default_factory=BatchSettings, metadata={"help": "Limits of one request."})
    timeout: float = _setting(POSITIVE_DURATION, 10.0, "Time one request may take (seconds).")
    concurrency: int | None = _setting(
        COUNT, None, "Requests under way at once, 16 at the most; the events of one user stay in order."
    )
    privacy: Policy | None = None
    consent: ConsentRules = field(default_factory=ConsentRules)
    pseudonyms: PseudonymSettings | None = field(default=None, repr=False)
    campaigns: CampaignServers | None = field(default=None, repr=False)
    # Addresses and headers may hold secrets, and a settings object is easily logged.
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of one pipeline."""

    enabled: bool = _setting(BOOLEAN, True, "Whether anything is recorded at all.")
    debug: bool = _setting(BOOLEAN, False, "Print every event, log verbosely, do not sample.")
    courier: CourierMode = _setting(
        choice(*get_args(CourierMode)),
        "thread",
        "Who delivers: a thread here, a process that is spawned, or an external one, such as `footspan deliver`.",
    )
    metrics: bool = _setting(BOOLEAN, False, "Whether OpenTelemetry metrics tell what became of events.")
    exit_timeout: float = _setting(DURATION, 2.0, "Time an ending process may spend on delivery (seconds).")
    flush_on_sigterm: bool = _setting(
        BOOLEAN, False, "Whether SIGTERM has what waits delivered, within exit_timeout, before it takes its course."
    )
    categories: tuple[tuple[str, str], ...] = _setting(
        CATEGORIES, (), "Categories of names, before the built-in ones: first parts, whole names or patterns."
    )
    service: ServiceSettings = field(default_factory=ServiceSettings)
    spool: SpoolSettings = field(default_factory=SpoolSettings)
    privacy: PrivacySettings = field(default_factory=PrivacySettings)
    sampling: SamplingSettings = field(default_factory=SamplingSettings)
    page_views: PageViewSettings = field(default_factory=PageViewSettings)
    context: ContextSettings = field(default_factory=ContextSettings)
    identity: IdentitySettings = field(default_factory=IdentitySettings)
    sessions: SessionSettings = field(default_factory=SessionSettings)
    attribution: AttributionSettings = field(default_factory=AttributionSettings)
    campaigns: CampaignSettings = field(default_factory=CampaignSettings)
    telegram: TelegramSettings = field(default_factory=TelegramSettings)
    dash: DashSettings = field(default_factory=DashSettings)
    destinations: tuple[DestinationSettings, ...] = ()
