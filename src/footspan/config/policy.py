"""What a privacy policy is: classes, rules and what becomes of what they find.

Only the declarations, which ``footspan config`` and the reports need as well; :mod:`footspan.config.policy_file` reads
them from a file and :mod:`footspan.privacy` holds data to them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

Class = Literal["secret", "payment", "contact", "identifier", "location", "free_text"]
Action = Literal["keep", "truncate", "ip_prefix", "partial", "pseudonym", "hash", "mask", "drop"]

CLASSES: Final[tuple[Class, ...]] = get_args(Class)
"""Kinds of data, the gravest first."""
ACTIONS: Final[tuple[Action, ...]] = get_args(Action)
"""What can become of it, the strictest last."""

DEFAULT_ACTIONS: Final[Mapping[Class, Action]] = {
    "secret": "mask",
    "payment": "mask",
    "contact": "mask",
    "identifier": "keep",
    "location": "keep",
    "free_text": "keep",
}

IDENTITY: Final[Mapping[str, str]] = {
    "user_id": "user.id",
    "email": "user.email",
    "full_name": "user.full_name",
    "session_id": "session.id",
    "request_id": "footspan.request.id",
    "ip": "client.address",
    "user_agent": "user_agent.original",
}
"""What the API has a field for, by the field's name, and the attribute: whoever fills it says who it is. It passes
unless a policy says more. Settings know no conventions, so the names are written out; a test holds them together."""

LENGTH: Final = 64
"""Characters that ``truncate`` leaves where nothing else is said."""

REGIONS: Final = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "AT", "CH", "IN", "BR", "AU", "JP")
"""Whose national ways of writing a telephone number are known as such. International ones always are."""


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A rule that needs no declaration.

    Attributes:
        cls: What it finds.
        help: The same in words.
        by_key: Whether it looks at keys; else at values.
        enabled: Whether it is on where nobody says anything.
        action: What becomes of what it finds, where that is not the class's matter.
    """

    cls: Class
    help: str
    by_key: bool = False
    enabled: bool = True
    action: Action | None = None


BUILT_IN: Final[Mapping[str, BuiltIn]] = {
    "secret_key": BuiltIn("secret", "Values under keys such as password, api_key, access_token, cookie.", by_key=True),
    "payment_key": BuiltIn("payment", "Values under keys such as card_number, cvv, iban.", by_key=True),
    "contact_key": BuiltIn("contact", "Values under keys such as contact_email, phone, mobile.", by_key=True),
    "identifier_key": BuiltIn("identifier", "Values under keys such as customer_id, device_id, passport.", by_key=True),
    "location_key": BuiltIn("location", "Values under keys such as latitude, street, postcode.", by_key=True),
    "free_text_key": BuiltIn("free_text", "Values under keys such as comment, message, feedback.", by_key=True),
    "private_key": BuiltIn("secret", "PEM and OpenSSH blocks of private keys."),
    "url_credentials": BuiltIn("secret", "User and password in an address (https://user:password@host)."),
    "parameter": BuiltIn("secret", "Parameters of an address under a key that another rule knows, nested ones too."),
    "assignment": BuiltIn("secret", "key=value and key: value in text, under a key that another rule knows."),
    "authorization": BuiltIn("secret", "Bearer and basic credentials."),
    "jwt": BuiltIn("secret", "JSON web tokens."),
    "api_key": BuiltIn("secret", "Keys and tokens in the published form of their vendors."),
    "card": BuiltIn("payment", "Numbers of payment cards: issuer's range, length and check digit (Luhn)."),
    "iban": BuiltIn("payment", "IBANs: country, length and check digits."),
    "email": BuiltIn("contact", "E-mail addresses."),
    "phone": BuiltIn("contact", "Telephone numbers that can be dialled."),
    "ip_address": BuiltIn("location", "IPv4 and IPv6 addresses in values."),
    "us_ssn": BuiltIn("identifier", "US social security numbers.", enabled=False, action="mask"),
    "de_tax_id": BuiltIn("identifier", "German tax ids, with check digit.", enabled=False, action="mask"),
    "uk_nino": BuiltIn("identifier", "UK national insurance numbers.", enabled=False, action="mask"),
    "es_dni": BuiltIn("identifier", "Spanish DNI and NIE, with check letter.", enabled=False, action="mask"),
    "fr_nir": BuiltIn("identifier", "French social security numbers, with key.", enabled=False, action="mask"),
}
"""Every built-in rule by its name, in the order in which they look."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule as it is in force.

    Attributes:
        name: What explanations and reports call it.
        cls: The class of what it finds.
        enabled: Whether it is on.
        action: What becomes of what it finds; ``None``: what the policy says of its class.
        keys: Of an own rule: globs of keys, blind to case and separators.
        pattern: Of an own rule: an RE2 pattern that values are searched for.
        length: Characters that ``truncate`` leaves.
    """

    name: str
    cls: Class
    enabled: bool = True
    action: Action | None = None
    keys: tuple[str, ...] = ()
    pattern: str = ""
    length: int = LENGTH

    @property
    def built_in(self) -> bool:
        """Whether it comes with footspan."""
        return self.name in BUILT_IN


def _built_in_rules() -> tuple[Rule, ...]:
    return tuple(
        Rule(name=name, cls=each.cls, enabled=each.enabled, action=each.action) for name, each in BUILT_IN.items()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What may be stored and sent.

    Attributes:
        classes: What becomes of data of each class; one that is not named is kept.
        rules: What is looked for: own rules, then the built-in ones.
        identity: What becomes of the attributes of :data:`IDENTITY`; one that is not named passes.
        safe_keys: Globs of keys whose values are examined for secrets alone.
        phone_regions: Countries (ISO 3166) whose national ways of writing telephone numbers are looked for.
        destinations: What holds besides for one destination, by its name. It can only remove more.
    """

    classes: Mapping[Class, Action] = field(default_factory=lambda: dict(DEFAULT_ACTIONS))
    rules: tuple[Rule, ...] = field(default_factory=_built_in_rules)
    identity: Mapping[str, Action] = field(default_factory=dict)
    safe_keys: tuple[str, ...] = ()
    phone_regions: tuple[str, ...] = REGIONS
    destinations: Mapping[str, Policy] = field(default_factory=dict)

    def action_of(self, rule: Rule) -> Action:
        """What becomes of what a rule finds; ``keep`` for one that is off."""
        if not rule.enabled:
            return "keep"
        return rule.action or self.classes.get(rule.cls, "keep")


DEFAULT: Final = Policy()
"""In force where no policy is named."""
