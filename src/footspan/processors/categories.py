"""The category of an event by its name: what the settings say, then what footspan knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from footspan import conventions as c
from footspan.patterns import glob, remember

if TYPE_CHECKING:
    from collections.abc import Iterable

    from footspan.emit import Draft


class Categories:
    """The settings' categories, and a processor that writes them on events.

    Whoever reads an event, in this process or another, takes its category from the attribute, else from the built-in
    table by its name. So an event whose name the settings put elsewhere must bear the attribute.

    Args:
        given: Names and the category of each; the first that fits an event's name decides. A word without a dot or
            wildcard is the first part of names, in any case; anything else is a whole name or a pattern.
    """

    def __init__(self, given: Iterable[tuple[str, str]] = ()) -> None:
        self._given = tuple((key, category, not set(key).isdisjoint(".*?")) for key, category in given)
        self._known: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._given)

    def of(self, name: str) -> str:
        """The category that a name stands for."""
        return self.written(name) or c.category_of(name)

    def written(self, name: str) -> str:
        """The category that an event of this name must bear; empty where its readers find the right one themselves."""
        if not self._given:
            return ""
        known = self._known.get(name)
        if known is None:
            category = self._find(name)
            known = "" if category == c.category_of(name) else category
            remember(self._known, name, known, len(name))
        return known

    def _find(self, name: str) -> str:
        first = name.partition(".")[0].lower()
        for key, category, is_pattern in self._given:
            if glob(key, name) if is_pattern else key == first:
                return category
        return ""

    def __call__(self, draft: Draft) -> None:
        """Write the category on an event that does not name one itself."""
        category = draft.attributes.get(c.CATEGORY)
        if (category is None or (isinstance(category, str) and not category)) and isinstance(draft.name, str):
            written = self.written(draft.name)
            if written:
                draft.attributes[c.CATEGORY] = written
