"""``Cleaner``: values of any depth held to a policy.

By key: a value under a key that says what it is goes as a whole. By value: what is found inside text is cut out, JSON
inside strings is looked into. It fails closed: a value that cannot be examined is replaced by a constant and counted.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard
from footspan.config.policy import DEFAULT
from footspan.otlp_json import plain
from footspan.otlp_json.sanitise import MAX_TEXT
from footspan.privacy.actions import FAILED, Act
from footspan.privacy.embedded import clean_json, looks_like_json
from footspan.privacy.hits import Hit
from footspan.privacy.innocent import (
    harmless,
    harmless_all,
    harmless_inside,
    has_run,
    many_digits,
    test_for,
)
from footspan.privacy.named import NESTED, assignments, encoded, parameters
from footspan.privacy.payment import is_card
from footspan.privacy.rulebook import Keyed, Rulebook
from footspan.privacy.texts import (
    DIGITS,
    RUN,
    Looker,
    lookers,
    stricter_tokens,
)
from footspan.privacy.written import may_be_written, written

if TYPE_CHECKING:
    from collections.abc import Callable

    from footspan.config.policy import Policy
    from footspan.privacy.hits import OnHit
    from footspan.privacy.pseudonym import Pseudonymiser

LEFT_OUT: Final[Any] = object()
"""Stands for a value that is to be left out, key and all."""


class _KeyText(str):
    """Told by identity: a path may well be the word itself."""

    __slots__ = ()


_KEY: Final = _KeyText("key")
"""The path of a key's own text: nothing that is found in it is told of, since the key is what would be told."""
_MOST_RECENT: Final = 512
"""Texts that are kept in mind, and as many again from before."""
_LONGEST_RECENT: Final = 512
_EDGE: Final = 4096
"""Characters before a cut that are dropped with it: whatever the cut went through is no longer whole, so not found."""
_LONGEST: Final = MAX_TEXT + 2 * _EDGE
_BESIDE: Final = tuple(
    (name, holder) for name in ("name", "key", "field", "Name", "Key") for holder in ("value", "Value")
)
_LEAST_CARD: Final = 10**12
_PROSE: Final = frozenset({"secret", "payment"})
_AMBIGUOUS: Final = frozenset({"pass", "pan", "auth", "bearer", "bic"})


def _is_no_word(value: str) -> bool:
    return any(each.isdigit() or not each.isalnum() for each in value)


class Cleaner(Rulebook):
    """Holds values to a policy. One object for any number of threads.

    Args:
        count: Called with ``redaction_failed`` when a value could not be examined.
        policy: What holds.
        pseudonymiser: What makes tokens; without one a constant stands for each.
        on_hit: Told of everything that is found; for explanations only.
    """

    def __init__(
        self,
        count: Callable[[str], None] | None = None,
        policy: Policy = DEFAULT,
        *,
        pseudonymiser: Pseudonymiser | None = None,
        on_hit: OnHit | None = None,
    ) -> None:
        super().__init__(policy, pseudonymiser)
        self.policy = policy
        self._count = count
        self._on_hit = on_hit
        self._lookers = lookers(policy, pseudonymiser)
        own = any(each.rule.pattern for each in self._lookers)
        self.harmless = test_for({each.rule.name for each in self._lookers}, own=own)
        self.harmless_all: Callable[[list[str], str], bool] = (
            harmless_all if self.harmless is harmless else lambda _, text: self.harmless(text)
        )
        self._recent: dict[str, None] = {}
        self._older: dict[str, None] = {}
        self._finds_cards = any(each.rule.name == "card" for each in self._lookers)
        names = {rule.name for rule in policy.rules if rule.enabled}
        self._parameters, self._assignments = "parameter" in names, "assignment" in names
        self._acts = {}
        for rule in policy.rules:
            action = policy.classes.get(rule.cls, "keep")
            if action not in {"keep", "truncate", "ip_prefix"}:
                act = Act(rule.cls, action, pseudonymiser=pseudonymiser)
                self._acts[act.mark[1:-1]] = act

    # -- any value -----------------------------------------------------------------------------------------------------

    def guarded(self, key: Any, value: Any, touched: list[str], path: Any) -> Any:
        """A value as it may be kept; whatever goes wrong, the value does not pass.

        Args:
            key: The key it stands under.
            value: Anything.
            touched: Takes the keys whose values were removed or changed.
            path: The key with those above it.

        Returns:
            The value; :data:`LEFT_OUT` where none may stand there.
        """
        try:
            return self._value(key, value, touched, path)
        except Exception as error:  # noqa: BLE001 - fails closed, whatever the value does
            self._failed(error)
            touched.append(self._place(path))
            return FAILED

    def _failed(self, error: Exception) -> None:
        _guard.report("redaction", error)
        if self._count is not None:
            self._count("redaction_failed")

    def _value(self, key: Any, value: Any, touched: list[str], path: Any) -> Any:
        kind = type(value)
        scalar = kind is str or kind is int or kind is float or kind is bool or value is None
        return self._inner(key, value if scalar else plain(value), touched, path)

    def _inner(self, key: Any, value: Any, touched: list[str], path: Any) -> Any:
        """A plain value: bounded in depth and free of cycles."""
        if value is None or value is True or value is False:
            return value  # yes and no give nobody away: `email_verified` is no address
        kind = type(value)
        scalar = kind is str or kind is int or kind is float
        if scalar and key in self._identity:
            act = self._identity[key]
            return value if act is None else self._whole(act, f"identity.{key}", value, touched, path)
        keyed = self._keyed(key)
        if keyed.act is None and self._own_keys and path is not key:
            keyed = self._by_path(path, keyed)
        if keyed.act is not None and keyed.rule is not None:
            return self._whole(keyed.act, keyed.rule.name, value, touched, path)
        if kind is str:
            clean = self._string(key, value, path)
            if clean != value:
                touched.append(self._place(path))
            return clean
        if scalar:
            return value if kind is float or self.keeps_number(key, value) else self._number(value, touched, path)
        return self._structure(key, value, touched, path)

    def _structure(self, key: Any, value: Any, touched: list[str], path: Any) -> Any:
        if isinstance(value, dict):
            named, holder = self._named_beside(value)
            return self.under_clean_keys(
                [
                    (
                        inner,
                        self._inner(
                            named if inner == holder else inner, item, touched, f"{path}.{inner}" if path else inner
                        ),
                    )
                    for inner, item in value.items()
                ]
            )
        if isinstance(value, list):
            items = [self._item(key, item, touched, path) for item in value]
            return [item for item in items if item is not LEFT_OUT]
        text = value.decode("utf-8", "replace")
        if self._string(key, text, path) == text:
            return value
        touched.append(self._place(path))
        return FAILED

    def _named_beside(self, value: dict[Any, Any]) -> tuple[Any, Any]:
        """The name that a value stands beside (``{"name": "API_TOKEN", "value": "x"}``), and the value's key."""
        if len(value) > 1:
            for name, holder in _BESIDE:
                if type(value.get(name)) is str and holder in value and self._keyed(value[name]).act is not None:
                    return value[name], holder
        return None, LEFT_OUT

    def _item(self, key: Any, item: Any, touched: list[str], path: Any) -> Any:
        """An item of a list; headers often come as a list of pairs, where the first of a pair names the second."""
        if isinstance(item, list) and len(item) == 2 and isinstance(item[0], (str, bytes)):  # noqa: PLR2004 - a pair
            name = item[0] if isinstance(item[0], str) else item[0].decode("utf-8", "replace")
            if self._keyed(name).act is not None:
                second = self._inner(name, item[1], touched, f"{path}.{name}")
                first = self._inner(key, item[0], touched, path)
                return [each for each in (first, second) if each is not LEFT_OUT]
        return self._inner(key, item, touched, path)

    def _whole(self, act: Act, rule: str, value: Any, touched: list[str], path: Any) -> Any:
        """What stands in the place of a value that a key speaks for."""
        text = value if type(value) is str else str(plain(value))
        if type(value) is not str and act.action in {"truncate", "ip_prefix"} and not isinstance(value, (int, float)):
            instead: str | None = act.mark
        else:
            instead = act.whole(text)
        if instead == value:
            return value
        touched.append(self._place(path))
        if self._on_hit is not None:
            self._on_hit(Hit(str(self._place(path)), rule, act.cls, act.action, text))
        return LEFT_OUT if instead is None else instead

    # -- numbers -------------------------------------------------------------------------------------------------------

    def keeps_number(self, key: Any, value: int) -> bool:
        """Whether a whole number under a key stays: all but those of payment cards."""
        if not self._finds_cards or -_LEAST_CARD < value < _LEAST_CARD:
            return True
        keyed = self._keyed(key)
        return keyed.numbers or keyed.safe or not is_card(str(abs(value)))

    def _number(self, value: int, touched: list[str], path: Any) -> Any:
        for looker in self._lookers:
            if looker.rule.name == "card":
                return self._whole(looker.act, "card", value, touched, path)
        return value

    # -- texts ---------------------------------------------------------------------------------------------------------

    def _string(self, key: Any, value: str, path: Any = "") -> str:
        """A text without what must not leave."""
        cut = len(value) > _LONGEST or (len(value) == MAX_TEXT and value[-1] == "…")
        if cut:
            value = value[:_LONGEST]
        elif value in self._recent or self.harmless(value):
            return value
        elif value in self._older or (self.harmless is harmless and harmless_inside(value, self._known)):
            self._remember(value)
            return value
        keyed = self._keyed(key)
        clean = value
        if looks_like_json(clean):
            inside = clean_json(clean, lambda found: self._inner(key, found, [], path))
            clean = clean if inside is None else inside
        clean = self._flat(clean, keyed, path)
        if clean == value and not (cut or keyed.numbers or keyed.safe or looks_like_json(value)):
            self._remember(value)
        return f"{clean[:-_EDGE]}…" if cut else clean

    def _remember(self, text: str) -> None:
        """Keep in mind that no rule takes anything in a text, whatever its key: addresses and agents come again."""
        if len(text) <= _LONGEST_RECENT:
            if len(self._recent) >= _MOST_RECENT:
                self._older, self._recent = self._recent, {}
            self._recent[text] = None

    def _flat(self, text: str, keyed: Keyed, path: Any, levels: int = NESTED) -> str:
        """A text looked through by every rule."""
        if "[" in text and self._acts:
            text = stricter_tokens(text, self._acts)
        digits, run = many_digits(text), has_run(text)
        named = False
        for looker in self._lookers:
            if not named and not looker.early:
                named = True
                text = self._named(text, path, levels)
            needs = looker.needs
            if needs and (not digits if needs is DIGITS else not run if needs is RUN else needs not in text):
                continue
            if (keyed.numbers and looker.numbers) or (keyed.safe and not looker.secret):
                continue
            quiet = self._on_hit is None or path is _KEY
            text = looker.finder(text, looker.act.part if quiet else self._put(looker, path))
        return text if named else self._named(text, path, levels)

    def _named(self, text: str, path: Any, levels: int) -> str:
        if "%" in text:
            text = encoded(text, partial(self._decoded, path), levels)
        if self._parameters and "=" in text:
            text = parameters(text, self._known, partial(self._judge, path), partial(self._decoded, path), levels)
        if self._assignments and ("=" in text or ":" in text or not text.isascii()):
            text = assignments(text, self._known, partial(self._judge, path))
        if self._assignments and may_be_written(text):
            text = written(text, self._known, partial(self._judge, path))
        return text

    def _decoded(self, path: Any, text: str, levels: int) -> str:
        """What stood in an address as a parameter's value, and may be an address or JSON itself."""
        keyed = self._keyed("")
        if looks_like_json(text):
            inside = clean_json(text, lambda found: self._inner("", found, [], path))
            text = text if inside is None else inside
        return self._flat(text, keyed, path, levels)

    def _put(self, looker: Looker, path: Any) -> Callable[[str], str]:
        act = looker.act

        def put(found: str) -> str:
            instead = act.part(found)
            if self._on_hit is not None and instead != found:
                self._on_hit(Hit(str(self._place(path)), looker.rule.name, act.cls, act.action, found))
            return instead

        return put

    def _judge(self, path: Any, key: str, value: str, *, prose: bool) -> str | None:
        """What a key inside a text says of the value that follows it."""
        keyed = self._read(key)
        if keyed.act is None or keyed.rule is None:
            return None
        if prose and (
            keyed.rule.cls not in _PROSE or key.lower() in _AMBIGUOUS or not _is_no_word(value.rstrip(".!?:"))
        ):
            return None
        if keyed.act.is_done(value):
            return value
        if self._on_hit is not None and path is not _KEY:
            place = f"{path}.{key}" if path else key
            self._on_hit(Hit(str(self._place(place)), keyed.rule.name, keyed.act.cls, keyed.act.action, value))
        return keyed.act.part(value)

    # -- keys ----------------------------------------------------------------------------------------------------------

    def clean_key(self, key: Any) -> Any:
        """A key without what must not leave: it may itself be somebody's address, or hold a token."""
        if type(key) is not str:
            return key
        try:
            keyed = self._keyed(key)
            if keyed.clean is None:
                keyed.clean = self._readable(key)
        except Exception as error:  # noqa: BLE001 - fails closed, as for values
            self._failed(error)
            return FAILED
        return keyed.clean

    def under_clean_keys(self, items: list[tuple[Any, Any]]) -> dict[Any, Any]:
        """A mapping of clean values under clean keys. None is lost because two keys have become the same."""
        pairs = [(self.clean_key(key), value) for key, value in items if value is not LEFT_OUT]
        found = dict(pairs)
        if len(found) == len(pairs):
            return found
        found, times = {}, Counter[Any]()
        for key, value in pairs:
            name = key
            while name in found:
                times[key] += 1
                name = f"{key} {times[key] + 1}"
            found[name] = value
        return found

    def _place(self, path: Any) -> Any:
        """A key with those above it, as it may be shown."""
        try:
            return self._readable(path)
        except Exception:  # noqa: BLE001 - what broke has been counted where it stands
            return FAILED

    def _readable(self, key: Any) -> Any:
        if type(key) is not str or self.harmless(key):
            return key
        if looks_like_json(key):
            inside = clean_json(key, lambda found: self._inner("", found, [], _KEY))
            key = key if inside is None else inside
        return self._flat(key, self._keyed(""), _KEY)
