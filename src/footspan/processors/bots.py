"""Known bots, by their user agent.

The list is the community's: the package ``crawler-user-agents`` (extra ``flask``). Without it a few words that nearly
every crawler and HTTP library carries stand in.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from footspan import _guard

if TYPE_CHECKING:
    from collections.abc import Callable

_REMEMBERED_AGENTS = 4096
_LONGEST_AGENT = 512  # characters looked at and remembered; the header is the client's to choose

_FALLBACK = re.compile(
    r"\b\w*(?:bot|spider|crawler|crawling|scraper)\b(?<!cubot)|slurp|headlesschrome|lighthouse|preview|monitor"
    r"|^(?:curl|wget|python|go-http|java|okhttp|axios|node|ruby|php|libwww|httpx|aiohttp|apache-httpclient)\b",
    re.IGNORECASE,
)
# CUBOT makes telephones; its agents would otherwise end in "bot".


def is_bot(user_agent: str) -> bool:
    """Whether a user agent is a program's and not a person's browser.

    The first call loads the list (some 70 ms of CPU); the verdict is remembered per agent.

    Args:
        user_agent: The header as it came. An empty one is a program's: every browser names itself.
    """
    return not user_agent or _is_known(user_agent[:_LONGEST_AGENT])


@lru_cache(maxsize=_REMEMBERED_AGENTS)
def _is_known(user_agent: str) -> bool:
    return _list()(user_agent)


@lru_cache(maxsize=1)
def _list() -> Callable[[str], bool]:
    try:
        from crawleruseragents import is_crawler  # noqa: PLC0415 - optional, and its list is large
    except ImportError:
        _guard.logger.info("crawler-user-agents is not installed (pip install 'footspan[flask]'): a short list serves")
        return lambda agent: _FALLBACK.search(agent) is not None
    return lambda agent: bool(is_crawler(agent))
