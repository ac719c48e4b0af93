"""The pages an app has registered with the pages plugin: which one a path shows, if any."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

_VARIABLE: Final = re.compile(r"<[^<>]*>")


class Page(NamedTuple):
    """What a path shows.

    Attributes:
        known: Whether the app knows of such a page; an app without the plugin is not asked.
        title: The page's title; empty where it is not known without running the app's own code.
        template: Its path or path template; empty where it is not known.
    """

    known: bool = True
    title: str = ""
    template: str = ""


def page_of(registry: Iterable[Any] | None, path: str, title: str = "") -> Page:
    """Which page a path shows, by the plugin's own rules: the first whose template or path fits.

    Args:
        registry: The entries of ``dash.page_registry``; ``None`` for an app that does not use the plugin.
        path: The path without the app's prefix.
        title: The app's own title.
    """
    if registry is None:
        return Page(title=title)
    wanted = path.strip("/")
    for entry in registry:
        if not isinstance(entry, Mapping):
            continue
        template, own = entry.get("path_template"), entry.get("path")
        by_template = isinstance(template, str) and bool(_VARIABLE.search(template)) and _fits(template, wanted)
        if by_template or (isinstance(own, str) and own.strip("/") == wanted):
            named = entry.get("title")
            shown = template if by_template else own
            return Page(title=named if isinstance(named, str) else "", template=str(shown))
    return Page(known=False)


def _fits(template: str, path: str) -> bool:
    return _compiled(template).fullmatch(path) is not None


@lru_cache(maxsize=512)
def _compiled(template: str) -> re.Pattern[str]:
    """A variable takes anything, slashes included."""
    return re.compile(".*".join(re.escape(part) for part in _VARIABLE.split(template.strip("/"))), re.DOTALL)
