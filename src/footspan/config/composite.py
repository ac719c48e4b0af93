"""Kinds of values that have parts: rules of sampling, and the categories of names.

A file holds them as YAML; one string holds them as JSON, since an environment variable has no other way to nest.
"""

# ruff: noqa: RUF009 - `part` is `dataclasses.field` with our metadata

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from footspan.config.kinds import BadValueError, Kind, describe, nearest, quote
from footspan.config.values import PATTERNS, RATE, choice, read_text

SampledBy = Literal["session", "user", "trace"]
SAMPLED_BY: Final = choice(*get_args(SampledBy))

_CATEGORY: Final = re.compile(r"[^\s.*?!,=\"{}]{1,64}")


def part(kind: Kind, help_text: str, **default: Any) -> Any:
    """A field of one of the dataclasses below, with the way it is read and its documentation."""
    return field(metadata={"kind": kind, "help": help_text}, **default)


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingRule:
    """Which share of some events is kept."""

    events: tuple[str, ...] = part(PATTERNS, "Patterns of the events that the rule is for.")
    rate: float = part(RATE, "Share of them that is kept, 0 to 1.")
    by: SampledBy | None = part(SAMPLED_BY, "What is kept or dropped as a whole; default: sampling.by.", default=None)


def _from_json(text: str, fix: str) -> Any:
    import json  # noqa: PLC0415 - few settings are written in it

    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    # Raised outside the handler: the parser's own message holds the text.
    raise BadValueError("text that is no JSON", fix)


def read_rules(value: object) -> tuple[SamplingRule, ...]:
    """Read rules of sampling: a list of mappings, or the same as JSON."""
    fix = 'Write a list of rules such as {events: payment.*, rate: 1}; in a variable as JSON: [{"events": "a.*", ...}].'
    if isinstance(value, str):
        value = _from_json(value, fix)
    if not isinstance(value, list | tuple):
        raise BadValueError(describe(value), fix)
    return tuple(_read_rule(item, f"rule {number}", fix) for number, item in enumerate(value, 1))


def _read_rule(item: object, place: str, fix: str) -> SamplingRule:
    if isinstance(item, SamplingRule):
        item = {each.name: getattr(item, each.name) for each in dataclasses.fields(item)}
    if not isinstance(item, Mapping):
        raise BadValueError(f"{describe(item)} as {place}", fix)
    declared = {each.name: each for each in dataclasses.fields(SamplingRule)}
    values = {}
    for key, value in item.items():
        if key not in declared:
            guess = nearest(key, declared) if isinstance(key, str) else None
            hint = f"Did you mean {guess}?" if guess else f"Known keys of a rule: {', '.join(declared)}."
            raise BadValueError(f"an unknown key in {place}", hint)
        if value is not None:
            try:
                values[key] = declared[key].metadata["kind"].read(value)
            except BadValueError as bad:
                raise BadValueError(f"{bad.found} as `{key}` of {place}", bad.fix) from None
    for key, each in declared.items():
        if each.default is dataclasses.MISSING and values.get(key) in (None, ()):
            raise BadValueError(f"no `{key}` in {place}", fix)
    return SamplingRule(**values)


def show_rules(rules: tuple[SamplingRule, ...]) -> str:
    """Write rules the way the environment holds them."""
    import json  # noqa: PLC0415 - as above

    return json.dumps(
        [{key: value for key, value in dataclasses.asdict(rule).items() if value is not None} for rule in rules],
        ensure_ascii=False,
    )


def read_categories(value: object) -> tuple[tuple[str, str], ...]:
    """Read names and the category of each: a mapping, the same as JSON, or ``name=category,name=category``."""
    fix = "Write names and their categories, such as invoice: payment; in a variable invoice=payment,ml.*=generation."
    pairs: Any = value
    if isinstance(value, str) and value.lstrip().startswith("{"):
        pairs = _from_json(value, fix)
    elif isinstance(value, str):
        pairs = [entry.split("=", 1) for entry in value.split(",") if entry.strip()]
    if isinstance(pairs, Mapping):
        pairs = list(pairs.items())
    if not isinstance(pairs, list | tuple):
        raise BadValueError(describe(value), fix)
    found: dict[str, str] = {}
    for number, pair in enumerate(pairs, 1):
        if not isinstance(pair, list | tuple) or len(pair) != 2:  # noqa: PLR2004 - a name and a category
            raise BadValueError(f"an entry without a category (entry {number})", fix)
        found[_read_name(pair[0], number)] = _read_category(pair[1], number)
    return tuple(found.items())


def _read_name(value: object, number: int) -> str:
    try:
        name = read_text(value)
    except BadValueError as bad:
        raise BadValueError(f"{bad.found} as the name of entry {number}", bad.fix) from None
    if name.startswith("!") or not name.strip("."):
        raise BadValueError(
            f"{quote(name)} as the name of entry {number}",
            "Write the first part of event names (invoice), a name (invoice.sent) or a pattern (ml.*).",
        )
    # The first part of a name counts in lower case, as everywhere; names and patterns count as written.
    return name if set(name) & set(".*?") else name.lower()


def _read_category(value: object, number: int) -> str:
    category = value.strip().lower() if isinstance(value, str) else ""
    if not _CATEGORY.fullmatch(category):
        raise BadValueError(
            f"{quote(value)} as the category of entry {number}", "Write one word, such as payment, user or error."
        )
    return category


def show_categories(pairs: tuple[tuple[str, str], ...]) -> str:
    """Write categories the way the environment holds them."""
    import json  # noqa: PLC0415 - as above

    return json.dumps(dict(pairs), ensure_ascii=False)


RULES: Final = Kind("rules", read_rules, show_rules)
CATEGORIES: Final = Kind("categories", read_categories, show_categories)
