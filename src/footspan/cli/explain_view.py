"""What ``footspan explain`` prints: for people, and as JSON."""

from __future__ import annotations

import json
import os
import textwrap
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

import click

from footspan import conventions as c

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.cli.explain_event import Sampled, Subject
    from footspan.cli.explain_request import Fate
    from footspan.config import Settings

_WIDTH: Final = 80
_LABEL: Final = 10
_INDENT: Final = "    "


def as_json(subject: Subject, fates: Sequence[Fate], settings: Settings) -> dict[str, Any]:
    """All of it, for programs."""
    sampled = subject.sampled
    return {
        "event": {
            "name": subject.line.name,
            "id": None if subject.made else subject.line.uid,
            "category": subject.line.category,
            "time": _time(subject.line.time_ns),
            "from": subject.origin,
            "redacted": subject.redacted,
            "sampling": sampled and {"rate": sampled.rate, "by": sampled.by, "kept": sampled.kept},
            "consent": settings.privacy.consent,
            "agreed": subject.line.event.attributes.get(c.CONSENT),
            "purpose": subject.refused or subject.line.event.attributes.get(c.PURPOSE),
        },
        "destinations": {
            fate.name: {
                "type": fate.type,
                "goes": fate.goes,
                "why": fate.why,
                "text": fate.text,
                "pattern": fate.pattern or None,
                "matched": fate.matched or None,
                "request": fate.request
                and {
                    "method": fate.request.method,
                    "address": fate.request.address,
                    "headers": fate.request.headers,
                    "form": fate.request.form,
                    "bytes": fate.request.size,
                    "body": fate.request.body,
                },
                "printed": fate.printed or None,
            }
            for fate in fates
        },
    }


def show(subject: Subject, fates: Sequence[Fate], settings: Settings) -> None:
    """All of it, for people."""
    _line(subject.line.name or "a log record without a name", bold=True)
    _entry("id", "made for this answer; each event gets its own" if subject.made else subject.line.uid or "none")
    _entry("from", subject.origin + (", the first of several" if subject.others else ""))
    _entry("time", _time(subject.line.time_ns) or "unknown")
    _entry("category", subject.line.category)
    keys = subject.redacted
    _entry("redacted", f"{', '.join(keys)} (the values are gone)" if keys else "nothing")
    _entry("sampling", _sampling(subject.sampled, made=subject.made))
    _entry("consent", _consent(subject, settings))
    if not fates:
        click.echo()
        _line("The settings name no destination: it would go nowhere.", fg="yellow")
    for fate in fates:
        _fate(fate, settings)


def _fate(fate: Fate, settings: Settings) -> None:
    click.echo()
    kind = "" if fate.type == fate.name else f" ({fate.type})"
    _line(
        f"{fate.name}{kind}: {'goes there' if fate.goes else 'does not go there'}", fg="green" if fate.goes else "red"
    )
    _entry("because", fate.text)
    request = fate.request
    if request is not None:
        _entry("request", f"{request.method} {request.address}", whole=True)
        for name, value in request.headers.items():
            _entry("", f"{name}: {value}", whole=True)
        _entry("body", f"{request.form}, {request.size:,} bytes")
        text = request.body if isinstance(request.body, str) else _pretty(request.body, _WIDTH - len(_INDENT))
        for line in text.splitlines():
            click.echo(f"{_INDENT}{_visible(line)}")
    elif fate.printed:
        how = "written by" if fate.type == "logging" else "printed on"
        there = next((each for each in settings.destinations if each.name == fate.name), None)
        logger = there.options.get("logger") if there is not None and fate.type == "logging" else None
        _entry("line", f"{how} {'logger ' + str(logger) if logger else 'standard error'}:")
        click.echo(f"{_INDENT}{_visible(fate.printed)}")
    elif fate.goes:
        _entry("request", "its class sends it in a way of its own, which cannot be shown")


def _consent(subject: Subject, settings: Settings) -> str:
    """What was agreed to, and what that means."""
    attributes = subject.line.event.attributes
    mode = f"privacy.consent is {settings.privacy.consent}"
    if subject.refused:
        return f"{mode}, it is for {subject.refused}, and nobody agreed to that: it is not stored"
    said = attributes.get(c.CONSENT)
    if not isinstance(said, list):
        return f"{mode}, and nobody said anything: it goes its way"
    agreed = ", ".join(each for each in said if isinstance(each, str)) or "nothing"
    return f"{mode}; it is for {attributes.get(c.PURPOSE)}; agreed to: {agreed}"


def _sampling(sampled: Sampled | None, *, made: bool) -> str:
    if not made:
        return "past: an event that exists is not sampled again"
    if sampled is None:
        return "off"
    if sampled.rate >= 1:
        return "kept: events of this kind always are"
    share = f"{sampled.rate * 100:g} % are kept, by {sampled.by}"
    if sampled.kept is None:
        return f"left to chance: {share}, and this one has no session or user, so its id decides"
    return f"{'kept' if sampled.kept else 'dropped, so it goes nowhere'}: {share}"


def _entry(label: str, text: str, *, whole: bool = False) -> None:
    """A labelled text, folded, unless somebody may want to copy it as a whole."""
    lead = f"  {label:<{_LABEL}}"
    lines = [_visible(text)] if whole else textwrap.wrap(_visible(text), _WIDTH - len(lead), break_on_hyphens=False)
    for number, line in enumerate(lines or [""]):
        click.echo(f"{lead if not number else ' ' * len(lead)}{line}")


def _line(text: str, *, fg: str | None = None, bold: bool = False) -> None:
    text = _visible(text)
    # Whether there is a terminal at all, click sees itself.
    click.echo(text if os.environ.get("NO_COLOR") else click.style(text, fg=fg, bold=bold or fg is not None))


def _pretty(value: Any, width: int, indent: str = "", key: str = "") -> str:
    """JSON in as few lines as fit: what is short stays together, what is not has a line for each member."""
    lead = f"{indent}{key}"
    short = json.dumps(value, ensure_ascii=False)
    if len(lead) + len(short) < width or not isinstance(value, dict | list) or not value:
        return lead + short
    inner = indent + "  "
    if isinstance(value, dict):
        parts = [
            _pretty(item, width, inner, f"{json.dumps(str(name), ensure_ascii=False)}: ")
            for name, item in value.items()
        ]
        return f"{lead}{{\n" + ",\n".join(parts) + f"\n{indent}}}"
    return f"{lead}[\n" + ",\n".join(_pretty(item, width, inner) for item in value) + f"\n{indent}]"


def _visible(text: str) -> str:
    """Without what a terminal would obey: an event's name is anybody's."""
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)


def _time(nanoseconds: int) -> str:
    try:
        second = datetime.fromtimestamp(nanoseconds // 1_000_000_000, timezone.utc)
    except (OverflowError, OSError, ValueError):
        return ""
    return f"{second:%Y-%m-%dT%H:%M:%S}.{nanoseconds // 1_000_000 % 1000:03d}Z" if nanoseconds else ""
