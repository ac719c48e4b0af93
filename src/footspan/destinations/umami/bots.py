"""User agents that Umami may take for a bot's.

Umami answers a single event of a bot with ``beep boop``; inside a batch it says nothing and drops the event. So an
event whose user agent is under suspicion is sent alone. Suspicion is cheap (one more request) and trust is not (an
event that is lost and counted as delivered): everything that is not plainly a browser is suspected.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# What a browser calls itself: Mozilla with a system in brackets, then products with versions.
_BROWSER: Final = re.compile(r"Mozilla/5\.0 \([^()]*(?:\([^()]*\)[^()]*)*\)(?: .*)?", re.ASCII)
_PRODUCT: Final = re.compile(r"\w[\w.+-]*/\d", re.ASCII)

# Words in the user agents of crawlers, libraries, monitors and previews.
_WORDS: Final = re.compile(
    r"""bot|crawl|spider|slurp|scrap|scan|fetch|probe|monitor|check|ping|uptime|statuscake
    |http|server|client|daemon|headless|phantom|selenium|puppeteer|playwright|lighthouse|synthetic
    |compatible;|preview|archiv|captur|cloud|download|upload|feed|rss|news|reader|search|seo\b|index
    |link|url|site|page|domain|whois|analy[sz]|score|audit|inspect|valid|verif|virus|security|research|survey
    |google(?!tv)|yandex|baidu|bing|facebook|twitter|slack|whatsapp|telegram|discord|skype|linkedin|pinterest
    |python-|curl|wget|libwww|perl|ruby|php|java/|okhttp|axios|node\b|undici|cfnetwork|urllib|aiohttp
    |report|transcod|proxy|sync|agent|\.com\b|\.net\b|\.org\b|@|\||<|\+""",
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
_LONGEST: Final = 1_000


@lru_cache(maxsize=1024)
def suspicious(user_agent: str) -> bool:
    """Whether Umami may drop an event with this user agent.

    Args:
        user_agent: The visitor's user agent; empty means that the request's own is used, which passes.
    """
    if not user_agent:
        return False
    if len(user_agent) > _LONGEST or not _BROWSER.fullmatch(user_agent):
        return True
    return not _PRODUCT.search(user_agent, len("Mozilla/5.0 ")) or _WORDS.search(user_agent) is not None
