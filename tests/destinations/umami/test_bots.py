"""The suspicion that decides which events are sent alone."""

from __future__ import annotations

import json
from pathlib import Path

from footspan.destinations.umami.bots import suspicious
from footspan.destinations.umami.destination import USER_AGENT
from servers.umami.bots import is_bot

TABLE = json.loads((Path(__file__).parents[2] / "golden" / "umami" / "isbot.json").read_text())["cases"]

BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18 Safari/605.1",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Edg/142.0.0.0",
)


def test_every_bot_of_the_recorded_table_is_suspected() -> None:
    """A bot that is not suspected would be counted as delivered while Umami dropped it."""
    bots = [case["user_agent"] for case in TABLE if case["bot"]]
    assert len(bots) > 10
    assert all(suspicious(agent) for agent in bots)


def test_common_browsers_are_not_suspected() -> None:
    """Each suspect costs a request of its own."""
    assert not [agent for agent in BROWSERS if suspicious(agent)]
    assert not suspicious("")


def test_our_own_user_agent_passes() -> None:
    """The server checks the request's header for every event without a user agent."""
    assert not is_bot(USER_AGENT)
    assert not suspicious(USER_AGENT)
