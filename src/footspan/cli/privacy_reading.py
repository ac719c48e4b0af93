"""A line of data held to the policy, with what was found; then to each destination's own rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from footspan import conventions as c
from footspan.config.policy import IDENTITY
from footspan.otlp_json.text import loads
from footspan.processors.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from footspan.config import DestinationSettings, Settings
    from footspan.config.policy import Policy
    from footspan.event import Event
    from footspan.privacy import Hit

Form = Literal["auto", "text", "properties", "otlp"]


@dataclass(slots=True)
class Held:
    """Data as it is under some rules.

    Attributes:
        redacted: What is left of it.
        hits: What was found.
    """

    redacted: Any
    hits: list[Hit]

    def as_json(self) -> dict[str, Any]:
        """For programs; without what was found."""
        return {
            "redacted": self.redacted,
            "hits": [{"path": h.path, "rule": h.rule, "class": h.cls, "action": h.action} for h in self.hits],
        }


@dataclass(slots=True)
class Answer:
    """What becomes of one item.

    Attributes:
        form: What it was read as.
        stored: As it would be stored.
        destinations: As each destination gets it that gets less.
        identity: Attributes of identity that pass.
    """

    form: str
    stored: Held
    destinations: dict[str, Held] = field(default_factory=dict)
    identity: list[str] = field(default_factory=list)

    @property
    def touched(self) -> int:
        """How often something was found."""
        return len(self.stored.hits) + sum(len(each.hits) for each in self.destinations.values())

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "form": self.form,
            **self.stored.as_json(),
            "identity": self.identity,
            "destinations": {name: held.as_json() for name, held in self.destinations.items()},
        }


class _Rules:
    """One policy, and what it has found since it was last asked."""

    def __init__(self, policy: Policy, settings: Settings) -> None:
        from footspan.privacy.epochs import epochs_for  # noqa: PLC0415 - reads the keys

        self.hits: list[Hit] = []
        tokens = epochs_for(settings.privacy.pseudonyms)
        self._redactor = Redactor(None, policy, pseudonymiser=tokens, on_hit=self.hits.append)

    def hold(self, value: Any) -> Held:
        """Hold a text or a mapping to the policy."""
        self.hits.clear()
        left = self._redactor.text(value) if isinstance(value, str) else self._redactor.mapping(value)[0]
        return Held(left, list(self.hits))


class Reader:
    """Reads lines.

    Args:
        settings: Their policy holds.
        destinations: Whose own rules hold besides.
    """

    def __init__(self, settings: Settings, destinations: Sequence[DestinationSettings]) -> None:
        self._base = _Rules(settings.privacy.rules, settings)
        self._own = {each.name: _Rules(each.privacy, settings) for each in destinations if each.privacy is not None}

    def read(self, line: bytes, form: Form) -> Iterator[Answer]:
        """The items of a line.

        Args:
            line: Without its newline.
            form: What it is.
        """
        found = None if form == "text" else _object(line)
        if found is not None and form in {"auto", "otlp"} and "resourceLogs" in found:
            from footspan.otlp_json import parse_logs  # noqa: PLC0415 - few lines are

            for event in parse_logs(line):
                yield self._answer("otlp", _as_mapping(event))
        elif found is not None and form != "otlp":
            yield self._answer("properties", found)
        else:
            yield self._answer("text", line.decode("utf-8", "replace"))

    def _answer(self, form: str, value: Any) -> Answer:
        stored = self._base.hold(value)
        answer = Answer(form, stored)
        for name, rules in self._own.items():
            held = rules.hold(stored.redacted)
            if held.hits or held.redacted != stored.redacted:
                answer.destinations[name] = held
        if isinstance(stored.redacted, dict):
            answer.identity = sorted(_identity(stored.redacted))
        return answer


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        found = loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _as_mapping(event: Event) -> dict[str, Any]:
    """An event as one mapping: its attributes, and what else may hold data, under names of its own."""
    found = {key: value for key, value in event.attributes.items() if key != c.LOG_RECORD_UID}
    if event.name:
        found = {"name": event.name, **found}
    if event.body is not None:
        found["body"] = event.body
    if event.resource:
        found["resource"] = dict(event.resource)
    return found


def _identity(value: dict[str, Any]) -> Iterator[str]:
    names = {*IDENTITY.values()}
    for key, each in value.items():
        if key in names and each not in (None, ""):
            yield key
        elif isinstance(each, dict):
            yield from _identity(each)
