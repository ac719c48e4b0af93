"""Which user agents are programs."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from footspan.processors import bots

if TYPE_CHECKING:
    from collections.abc import Iterator

BROWSERS = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 12; CUBOT NOTE 20) AppleWebKit/537.36 Chrome/138.0 Mobile Safari/537.36",
]
PROGRAMS = [
    "",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 (compatible; Baiduspider/2.0; +http://www.baidu.com/search/spider.html)",
    "curl/8.9.1",
    "python-requests/2.32.0",
    "Wget/1.24.5",
]


def _forget() -> None:
    bots._list.cache_clear()
    bots._is_known.cache_clear()


@pytest.fixture(params=["the package", "the short list"])
def _with_and_without_the_package(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    _forget()
    if request.param == "the short list":
        monkeypatch.setitem(sys.modules, "crawleruseragents", None)
    yield
    _forget()


@pytest.mark.usefixtures("_with_and_without_the_package")
class TestIsBot:
    """Both lists agree on what matters."""

    @pytest.mark.parametrize("agent", BROWSERS)
    def test_browsers_are_people(self, agent: str) -> None:
        """A browser is no bot, not even a telephone whose maker's name ends in one."""
        assert not bots.is_bot(agent)

    @pytest.mark.parametrize("agent", PROGRAMS)
    def test_programs_are_bots(self, agent: str) -> None:
        """Crawlers, HTTP libraries and the nameless are bots."""
        assert bots.is_bot(agent)

    def test_an_endless_agent_costs_no_more_than_a_long_one(self) -> None:
        """Only the first part of an agent is looked at and remembered."""
        assert not bots.is_bot(BROWSERS[0] + "x" * 1000)
        assert not bots.is_bot(BROWSERS[0] + "x" * 2000)
        assert bots._is_known.cache_info().currsize == 1
