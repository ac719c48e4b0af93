"""The choke point before the disk: what it removes is never written, logged or sent.

:class:`Redactor` holds events and the attributes of any signal to the privacy policy; what is looked for, and what
stands in its place, is :mod:`footspan.privacy`'s matter. Every key touched is listed under ``footspan.redacted``; the
list and what stands in a value's place hold no part of it but what the policy says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c
from footspan.config.policy import DEFAULT
from footspan.otlp_json import plain
from footspan.otlp_json.sanitise import tidy
from footspan.privacy import FAILED, MARKS, Cleaner
from footspan.privacy.cleaner import LEFT_OUT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from footspan.config.policy import Policy
    from footspan.emit import Draft
    from footspan.privacy import Pseudonymiser
    from footspan.privacy.hits import OnHit

__all__ = ["MARKER", "MARKS", "Redactor"]

MARKER: Final = FAILED
"""Stands for what could not be examined; :data:`MARKS` for what was found."""

_MOST_KEYS: Final = 4096
_LONGEST_KEPT: Final = 256
_LARGE: Final = 10**12


class Redactor(Cleaner):
    """Removes what must not leave; one for every signal.

    Args:
        count: Called with the name of a counter when a value could not be examined.
        policy: What holds.
        pseudonymiser: What makes tokens; without one a constant stands for each.
        on_hit: Told of everything that is found; for explanations only.
    """

    def __init__(
        self,
        count: Callable[[str], None] | None = None,
        policy: Policy = DEFAULT,
        *,
        pseudonymiser: Pseudonymiser | None = None,
        on_hit: OnHit | None = None,
    ) -> None:
        super().__init__(count, policy, pseudonymiser=pseudonymiser, on_hit=on_hit)
        # Keys seen that need no look themselves, and whether their values do where their text says so.
        self._innocent: dict[str, bool] = {}

    def __call__(self, draft: Draft) -> None:
        """Redact a draft in place and list the keys touched under ``footspan.redacted``."""
        touched: list[str] = []
        draft.attributes = self._attributes(draft.attributes, touched)
        if draft.body is not None:
            body = self.guarded("body", draft.body, touched, "body")
            draft.body = None if body is LEFT_OUT else body
        name = draft.name
        if type(name) is not str or not self.harmless(name):
            draft.name = self._text(plain(name), touched, "name")
        severity = draft.severity_text
        if type(severity) is not str or not self.harmless(severity):
            draft.severity_text = self._text(plain(severity), touched, "severity")
        if touched:
            before = draft.attributes.get(c.REDACTED)  # from another process that redacted the event before us
            listed = before if isinstance(before, (list, tuple)) else ()
            draft.attributes[c.REDACTED] = list(dict.fromkeys((*listed, *touched)))

    def mapping(self, attributes: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
        """Attributes of any signal, redacted.

        Returns:
            The attributes to use in their place, and the keys that were touched.
        """
        touched: list[str] = []
        return self._attributes(attributes, touched), touched

    def text(self, value: str) -> str:
        """Free text (a span's name, a log message), redacted."""
        return self._text(value, [], "")

    def _text(self, value: Any, touched: list[str], path: str) -> str:
        clean = self.guarded("", value, touched, path)
        return MARKER if clean is LEFT_OUT else str(clean)

    # -- for who writes many events of one kind ------------------------------------------------------------------------

    def examines(self, key: str) -> bool | None:
        """What becomes of a text or a number under a key.

        Returns:
            ``False``: it passes as it is. ``True``: a text passes if :meth:`leaves` says so, a whole number if
            :meth:`keeps_number` does, and any other in any case. ``None``: that depends on more.
        """
        try:
            if self.passes(key):
                return False
            return None if self.speaks(key) or self.clean_key(key) != key else True
        except Exception:  # noqa: BLE001 - whoever looks at the value itself says and counts it
            return None

    def leaves(self, key: str, text: str) -> bool:
        """Whether a text under a key that is examined stays as it is."""
        try:
            return self._string(key, text, key) == text
        except Exception:  # noqa: BLE001 - the same
            return False

    # -- attributes ----------------------------------------------------------------------------------------------------

    def _attributes(self, attributes: Mapping[str, Any], touched: list[str]) -> dict[str, Any]:
        """Clean attributes; the very same mapping where nothing had to be looked at, which is the usual case."""
        if type(attributes) is dict and self._all_innocent(attributes):
            return attributes
        items = list(attributes.items())
        if any(type(key) is not str for key, _ in items):
            items = list(tidy(dict(items)).items())  # the names they will be written under
        return self.under_clean_keys([(key, self._looked_at(key, value, touched)) for key, value in items])

    def _all_innocent(self, attributes: Mapping[str, Any]) -> bool:
        innocent, recent = self._innocent, self._recent
        texts = []
        try:
            for key, value in attributes.items():
                examined = innocent.get(key)
                if examined is None:
                    return False
                kind = type(value)
                if kind is str:
                    if examined and value not in recent:
                        texts.append(value)
                elif not ((kind is int and -_LARGE < value < _LARGE) or kind is float or kind is bool or value is None):
                    return False
            return self.harmless_all(texts, ", ".join(texts))
        except Exception:  # noqa: BLE001 - such as a key that cannot be hashed, in a mapping of the host's own making
            return False

    def _looked_at(self, key: Any, value: Any, touched: list[str]) -> Any:
        clean = self.guarded(key, value, touched, key)
        if (
            type(key) is str
            and len(self._innocent) < _MOST_KEYS
            and len(key) <= _LONGEST_KEPT
            and (examined := self.examines(key)) is not None
        ):
            self._innocent[key] = examined
        return clean
