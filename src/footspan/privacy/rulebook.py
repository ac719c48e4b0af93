"""What keys say of the values under them: secrets, contacts, identity, numbers that are no cards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c
from footspan.config.policy import IDENTITY
from footspan.otlp_json import plain
from footspan.privacy.actions import Act
from footspan.privacy.keys import BY_NAME, Globs, tells_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from footspan.config.policy import Policy, Rule
    from footspan.privacy.pseudonym import Pseudonymiser

_KEY_CACHE_SIZE: Final = 4096
_LONGEST_KEPT: Final = 256
"""Characters of a key that is remembered; longer ones are data, and would fill the memory."""


class Keyed:
    """What a key says: the rule and its act; whether its values are safe, and whether their digits are no data.

    Attributes:
        clean: The key itself, without what must not leave; ``None`` while nobody has looked.
    """

    __slots__ = ("act", "clean", "numbers", "rule", "safe")

    def __init__(self, rule: Rule | None, act: Act | None, *, safe: bool, numbers: bool) -> None:
        self.rule, self.act, self.safe, self.numbers = rule, act, safe, numbers
        self.clean: str | None = None


class Rulebook:
    """A policy's rules about keys, and what they said of keys seen before.

    Args:
        policy: What holds.
        pseudonymiser: What makes tokens; without one a constant stands for each.
    """

    def __init__(self, policy: Policy, pseudonymiser: Pseudonymiser | None) -> None:
        self._own_keys: list[tuple[Rule, Act, Callable[[str], bool]]] = []
        self._built_in_keys: list[tuple[Rule, Act, Callable[[str], bool]]] = []
        for rule in policy.rules:
            action = policy.action_of(rule)
            if action == "keep":
                continue
            act = Act(rule.cls, action, rule.length, pseudonymiser)
            if rule.keys:
                self._own_keys.append((rule, act, Globs(rule.keys)))
            elif rule.name in BY_NAME:
                self._built_in_keys.append((rule, act, BY_NAME[rule.name]))
        self._safe = Globs(policy.safe_keys)
        self._identity: dict[str, Act | None] = dict.fromkeys(IDENTITY.values())
        for key, action in policy.identity.items():
            cls = "contact" if key in {c.USER_EMAIL, c.USER_FULL_NAME} else "identifier"
            cls = "location" if key == c.CLIENT_ADDRESS else cls
            self._identity[key] = None if action == "keep" else Act(cls, action, pseudonymiser=pseudonymiser)  # type: ignore[arg-type]
        self._keys: dict[str, Keyed] = {}
        self._words: dict[str, bool] = {}

    def passes(self, key: Any) -> bool:
        """Whether texts and numbers under a key pass unseen."""
        return key in self._identity and self._identity[key] is None

    def speaks(self, key: Any) -> bool:
        """Whether a key decides what becomes of its values."""
        return self._keyed(key).act is not None or (key in self._identity and self._identity[key] is not None)

    def _known(self, word: str) -> bool:
        """Whether a key inside a text says anything. Such words are data: they have a memory of their own."""
        known = self._words.get(word)
        if known is None:
            if len(self._words) >= _KEY_CACHE_SIZE:
                self._words.clear()
            known = self._words[word] = self._read(word).act is not None
        return known

    def _keyed(self, key: Any) -> Keyed:
        """What a key says, remembered per key."""
        if type(key) is not str:
            key = str(plain(key))
        keyed = self._keys.get(key)
        if keyed is None:
            keyed = self._read(key)
            if len(self._keys) < _KEY_CACHE_SIZE and len(key) <= _LONGEST_KEPT:
                self._keys[key] = keyed
        return keyed

    def _read(self, key: str) -> Keyed:
        safe = self._safe(key)
        numbers = tells_number(key)
        if not safe and key not in self._identity:
            for rule, act, fits in (*self._own_keys, *self._built_in_keys):
                if fits(key):
                    return Keyed(rule, act, safe=safe, numbers=numbers)
        return Keyed(None, None, safe=safe, numbers=numbers)

    def _by_path(self, path: Any, keyed: Keyed) -> Keyed:
        """What own rules say of a nested key by the keys above it as well."""
        if type(path) is str and not keyed.safe:
            for rule, act, fits in self._own_keys:
                if fits(path):
                    return Keyed(rule, act, safe=False, numbers=keyed.numbers)
        return keyed
