"""Tests for footspan.privacy.epochs: one user, one token, while a key exists; nobody's afterwards."""

from __future__ import annotations

import base64
import json
import logging
import os
import pickle
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

import footspan
from footspan import _guard
from footspan.cli.privacy_keys import keys as command
from footspan.config import ConfigurationError
from footspan.config.coherence import incoherent
from footspan.config.load import load_settings
from footspan.config.pseudonyms import Key, PseudonymSettings, read_keys, written
from footspan.privacy import key_files
from footspan.privacy.epochs import LOOK_EVERY, Epochs, NoKeyError, epochs_for
from spooled import spooled

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

SECRET = "correct-horse-battery-staple"
DAY = 86_400.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with two keys."""
    path = tmp_path / "keys.json"
    path.write_bytes(written((Key("k1", b"1" * 32, 1.0), Key("k2", b"2" * 32, DAY))))
    path.chmod(0o600)
    return path


def test_the_same_user_has_the_same_token_in_another_process() -> None:
    """Whoever has the key makes the same token; without it nobody does."""
    environ = {**os.environ, "FOOTSPAN_PRIVACY_PSEUDONYMS_KEY": SECRET}
    program = (
        "from footspan.config.load import load_settings\nfrom footspan.privacy.epochs import epochs_for\n"
        "print(epochs_for(load_settings().privacy.pseudonyms).token('u_1'))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], env=environ, check=True, capture_output=True, text=True, timeout=120
    )

    here = epochs_for(PseudonymSettings(key=SECRET))
    assert here is not None
    assert run.stdout.strip() == here.token("u_1")
    other = epochs_for(PseudonymSettings(key=SECRET + "!"))
    assert other is not None
    assert other.token("u_1") != here.token("u_1")


def test_a_token_fits_every_destination() -> None:
    """Umami takes 50 characters of a distinct id."""
    epochs = epochs_for(PseudonymSettings(key=SECRET))
    assert epochs is not None
    assert len(epochs.token("somebody@example.com" * 20)) <= 50
    assert epochs.token("u") == epochs.token("u") != epochs.token("v")


def test_the_newest_key_makes_tokens_and_older_ones_are_known(file: Path) -> None:
    """One that is still to come does not, nor one that has expired."""
    keys = (*read_keys(file), Key("k3", b"3" * 32, 9 * DAY), Key("k4", b"4" * 32, 3 * DAY, expires=4 * DAY))
    now = [2 * DAY]
    ticks = [0.0]
    epochs = Epochs(list(keys), clock=lambda: now[0], ticks=lambda: ticks[0])
    tokens = []
    for now[0] in (2 * DAY, 3.5 * DAY, 5 * DAY, 10 * DAY):
        ticks[0] += LOOK_EVERY
        tokens.append(epochs.token("u_1").split("_")[1])

    assert tokens == ["k2", "k4", "k2", "k3"]
    assert {each.split("_")[1] for each in epochs.tokens("u_1")} == {"k1", "k2", "k3", "k4"}


def test_a_destroyed_epoch_is_nobodys(file: Path) -> None:
    """Once its key is gone, no process makes the token again: neither one that ran before nor one started later."""
    ticks = [0.0]
    running = Epochs(file, clock=lambda: 2 * DAY, ticks=lambda: ticks[0])
    old = running.token("u_1")
    assert old.startswith("p_k2_")
    assert key_files.destroy(file, ["k2"]) == ["k2"]
    ticks[0] += LOOK_EVERY

    assert running.token("u_1").startswith("p_k1_")
    for epochs in (running, Epochs(file, clock=lambda: 2 * DAY)):
        assert old not in epochs.tokens("u_1")
        assert epochs.key_ids == ("k1",)
    assert base64.b64encode(b"2" * 32) not in file.read_bytes()
    assert old not in repr(vars(running))


def test_a_destroyed_key_is_blank_where_it_was(file: Path) -> None:
    """Who still has the old file open reads zeros."""
    with file.open("rb") as before:
        key_files.destroy(file, ["k1"])
        assert set(before.read()) == {0}
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_a_killed_change_left_beside_the_file_goes_with_the_next(file: Path) -> None:
    """A copy of a destroyed key is no better than the key; a neighbour's file is nobody's business."""
    left, other = (file.with_name(f".{file.name}.{end}") for end in ("0a1b2c3d", "backup"))
    for copy in (left, other):
        copy.write_bytes(file.read_bytes())
    with left.open("rb") as before:
        key_files.destroy(file, ["k1"])
        assert set(before.read()) == {0}
    assert not left.exists()
    assert other.exists()


def test_no_rotation_undoes_another(file: Path) -> None:
    """Two processes that add keys at once: every key that was said to be made is there."""
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom footspan.privacy.key_files import rotate\n"
        "for _ in range(15): print(rotate(Path(sys.argv[1]), time.time())[0].id)"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", program, str(file)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    made = {name for run in runs for name in run.communicate(timeout=120)[0].split()}
    assert [run.returncode for run in runs] == [0, 0]
    assert len(made) == 30
    assert {key.id for key in read_keys(file)} == {"k1", "k2", *made}


def test_without_any_key_left_a_constant_stands(file: Path) -> None:
    """It fails closed, and starts again with the next key."""
    ticks = [0.0]
    epochs = Epochs(file, ticks=lambda: ticks[0])
    file.unlink()
    ticks[0] += LOOK_EVERY
    with pytest.raises(NoKeyError):
        epochs.token("u_1")
    key_files.rotate(file, 5.0)
    ticks[0] += LOOK_EVERY
    assert epochs.token("u_1")


def test_rotation(tmp_path: Path) -> None:
    """``--every`` makes none before its time, ``--keep`` destroys the oldest."""
    named = ["--file", str(tmp_path / "k.json")]

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(command, [*arguments, *named])

    assert run("rotate").exit_code == 0
    assert "No key is due" in run("rotate", "--every", "90d").output
    assert "is destroyed" in run("rotate", "--keep", "1").output
    [row] = json.loads(run("list", "--json").output)
    assert row["in_use"] is True
    assert "key" not in row
    assert run("destroy", row["id"], "--yes").exit_code == 0
    assert run("destroy", row["id"], "--yes").exit_code == 2
    assert CliRunner().invoke(command, ["list"]).exit_code == 2


@pytest.mark.parametrize(
    ("content", "mode", "found"),
    [
        (b"", 0o600, "holds no keys"),
        (b'{"keys": [{"id": "K", "key": "", "created": "2026-01-01"}]}', 0o600, "holds no keys"),
        (b'{"keys": 7}', 0o600, "holds no keys"),
        (b'{"keys": []}', 0o600, "no key in the file"),
        (b"[" * 100_000, 0o600, "holds no keys"),
        (b'{"keys": []}', 0o640, "others may read"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, content: bytes, mode: int, found: str) -> None:
    """Said at the start, with the fix, and quoting nothing."""
    path = tmp_path / "k.json"
    path.write_bytes(content)
    path.chmod(mode)
    settings = load_settings(overrides={"privacy": {"pseudonyms": {"key_file": str(path)}}})
    [error] = incoherent(settings)
    assert found in error.found
    assert error.key == "telemetry.privacy.pseudonyms.key_file"


def test_a_pipe_in_a_key_files_place_holds_nobody_up(tmp_path: Path) -> None:
    """Nobody writes to it: the start must say so rather than wait."""
    path = tmp_path / "k.json"
    os.mkfifo(path, 0o600)
    program = "import sys, pathlib, footspan.config.pseudonyms as p; p.read_keys(pathlib.Path(sys.argv[1]))"
    run = subprocess.run(
        [sys.executable, "-c", program, str(path)], check=False, capture_output=True, text=True, timeout=60
    )
    assert "no file" in run.stderr


def test_a_missing_key_is_said_at_the_start(tmp_path: Path) -> None:
    """With the key to set, for a policy that asks for pseudonyms as for consent that does."""
    policy = tmp_path / "privacy.yaml"
    policy.write_text("identity: {user_id: pseudonym}\n")
    for privacy in ({"policy": str(policy)}, {"purposes": {"without": {"analytics": "pseudonymise"}}}):
        with pytest.raises(ConfigurationError, match="FOOTSPAN_PRIVACY_PSEUDONYMS_KEY"):
            footspan.init(privacy=privacy)


def test_a_policy_makes_pseudonyms_of_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is on disk is the token, on the quick road as on the ordinary one."""
    policy = tmp_path / "privacy.yaml"
    policy.write_text("identity: {user_id: pseudonym}\n")
    monkeypatch.setenv("FOOTSPAN_PRIVACY_PSEUDONYMS_KEY", SECRET)
    footspan.init(service_name="shop", courier="external", privacy={"policy": str(policy)})
    for _ in range(5):
        footspan.track("x", user_id="u_1", n=1)

    epochs = epochs_for(PseudonymSettings(key=SECRET))
    assert epochs is not None
    assert {each.attributes["user.id"] for each in spooled()} == {epochs.token("u_1")}


def test_without_a_key_left_nobody_is_named(file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A running service goes on with a constant, counts it, and says why."""
    _guard.reraise_in_tests(False)
    policy = tmp_path / "privacy.yaml"
    policy.write_text("identity: {user_id: pseudonym}\n")
    key_file = {"key_file": str(file)}
    footspan.init(service_name="shop", courier="external", privacy={"policy": str(policy), "pseudonyms": key_file})
    footspan.track("x", user_id="u_1")
    key_files.destroy(file, ["k1", "k2"])
    epochs = epochs_for(PseudonymSettings(key_file=file))
    assert epochs is not None
    assert epochs.key_ids == ()
    footspan.track("x", user_id="u_1")

    assert [each.attributes["user.id"] for each in spooled()][1:] == ["[redacted]"]
    assert footspan.status()["counters"]["redaction_failed"] == 1
    assert "NoKeyError" in caplog.text
    assert "u_1" not in caplog.text


def test_no_key_is_shown(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not by settings, objects, errors, the log, ``status`` or pickles."""
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("FOOTSPAN_PRIVACY_PSEUDONYMS_KEY", SECRET)
    settings = load_settings(overrides={"debug": True, "destinations": {"console": {}}})
    footspan.init(debug=True, courier="external", destinations={"console": {}})
    epochs = epochs_for(settings.privacy.pseudonyms)
    shown = [repr(settings), repr(epochs), str(Key("k", SECRET.encode())), repr(footspan.status()), caplog.text]
    with pytest.raises(TypeError) as refused:
        pickle.dumps(epochs)
    [error] = incoherent(load_settings(overrides={"privacy": {"pseudonyms": {"key": "abc-short-key"}}}))

    assert all(SECRET not in each for each in (*shown, str(refused.value)))
    assert "abc-short-key" not in str(error)


def test_the_cache_is_bounded_and_threads_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many users in many threads: one token each."""
    monkeypatch.setattr("footspan.privacy.epochs._MOST_KNOWN", 8)
    epochs = Epochs([Key("k1", b"1" * 32)])
    found: list[dict[str, str]] = []

    def ask() -> None:
        found.append({str(number): epochs.token(str(number)) for number in range(200)})

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)

    assert len(found) == 4
    assert all(each == found[0] for each in found)
    assert len(epochs._state[1]) <= 8
