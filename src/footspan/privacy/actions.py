"""What is written in the place of what a rule found.

Every form stays as it is when it is looked at again, by the same rule or by any other: nothing but a constant, or a
constant with at most a few characters of what was there where the policy asks for that.

=============  ============================================  ===================================================
action         a whole value                                 a part of a text
=============  ============================================  ===================================================
``mask``       ``[secret]``, ``[contact]``, … by class       the same
``drop``       nothing: key and value are left out           as ``mask``
``hash``       ``h_<32 letters>``                            ``[contact h_<32 letters>]``
``pseudonym``  ``p_<key id>_<32 letters>``                   ``[contact p_<key id>_<32 letters>]``
``partial``    ``[contact …4567]``                           the same
``ip_prefix``  the network: ``203.0.113.0``                  the same; what is no address as ``mask``
``truncate``   its beginning and ``…``                       the same
=============  ============================================  ===================================================
"""

from __future__ import annotations

import hashlib
import re
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final

from footspan.config.policy import ACTIONS, CLASSES, LENGTH, Action, Class
from footspan.privacy.pseudonym import TOKEN, letters

if TYPE_CHECKING:
    from collections.abc import Mapping

    from footspan.privacy.pseudonym import Pseudonymiser

FAILED: Final = "[redacted]"
"""Stands for what could not be examined."""

MARKS: Final[Mapping[Class, str]] = {each: "[text]" if each == "free_text" else f"[{each}]" for each in CLASSES}
CONSTANTS: Final = frozenset({FAILED, *MARKS.values()})

_KEPT: Final = 4
"""Characters that a partial mask leaves at the most, a mail domain excepted."""
_LONG_ENOUGH: Final = 8
_SECRET_LONG_ENOUGH: Final = 20
_DOMAIN: Final = 64

_CLASS: Final = f"(?:{'|'.join(mark[1:-1] for mark in MARKS.values())})"
_PARTIAL: Final = rf"\[{_CLASS} …[\w.@-]{{0,{_DOMAIN + 1}}}\]"
_HASH: Final = r"h_[a-p]{32}"
_FORMS: Final[Mapping[Action, str]] = {
    "partial": _PARTIAL,
    "pseudonym": rf"{TOKEN}|\[{_CLASS} {TOKEN}\]",
    "hash": rf"{_HASH}|\[{_CLASS} {_HASH}\]",
}

TOKENS: Final = re.compile(rf"\[{_CLASS} (?:{TOKEN}|{_HASH}|…[\w.@-]{{0,{_DOMAIN + 1}}})\]")
"""What stands in a text for something, other than a constant."""


class Act:
    """What becomes of what one rule finds.

    Args:
        cls: The class of what it finds.
        action: What becomes of it.
        length: Characters that ``truncate`` leaves.
        pseudonymiser: What makes tokens; without one a constant stands for each.
    """

    __slots__ = ("_done", "_length", "_pseudonymiser", "action", "cls", "mark")

    def __init__(
        self, cls: Class, action: Action, length: int = LENGTH, pseudonymiser: Pseudonymiser | None = None
    ) -> None:
        self.cls = cls
        self.action: Action = "mask" if action == "pseudonym" and pseudonymiser is None else action
        self.mark = MARKS[cls]
        self._length = length
        self._pseudonymiser = pseudonymiser
        stricter = ACTIONS[ACTIONS.index(self.action) :]
        forms = [form for name, form in _FORMS.items() if name in stricter]
        self._done = re.compile("|".join(forms)) if forms else None

    def whole(self, text: str) -> str | None:
        """What stands in the place of a whole value; ``None``: nothing, the value is left out."""
        if self.action == "drop":
            return None
        if self.is_done(text):
            return text
        if self.action in {"hash", "pseudonym"}:
            return self._token(text)
        return self.part(text)

    def is_done(self, text: str) -> bool:
        """Whether a whole value is what this, or something stricter, leaves."""
        return text in CONSTANTS or (self._done is not None and self._done.fullmatch(text) is not None)

    def part(self, text: str) -> str:
        """What stands in the place of a part of a text."""
        action = self.action
        if action == "ip_prefix":
            return network(text) or self.mark
        if action == "partial":
            return f"{self.mark[:-1]} …{self._end(text)}]"
        if action == "truncate":
            return text if len(text) <= self._length else f"{text[: self._length - 1]}…"
        if action in {"hash", "pseudonym"}:
            return f"{self.mark[:-1]} {self._token(text)}]"
        return self.mark

    def _token(self, text: str) -> str:
        if self.action == "pseudonym" and self._pseudonymiser is not None:
            return self._pseudonymiser.token(text)
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        return f"h_{letters(digest[:16])}"

    def _end(self, text: str) -> str:
        """What may be seen of a value: a mail domain, or the last characters of something long enough."""
        _, mark, domain = text.rpartition("@")
        if mark and self.cls != "secret":
            return f"@{domain}" if len(domain) <= _DOMAIN and re.fullmatch(r"[\w.-]+", domain) else ""
        bare = "".join(filter(str.isalnum, text))
        long = len(bare) >= (_SECRET_LONG_ENOUGH if self.cls == "secret" else _LONG_ENOUGH)
        return bare[-_KEPT:] if long else ""


def network(text: str) -> str:
    """The /24 of an IPv4 address or the /48 of an IPv6 one, by its first address; empty for anything else."""
    try:
        address = ip_address(text.strip().partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        address = mapped or address
        return str(ip_network((address, 24 if address.version == 4 else 48), strict=False).network_address)  # noqa: PLR2004
    except ValueError:
        return ""
