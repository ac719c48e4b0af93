"""What is recorded of Dash apps: what code asked for, else what the settings say."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from footspan.config.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from footspan.config import Settings


@dataclass(frozen=True, slots=True)
class Options:
    """What code asked for; ``None`` leaves it to the settings.

    Attributes:
        page_views: Whether pages are recorded.
        interactions: Whether callbacks that somebody set off are.
        values: Whether those bear the new values of what was touched.
        errors: Whether callbacks that fail are.
        ignore_routes: Paths that are left out, with what is done there; besides those of ``page_views.ignore_routes``.
        ignore_callbacks: Callbacks that are left out, by function name or outputs.
    """

    page_views: bool | None = None
    interactions: bool | None = None
    values: bool | None = None
    errors: bool | None = None
    ignore_routes: tuple[str, ...] = ()
    ignore_callbacks: tuple[str, ...] = ()

    def over(self, settings: Settings) -> Options:
        """These, with what the settings say of the rest."""
        dash = settings.dash
        return Options(
            _either(self.page_views, settings.page_views.enabled),
            _either(self.interactions, dash.interactions),
            _either(self.values, dash.values),
            _either(self.errors, dash.errors),
            (*settings.page_views.ignore_routes, *self.ignore_routes),
            (*(dash.ignore_callbacks or ()), *self.ignore_callbacks),
        )


def options_of(given: Mapping[str, Any], *, alone: bool = False) -> Options:
    """Options as code writes them.

    Args:
        given: The call's keywords.
        alone: Whether they are nothing else; otherwise what OpenTelemetry's own call adds is passed over.

    Raises:
        ConfigurationError: One of them cannot be used.
    """
    found: dict[str, Any] = {}
    known = [each.name for each in fields(Options)]
    unknown = next((name for name in given if name not in known), None)
    if alone and unknown is not None:
        raise ConfigurationError(unknown, "no such option", f"The options are: {', '.join(known)}, tracker.")
    for each in fields(Options):
        value = given.get(each.name)
        if value is None:
            continue
        if each.name.startswith("ignore_"):
            value = (value,) if isinstance(value, str) else value
            if not isinstance(value, list | tuple | set | frozenset) or not all(
                isinstance(item, str) for item in value
            ):
                raise ConfigurationError(
                    each.name, type(value).__name__, "Write a list of texts, such as ['/admin/*']."
                )
            value = tuple(value)
        elif not isinstance(value, bool):
            raise ConfigurationError(each.name, type(value).__name__, "Write True or False.")
        found[each.name] = value
    return Options(**found)


def _either(asked: bool | None, setting: bool) -> bool:  # noqa: FBT001 - two values of one switch
    return setting if asked is None else asked
