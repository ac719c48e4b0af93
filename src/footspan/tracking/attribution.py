"""How a visitor came: campaign parameters, click ids, the referrer's class; read from any URL without ever failing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

from footspan import conventions as c
from footspan.tracking.referrers import class_of_host, class_of_source, without_www

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MAX_URL: Final = 16_384
"""Characters of an address that are looked at."""
MAX_PARAMETERS: Final = 256
"""Parameters of an address that are looked at."""
MAX_VALUE: Final = 255
"""Characters of a value that are kept; what analytics servers store of one."""

_PARAMETERS: Final = frozenset({*(f"utm_{field}" for field in c.UTM_FIELDS), *c.CLICK_ID_FIELDS})
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]{0,30}://", re.IGNORECASE)
# The part before the first "=" where a lone query is given: a parameter's name and nothing of a path.
_NAME: Final = re.compile(r"[\w.~%\[\]-]{1,128}")
_HOST: Final = re.compile(r"[^\s/?#@\\:\[\]<>\"']{1,253}")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")

# Facebook puts its click id on every link that leads out, paid or not; the others come from advertisements only.
_PAID_CLICKS: Final = frozenset(c.CLICK_ID_FIELDS) - {"fbclid"}
_PAID_MEDIA: Final = frozenset(
    {
        "cpc",
        "ppc",
        "cpm",
        "cpv",
        "cpa",
        "cpp",
        "cpl",
        "cpi",
        "sem",
        "ads",
        "ad",
        "retargeting",
        "remarketing",
        "display",
        "banner",
        "interstitial",
        "expandable",
        "sponsored",
        "promoted",
    }
)
_EMAIL_MEDIA: Final = frozenset({"email", "e-mail", "e_mail", "e mail", "mail", "newsletter"})
_SOCIAL_MEDIA: Final = frozenset(
    {"social", "sm", *(f"social{between}{kind}" for between in " -_" for kind in ("network", "media"))}
)
_SEARCH_MEDIA: Final = frozenset({"organic", "search"})
_REFERRING_MEDIA: Final = frozenset({"referral", "affiliate", "partner", "link"})


def attribution_of(
    url: str | None,
    referrer: str | None = None,
    *,
    internal: Iterable[str] = (),
    referrers: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """How a visitor came to a page. Never raises, whatever the addresses are.

    The class is, in this order: ``paid`` for an advertisement's click id or a paid ``utm_medium``; what ``utm_medium``,
    then ``utm_source`` say; ``social`` for a lone ``fbclid``; the referrer's class; ``direct`` without any of them.

    Args:
        url: The page's address: whole, from the path on, or a query alone. Of repeated parameters the first that is not
            empty counts; values are cut at 255 characters; names count in any case.
        referrer: The ``Referer`` header.
        internal: Domains of one's own besides the page's host, with their subdomains.
        referrers: Classes of domains besides the built-in ones.

    Returns:
        Attribute name to value, ready for ``set_context`` and ``track``: ``footspan.utm.source``,
        ``footspan.click_id.gclid``, …, as far as they are there; always ``footspan.referrer.class``; and
        ``footspan.referrer.domain`` where another site referred.
    """
    page, others = _text(url), referrers or {}
    found = {name: value for name, value in _parameters(page).items() if name in _PARAMETERS}
    host, own = host_of(_text(referrer)), host_of(page)
    by_referrer = class_of_host(host, others, (*internal, *([own] if own else []))) if host else "direct"
    attributes = {c.TOUCHES[name]: found[name] for name in c.TOUCHES if name in found}
    attributes[c.REFERRER_CLASS] = _class_of_campaign(found, others) or by_referrer
    if host and by_referrer != "internal":
        attributes[c.REFERRER_DOMAIN] = without_www(host)
    return attributes


def is_touch(attributes: Mapping[str, Any]) -> bool:
    """Whether somebody came from elsewhere, and not directly: what replaces a last touch."""
    return attributes.get(c.REFERRER_CLASS) not in {None, "direct", "internal"}


def as_first_touch(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """A touch under the names of the first touch (``footspan.first_touch.utm.source``)."""
    return {c.FIRST_TOUCHES[name]: attributes[each] for name, each in c.TOUCHES.items() if each in attributes}


def host_of(url: str) -> str:
    """The host that an absolute address names, in lower case, without user and port; empty for any other text."""
    match = _SCHEME.match(url)
    if match is None:
        return ""
    rest = url[match.end() : MAX_URL]
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0].rpartition("@")[2]
    if authority.startswith("["):  # an IPv6 address
        return authority[1:].partition("]")[0][:64].lower()
    host = _HOST.match(authority)
    return _CONTROLS.sub("", host.group()).lower().rstrip(".") if host else ""


def _class_of_campaign(found: Mapping[str, str], others: Mapping[str, str]) -> str | None:
    medium, source = (found.get(name, "").lower() for name in ("utm_medium", "utm_source"))
    if not _PAID_CLICKS.isdisjoint(found) or medium in _PAID_MEDIA or medium.startswith("paid"):
        return "paid"
    for kind, media in (
        ("email", _EMAIL_MEDIA),
        ("social", _SOCIAL_MEDIA),
        ("search", _SEARCH_MEDIA),
        ("referral", _REFERRING_MEDIA),
    ):
        if medium in media:
            return kind
    if source:
        known = "email" if source in _EMAIL_MEDIA else class_of_source(source, others)
        if known:
            return known
    if "fbclid" in found:
        return "social"
    # A campaign of somebody's own words: they did not come by themselves, whatever else is unknown.
    return "referral" if found else None


def _parameters(url: str) -> dict[str, str]:
    """The first value of each parameter, by name in lower case."""
    found: dict[str, str] = {}
    for pair in _query(url).split("&", MAX_PARAMETERS)[:MAX_PARAMETERS]:
        name, _, value = pair.partition("=")
        key = unquote_plus(name[:128], errors="replace").strip().lower()
        if key in _PARAMETERS and key not in found:
            # Encoded characters take up to twelve; what is cut inside one is cut again behind.
            text = _CONTROLS.sub("", unquote_plus(value[: MAX_VALUE * 12], errors="replace")).strip()[:MAX_VALUE]
            if text:
                found[key] = text
    return found


def _query(url: str) -> str:
    before, mark, behind = url.partition("#")[0].partition("?")
    name, equals, _ = before.partition("=")
    # `utm_source=x&utm_medium=y?` is a query by itself; a path or an address that holds a "=" is not.
    if equals and _NAME.fullmatch(name) and not _SCHEME.match(before):
        return before + mark + behind
    return behind


def _text(value: Any) -> str:
    return value[:MAX_URL] if isinstance(value, str) else ""
