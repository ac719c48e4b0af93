"""Tests for the command ``footspan explain``."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

import footspan
from cli.test_terminals import on_terminal, plain
from footspan.cli.commands import footspan as command
from footspan.otlp_json import encode_line, encode_record, encode_suffix
from programs import until
from spooled import spooled

if TYPE_CHECKING:
    from click.testing import Result

    from servers.otlp import OtlpSink
    from servers.umami import UmamiServer

WEBSITE = "6f3a1f0e-5f0a-4a52-9a6e-0f7a3f5f2c11"
KEY = "k-very-secret-0123456789"
FILE = f"""
telemetry:
  service: {{name: shop}}
  destinations:
    umami: {{url: "https://stats.example", website: {WEBSITE}, events: [payment.*, "!payment.test"]}}
    otlp: {{endpoint: "https://otlp.example/{KEY}", headers: {{x-api-key: {KEY}}}, events: ["!user.*"]}}
    proto: {{type: otlp, endpoint: "http://p.example", protocol: http/protobuf, events: [card.paid]}}
    grpc: {{type: otlp, endpoint: "http://g.example:4317", protocol: grpc, headers: {{x-key: {KEY}}}}}
    logging: {{logger: shop.events}}
    console: {{}}
    off: {{type: console, enabled: false, format: json}}
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with settings."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "footspan.yaml").write_text(FILE)
    return tmp_path


def run(*arguments: str, given: str | bytes | None = None, environ: dict[str, str] | None = None) -> Result:
    """The command in this process."""
    return CliRunner().invoke(command, ["explain", *arguments], input=given, env=environ, catch_exceptions=False)


def answer(*arguments: str, given: str | bytes | None = None, environ: dict[str, str] | None = None) -> dict[str, Any]:
    """What it prints for programs."""
    result = run(*arguments, "--json", given=given, environ=environ)
    assert result.exit_code in (0, 1), result.output
    return dict(json.loads(result.stdout))


def stored(name: str = "payment.done", **attributes: Any) -> bytes:
    """A line of OTLP JSON."""
    record = encode_record(name=name, time_ns=1_767_225_600_000_000_000, attributes=attributes)
    return encode_line(record, encode_suffix({"service.name": "shop"}, "lib"))


# -- where it goes -----------------------------------------------------------------------------------------------------


def test_each_destination_says_whether_and_why() -> None:
    """With the pattern that decided, and what that matched."""
    found = answer("--name", "card.paid", "--category", "payment")["destinations"]

    assert {name: (each["goes"], each["why"], each["pattern"], each["matched"]) for name, each in found.items()} == {
        "umami": (True, "matched", "payment.*", "payment.card.paid"),
        "otlp": (True, "not_excluded", None, None),
        "proto": (True, "matched", "card.paid", "card.paid"),
        "grpc": (True, "everything", None, None),
        "logging": (True, "everything", None, None),
        "console": (True, "everything", None, None),
        "off": (False, "disabled", None, None),
    }
    assert answer("--name", "payment.test")["destinations"]["umami"]["pattern"] == "!payment.test"
    assert answer("--name", "system.x")["destinations"]["umami"]["why"] == "no_match"
    assert answer("--name", "x", "--props", '{"footspan.destination": "grpc"}')["destinations"]["otlp"]["why"] == (
        "names_another"
    )


def test_exit_codes_tell_whether_anybody_takes_it() -> None:
    """0: somebody does; 1: nobody; 2: the question cannot be answered."""
    assert run("--name", "user.seen", "--to", "umami", "--to", "console").exit_code == 0
    assert run("--name", "user.seen", "--to", "umami").exit_code == 1
    for wrong in (
        (),
        ("a-uid", "--name", "x"),
        ("a-uid", "--props", "{}", "--category", "x"),
        ("--name", "x", "--to", "nobody"),
        ("--name", "x", "--props", "{"),
        ("--name", "x", "--props", "[1]"),
        ("--name", "x", "--at", "someday"),
        ("no-such-uid",),
        ("missing/file.jsonl",),
        ("footspan.yaml",),
        ("--name", "x", "--config", "missing.yaml"),
    ):
        assert run(*wrong).exit_code == 2, wrong
    assert run("--name", "x", environ={"TELEMETRY_ENABLED": "0"}).exit_code == 2
    assert run("--name", "x", environ={"FOOTSPAN_PRIVACY_PSEUDONYMS_KEY": "short"}).exit_code == 2


def test_settings_without_destinations(folder: Path) -> None:
    """Are no mistake of the question's: the event goes nowhere."""
    (folder / "footspan.yaml").write_text("telemetry: {}\n")
    result = run("--name", "x")

    assert result.exit_code == 1
    assert "no destination" in result.output


# -- what would leave --------------------------------------------------------------------------------------------------


def test_the_request_is_the_one_that_would_leave() -> None:
    """Method, address, headers and body, for each way to write one."""
    arguments = ("--name", "card.paid", "--category", "payment", "--at", "2026-01-01T00:00Z")
    found = answer(*arguments, "--props", '{"amount": 9.99, "user_id": "u1"}')["destinations"]
    umami, otlp, proto, grpc = (found[name]["request"] for name in ("umami", "otlp", "proto", "grpc"))

    assert (umami["method"], umami["address"], umami["form"]) == ("POST", "https://stats.example/api/send", "JSON")
    assert umami["headers"]["Content-Type"] == "application/json"
    assert umami["body"]["payload"]["timestamp"] == 1767225600
    assert umami["body"]["payload"]["data"]["amount"] == 9.99
    assert otlp["form"] == "JSON, gzip"
    assert otlp["headers"]["Content-Length"] == str(otlp["bytes"])
    for request in (otlp, proto, grpc):
        record = request["body"]["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
        assert (record["eventName"], record["timeUnixNano"]) == ("card.paid", "1767225600000000000")
    assert proto["form"] == "protobuf, gzip"
    assert (grpc["method"], grpc["form"]) == ("gRPC", "protobuf")
    assert grpc["address"].endswith(".LogsService/Export")
    assert found["logging"]["printed"].startswith("card.paid amount=9.99")
    assert found["console"]["printed"].startswith("2026-01-01T00:00:00.000Z card.paid")


def test_it_is_what_does_leave(umami_server: UmamiServer, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """The body that is shown of a stored event is the one that a server gets, byte for byte."""
    (folder / "footspan.yaml").unlink()
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_UMAMI_URL", umami_server.url)
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_UMAMI_WEBSITE", umami_server.website)
    umami_server.faults.down()
    footspan.init(exit_timeout=0)
    uid = footspan.track("payment.done", amount=9.99, note="é \U0001f600", nested={"a": [1, None]})
    shown = answer(uid, "--to", "umami")["destinations"]["umami"]["request"]
    umami_server.faults.up()
    assert not any(footspan.flush(20).values())
    [sent] = umami_server.requests

    assert json.loads(sent.body) == shown["body"]
    assert len(sent.body) == shown["bytes"]
    assert sent.path == "/api/send"
    given = {name.lower(): value for name, value in shown["headers"].items()}
    assert {name: sent.headers[name] for name in given} == given


def test_no_secret_is_shown() -> None:
    """Not of an address, a header or an option, in no form."""
    for form in ((), ("--json",)):
        result = run("--name", "x", "--props", json.dumps({"note": f"my key is {KEY}"}), *form)

        assert KEY not in result.output
        assert "***" in result.output


def test_redaction_names_keys_and_shows_no_value() -> None:
    """What is removed is in no body, no line and no list."""
    props = {"password": "hunter2", "note": "write to a.b@c.example", "n": {"iban": "DE02-1234"}, "fine": "stays"}
    for form in ((), ("--json",)):
        output = run("--name", "x", "--props", json.dumps(props), *form).output

        assert not [secret for secret in ("hunter2", "a.b@c", "DE02") if secret in output]
        assert "stays" in output
    assert answer("--name", "x", "--props", json.dumps(props))["event"]["redacted"] == ["password", "note", "n.iban"]


def test_a_refusal_before_sending_is_no_delivery(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a destination leaves out, or cannot write, does not go there."""
    (folder / "odd_place.py").write_text(
        "from footspan.destinations import HttpDestination, Request, outcome_of\n"
        "class Odd(HttpDestination):\n"
        "    type = 'odd'\n"
        "    def build(self, events):\n"
        "        if events[0].name == 'broken': raise KeyError('private value')\n"
        "        return Request('http://h.example/', b'', refused={0: 'too_odd'})\n"
        "    def read(self, answer, events): return outcome_of(answer)\n"
    )
    monkeypatch.syspath_prepend(folder)
    (folder / "footspan.yaml").write_text('telemetry: {destinations: {odd: {type: "odd_place:Odd"}}}\n')

    for name, reason in (("x", "too_odd"), ("broken", "unencodable (KeyError)")):
        result = run("--name", name)
        assert result.exit_code == 1
        assert f"refused before it is sent: {reason}" in " ".join(result.output.split())
        assert "private value" not in result.output


# -- sampling ----------------------------------------------------------------------------------------------------------


def test_what_sampling_does() -> None:
    """Kept, dropped, always kept, or left to chance where the event has nothing but an id."""
    environ = {"FOOTSPAN_SAMPLING_ENABLED": "1", "FOOTSPAN_SAMPLING_RATE": "0.5"}
    fates = set()
    for number in range(30):
        props = json.dumps({"session_id": f"s{number}"})
        found = answer("--name", "payment.x", "--props", props, "--to", "umami", environ=environ)
        kept = found["event"]["sampling"]["kept"]
        fates.add(kept)
        umami = found["destinations"]["umami"]
        assert (umami["goes"], umami["request"] is not None) == (kept, kept)
        assert umami["why"] == ("matched" if kept else "sampled_out")
    assert fates == {True, False}
    assert answer("--name", "x", environ=environ)["event"]["sampling"]["kept"] is None
    assert answer("--name", "error.x", environ=environ)["event"]["sampling"]["rate"] == 1.0
    assert answer("--name", "x")["event"]["sampling"] is None


# -- which event -------------------------------------------------------------------------------------------------------


def digest(root: Path) -> str:
    """Every file below a folder: names, contents and times."""
    found = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        state = path.stat()
        content = path.read_bytes() if path.is_file() else b""
        found.update(repr((str(path), state.st_mtime_ns, state.st_size, state.st_mode, content)).encode())
    return found.hexdigest()


def test_an_event_of_the_spool_by_its_id(otlp_sink: OtlpSink) -> None:
    """Read and not touched: no file of the spool changes, and nothing is sent."""
    otlp_sink.faults.down()
    footspan.init(service_name="shop", courier="external", destinations={"otlp": {"endpoint": otlp_sink.url}})
    uids = [footspan.track("payment.done", number=number, email_copy="a@b.example") for number in range(5)]
    root = Path(os.environ["XDG_STATE_HOME"])
    before = digest(root)
    found = answer(uids[3])

    assert found["event"]["id"] == uids[3]
    assert found["event"]["from"] == "the spool of shop"
    assert found["event"]["redacted"] == ["email_copy"]
    assert found["destinations"]["umami"]["request"]["body"]["payload"]["data"]["number"] == 3
    assert digest(root) == before
    assert len(spooled()) == 5
    assert otlp_sink.requests == []


def test_a_refused_event_by_its_id(otlp_sink: OtlpSink) -> None:
    """Once no segment holds it any more, and with the reason."""
    otlp_sink.faults.answer(400, times=100)
    footspan.init(service_name="shop", destinations={"otlp": {"endpoint": otlp_sink.url}})
    uid = footspan.track("payment.done")
    rejected = Path(os.environ["XDG_STATE_HOME"]) / "footspan" / "shop" / "rejected"
    until(lambda: any(path.stat().st_size for path in rejected.glob("*.jsonl")))
    footspan.shutdown()
    for segment in rejected.parent.joinpath("events").glob("*.jsonl"):
        segment.unlink()
    found = answer(uid, "--service", "shop")

    assert found["event"]["from"] == "the spool of shop, among what a destination refused, for http_400"
    assert found["event"]["name"] == "payment.done"


def test_a_file_and_standard_input(folder: Path) -> None:
    """One event a line or one document; somebody else's is redacted first; the first of several counts."""
    line = stored("payment.a", password="hunter2")
    (folder / "f.jsonl").write_bytes(line + stored("payment.b"))
    pretty = json.dumps(json.loads(line), indent=2)

    for result in (run("f.jsonl"), run("-", given=line), run("-", given=pretty)):
        assert result.exit_code == 0, result.output
        assert result.output.startswith("payment.a\n")
        assert "hunter2" not in result.output
        assert re.search(r"redacted +password", result.output)
    assert "the first of several" in run("f.jsonl").output
    assert run("-", given=b"").exit_code == 2
    assert run("-", given=b"\xff\x00 no event").exit_code == 2


# -- how it looks ------------------------------------------------------------------------------------------------------


def test_it_is_readable_at_80_columns() -> None:
    """Sentences are folded; names that a terminal would obey are not let through."""
    output = run("--name", "payment.\x1b[31mred\u202e", "--props", '{"a": 1}').output
    labelled = [line for line in output.splitlines() if line.startswith("  because")]

    assert labelled
    assert all(len(line) <= 80 for line in labelled)
    assert "\x1b" not in output
    assert "\u202e" not in output
    assert max(map(len, run("--name", "payment.done", "--to", "umami").output.splitlines())) <= 86  # a user agent


def test_bodies_can_be_copied_as_json() -> None:
    """However the lines are broken."""
    output = run("--name", "payment.done", "--props", '{"a": {"b": [1, "x y"]}, "e": {}}', "--to", "umami").output
    body = output.split("bytes\n", 1)[1]

    assert json.loads(body)["payload"]["data"]
    assert json.loads(body)["type"] == "event"


def test_help_teaches_by_example() -> None:
    """The examples that need no file can be typed as they stand."""
    text = run("--help").output
    examples = re.findall(r"^ +footspan (explain --name .*)$", text, re.MULTILINE)

    assert "Exit codes:" in text
    assert len(examples) >= 3
    assert "footspan explain" in CliRunner().invoke(command, ["--help"]).output


@pytest.mark.slow
def test_colours_are_for_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for pipes, and not with ``NO_COLOR``."""
    arguments = ("explain", "--name", "user.seen", "--to", "umami", "--to", "console")
    shown = on_terminal(80, *arguments)

    assert "\x1b[31m" in shown
    assert "\x1b[32m" in shown
    assert "umami: does not go there" in plain(shown)
    result = subprocess.run([sys.executable, "-m", "footspan", *arguments], capture_output=True, timeout=60, check=True)
    assert b"\x1b" not in result.stdout
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in on_terminal(80, *arguments)


def test_a_dash_tracker_endpoint(folder: Path) -> None:
    """The documented object and its address; the key is not shown."""
    settings = "  dash_tracker: {url: 'https://collect.example/track', api_key: " + KEY + "}"
    (folder / "footspan.yaml").write_text(f"telemetry:\n destinations:\n{settings}\n")
    props = json.dumps({"url.full": "https://shop.example/cart?a=1", "user.id": "u_1", "password": "p"})
    asked = ("--name", "footspan.page_view", "--props", props)
    assert KEY not in run(*asked, "--to", "dash_tracker").stdout
    found = answer(*asked)["destinations"]["dash_tracker"]["request"]
    assert (found["method"], found["address"]) == ("POST", "https://collect.example/track")
    assert found["headers"]["X-API-Key"] != KEY
    body = found["body"]
    assert list(body) == ["event", "data", "timestamp"]
    assert (body["event"], body["data"]["path"], body["data"]["user_id"]) == ("page_view", "/cart", "u_1")
    assert body["data"]["password"] == "[secret]"


# -- consent -----------------------------------------------------------------------------------------------------------

CONSENT = """
telemetry:
  service: {name: shop}
  destinations: {console: {}, logging: {}}
  privacy:
    consent: opt_in
    purposes: {without: {functional: {console: send}}, events: {marketing: [campaign.*]}}
"""


@pytest.mark.parametrize(
    ("arguments", "purpose", "agreed", "why", "said"),
    [
        (["page.read"], "analytics", None, {"no_consent"}, "nobody agreed to that: it is not stored"),
        (["campaign.seen"], "marketing", None, {"no_consent"}, "it is for marketing, and nobody agreed"),
        (["error.shown"], "functional", [], {"everything", "no_consent"}, "agreed to: nothing"),
        (
            ["page.read", "--props", '{"footspan.consent": ["analytics"]}'],
            "analytics",
            ["analytics"],
            {"everything"},
            "agreed to: a",
        ),
    ],
    ids=["silence", "patterns", "per destination", "yes"],
)
def test_what_consent_makes_of_an_event(
    folder: Path, arguments: list[str], purpose: str, agreed: list[str] | None, why: set[str], said: str
) -> None:
    """What it is for, what was agreed to, and which destination may have it."""
    (folder / "footspan.yaml").write_text(CONSENT)
    found = answer("--name", *arguments)
    assert (found["event"]["consent"], found["event"]["purpose"], found["event"]["agreed"]) == (
        "opt_in",
        purpose,
        agreed,
    )
    assert {each["why"] for each in found["destinations"].values()} == why
    text = " ".join(run("--name", *arguments).output.split())
    assert "privacy.consent is opt_in" in text
    assert said in text


def test_under_opt_out_silence_is_said() -> None:
    """And nothing is for anything."""
    found = answer("--name", "page.read")["event"]
    assert (found["consent"], found["purpose"], found["agreed"]) == ("opt_out", None, None)
    assert "nobody said anything" in run("--name", "page.read").output
