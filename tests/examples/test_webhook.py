"""The example of a destination of one's own: by the real courier, to a server that checks every signature."""

from __future__ import annotations

import ast
import hashlib
import hmac
import json
import os
from base64 import b64decode, b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor

import footspan
import webhook
from footspan.cli.commands import footspan as command
from footspan.destinations import ConfigurationError, make_destination
from footspan.exporters import DestinationLogExporter
from programs import run, until
from servers.http import Answer, RecordedRequest, StandIn, json_answer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from click.testing import Result

TYPE = "webhook:WebhookDestination"
SECRET = "whsec_" + b64encode(b"k-very-secret").decode()
FOLDER = Path(webhook.__file__).parent


class Receiver(StandIn):
    """Takes signed events, each once, as the specification of Standard Webhooks has it."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: dict[str, Any] = {}
        self.wants: dict[str, Answer] = {}
        """Answers to events of some names."""

    def handle(self, request: RecordedRequest) -> Answer:
        """401 for a wrong signature, else what is wanted, else 200."""
        uid, moment = request.headers["webhook-id"], request.headers["webhook-timestamp"]
        signed = f"{uid}.{moment}.".encode() + request.body
        expected = b64encode(hmac.digest(b64decode(SECRET[6:]), signed, hashlib.sha256)).decode()
        if request.headers["webhook-signature"] != f"v1,{expected}":
            return json_answer({"error": "signature"}, 401)
        event = request.json()
        wanted = self.wants.get(event["type"])
        if wanted is None:
            self.taken[uid] = event
        return wanted or json_answer({"ok": True})

    def snapshot(self) -> object:
        """The events."""
        return self.taken

    def _forget(self) -> None:
        self.taken.clear()


@pytest.fixture
def receiver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    """A receiver, and a working directory whose settings name it."""
    monkeypatch.chdir(tmp_path)
    with Receiver() as server:
        hook = {"type": TYPE, "url": f"{server.url}/in"}
        settings = {"telemetry": {"service": {"name": "shop"}, "destinations": {"hook": hook}}}
        (tmp_path / "footspan.yaml").write_text(json.dumps(settings))
        monkeypatch.setenv("FOOTSPAN_DESTINATIONS_HOOK_SECRET", SECRET)
        yield server


def cli(*arguments: str) -> Result:
    """The command in this process."""
    return CliRunner().invoke(command, list(arguments), catch_exceptions=False)


def entry() -> dict[str, Any]:
    """What the status says of the destination."""
    (found,) = [each for each in footspan.status()["destinations"].values() if each["name"] == "hook"]
    return dict(found)


def test_it_is_at_most_sixty_lines_of_code() -> None:
    """Comments, docstrings and empty lines aside."""
    source = Path(webhook.__file__).read_text(encoding="utf-8")
    docs: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node):
            docs.update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    lines = [line.strip() for number, line in enumerate(source.splitlines(), 1) if number not in docs]

    assert len([line for line in lines if line and not line.startswith("#")]) <= 60


def test_events_arrive_signed_and_once(receiver: Receiver) -> None:
    """The settings come from file and environment, as those of built-in types do."""
    footspan.init()
    uids = [footspan.track("order.paid", amount=9.99, note="é", password="hunter2") for _ in range(20)]

    assert not any(footspan.flush(20).values())
    assert set(receiver.taken) == set(uids)
    assert len(receiver.requests) == 20
    event = receiver.taken[uids[0]]
    assert event["type"] == "order.paid"
    assert event["data"] == {"amount": 9.99, "note": "é", "password": "[secret]"}
    assert event["timestamp"].endswith("+00:00")
    assert entry()["delivered"] == 20


def test_a_refusal_is_kept_and_the_rest_goes_on(receiver: Receiver) -> None:
    """By status, and by an answer that only looks like a success."""
    receiver.wants = {"bad": Answer(422), "crawl": json_answer({"refused": "bot"})}
    footspan.init()
    for name in ("good", "bad", "crawl", "good"):
        footspan.track(name)

    assert not any(footspan.flush(20).values())
    assert [event["type"] for event in receiver.taken.values()] == ["good", "good"]
    assert entry()["refused"] == {"http_422": 1, "bot": 1}
    rejected = list((Path(os.environ["XDG_STATE_HOME"]) / "footspan" / "shop" / "rejected").glob("webhook-*.jsonl"))
    assert sum(len(path.read_bytes().splitlines()) for path in rejected) == 2


def test_an_overload_is_waited_for(receiver: Receiver) -> None:
    """After 503 the same event comes again, under the same id."""
    receiver.faults.answer(503, headers={"Retry-After": "0"}, times=2)
    footspan.init()
    uid = footspan.track("order.paid")

    assert not any(footspan.flush(30).values())
    assert {request.headers["webhook-id"] for request in receiver.requests} == {uid}
    assert [request.status for request in receiver.requests] == [503, 503, 200]
    assert entry()["refused"] == {}


def test_a_wrong_secret_parks_it(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """401 is the destination's fault: every event is kept, and the status says so."""
    monkeypatch.setenv("FOOTSPAN_DESTINATIONS_HOOK_SECRET", "whsec_d3Jvbmc=")
    footspan.init(exit_timeout=0)
    footspan.track("order.paid")
    until(lambda: entry()["state"] == "parked")

    assert receiver.taken == {}
    assert footspan.flush(0) == {"hook": 1}
    assert "hook" in cli("status").output


# -- the commands ------------------------------------------------------------------------------------------------------


def test_the_commands_know_it(receiver: Receiver, tmp_path: Path) -> None:
    """Its settings can be checked and shown; events are explained, delivered and sent again."""
    footspan.init(courier="external")
    uid = footspan.track("order.paid", amount=9.99)
    explained = json.loads(cli("explain", uid, "--json").stdout)["destinations"]["hook"]
    request = explained["request"]

    assert cli("config", "check").exit_code == 0
    shown = cli("config", "show").output
    assert SECRET not in shown + json.dumps(explained)
    assert f"{receiver.url}/in" in shown
    assert (explained["goes"], request["address"], request["body"]["type"]) == (
        True,
        f"{receiver.url}/in",
        "order.paid",
    )
    assert request["headers"]["webhook-signature"] == "***"
    assert receiver.requests == []

    assert cli("deliver", "--service", "shop", "--once", "--quiet").exit_code == 0
    assert list(receiver.taken) == [uid]
    again = tmp_path / "again.jsonl"
    again.write_text('{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"timeUnixNano":"1","eventName":"old"}]}]}]}\n')
    assert cli("replay", "--from", str(again), "--to", "hook").exit_code == 0
    assert [event["type"] for event in receiver.taken.values()] == ["order.paid", "old"]


@pytest.mark.slow
def test_a_spawned_courier_delivers_it(receiver: Receiver) -> None:
    """It finds the class where the app does."""
    result = run(
        """
        import footspan, sys
        sys.path.append(sys.argv[1])
        footspan.init(courier="process")
        footspan.track("order.paid")
        """,
        None,
        str(FOLDER),
    )

    assert result.returncode == 0, result.stderr
    assert receiver.wait_for(lambda: receiver.taken, timeout=60)


@pytest.mark.slow
def test_the_command_finds_a_module_in_the_working_directory(receiver: Receiver, tmp_path: Path) -> None:
    """Beside the settings, without PYTHONPATH, as a program started there would."""
    (tmp_path / "webhook.py").write_text(Path(webhook.__file__).read_text(encoding="utf-8"), encoding="utf-8")
    program = (
        "import sys\n"
        "sys.path[:] = [each for each in sys.path if each]\n"
        "sys.argv[1:] = ['config', 'check']\n"
        "from footspan.cli import main\n"
        "main()\n"
    )
    result = run(program)

    assert "no problems" in result.stdout, result.stderr


# -- as an exporter, and its settings ----------------------------------------------------------------------------------


def test_it_is_an_exporter(receiver: Receiver) -> None:
    """In any OpenTelemetry application, redaction included."""
    destination = make_destination(TYPE, url=receiver.url, secret=SECRET)
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(DestinationLogExporter(destination)))
    provider.get_logger("tests").emit(event_name="order.paid", attributes={"password": "hunter2", "n": 1})
    provider.shutdown()
    [event] = receiver.taken.values()

    assert event["data"] == {"password": "[secret]", "n": 1}
    assert destination.name == "webhook"


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"url": "http://h.example", "secret": "no base 64!"}, "secret"),
        ({"url": "http://h.example", "secret": "whsec_?"}, "secret"),
        ({"url": "http://h.example"}, "secret"),
        ({"secret": SECRET}, "url"),
        ({"url": "ftp://h.example", "secret": SECRET}, "url"),
        ({"url": "http://h.example", "secret": SECRET, "sceret": "x"}, "sceret"),
    ],
)
def test_its_settings_are_checked(options: dict[str, Any], key: str) -> None:
    """As a built-in type's; no text quotes a secret."""
    with pytest.raises(ConfigurationError) as caught:
        make_destination(TYPE, **options)

    assert key in caught.value.key
    assert SECRET not in str(caught.value)
    assert "base 64" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_page_shows_this_code() -> None:
    """Statement by statement; a page has no docstrings and no annotations."""
    page = (FOLDER.parents[1] / "docs" / "own-destination.md").read_text(encoding="utf-8")
    shown = page.split("```python\n", 1)[1].split("```", 1)[0]

    assert bare(shown) == bare(Path(webhook.__file__).read_text(encoding="utf-8"))


def bare(source: str) -> str:
    """A module without docstrings, annotations and what only type checkers need."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
            if ast.get_docstring(node):
                del node.body[0]
            node.body = [each for each in node.body if not _for_type_checkers(each)]
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        if isinstance(node, ast.arg):
            node.annotation = None
    return ast.unparse(tree)


def _for_type_checkers(node: ast.stmt) -> bool:
    if isinstance(node, ast.If):
        return ast.unparse(node.test) == "TYPE_CHECKING"
    return isinstance(node, ast.ImportFrom) and node.module in {"__future__", "typing"}
