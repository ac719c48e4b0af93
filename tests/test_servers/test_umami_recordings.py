"""Every recorded exchange with Umami 3.1.0, sent again: the recordings judge the stand-in."""

from __future__ import annotations

import json
from typing import Any

import pytest

from servers.umami.bots import is_bot
from test_servers.replay import GOLDEN, Case, case_id, cases, login, plain_body, plain_rows, replay, send

_INGEST = (
    "http", "batch", "send_bots", "send_cache", "send_client_ip", "send_env", "send_invalid", "send_ok",
    "send_overflow", "sessions", "api_seed",
)  # fmt: skip
_VERDICTS = json.loads((GOLDEN / "isbot.json").read_text("utf-8"))["cases"]


def test_no_recording_is_left_out() -> None:
    """Each file of recordings is replayed by a test of this module."""
    assert {path.stem for path in GOLDEN.glob("*.json")} == {*_INGEST, "api_auth", "api_read", "isbot"}


@pytest.mark.parametrize("case", cases(*_INGEST), ids=case_id)
def test_ingestion(case: Case) -> None:
    """Status, content type, body and stored rows are those of the real server."""
    recorded = case.recorded["response"]
    with case.server() as server:
        reply = replay(server, case)
        stored = server.rows

    assert recorded["status"] == reply.status
    assert recorded["content_type"] == reply.headers.get("content-type")
    if isinstance(recorded["body"], dict) and "__text__" in recorded["body"]:
        assert recorded["body"]["__text__"] == reply.body.decode()
    elif recorded["body"] == "<html>":
        assert reply.body.startswith(b"<!DOCTYPE html>")
    else:
        assert plain_body(recorded["body"]) == plain_body(reply.json())
    if "stored" in case.recorded:
        _compare_rows(case, stored)


def _compare_rows(case: Case, stored: dict[str, list[dict[str, Any]]]) -> None:
    expected = dict(case.recorded["stored"])
    # The recorder looked at the website that the request named.
    body = case.recorded["request"].get("body")
    payload = body.get("payload", {}) if isinstance(body, dict) else {}
    website = payload.get("website") or case.file["website_id"]
    stored = {name: [row for row in rows if row["website_id"] == website] for name, rows in stored.items()}
    for name in [name.removesuffix("__count__") for name in expected if name.endswith("__count__")]:
        # Of long tables the recorder kept the first rows by key, and the count.
        rows = sorted(stored[name], key=lambda row: str(row["data_key"]))
        assert expected.pop(f"{name}__count__") == len(rows)
        stored[name] = rows[: len(expected[name])]
    assert plain_rows(expected, case.moment) == plain_rows(stored, case.moment)


@pytest.mark.parametrize("case", cases("api_auth"), ids=case_id)
def test_accounts_and_websites(case: Case) -> None:
    """Logging in and managing websites answers as the real server does."""
    recorded = case.recorded["response"]
    with case.server() as server:
        reply = replay(server, case)
    assert (recorded["status"], recorded["content_type"]) == (reply.status, reply.headers["content-type"])
    changing = dict.fromkeys(("createdAt", "updatedAt") if "createdAt" in reply.json() else (), "<now>")
    assert {**recorded["body"], **changing} == {**reply.json(), **changing}


@pytest.mark.parametrize("case", cases("api_read"), ids=case_id)
def test_reading(case: Case) -> None:
    """Every question about the seeded data gets the answer of the real server."""
    (seed,) = cases("api_seed")
    with seed.server() as server:
        assert send(server, seed).status == 200
        ids = _event_ids(seed, server.rows)
        reply = send(server, case, {"<token>": login(server), **ids})
    expected = json.dumps(case.recorded["response"]["body"])
    for old, new in ids.items():
        expected = expected.replace(old, new)
    assert case.recorded["response"]["status"] == reply.status
    assert json.loads(expected) == reply.json()


def _event_ids(seed: Case, stored: dict[str, list[dict[str, Any]]]) -> dict[str, str]:
    """The ids of the recorded events, and those the same events have here."""

    def key(row: dict[str, Any]) -> tuple[str, ...]:
        return (row["session_id"], row["created_at"], row["url_path"])

    ours = {key(row): row["event_id"] for row in stored["website_event"]}
    return {row["event_id"]: ours[key(row)] for row in seed.recorded["stored"]["website_event"]}


@pytest.mark.parametrize("verdict", _VERDICTS, ids=lambda verdict: str(verdict["user_agent"]))
def test_bot_verdicts(verdict: dict[str, Any]) -> None:
    """The bot check agrees with every recorded verdict."""
    assert verdict["bot"] is is_bot(verdict["user_agent"])
