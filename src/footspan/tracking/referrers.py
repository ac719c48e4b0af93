"""Which sites are search engines, social networks and webmail: a small table of our own, not a directory of the web.

The setting ``attribution.referrers`` adds to it. A domain stands for its subdomains too, and the longest that fits
wins: ``mail.google.com`` is mail though ``google`` is a search engine.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# A name without a dot has a site in many countries: google.com, google.de, google.co.uk.
_SEARCH: Final = """
    google yahoo yandex bing.com duckduckgo.com baidu.com ecosia.org qwant.com search.brave.com startpage.com
    swisscows.com mojeek.com kagi.com presearch.com metager.de metager.org gibiru.com ask.com search.aol.com
    search.marginalia.nu naver.com daum.net sogou.com so.com sm.cn seznam.cz search.sapo.pt coccoc.com
    petalsearch.com rambler.ru go.mail.ru yep.com you.com suche.t-online.de suche.web.de suche.gmx.net
    lite.qwant.com searx.be com.google.android.googlequicksearchbox com.duckduckgo.mobile.android
"""
_SOCIAL: Final = """
    facebook.com fb.com fb.me instagram.com threads.net threads.com twitter.com x.com t.co linkedin.com lnkd.in
    reddit.com redd.it pinterest youtube.com youtu.be tiktok.com snapchat.com tumblr.com quora.com vk.com vk.ru
    ok.ru weibo.com weibo.cn douyin.com xiaohongshu.com zhihu.com xing.com bsky.app mastodon.social
    mastodon.online mstdn.social fosstodon.org lemmy.world news.ycombinator.com lobste.rs t.me telegram.org
    telegram.me web.telegram.org whatsapp.com wa.me messenger.com discord.com discord.gg line.me nextdoor.com
    flickr.com vimeo.com twitch.tv medium.com com.facebook.katana com.instagram.android com.twitter.android
    com.linkedin.android com.reddit.frontpage org.telegram.messenger com.pinterest com.slack slack.com
"""
_EMAIL: Final = """
    mail.google.com gmail.com outlook.live.com outlook.office.com outlook.office365.com outlook.com hotmail.com
    mail.live.com mail.yahoo.com mail.yahoo.co.jp mail.aol.com mail.proton.me mail.protonmail.com app.tuta.com
    fastmail.com app.fastmail.com mail.zoho.com mail.zoho.eu icloud.com mail.ru e.mail.ru mail.yandex.ru
    mail.yandex.com mail.qq.com mail.163.com deref-gmx.net deref-web.de deref-mail.com webmail.freenet.de
    mail.com posteo.de mailbox.org com.google.android.gm com.microsoft.office.outlook ch.protonmail.android
"""

KNOWN: Final[dict[str, str]] = {
    **dict.fromkeys(_SEARCH.split(), "search"),
    **dict.fromkeys(_SOCIAL.split(), "social"),
    **dict.fromkeys(_EMAIL.split(), "email"),
}

# What may follow a name without a dot: a top-level domain that such sites use, or a country's, or both.
_COUNTRY: Final = re.compile(r"(?:com|co|org|net|[a-z]{2})(?:\.[a-z]{2})?")


def class_of_host(host: str, others: Mapping[str, str], internal: Iterable[str]) -> str:
    """The class of a referring host.

    Args:
        host: Its name, in lower case, without port.
        others: Classes of domains besides :data:`KNOWN`, whose word counts first.
        internal: Domains of one's own, with their subdomains.

    Returns:
        ``search``, ``social``, ``email``, ``internal``, what ``others`` says, or ``referral`` for what is not known.
    """
    labels = host.split(".")
    names = [".".join(labels[start:]) for start in range(len(labels))]
    own = {without_www(each.lower().lstrip(".")) for each in internal}
    if not own.isdisjoint(names):
        return "internal"
    for table in (others, KNOWN):
        for start, name in enumerate(names):
            found = table.get(name) or (_COUNTRY.fullmatch(".".join(labels[start + 1 :])) and table.get(labels[start]))
            if found:
                return found
    return "referral"


def class_of_source(source: str, others: Mapping[str, str]) -> str | None:
    """The class of a ``utm_source``, which people fill with a site's domain (``facebook.com``) or its name."""
    for table in (others, KNOWN):
        found = table.get(source) or table.get(f"{source}.com")
        if found:
            return found
    return None


def without_www(host: str) -> str:
    """A host as people speak of it."""
    return host.removeprefix("www.")
