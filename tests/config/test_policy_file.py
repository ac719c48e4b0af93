"""A policy file: what it may say, and what is said of a mistake in it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

import footspan
from footspan import conventions as c
from footspan.config import ConfigurationError, load_settings
from footspan.config.errors import stop
from footspan.config.policy import BUILT_IN, CLASSES, DEFAULT, IDENTITY, Policy
from footspan.config.policy_file import read_policy
from footspan.config.survey import survey
from footspan.privacy.keys import BY_NAME
from footspan.privacy.texts import FINDERS

_ELSEWHERE = {"parameter", "assignment"}  # what looks for keys inside text


def policy(tmp_path: Path, text: str, **more: Any) -> Policy:
    """The policy of a file."""
    path = tmp_path / "privacy.yaml"
    path.write_text(text, encoding="utf-8")
    return read_policy(path, **more)


def rule(found: Policy, name: str) -> Any:
    """One rule of a policy."""
    return next(each for each in found.rules if each.name == name)


def test_every_rule_there_is_does_something() -> None:
    """What is declared is what is implemented."""
    assert set(BUILT_IN) == set(BY_NAME) | set(FINDERS) | _ELSEWHERE
    assert {each.cls for each in BUILT_IN.values()} == set(CLASSES)


def test_identity_is_named_as_events_name_it() -> None:
    """Settings write the attributes out; events have them from the conventions."""
    assert {field: c.REQUEST_ALIASES[field] for field in IDENTITY} == dict(IDENTITY)


def test_no_file_and_an_empty_file_are_the_default(tmp_path: Path) -> None:
    """The built-in rules, unless something else is said."""
    assert read_policy(None) is DEFAULT
    assert policy(tmp_path, "") == DEFAULT


def test_all_that_a_policy_may_say(tmp_path: Path) -> None:
    """Classes, rules switched and changed, own rules, identity, safe keys, countries, destinations."""
    found = policy(
        tmp_path,
        """
classes: {location: ip_prefix, contact: partial}
rules:
  email: off
  us_ssn: on
  phone: drop
  card: {action: partial}
  free_text_key: {action: truncate, length: 20}
  staff: {class: identifier, keys: ["staff*", badge no], action: hash}
  badge: {class: identifier, pattern: 'B-[0-9]{4}', action: mask}
identity: {user_id: pseudonym, client.address: ip_prefix}
safe_keys: [colour]
phone_regions: [DE]
destinations:
  umami: {classes: {identifier: drop}, rules: {badge: drop}, identity: {email: drop}}
""",
        destinations={"umami"},
    )

    assert found.classes["location"] == "ip_prefix"
    assert found.classes["secret"] == "mask"
    assert not rule(found, "email").enabled
    assert found.action_of(rule(found, "us_ssn")) == "mask"
    assert found.action_of(rule(found, "phone")) == "drop"
    assert rule(found, "free_text_key").length == 20
    assert [each.name for each in found.rules][:2] == ["staff", "badge"]
    assert rule(found, "staff").keys == ("staff*", "badge no")
    assert found.identity == {c.USER_ID: "pseudonym", c.CLIENT_ADDRESS: "ip_prefix"}
    assert found.safe_keys == ("colour",)
    own = found.destinations["umami"]
    assert own.classes == {"identifier": "drop"}
    assert own.action_of(rule(own, "staff")) == "drop"
    assert own.action_of(rule(own, "card")) == "keep"  # has been masked in part before it was stored
    assert own.identity == {c.USER_EMAIL: "drop"}


def test_without_defaults_only_what_is_named_is_on(tmp_path: Path) -> None:
    """A policy of one's own from the ground up."""
    found = policy(tmp_path, "{defaults: false, rules: {email: on}}")

    assert [each.name for each in found.rules if each.enabled] == ["email"]


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("clases: {}", "clases", "Did you mean classes?"),
        ("classes: {secrets: mask}", "classes.secrets", "Did you mean secret?"),
        ("classes: {secret: maks}", "classes.secret", "Did you mean mask?"),
        ("classes: [a]", "classes", "a list of 1 items"),
        ("rules: {emial: off}", "rules.emial", "Did you mean email?"),
        ("rules: {email: perhaps}", "rules.email", "Write on, off or one of"),
        ("rules: {email: {acton: drop}}", "rules.email.acton", "Did you mean action?"),
        ("rules: {Own: {class: contact, keys: [a]}}", "rules.Own", "lower-case"),
        ("rules: {own: {keys: [a]}}", "rules.own.class", "Write one of secret"),
        ("rules: {own: {class: contact}}", "rules.own", "neither keys nor a pattern"),
        ("rules: {own: {class: contact, keys: [a], pattern: b}}", "rules.own", "both keys and a pattern"),
        ("rules: {own: {class: contact, pattern: '(?=a)b'}}", "rules.own.pattern", "RE2 cannot read"),
        ("rules: {own: {class: contact, pattern: 'a*'}}", "rules.own.pattern", "finds nothing everywhere"),
        ("identity: {user_ids: drop}", "identity.user_ids", "Did you mean user_id?"),
        ("phone_regions: [Germany]", "phone_regions", "Write two capitals"),
        ("phone_regions: [UK]", "phone_regions", "such as GB"),
        ("safe_keys: [colour, '-']", "safe_keys", "Separators do not count"),
        ("rules: {own: {class: contact, keys: ['_']}}", "rules.own.keys", "Separators do not count"),
        ("destinations: {umani: {}}", "destinations.umani", "Did you mean umami?"),
        ("destinations: {umami: {classes: {secret: keep}}}", "destinations.umami.classes.secret", "only remove more"),
        ("destinations: {umami: {rules: {email: off}}}", "destinations.umami.rules.email", "only remove more"),
        ("a: 1\na: 2", "line 2", "a second time"),
        ("[a]", "privacy.yaml", "no mapping"),
        ("a: [", "privacy.yaml", "not valid YAML"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, key: str, says: str) -> None:
    """The key, what was found and the fix."""
    with pytest.raises(ConfigurationError) as caught:
        policy(tmp_path, text, destinations={"umami"})

    assert key in caught.value.key
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "classes: {secret: hunter2}",
        "identity: {user_id: hunter2}",
        "defaults: hunter2",
        "rules: {email: {length: hunter2}}",
        "rules: {own: {class: secret, pattern: 'hunter2('}}",
        "safe_keys: {a: hunter2}",
        "phone_regions: [hunter2]",
        "destinations: {umami: hunter2}",
        "hunter2",
        "a: *hunter2",
    ],
)
def test_what_stands_there_is_described_not_quoted(tmp_path: Path, text: str) -> None:
    """Somebody may paste an example of what is to be found."""
    with pytest.raises(ConfigurationError) as caught:
        policy(tmp_path, text, destinations={"umami"})

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "classes: &a {secret: *a}",
        "&a {classes: *a}",
        "rules: &a {own: *a}",
        "classes: " + "[" * 500 + "]" * 500,
        "a: &a [x,x,x,x]\nb: &b [*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c]\nclasses: *d",
        "classes: !!python/object/apply:os.getcwd []",
        "classes: {}\n---\nrules: {}",
        "\0",
    ],
)
def test_a_hostile_file_is_refused(tmp_path: Path, text: str) -> None:
    """Loops, bombs, tags: a mistake like any other."""
    with pytest.raises(ConfigurationError):
        policy(tmp_path, text)


def test_all_mistakes_are_found_at_once(working_directory: Path) -> None:
    """By whoever asks for all, as `footspan config check` does."""
    (working_directory / "p.yaml").write_text("{clases: {}, classes: {secret: maks}}", encoding="utf-8")
    found = survey(overrides={"privacy": {"policy": "p.yaml"}}, environ={})

    assert len(found.problems) == 2


def test_a_pattern_needs_re2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it, its command to install it."""
    monkeypatch.setitem(sys.modules, "re2", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'footspan\[privacy\]'"):
        policy(tmp_path, "rules: {own: {class: contact, pattern: b}}")


def test_settings_read_it(working_directory: Path) -> None:
    """With what holds for a destination in that destination's settings."""
    (working_directory / "p.yaml").write_text("destinations: {console: {classes: {location: drop}}}", encoding="utf-8")
    settings = load_settings(
        environ={}, overrides={"privacy": {"policy": "p.yaml"}, "destinations": {"console": {"enabled": True}}}
    )

    assert settings.privacy.rules.destinations
    assert settings.destinations[0].privacy == settings.privacy.rules.destinations["console"]


def test_a_missing_file_stops_the_start() -> None:
    """No start under another policy than the one that was named."""
    with pytest.raises(footspan.ConfigurationError, match=r"privacy\.policy"):
        read_policy(Path("/nowhere/privacy.yaml"), report=stop)


def test_one_policy_is_for_all_trackers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has destinations of its own; a name that nobody has is refused where file and environment say all."""
    file = tmp_path / "privacy.yaml"
    file.write_text("destinations: {umami: {classes: {contact: drop}}, opentraceclient: {classes: {contact: drop}}}\n")
    monkeypatch.setenv("FOOTSPAN_PRIVACY_POLICY", str(file))
    loaded = load_settings(overrides={"destinations": {"console": {"enabled": True}}})
    assert [each.name for each in loaded.destinations] == ["console"]
    with pytest.raises(ConfigurationError, match=r"destinations\.umami: found a destination that there is not"):
        load_settings(overrides={"service_name": "shop"})
