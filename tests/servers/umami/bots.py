"""Which user agents count as bots; every verdict of the recorded table holds, others follow its sense.

The table (``golden/umami/isbot.json``) shows three rules: a text that names automation is a bot; a bare
``name/version`` is one; so is ``(compatible; ...)``, unless the engine of a browser is named too.
"""

from __future__ import annotations

import re
from typing import Final

_BROWSER: Final = re.compile(r"AppleWebKit/|Gecko/|Trident/|Presto/|MSIE ", re.IGNORECASE)
_NAMES: Final = re.compile(
    r"(?<!cu)bot|crawl|spider|scrap|slurp|headless|http|server|curl|wget|libwww|phantom|selenium|puppeteer|playwright"
    r"|lighthouse|monitor|pingdom|uptime|preview|fetch|archiv|scan|validator|checker|feed|proxy"
    r"|facebookexternalhit|whatsapp|cfnetwork|okhttp|urllib|otlp|yandex|baidu|bing|google(?!app|tv)|@\w+\.\w+",
    re.IGNORECASE,
)
_BARE: Final = re.compile(r"[\w.-]+(?:/v?\d[\w.-]*)?", re.ASCII)
_COMPATIBLE: Final = re.compile(r"\(compatible;", re.IGNORECASE)


def is_bot(user_agent: str | None) -> bool:
    """Whether the server drops what this agent sends; an absent or empty agent is no bot."""
    if not user_agent:
        return False
    text = user_agent.strip()
    if _NAMES.search(text) or _BARE.fullmatch(text):
        return True
    return bool(_COMPATIBLE.search(text)) and not _BROWSER.search(text)
