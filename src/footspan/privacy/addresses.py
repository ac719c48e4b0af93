"""IP addresses inside text."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    Put = Callable[[str], str]

_V4: Final = re.compile(r"(?<![\w.\-])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w\-])(?!\.[0-9])")
_V6: Final = re.compile(r"(?<![\w.:])[0-9A-Fa-f]{0,4}:[0-9A-Fa-f:]{1,37}(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3})?(?![\w:])")
_VERSION: Final = re.compile(r"(?:version|release|build|firmware|v\.?)[ :=]{1,2}$", re.IGNORECASE)
_BEFORE: Final = 12
_COLONS: Final = 2


def ip_addresses(text: str, put: Put) -> str:
    """IPv4 and IPv6 addresses; a version of four numbers is none where the word stands before it."""

    def checked(match: re.Match[str]) -> str:
        found = match[0]
        if ":" not in found and _VERSION.search(text, max(0, match.start() - _BEFORE), match.start()):
            return found
        try:
            ip_address(found)
        except ValueError:
            return found
        return put(found) if any(each.isalnum() for each in found) else found

    if text.count(".") > _COLONS:
        text = _V4.sub(checked, text)
    if text.count(":") >= _COLONS:
        text = _V6.sub(checked, text)
    return text
