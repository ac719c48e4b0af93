"""What tells of a campaign, taken out of an event: click ids, UTM parameters, and both of them in addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_plus

from footspan import conventions as c

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOUCH: Final = tuple(
    f"{before}.{kind}." for before in ("footspan", c.FIRST_TOUCH) for kind in ("utm", "click_id", "campaign")
)
_ADDRESSES: Final = frozenset({c.URL_FULL, c.URL_QUERY, c.PAGE_URL, c.HTTP_REQUEST_HEADER_REFERER})
_CLICK_IDS: Final = frozenset(
    (*c.CLICK_ID_FIELDS, "dclid", "gbraid", "wbraid", "gclsrc", "yclid", "mc_eid", "igshid", "epik", "rdt_cid", "scid")
)


def without_campaign(attributes: Mapping[Any, Any]) -> dict[str, Any]:
    """Attributes without what tells of a campaign."""
    return {
        name: _cleaned(name, value)
        for name, value in attributes.items()
        if not (isinstance(name, str) and name.startswith(_TOUCH))
    }


def _cleaned(name: Any, value: Any) -> Any:
    if name not in _ADDRESSES:
        return value
    if isinstance(value, str):
        return _address(value, query=name == c.URL_QUERY)
    if isinstance(value, (list, tuple)):
        return [_address(each) if isinstance(each, str) else each for each in value]
    return value


def _address(text: str, *, query: bool = False) -> str:
    """An address without such parameters; anything else of it as it was."""
    if query:
        return _parameters(text)
    before, mark, rest = text.partition("?")
    if not mark:
        return text
    inside, fragment, behind = rest.partition("#")
    kept = _parameters(inside)
    return f"{before}{'?' if kept else ''}{kept}{fragment}{behind}"


def _parameters(text: str) -> str:
    kept = [each for each in text.split("&") if not _tells(each.partition("=")[0])]
    return "&".join(kept)


def _tells(name: str) -> bool:
    name = unquote_plus(name).strip().lower()
    return name.startswith("utm_") or name in _CLICK_IDS
