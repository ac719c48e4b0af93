"""The servers as programs: one line says where they listen, a signal ends them."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_TESTS = Path(__file__).parents[1]


@contextmanager
def _program(name: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    command = [sys.executable, "-m", f"servers.{name}", "--port", "0", *arguments]
    process = subprocess.Popen(command, cwd=_TESTS, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=10)


def _post(url: str, value: object) -> Any:
    headers = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) footspan/1.0", "Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(value).encode(), headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return json.load(answer)


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_umami_as_a_program(ending: signal.Signals) -> None:
    """It takes events, shows its rows to other processes, and ends with exit code 0."""
    with _program("umami", "--website", "11111111-1111-4111-8111-111111111111") as (process, line):
        assert ("umami", process.pid) == (line["server"], line["pid"])
        event = {"type": "event", "payload": {"website": line["website"], "url": "/", "name": "e"}}
        assert "cache" in _post(f"{line['url']}/api/send", event)
        assert [row["event_name"] for row in _get(f"{line['url']}/_test/rows")["website_event"]] == ["e"]
        process.send_signal(ending)
        assert process.wait(10) == 0


def test_umami_with_an_environment() -> None:
    """``--env`` sets a variable of the server's environment."""
    with _program("umami", "--env", "IGNORE_IP=127.0.0.0/8") as (_, line):
        event = {"type": "event", "payload": {"website": line["website"], "url": "/"}}
        assert _post(f"{line['url']}/api/batch", [event])["details"][0]["response"]["error"]["status"] == 403


def test_otlp_as_a_program() -> None:
    """It takes logs, shows them to other processes, and ends with exit code 0."""
    with _program("otlp") as (process, line):
        record = {"timeUnixNano": "1", "eventName": "e", "body": {"bytesValue": "AAE="}}
        request = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}
        assert _post(f"{line['url']}/v1/logs", request) == {}
        (kept,) = _get(f"{line['url']}/_test/rows")["logs"]
        assert (kept["name"], kept["time_ns"], kept["body"]) == ("e", 1, "AAE=")
        process.terminate()
        assert process.wait(10) == 0


def test_opentrace_as_a_program() -> None:
    """It takes events, knows the codes it was told, and ends with exit code 0."""
    with _program("opentrace", "--code", "spring") as (process, line):
        assert _post(f"{line['url']}/api/v1/event", {"name": "e", "project_id": line["project"]})["status"] == "success"
        assert _get(f"{line['url']}/api/campaigns/resolve/utm_spring")["utm_source"] == "telegram"
        assert [row["event_type"] for row in _get(f"{line['url']}/_test/rows")["rows"]] == ["e"]
        process.terminate()
        assert process.wait(10) == 0


def test_a_program_can_end_with_its_parent() -> None:
    """With ``--with-parent`` no server outlives the process that started it."""
    starter = (
        "import subprocess, sys; "
        "server = subprocess.Popen([sys.executable, '-m', 'servers.otlp', '--with-parent'], stdout=subprocess.PIPE); "
        "print(server.stdout.readline().decode(), flush=True)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", starter],
        cwd=_TESTS, capture_output=True, text=True, timeout=20, check=True,
    )  # fmt: skip
    line = json.loads(done.stdout)
    try:
        assert _ends(line["url"])
    except AssertionError:
        os.kill(line["pid"], signal.SIGKILL)
        raise


def _ends(url: str) -> bool:
    """Whether nobody listens any more, within some seconds."""
    address = ("127.0.0.1", int(url.rpartition(":")[2]))
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            socket.create_connection(address, timeout=1).close()
        except ConnectionRefusedError:
            return True
        time.sleep(0.05)
    return False
