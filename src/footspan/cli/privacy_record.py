"""The record of processing as Markdown: from the settings alone, the same text for the same settings."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c
from footspan.cli.privacy_deletion import place_of
from footspan.config.consent import DEFAULT_EVENTS, PURPOSES, action_for
from footspan.config.policy import ACTIONS, BUILT_IN, CLASSES, IDENTITY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from footspan.config import DestinationSettings, Settings
    from footspan.config.policy import Policy, Rule

_MIB: Final = 1024 * 1024
_DAY: Final = 86_400.0

_COLLECTED: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("identity", (*IDENTITY.values(), c.ENDUSER_PSEUDO_ID, c.SESSION_PREVIOUS_ID)),
    (
        "page and browser",
        (
            c.URL_FULL,
            c.URL_PATH,
            c.URL_QUERY,
            c.SERVER_ADDRESS,
            c.HTTP_REQUEST_HEADER_REFERER,
            c.BROWSER_LANGUAGE,
            c.SCREEN,
            c.PAGE_TITLE,
            c.GEO_COUNTRY_ISO_CODE,
        ),
    ),
    ("origin of a visit", (*c.TOUCHES.values(), f"{c.FIRST_TOUCH}.*")),
    ("failures", (c.ERROR_TYPE, c.EXCEPTION_MESSAGE, c.EXCEPTION_STACKTRACE)),
    ("machine", (c.HOST_NAME, c.HOST_IP, c.OS_DESCRIPTION)),
)
"""What has an attribute of its own, by what it is about."""

_LEAVES: Final = {
    "umami": "The user's id as the distinct id (a longer one than 50 characters as a UUID made of it), the visitor's "
    "address, user agent, language and screen, page addresses, custom properties. E-mail address and full name never.",
    "opentrace": "The session, else a hash of the user or visitor; page addresses, campaign, custom properties. "
    "User id, e-mail address and full name never.",
    "trace_telemetry": "Custom properties and the conventional ones, the machine's name and address. E-mail "
    "address and full name only where its own client gave them.",
    "dash_tracker": "Page addresses, the visitor's address and user agent, the user's fields, custom properties.",
    "otlp": "Events whole: every attribute, resource and scope.",
    "logging": "Events whole, in the application's own log.",
    "console": "Events whole, on standard error.",
}


def record_of(settings: Settings) -> str:
    """The whole record."""
    name = settings.service.name or "(a service without a name)"
    parts = [
        [f"# Record of processing: product analytics of {_cell(name)}"],
        ["Made by `footspan privacy report` from the settings; do not edit. It says what is processed under them."],
        *([["**Switched off**: nothing is recorded."]] if not settings.enabled else []),
        *_collected(settings),
        *_purposes(settings),
        *_destinations(settings),
        *_retention(settings),
        *_removal(settings),
        *_keys(settings),
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _collected(settings: Settings) -> list[list[str]]:
    policy = settings.privacy.rules
    rows = []
    for about, attributes in _COLLECTED:
        for attribute in dict.fromkeys(attributes):
            becomes = policy.identity.get(attribute, "keep") if attribute in IDENTITY.values() else "by the rules below"
            rows.append([f"`{attribute}`", about, _action(becomes)])
    rows.append(["custom properties and body", "what the application passes to `track`", "by the rules below"])
    classes = [[f"`{cls}`", _action(policy.classes.get(cls, "keep"))] for cls in CLASSES]
    on = [_rule(rule, policy) for rule in policy.rules if policy.action_of(rule) != "keep"]
    off = [rule for rule in policy.rules if policy.action_of(rule) == "keep"]
    names = ", ".join(f"`{rule.name}` ({'kept' if rule.enabled else 'off'})" for rule in off) or "none"
    safe = _quoted(policy.safe_keys) or "none"
    sampling = settings.sampling
    share = f"{sampling.rate * 100:g} % by {sampling.by}" if sampling.enabled else "every event"
    rules = len(sampling.rules) if sampling.enabled else 0
    return [
        ["## What is collected"],
        [
            f"Policy: {'a file of its own' if settings.privacy.policy else 'the built-in one'}. Kept: {share}"
            + (f", {rules} other rates for some events." if rules else ".")
        ],
        _table(["attribute", "about", "what becomes of it"], rows),
        ["### By class"],
        _table(["class of data", "what becomes of it"], classes),
        ["### Rules in force"],
        _table(["rule", "class", "looks at", "what becomes of it"], on),
        [f"Rules without effect: {names}."],
        [f"Keys that are examined for secrets alone: {safe}."],
    ]


def _sorted(settings: Settings) -> list[DestinationSettings]:
    return sorted(settings.destinations, key=lambda each: each.name)


def _quoted(texts: Iterable[str]) -> str:
    return ", ".join(f"`{_cell(text)}`" for text in texts)


def _rule(rule: Rule, policy: Policy) -> list[str]:
    if rule.built_in:
        looks = BUILT_IN[rule.name].help
    elif rule.keys:
        looks = "Values under keys such as " + _quoted(rule.keys) + "."
    else:
        looks = f"Values that match `{_cell(rule.pattern)}`."
    return [f"`{rule.name}`", f"`{rule.cls}`", looks, _action(policy.action_of(rule))]


def _purposes(settings: Settings) -> list[list[str]]:
    privacy, purposes = settings.privacy, settings.privacy.purposes
    given = dict(purposes.events)
    rows = []
    for purpose in PURPOSES:
        patterns = given.get(purpose, DEFAULT_EVENTS.get(purpose, ()))
        listed = _quoted(patterns) or ("every other event" if purpose == PURPOSES[0] else "none")
        without = ", ".join(f"{each.name}: {action_for(purposes, purpose, each.name)}" for each in _sorted(settings))
        rows.append([purpose, listed, without or action_for(purposes, purpose, "")])
    if privacy.consent == "opt_out":
        consent = "`opt_out`: events are recorded until a person refuses a purpose."
    else:
        consent = "`opt_in`: events are recorded once a person has agreed to their purpose."
    refusals = [f"the cookie `{_cell(purposes.cookie)}`"] if purposes.cookie else []
    refusals += [f"`DNT: 1` ({', '.join(purposes.dnt)})"] if purposes.dnt else []
    refusals += [f"`Sec-GPC: 1` ({', '.join(purposes.gpc)})"] if purposes.gpc else []
    needed = "need consent to marketing" if purposes.campaigns else "need no consent of their own"
    return [
        ["## Why"],
        [f"Consent is {consent}"],
        _table(["purpose", "events", "without consent"], rows),
        [
            f"A request says what its visitor agrees to by {', '.join(refusals) or 'nothing'};",
            f"the application by `set_context(consent=...)`. Click ids and campaign parameters {needed}.",
        ],
    ]


def _destinations(settings: Settings) -> list[list[str]]:
    found: list[list[str]] = [["## Where it goes"]]
    if not settings.destinations:
        return [*found, ["Nowhere: the settings name no destination."]]
    rows = []
    for each in _sorted(settings):
        patterns = "every event" if each.events is None else _quoted(each.events) or "none"
        rows.append([each.name, each.type, _cell(place_of(each)), patterns, "yes" if each.enabled else "switched off"])
    found.append(_table(["destination", "type", "host", "events", "in use"], rows))
    for each in _sorted(settings):
        found += [[f"### {each.name}"], [_LEAVES.get(each.type, "What its class sends; it is given events whole.")]]
        if each.privacy is not None:
            found.append(_table(["gets less", "what becomes of it"], _tightened(each, settings.privacy.rules)))
    return found


def _tightened(destination: DestinationSettings, base: Policy) -> list[list[str]]:
    policy = destination.privacy
    assert policy is not None
    rows = [[f"`{key}`", _action(action)] for key, action in sorted(policy.identity.items())]
    rows += [[f"class `{cls}`", _action(policy.classes[cls])] for cls in CLASSES if cls in policy.classes]
    for rule in policy.rules:
        action = rule.action or "keep"
        if rule.enabled and action != "keep" and ACTIONS.index(action) > ACTIONS.index(_stored(rule, base)):
            rows.append([f"rule `{rule.name}`", _action(action)])
    return rows or [["nothing", ""]]


def _stored(rule: Rule, base: Policy) -> Any:
    return next((base.action_of(each) for each in base.rules if each.name == rule.name), "keep")


def _retention(settings: Settings) -> list[list[str]]:
    spool = settings.spool
    if spool.durability == "memory":
        return [
            ["## For how long"],
            ["Events wait in the process's memory until every destination has them, and end with it."],
        ]
    rows = [
        ["events not delivered yet", _time(spool.max_age), _size(spool.max_bytes)],
        *(
            [
                ["spans not delivered yet", _time(spool.max_age), _size(spool.spans_max_bytes)],
                ["plain log records not delivered yet", _time(spool.max_age), _size(spool.logs_max_bytes)],
            ]
            if spool.spans
            else []
        ),
        ["events every destination has", "until the next tidying", ""],
        ["events a destination refused", "until they are deleted or the size is reached", "32 MiB a destination"],
        ["damaged bytes in quarantine", "until they are deleted or the size is reached", "64 MiB"],
        ["who was forgotten (keyed digests)", "until the entry expires, 30 days by default", ""],
    ]
    return [
        ["## For how long"],
        ["On the machine that records it, in files that only the service's user may read:"],
        _table(["what", "how long at the most", "how much at the most"], rows),
        ["What a destination has is kept as long as it keeps it."],
    ]


def _removal(_settings: Settings) -> list[list[str]]:
    return [
        ["## How it is removed"],
        [
            "- Before it is stored: what the policy removes is never on disk, in a request or in a log.",
            "- On request: `footspan privacy forget` makes a person's waiting and refused events blank,",
            "  keeps what comes later from being sent, and names what is to be deleted at each destination.",
            "- By age and size: as above.",
        ],
    ]


def _keys(settings: Settings) -> list[list[str]]:
    from footspan.config import ConfigurationError  # noqa: PLC0415 - only here
    from footspan.config.pseudonyms import read_keys  # noqa: PLC0415 - the same

    given = settings.privacy.pseudonyms
    found = [["## Pseudonyms"]]
    if given.key_file is not None:
        try:
            keys = read_keys(given.key_file)
        except ConfigurationError:
            return [*found, ["A file of keys is named, and cannot be used: no pseudonyms are made."]]
        rows = [[f"`{key.id}`", _date(key.created), "" if key.expires is None else _date(key.expires)] for key in keys]
        text = "Tokens are HMAC-SHA-256 under the newest key. A value cannot be found again once its key is destroyed."
        return [*found, [text], _table(["key", "makes tokens from", "until"], rows)]
    if given.key is not None:
        return [*found, ["Tokens are HMAC-SHA-256 under one key of the settings, without end."]]
    return [*found, ["None: there is no key."]]


# -- pieces ------------------------------------------------------------------------------------------------------------


_ACTION: Final = {
    "keep": "kept",
    "truncate": "cut",
    "ip_prefix": "network only (/24, /48)",
    "partial": "masked but for the end",
    "pseudonym": "keyed pseudonym",
    "hash": "hash",
    "mask": "masked",
    "drop": "left out",
}


def _action(action: str) -> str:
    return _ACTION.get(action, action)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines]


def _cell(text: str) -> str:
    """Text of the settings, on one line and without what Markdown would take for its own."""
    return "".join(each if each.isprintable() and each not in "`<>" else "?" for each in text)


def _size(size: int) -> str:
    return f"{size / _MIB:g} MiB"


def _time(seconds: float) -> str:
    return f"{seconds / _DAY:g} days" if seconds >= _DAY else f"{seconds / 3600:g} hours"


def _date(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%d %H:%M} UTC"
