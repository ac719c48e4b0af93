"""Tests for the commands ``footspan privacy forget`` and ``footspan privacy suppressed``."""

from __future__ import annotations

import base64
import json
import os
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner

import footspan
from compat.trace_telemetry.queue_files import line as queue_line
from footspan.cli.commands import footspan as command
from footspan.compat.trace_telemetry.lines import events_in
from footspan.spool import sidefiles
from footspan.spool.layout import Layout
from footspan.spool.locks import acquire
from footspan.spool.reading import read_line
from spool.making import having, line, open_disk

if TYPE_CHECKING:
    from click.testing import Result

    from servers.otlp import OtlpSink

KEY = base64.b64encode(b"k" * 32).decode()


@pytest.fixture(autouse=True)
def no_other_place(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Spools that lie about in this machine's folder of temporary files are not touched."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("tmp")))


@pytest.fixture
def shop(otlp_sink: OtlpSink, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> OtlpSink:
    """A service whose events wait: the environment names it, and a sink that is down."""
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT", otlp_sink.url)
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop")
    monkeypatch.chdir(tmp_path)
    otlp_sink.faults.down()
    return otlp_sink


def privacy(*arguments: object, **more: Any) -> Result:
    """The result of a command."""
    return CliRunner().invoke(command, ["privacy", *map(str, arguments)], **more)


def forget(*arguments: object) -> dict[str, Any]:
    """What it prints for programs."""
    result = privacy("forget", *arguments, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def state() -> Path:
    """The folder of all spools."""
    return Path(os.environ["XDG_STATE_HOME"]) / "footspan"


def on_disk() -> bytes:
    """Every byte of every file there."""
    return b"".join(path.read_bytes() for path in state().rglob("*") if path.is_file())


def track(*users: str, **properties: Any) -> None:
    """Track an event of each, in a service that then ends."""
    footspan.init(courier="external")
    for user in users:
        footspan.track("order.placed", user_id=user, **properties)
    footspan.shutdown(timeout=0.1)


def test_from_the_first_event_to_the_ledger(shop: OtlpSink) -> None:
    """What waits is blank, others' events arrive, and `status` says what became of theirs."""
    track("u_ada", "u_bob", "u_ada")
    found = forget("u_ada")

    [spool] = found["spools"].values()
    assert spool["waiting_or_sent"] == 2
    assert b"u_ada" not in on_disk()
    shop.faults.up()
    delivered = CliRunner().invoke(command, ["deliver", "--once", "--quiet"])
    assert delivered.exit_code == 0, delivered.output
    assert [record["attributes"]["user.id"] for record in shop.logs] == ["u_bob"]
    status = CliRunner().invoke(command, ["status"])
    assert "forgotten 2" in status.output


def test_a_dry_run_changes_nothing(shop: OtlpSink) -> None:
    """It only counts: no file is other than before, and there is no new one."""
    track("u_ada")
    before = {path: path.read_bytes() for path in state().rglob("*") if path.is_file()}
    found = forget("u_ada", "--dry-run")

    assert [each["waiting_or_sent"] for each in found["spools"].values()] == [1]
    assert {path: path.read_bytes() for path in state().rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("spelling", [str, quote, lambda text: json.dumps(text)[1:-1]], ids=["raw", "url", "json"])
def test_no_spelling_is_left(shop: OtlpSink, spelling: Any) -> None:
    """Search for it as it is, URL-encoded and JSON-escaped: it is nowhere."""
    who = 'Ada "Ö\\Hara" <ada+1>'
    track(who, profile=f"https://shop.example/?who={quote(who)}", raw=json.dumps({"who": who}))
    assert quote(who).encode() in on_disk()
    forget(who)
    assert spelling(who).encode() not in on_disk()


def test_pseudonyms_of_every_key_are_found(shop: OtlpSink, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What was stored under a pseudonym is theirs as long as the key exists."""
    policy = tmp_path / "privacy.yaml"
    policy.write_text("identity: {user_id: pseudonym}\nclasses: {contact: pseudonym}\n")
    monkeypatch.setenv("FOOTSPAN_PRIVACY_POLICY", str(policy))
    monkeypatch.setenv("FOOTSPAN_PRIVACY_PSEUDONYMS_KEY", KEY)
    track("u_ada", note="mail ada@shop.example now")
    track("u_bob", note="mail bob@shop.example now")
    assert b"u_ada" not in on_disk()
    found = forget("u_ada")

    assert [each["waiting_or_sent"] for each in found["spools"].values()] == [1]
    [known] = found["destinations"]["otlp"]["knows"]["user.id"]
    assert known.startswith("p_")
    assert [each["waiting_or_sent"] for each in forget("--email", "Bob@shop.example")["spools"].values()] == [1]


def test_several_at_once_and_from_standard_input(shop: OtlpSink) -> None:
    """Ids as arguments, and one a line."""
    track("u_ada", "u_bob", "u_eve", "u_dan")
    result = privacy("forget", "u_ada", "-", "--json", input="u_bob\n\nu_eve\r\n")

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["ids"] == 3
    assert [name in on_disk() for name in (b"u_ada", b"u_bob", b"u_eve", b"u_dan")] == [False, False, False, True]


def test_sessions(shop: OtlpSink) -> None:
    """`--session` names one; `--linked` finds those of a user."""
    footspan.init(courier="external")
    footspan.track("x.seen", session_id="s_1")
    footspan.track("x.bought", session_id="s_1", user_id="u_ada")
    footspan.track("x.seen", session_id="s_2")
    footspan.shutdown(timeout=0.1)
    found = forget("u_ada", "--linked")

    assert found["linked"] == 1
    assert b"s_1" not in on_disk()
    assert [each["waiting_or_sent"] for each in forget("--session", "s_2")["spools"].values()] == [1]


def test_ctrl_c_while_sessions_are_looked_for(shop: OtlpSink, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends early and says so, as everywhere; nothing is changed yet."""
    track("u_ada", session_id="s_1")

    def first(line: bytes) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        return read_line(line)

    monkeypatch.setattr("footspan.spool.forgetting.sweep.read_line", first)
    result = privacy("forget", "u_ada", "--linked", "--json")
    assert result.exit_code == 3, result.output
    [spool] = json.loads(result.stdout)["spools"].values()
    assert spool["problem"] == "not looked at"
    assert b"u_ada" in on_disk()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Say who"),
        (("",), "empty"),
        (("--user-id", "  "), "empty"),
        (("--email", "ada"), "--email"),
        (("x" * 70_000,), "65,536"),
        (("u_ada", "--suppress", "later"), "30d"),
        (("u_ada", "--spool", "."), "FORMAT"),
    ],
    ids=str,
)
def test_what_cannot_be_used(shop: OtlpSink, arguments: tuple[str, ...], said: str) -> None:
    """The message says what to write; nothing is changed."""
    track("u_ada")
    result = privacy("forget", *arguments)
    assert result.exit_code == 2
    assert said in result.output
    assert b"u_ada" in on_disk()


def test_no_spool_is_said(shop: OtlpSink) -> None:
    """And none is made."""
    result = privacy("forget", "u_ada")
    assert result.exit_code == 2
    assert "--service" in result.output
    assert not state().exists()


def test_a_drop_in_clients_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is found beside the program, and by its name."""
    root = tmp_path / "telemetry-queue.ndjson.d" / "queue"
    root.parent.mkdir()
    for named in (["--spool", str(root.parent)], []):
        spool = open_disk(root)
        spool.append(line("1", **having({"user.id": "u_ada"})))
        spool.close()
        monkeypatch.chdir(tmp_path)
        found = forget("u_ada", *named)
        assert list(found["spools"]) == [str(root)]
        assert b"u_ada" not in b"".join(path.read_bytes() for path in root.glob("events/*.jsonl"))


def test_an_old_queue_file_beside_a_drop_in_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is taken over, while it is, and where it is kept: others' lines stay as they are, and drain."""
    queue = tmp_path / "telemetry-queue.ndjson"
    root = Path(f"{queue}.d") / "queue"
    root.parent.mkdir()
    open_disk(root).close()
    monkeypatch.chdir(tmp_path)
    bob, noted = queue_line(2, data={"user_id": "u_bob"}), queue_line(3, data={"note": "asked about u_ada"})
    ada = queue_line(1, data={"user_id": "u_ada"})
    text = ada + bob + noted + ada.rstrip() + bob + queue_line(4, data={"user_id": "u_adams"}).rstrip()
    paths = [queue, *(Path(f"{queue}.{end}") for end in ("migrating", "migrated", "migrated.2"))]
    for path in paths:
        path.write_text(text, encoding="utf-8")
        os.utime(path, (1, 1))
    aside = root.parent / "migrating-00-00-00000001.jsonl"
    aside.write_bytes(line("1", **having({"user_id": "u_ada"})) + line("2", **having({"user_id": "u_bob"})))

    dry = forget("u_ada", "--dry-run")["spools"][str(root)]
    assert (dry["queue_files"], queue.read_text(encoding="utf-8")) == (8, text)
    found = forget("u_ada")["spools"][str(root)]
    assert (found["queue_files"], found["waiting_or_sent"], found["not_blank"]) == (8, 1, 0)
    for path in paths:
        content = path.read_bytes()
        assert len(content) == len(text.encode())
        assert [each and each["data"] for one in content.split(b"\n") for each in events_in(one)] == [
            {"user_id": "u_bob"},
            {"note": "asked about u_ada"},
            {"user_id": "u_bob"},
            {"user_id": "u_adams"},
        ]
    assert b"u_ada" not in aside.read_bytes()
    assert b"u_bob" in aside.read_bytes()


def test_a_queue_file_that_is_being_taken_over_is_said(tmp_path: Path) -> None:
    """What is in another process's hands may come to the spool later: that is no success."""
    root = tmp_path / "q.ndjson.d" / "queue"
    root.parent.mkdir()
    open_disk(root).close()
    lock = acquire(str(root.parent / "migrating.lock"))
    assert lock is not None
    result = privacy("forget", "u_ada", "--spool", root)
    lock.release()
    assert result.exit_code == 1
    assert "queue file" in result.output


def test_a_spool_at_work_is_said(shop: OtlpSink) -> None:
    """Somebody else is forgetting: that is no success."""
    track("u_ada")
    lock = acquire(f"{state()}/shop/forgetting.lock")
    assert lock is not None
    result = privacy("forget", "u_ada")
    assert result.exit_code == 1
    assert "another process" in result.output
    lock.release()


def test_a_replay_goes_on_where_it_was(shop: OtlpSink) -> None:
    """Refused events are known by their first line; that it is blank now makes nothing come twice."""
    track("u_bob")
    layout = Layout(state() / "shop")
    identifier = json.loads(next(Path(layout.pipelines).glob("*.json")).read_bytes())["destinations"][0]["id"]
    for uid, who in (("r1", "u_ada"), ("r2", "u_bob")):
        sidefiles.reject(
            layout, identifier, line(uid, name="order.placed", **having({"user.id": who})), "http_400", 400
        )
    shop.faults.up()
    replay = ["replay", "--from", "rejected", "--json", "--quiet"]
    first = json.loads(CliRunner().invoke(command, replay).stdout)["destinations"]["otlp"]
    assert first["delivered"] == 2
    forget("u_ada")
    sidefiles.reject(layout, identifier, line("r3", name="order.placed"), "http_400", 400)
    again = json.loads(CliRunner().invoke(command, replay).stdout)["destinations"]["otlp"]
    assert (again["delivered"], again["refused"], again["damaged_lines"]) == (1, {}, 0)


def test_a_replay_heeds_the_list(shop: OtlpSink, tmp_path: Path) -> None:
    """An archive that still holds them is replayed without them, and that is no refusal of the destination's."""
    track("u_bob")
    forget("u_ada")
    archive = tmp_path / "archive.jsonl"
    archive.write_bytes(
        line("a1", name="x", **having({"user.id": "u_ada"})) + line("a2", name="x", **having({"user.id": "u_bob"}))
    )
    shop.faults.up()
    result = CliRunner().invoke(command, ["replay", "--from", str(archive), "--json", "--quiet"])
    figures = json.loads(result.stdout)["destinations"]["otlp"]
    assert result.exit_code == 0
    assert (figures["delivered"], figures["refused"]) == (1, {"suppressed": 1})


def test_a_log_in_the_calling_process_heeds_the_list(
    shop: OtlpSink, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The destination that writes at once is no way past it either, in a service that runs on."""
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_LOGGING_ENABLED", "true")
    caplog.set_level("INFO")
    footspan.init(courier="external")
    footspan.track("order.first", user_id="u_ada")
    forget("u_ada")
    footspan.track("order.second", user_id="u_ada")
    footspan.track("order.third", user_id="u_bob")
    footspan.shutdown(timeout=0.1)
    assert [name in caplog.text for name in ("order.first", "order.second", "order.third")] == [True, False, True]


def test_a_queue_file_is_written_without_them(shop: OtlpSink, tmp_path: Path) -> None:
    """The way back to another SDK does not lead past the list."""
    track("u_ada", "u_bob")
    forget("u_eve")
    forget("u_ada")
    track("u_ada", "u_eve")
    output = tmp_path / "queue.ndjson"
    result = CliRunner().invoke(command, ["replay", "--from", "spool", "--to", "ndjson", "--output", str(output)])
    assert result.exit_code == 0, result.output
    assert [json.loads(each)["data"]["user_id"] for each in output.read_bytes().splitlines()] == ["u_bob"]


def test_what_is_left_to_delete_elsewhere(shop: OtlpSink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By destination: its type and host, the ids it knows, and how; no key, no more of an address."""
    settings = tmp_path / "other.yaml"
    settings.write_text(
        """
telemetry:
  service: {name: shop}
  destinations:
    umami: {url: "https://stats.example.com/base", website: 6f3a1f0e-5f0a-4a52-9a6e-0f7a3f5f2c11}
    opentrace: {url: "https://ot.example.com", project_id: "it's"}
    trace_telemetry: {url: "https://tt.example.com/in?code=hidden1", api_key: hidden2}
    dash_tracker: {url: "https://dash.example.com/in", api_key: hidden3}
    otlp: {endpoint: "https://otlp.example.com", headers: {authorization: hidden4}}
    logging: {level: INFO}
"""
    )
    track("u_ada")
    monkeypatch.delenv("FOOTSPAN_DESTINATIONS_OTLP_ENDPOINT")
    found = forget("u_'ada", "--email", "ada@shop.example", "--config", settings)
    there = found["destinations"]

    assert {name: each["place"] for name, each in there.items() if "." in each["place"]} == {
        "umami": "stats.example.com",
        "opentrace": "ot.example.com",
        "trace_telemetry": "tt.example.com",
        "dash_tracker": "dash.example.com",
        "otlp": "otlp.example.com",
        "logging": "footspan.events",
    }
    assert there["umami"]["knows"]["distinct id"] == ["u_'ada"]
    assert "distinct_id IN ('u_''ada')" in " ".join(there["umami"]["how"])
    assert len(there["opentrace"]["knows"]["session_id"]) == 1
    assert "resource_id = 'it''s'" in " ".join(there["opentrace"]["how"])
    assert there["otlp"]["knows"]["user.email"] == ["ada@shop.example"]
    assert "hidden" not in json.dumps(found)


def test_what_stands_in_events_cannot_speak(shop: OtlpSink, tmp_path: Path) -> None:
    """A session's name is anybody's: it ends no text of SQL, and moves no cursor."""
    settings = tmp_path / "other.yaml"
    settings.write_text("telemetry: {destinations: {opentrace: {url: 'https://ot.example.com', project_id: P1}}}")
    footspan.init(courier="external")
    footspan.track("x", session_id="\\' OR 1=1 --\x1b[2J", user_id="u_ada")
    footspan.shutdown(timeout=0.1)
    result = privacy("forget", "u_ada", "--linked", "--config", settings)
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.output
    assert "IN ('\\\\'' OR 1=1 --" in result.output


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
def test_a_spool_of_somebody_else_is_left_alone(shop: OtlpSink) -> None:
    """A list that the service could not read would stop it."""
    track("u_ada")
    os.chown(state() / "shop", 12345, -1)
    result = privacy("forget", "u_ada", "--spool", state() / "shop")
    assert result.exit_code == 2
    assert "12345" in result.output
    assert b"u_ada" in on_disk()


def test_people_read_numbers(shop: OtlpSink) -> None:
    """Without a terminal: plain lines, no colours; nothing of an event."""
    track("u_ada", "u_bob", secretive="lotus")
    result = privacy("forget", "u_ada")
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.output
    assert "lotus" not in result.output
    assert "At the destinations" in result.output
    assert "otlp" in result.output


def test_the_list_shows_and_forgets_entries(shop: OtlpSink) -> None:
    """How many, since when, until when; a known id is found; an entry can be taken off."""
    track("u_bob")
    forget("u_ada", "--suppress", "forever")
    listed = json.loads(privacy("suppressed", "--json").stdout)
    [[entry]] = listed.values()
    assert (entry["until"], entry["holds"]) == (None, True)
    assert "u_ada" not in privacy("suppressed").output
    assert privacy("suppressed", "--user", "u_ada").exit_code == 0
    assert privacy("suppressed", "--user", "u_bob").exit_code == 1
    assert privacy("suppressed", "--remove", "nobody").exit_code == 1
    assert privacy("suppressed", "--remove", entry["entry"]).exit_code == 0
    assert "Nobody" in privacy("suppressed").output
    assert forget("u_ada", "--suppress", "no")["spools"]
    assert "Nobody" in privacy("suppressed").output


def test_help_teaches(shop: OtlpSink) -> None:
    """Every command has examples and exit codes."""
    for name in ("forget", "suppressed", "explain", "report"):
        result = privacy(name, "--help")
        assert result.exit_code == 0
        assert "Examples:" in result.output
        assert "Exit codes:" in result.output
