"""Read a privacy policy: YAML in, a checked :class:`~footspan.config.policy.Policy` out.

Errors name the key, what was found and the fix. Nothing in a policy is secret, but values are described, not quoted,
all the same: somebody may paste an example of what is to be found.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, get_args

from footspan import _platform
from footspan.config.errors import ConfigurationError, stop
from footspan.config.file import read_file
from footspan.config.kinds import BadValueError, describe, nearest
from footspan.config.policy import BUILT_IN, DEFAULT, DEFAULT_ACTIONS, IDENTITY, Action, Class, Policy, Rule
from footspan.config.values import BOOLEAN, COUNT, LIST, choice, read_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from footspan.config.errors import Report
    from footspan.config.kinds import Kind

_KEYS: Final = ("defaults", "classes", "rules", "identity", "safe_keys", "phone_regions", "destinations")
_TIGHTENING_KEYS: Final = ("classes", "rules", "identity")
_RULE_KEYS: Final = ("enabled", "class", "action", "keys", "pattern", "length")
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,47}")
_NAMES_SOMETHING: Final = re.compile(r"[^\W_]|[*?]")
_REGION: Final = re.compile(r"[A-Z]{2}")
_LONGEST_PATTERN: Final = 2_000
_MEMORY: Final = 8 * 1024 * 1024
_CLASS: Final = choice(*get_args(Class))
_ACTION: Final = choice(*get_args(Action))
_EXTRA: Final = "pip install 'footspan[privacy]'"


def read_policy(path: Path | None, *, destinations: Collection[str] | None = None, report: Report = stop) -> Policy:
    """The policy that a file holds.

    Args:
        path: The file; ``None``: the default policy.
        destinations: The names of the destinations there are, so that a rule for one that there is not can be refused.
        report: Takes what is wrong. If it returns, the policy is made without that.

    Raises:
        ConfigurationError: What ``report`` raises.
    """
    if path is None:
        return DEFAULT
    reader = _Reader(str(path), report)
    try:
        found = read_file(path, named_by="telemetry.privacy.policy", report=report, ours=())
        return reader.policy(found, destinations)
    except ConfigurationError as error:
        report(error)
    return DEFAULT


class _Reader:
    """Reads one file's policy."""

    def __init__(self, name: str, report: Report) -> None:
        self._where = f" in {name}"
        self._report = report

    def policy(self, found: Mapping[Any, object], destinations: Collection[str] | None) -> Policy:
        """The whole of it."""
        parts = self._parts(found, _KEYS, "privacy")
        defaults = self._read(BOOLEAN, parts.get("defaults", "true"), "defaults", default=True)
        base = [replace(rule, enabled=rule.enabled and defaults) for rule in DEFAULT.rules]
        classes: dict[Class, Action] = {**DEFAULT_ACTIONS, **self._classes(parts, "classes")}
        rules = self._rules(parts, "rules", base)
        regions = self._read(LIST, parts.get("phone_regions"), "phone_regions", default=None)
        for region in regions or ():
            if not _REGION.fullmatch(region):
                self._wrong("phone_regions", "an item that is no country code", "Write two capitals, such as DE.")
            elif not _has_plan(region):
                fix = "Write the code of ISO 3166, such as GB for the United Kingdom."
                self._wrong("phone_regions", "a country without a numbering plan", fix)
        policy = Policy(
            classes=classes,
            rules=rules,
            identity=self._identity(parts, "identity"),
            safe_keys=self._globs(parts.get("safe_keys"), "safe_keys", ()),
            phone_regions=DEFAULT.phone_regions if regions is None else regions,
        )
        below = self._mapping(parts.get("destinations"), "destinations")
        return replace(policy, destinations=self._destinations(below, policy, destinations))

    def _destinations(
        self, found: Mapping[str, object], policy: Policy, names: Collection[str] | None
    ) -> dict[str, Policy]:
        """What each destination removes besides: only what stands there, and nothing is kept that was not before."""
        made = {}
        for name, content in found.items():
            place = f"destinations.{name}"
            if names is not None and name not in names:
                self._unknown(place, name, names, "a destination that there is not")
                continue
            parts = self._parts(content, _TIGHTENING_KEYS, place)
            bare = [replace(rule, action=None) for rule in policy.rules]
            tightened = Policy(
                classes=self._classes(parts, f"{place}.classes"),
                rules=self._rules(parts, f"{place}.rules", bare),
                identity=self._identity(parts, f"{place}.identity"),
                safe_keys=policy.safe_keys,
                phone_regions=policy.phone_regions,
            )
            self._refuse_loosening(place, parts)
            made[name] = tightened
        return made

    def _refuse_loosening(self, place: str, parts: Mapping[str, object]) -> None:
        """A destination gets what was stored and can only be given less; a rule that says otherwise promises much."""
        for section in _TIGHTENING_KEYS:
            for key, value in self._mapping(parts.get(section), f"{place}.{section}", quiet=True).items():
                words = (value.get("action"), value.get("enabled")) if isinstance(value, Mapping) else (value,)
                if any(str(word).strip().lower() in {"keep", "off", "false", "no"} for word in words):
                    self._wrong(
                        f"{place}.{section}.{key}",
                        "a rule that lets more pass",
                        "A destination's own rules can only remove more: loosen the policy, and tighten the others.",
                    )

    # -- sections ------------------------------------------------------------------------------------------------------

    def _classes(self, parts: Mapping[str, object], place: str) -> dict[Class, Action]:
        found: dict[Class, Action] = {}
        for key, value in self._mapping(parts.get("classes"), place).items():
            if key not in DEFAULT_ACTIONS:
                self._unknown(f"{place}.{key}", key, DEFAULT_ACTIONS, "a class that there is not")
            elif (action := self._read(_ACTION, value, f"{place}.{key}", default=None)) is not None:
                found[key] = action  # type: ignore[index]
        return found

    def _identity(self, parts: Mapping[str, object], place: str) -> dict[str, Action]:
        found: dict[str, Action] = {}
        for key, value in self._mapping(parts.get("identity"), place).items():
            attribute = IDENTITY.get(key, key)
            if attribute not in IDENTITY.values():
                self._unknown(f"{place}.{key}", key, [*IDENTITY, *IDENTITY.values()], "no attribute of identity")
            elif (action := self._read(_ACTION, value, f"{place}.{key}", default=None)) is not None:
                found[attribute] = action
        return found

    def _rules(self, parts: Mapping[str, object], place: str, base: Iterable[Rule]) -> tuple[Rule, ...]:
        rules = {rule.name: rule for rule in base}
        own: dict[str, Rule] = {name: rule for name, rule in rules.items() if name not in BUILT_IN}
        for name, value in self._mapping(parts.get("rules"), place).items():
            here = f"{place}.{name}"
            known = rules.get(name)
            if not _NAME.fullmatch(name):
                self._wrong(here, "a name no rule can have", "Write lower-case letters, digits and _.")
            elif not isinstance(value, Mapping):
                if known is None:
                    self._unknown(here, name, rules, "a rule that there is not", "An own rule has keys or a pattern.")
                elif (switched := self._switch(value, here)) is not None:
                    rules[name] = switched(known)
            elif known is not None and known.built_in:
                rules[name] = self._changed(known, value, here)
            elif (made := self._own(name, value, here, known)) is not None:
                own[name] = rules[name] = made
        first = [rules[name] for name in own]
        return (*first, *(rules[name] for name in BUILT_IN if name in rules))

    def _switch(self, value: object, place: str) -> Any:
        """``on``, ``off`` or an action, which switches on."""
        word = value.strip().lower() if isinstance(value, str) else value
        if isinstance(word, str) and word in get_args(Action):
            return lambda rule: replace(rule, enabled=True, action=word)
        try:
            on = BOOLEAN.read(value)
        except BadValueError:
            fix = f"Write on, off or one of {', '.join(get_args(Action))}."
            self._wrong(place, describe(value), fix)
            return None
        return lambda rule: replace(rule, enabled=on)

    def _changed(self, rule: Rule, value: Mapping[Any, object], place: str) -> Rule:
        parts = self._parts(value, ("enabled", "action", "length"), place)
        return replace(
            rule,
            enabled=self._read(BOOLEAN, parts.get("enabled"), f"{place}.enabled", default=True),
            action=self._read(_ACTION, parts.get("action"), f"{place}.action", default=rule.action),
            length=self._read(COUNT, parts.get("length"), f"{place}.length", default=rule.length),
        )

    def _own(self, name: str, value: Mapping[Any, object], place: str, known: Rule | None) -> Rule | None:
        parts = self._parts(value, _RULE_KEYS, place)
        rule = known or Rule(name=name, cls="identifier")
        cls = self._read(_CLASS, parts.get("class"), f"{place}.class", default=None if known is None else rule.cls)
        if cls is None:
            if "class" not in parts:
                self._wrong(f"{place}.class", "nothing", f"Write one of {', '.join(get_args(Class))}.")
            return None
        rule = replace(self._changed(rule, {k: v for k, v in parts.items() if k not in _FINDS}, place), cls=cls)
        keys = self._globs(parts.get("keys"), f"{place}.keys", rule.keys)
        pattern = self._pattern(parts.get("pattern"), f"{place}.pattern") or rule.pattern
        if bool(keys) == bool(pattern):
            both = "both keys and a pattern" if keys else "neither keys nor a pattern"
            self._wrong(place, both, "Write one of them; two rules may have the same class.")
            return None
        return replace(rule, keys=keys, pattern=pattern)

    def _pattern(self, value: object, place: str) -> str:
        if value is None:
            return ""
        try:
            pattern = read_text(value)
        except BadValueError as bad:
            self._wrong(place, bad.found, bad.fix)
            return ""
        problem = pattern_problem(pattern)
        if problem is not None:
            self._wrong(place, *problem)
            return ""
        return pattern

    # -- pieces --------------------------------------------------------------------------------------------------------

    def _parts(self, value: object, known: Collection[str], place: str) -> dict[str, object]:
        found = {}
        for key, item in self._mapping(value, place).items():
            if key not in known:
                self._unknown(key if place == "privacy" else f"{place}.{key}", key, known, "an unknown key")
            elif item is not None:
                found[key] = item
        return found

    def _mapping(self, value: object, place: str, *, quiet: bool = False) -> Mapping[str, object]:
        if value is None:
            return {}
        if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
            return value
        if not quiet:
            self._wrong(place, describe(value), "Write a mapping of names to what holds for each.")
        return {}

    def _globs(self, value: object, place: str, default: tuple[str, ...]) -> tuple[str, ...]:
        found: tuple[str, ...] = self._read(LIST, value, place, default=default)
        if any(not _NAMES_SOMETHING.search(each) for each in found):
            self._wrong(
                place, "an item that no key can have", "Separators do not count: write letters, digits, * or ?."
            )
        return found

    def _read(self, kind: Kind, value: object, place: str, *, default: Any) -> Any:
        if value is None:
            return default
        try:
            return kind.read(value)
        except BadValueError as bad:
            quoted = isinstance(value, str) and value in bad.found
            self._wrong(place, describe(value) if quoted else bad.found, bad.fix)
        return default

    def _unknown(self, place: str, key: str, known: Iterable[str], found: str, otherwise: str = "") -> None:
        guess = nearest(key, known)
        hint = f"Did you mean {guess}?" if guess else otherwise or f"There are: {', '.join(known)}."
        self._wrong(place, found, hint)

    def _wrong(self, place: str, found: str, fix: str) -> None:
        self._report(ConfigurationError(place, found + self._where, fix))


_FINDS: Final = frozenset({"class", "keys", "pattern"})


def _has_plan(region: str) -> bool:
    """Whether telephone numbers of a country are known; anything may be where nobody can say."""
    try:
        with _platform.importing():
            import phonenumbers  # noqa: PLC0415 - only policies that name countries need it
    except ImportError:
        return True
    return region in phonenumbers.SUPPORTED_REGIONS


def pattern_problem(pattern: str) -> tuple[str, str] | None:
    """What keeps a pattern from being used, and the fix; ``None`` where nothing does."""
    if len(pattern) > _LONGEST_PATTERN:
        return f"a pattern of {len(pattern)} characters", f"{_LONGEST_PATTERN} are the most; write two rules."
    try:
        with _platform.importing():
            import re2  # noqa: PLC0415 - only policies with patterns of their own need it
    except ImportError:
        return "a pattern, but RE2 is not installed", f"Patterns of your own run in linear time by RE2: {_EXTRA}."
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    try:
        compiled: Any = re2.compile(pattern, options)
    except (re2.error, ValueError, TypeError):
        return (
            "a pattern that RE2 cannot read",
            "Correct its syntax; look-around and back-references have no linear time, so RE2 has none.",
        )
    if compiled.search("") is not None:
        return "a pattern that finds nothing everywhere", "Have it match at least one character."
    return None
