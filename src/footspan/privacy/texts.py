"""What is looked for inside one text, rule after rule.

Each rule sees what the ones before have left. What they leave holds nothing that any rule takes for data, so the order
decides only under whose name a piece goes.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from footspan.config.policy import ACTIONS, REGIONS
from footspan.privacy import contact, national, payment, secrets
from footspan.privacy.actions import MARKS, TOKENS, Act
from footspan.privacy.addresses import ip_addresses

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Mapping

    from footspan.config.policy import Policy, Rule
    from footspan.privacy.pseudonym import Pseudonymiser

    Put = Callable[[str], str]
    Finder = Callable[[str, Put], str]

FINDERS: Final[Mapping[str, Finder]] = {
    "private_key": secrets.private_keys,
    "url_credentials": secrets.url_credentials,
    "iban": payment.ibans,
    "card": payment.cards,
    "phone": partial(contact.phones, regions=REGIONS),
    # Here values under keys inside the text: see `BEFORE_NAMED`.
    "authorization": secrets.authorizations,
    "jwt": secrets.jwts,
    "api_key": secrets.api_keys,
    "us_ssn": national.us_ssn,
    "de_tax_id": national.de_tax_id,
    "uk_nino": national.uk_nino,
    "es_dni": national.es_dni,
    "fr_nir": national.fr_nir,
    "email": contact.emails,
    "ip_address": ip_addresses,
}
"""The built-in rules that look at values, in the order in which they look."""

BEFORE_NAMED: Final = frozenset({"private_key", "url_credentials", "iban", "card", "phone"})
"""Those that know where a value of several words ends, and so look before a key is believed about the next word."""

NUMBERS: Final = frozenset({"card", "phone", "us_ssn", "de_tax_id"})
"""Rules that take plain digits; a key that says the digits are something else is believed."""


DIGITS: Final = "0"
RUN: Final = "a"
NEEDS: Final[Mapping[str, str]] = {
    "url_credentials": "://",
    "jwt": "eyJ",
    "api_key": RUN,
    "card": DIGITS,
    "phone": DIGITS,
    "us_ssn": DIGITS,
    "de_tax_id": DIGITS,
    "es_dni": DIGITS,
    "fr_nir": DIGITS,
}
"""What a text must have for a rule to find anything: many digits, a long run, or just these characters."""


class Looker:
    """One rule at work on texts.

    Attributes:
        rule: The rule.
        act: What becomes of what it finds.
        finder: What finds it.
        needs: See :data:`NEEDS`; empty where that is the finder's own matter.
        early: Whether it looks before keys inside the text are believed.
        twice: Whether it looks again when all others have.
        numbers: Whether a key that says what digits are is believed.
        secret: Whether even values under safe keys are looked at.
    """

    __slots__ = ("act", "early", "finder", "needs", "numbers", "rule", "secret", "twice")

    def __init__(self, rule: Rule, act: Act, finder: Finder, *, early: bool | None = None) -> None:
        self.rule = rule
        self.act = act
        self.finder = finder
        self.needs = NEEDS.get(rule.name, "") if rule.built_in else ""
        self.early = (not rule.built_in or rule.name in BEFORE_NAMED) if early is None else early
        self.twice = rule.name == "phone"
        self.numbers = rule.name in NUMBERS
        self.secret = rule.cls == "secret"


def lookers(policy: Policy, pseudonymiser: Pseudonymiser | None) -> list[Looker]:
    """The rules of a policy that look at values and change something."""
    found = []
    built_in = {}
    for rule in policy.rules:
        action = policy.action_of(rule)
        if action == "keep":
            continue
        act = Act(rule.cls, action, rule.length, pseudonymiser)
        if rule.pattern:
            found.append(Looker(rule, act, _own(rule.pattern)))
        elif rule.name == "phone":
            built_in[rule.name] = Looker(rule, act, partial(contact.phones, regions=policy.phone_regions))
        elif rule.name in FINDERS:
            built_in[rule.name] = Looker(rule, act, FINDERS[rule.name])
    # Telephone numbers once more: one may begin where another piece was.
    again = [Looker(each.rule, each.act, each.finder, early=False) for each in built_in.values() if each.twice]
    return [*found, *(built_in[name] for name in FINDERS if name in built_in), *again]


def _own(pattern: str) -> Finder:
    import re2  # noqa: PLC0415 - the policy was refused where it is missing

    compiled: Any = re2.compile(pattern)

    def find(text: str, put: Put) -> str:
        kept: list[str] = []
        end = 0
        for match in compiled.finditer(text):
            start, stop = match.span()
            if stop > start and not _inside_mark(text, start, stop):
                kept += (text[end:start], put(text[start:stop]))
                end = stop
        return "".join((*kept, text[end:])) if kept else text

    return find


def _inside_mark(text: str, start: int, stop: int) -> bool:
    """Whether a piece touches something that stands for another."""
    opening = text.rfind("[", max(0, start - _LONGEST_MARK), stop)
    while opening >= 0:
        if any(text.startswith(mark, opening) for mark in _MARKS):
            close = opening + next(len(mark) for mark in _MARKS if text.startswith(mark, opening))
        elif (token := TOKENS.match(text, opening)) is not None:
            close = token.end()
        else:
            close = -1
        if close > start:
            return True
        opening = text.rfind("[", max(0, start - _LONGEST_MARK), opening) if opening > 0 else -1
    return False


_MARKS: Final = ("[redacted]", *MARKS.values())
_LONGEST_MARK: Final = 96


def stricter_tokens(text: str, acts: Mapping[str, Act]) -> str:
    """What stands in a text for something of a class, replaced where that class now has a stricter action.

    Args:
        text: The text.
        acts: For each class, by its mark without brackets, what becomes of its data.
    """

    def again(match: re.Match[str]) -> str:
        act = acts.get(match[0][1:].partition(" ")[0])
        return match[0] if act is None or ACTIONS.index(_written(match[0])) >= ACTIONS.index(act.action) else act.mark

    return TOKENS.sub(again, text)


def _written(token: str) -> Any:
    form = token.partition(" ")[2]
    return {"…": "partial", "p": "pseudonym", "h": "hash"}[form[0]]
