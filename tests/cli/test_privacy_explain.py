"""Tests for the commands ``footspan privacy explain`` and ``footspan privacy report``."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from footspan.cli.commands import footspan as command
from spool.making import having, line

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

SECRETS = ("hunter2", "bob@example.com", "4111 1111 1111 1111", "sk_live_4eC39HqLyjWDarjtT1zdp7dc")


def privacy(*arguments: object, **more: Any) -> Result:
    """The result of a command."""
    return CliRunner().invoke(command, ["privacy", *map(str, arguments)], **more)


def answers(text: str | bytes, *arguments: object) -> list[dict[str, Any]]:
    """What it says for programs of what stands on standard input."""
    result = privacy("explain", "-", "--json", *arguments, input=text)
    assert result.exit_code == 0, result.output
    return [json.loads(each) for each in result.stdout.splitlines()]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings with a policy that tightens one destination."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "privacy.yaml").write_text(
        "rules: {ip_address: off, us_ssn: on}\n"
        "identity: {ip: ip_prefix}\n"
        "safe_keys: [colour]\n"
        "destinations: {umami: {identity: {user_id: drop}, classes: {location: drop}}}\n"
    )
    path = tmp_path / "footspan.yaml"
    path.write_text(
        """
telemetry:
  service: {name: shop}
  privacy: {policy: privacy.yaml}
  destinations:
    umami:
      url: https://stats.example.com/secret-path
      website: 6f3a1f0e-5f0a-4a52-9a6e-0f7a3f5f2c11
      events: ["user.*"]
    otlp: {endpoint: "https://otlp.example.com", headers: {authorization: hunter2}}
"""
    )
    return path


def test_text_lines() -> None:
    """Each line as it would be stored, and the rule for each finding."""
    [one, two] = answers("call bob@example.com\n\nall is well\n")
    assert (one["line"], one["form"], one["redacted"]) == (1, "text", "call [contact]")
    assert one["hits"] == [{"path": "", "rule": "email", "class": "contact", "action": "mask"}]
    assert (two["line"], two["hits"]) == (3, [])


def test_properties_and_events() -> None:
    """A JSON object is examined by key and value at any depth, with the place of each finding."""
    [one] = answers(json.dumps({"name": "signup", "properties": {"password": "hunter2", "user.id": "u_1"}}))
    assert one["form"] == "properties"
    assert one["redacted"]["properties"]["password"] == "[secret]"
    assert [hit["path"] for hit in one["hits"]] == ["properties.password"]
    assert one["identity"] == ["user.id"]


def test_otlp_lines() -> None:
    """Every record of a line is an item of its own."""
    [one] = answers(line("1", name="signup", note="bob@example.com", **having({"user.id": "u_1"})))
    assert (one["form"], one["redacted"]["name"], one["redacted"]["note"]) == ("otlp", "signup", "[contact]")


def test_a_form_can_be_named() -> None:
    """JSON as text is looked at as text."""
    assert answers('{"a": 1}', "--as", "text")[0]["form"] == "text"
    assert answers("{no json", "--as", "properties")[0]["form"] == "text"


def test_what_a_destination_gets_less(file: Path) -> None:
    """Only destinations with rules of their own are named, with what these remove besides."""
    [one] = answers(json.dumps({"user.id": "u_1", "city": "Berlin"}), "--config", file)
    assert one["redacted"] == {"user.id": "u_1", "city": "Berlin"}
    assert one["destinations"]["umami"]["redacted"] == {}
    assert "otlp" not in one["destinations"]
    assert privacy("explain", "-", "--to", "nobody", "--config", file, input="x").exit_code == 2


def test_no_value_is_shown() -> None:
    """Whatever the form, what was removed is nowhere in the output."""
    for text in (
        " ".join(SECRETS).replace("hunter2", "password=hunter2"),
        json.dumps({"password": SECRETS[0], "a": SECRETS[1], "b": [SECRETS[2]], "c": {"d": SECRETS[3]}}),
    ):
        for options in ((), ("--json",)):
            result = privacy("explain", "-", *options, input=text)
            for secret in SECRETS:
                assert secret not in result.output
                assert base64.b64encode(secret.encode()).decode() not in result.output


def test_values_are_for_a_terminal_alone() -> None:
    """Where output goes to a file, they are refused."""
    result = privacy("explain", "-", "--show-values", input="bob@example.com")
    assert result.exit_code == 2
    assert "bob@" not in result.output


def test_check_is_an_exit_code() -> None:
    """So a pipeline can hold a log to the policy."""
    assert privacy("explain", "-", "--check", input="all is well").exit_code == 0
    found = privacy("explain", "-", "--check", input="all is well\nbob@example.com")
    assert found.exit_code == 1
    assert "all is well" not in found.output


@pytest.mark.parametrize("text", [b"\xff\xfe\x00", b"\x1b[2J", b"{" * 5_000, b"x" * 100_000, b""], ids=range(5))
def test_any_bytes(text: bytes) -> None:
    """Nothing breaks it, and nothing of it speaks to the terminal."""
    result = privacy("explain", "-", input=text)
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.output


def test_the_record_says_what_is_in_force(file: Path) -> None:
    """What is collected, why, where it goes, how long, how it is removed: from the settings."""
    result = privacy("report", "--config", file)
    assert result.exit_code == 0, result.output
    text = result.stdout
    for heading in ("What is collected", "Why", "Where it goes", "For how long", "How it is removed", "Pseudonyms"):
        assert f"## {heading}" in text
    assert "| `client.address` | identity | network only (/24, /48) |" in text
    assert "`ip_address` (off)" in text
    assert "| `us_ssn` |" in text
    assert "| umami | umami | stats.example.com | `user.*` | yes |" in text
    assert "| `user.id` | left out |" in text
    assert "| class `location` | left out |" in text
    assert "`colour`" in text


def test_the_record_holds_no_secret(file: Path) -> None:
    """Neither a key nor more of an address than its host."""
    text = privacy("report", "--config", file).stdout
    assert "hunter2" not in text
    assert "secret-path" not in text


def test_the_record_names_keys_without_them(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their ids and times, so that somebody sees when one ended."""
    keys = file.parent / "keys.json"
    secret = base64.b64encode(b"k" * 32).decode()
    keys.write_text(json.dumps({"keys": [{"id": "k1", "key": secret, "created": "2026-01-02T03:04:00Z"}]}))
    keys.chmod(0o600)
    monkeypatch.setenv("FOOTSPAN_PRIVACY_PSEUDONYMS_KEY_FILE", str(keys))
    text = privacy("report", "--config", file).stdout
    assert "| `k1` | 2026-01-02 03:04 UTC |" in text
    assert secret not in text


def test_the_record_is_stable(file: Path, tmp_path: Path) -> None:
    """The same settings give the same text, which a pipeline can hold to them."""
    kept = tmp_path / "processing.md"
    assert privacy("report", "--config", file, "--output", kept).exit_code == 0
    assert privacy("report", "--config", file).stdout == kept.read_text()
    assert privacy("report", "--config", file, "--check", kept).exit_code == 0
    file.write_text(file.read_text().replace("shop", "store"))
    assert privacy("report", "--config", file, "--check", kept).exit_code == 1


def test_the_record_of_nothing() -> None:
    """Without destinations it says so."""
    assert "Nowhere" in privacy("report").stdout
