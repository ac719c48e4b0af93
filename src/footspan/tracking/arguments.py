"""Arguments and results of watched functions as properties, where somebody asked for them.

They are shown, not dumped: a text is cut, a container is its kind and size, an object its class. A text is cleaned
before it is cut, since half an address would not be known for one.
"""

from __future__ import annotations

import inspect
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from footspan.config.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

LONGEST: Final = 100
"""Characters of a text that are kept."""
_CLEANED: Final = 4_096
"""Characters of a text that are looked at."""
_PREFIX: Final = "arg_"
_OWNERS: Final = frozenset({"self", "cls", "mcs", "mcls"})
# Modules whose classes say in a short text what they are worth.
_SHORT: Final = frozenset({"datetime", "decimal", "fractions", "ipaddress", "pathlib", "uuid"})
_VARIABLE: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Arguments:
    """Which of a function's arguments are recorded.

    Args:
        function: The function, unbound.
        wanted: ``True`` for all, or their names.
        skip_first: Whether the first is the class that a class method is called on.

    Raises:
        ConfigurationError: The function has no such parameter.
    """

    def __init__(self, function: Callable[..., Any], wanted: bool | Iterable[str], *, skip_first: bool = False) -> None:  # noqa: FBT001 - as the decorators take it
        names = None if wanted is True else (wanted,) if isinstance(wanted, str) else tuple(wanted or ())
        self._names: tuple[str, ...] | None = names
        try:
            self._signature: inspect.Signature | None = inspect.signature(function)
        except (TypeError, ValueError):  # some functions in C have none
            self._signature = None
        known = list(self._signature.parameters.values()) if self._signature else []
        self._variable = {each.name for each in known if each.kind in _VARIABLE}
        first = known[0].name if known else ""
        self._owner = first if skip_first or first in _OWNERS else ""
        open_ended = self._signature is None or any(each.kind is each.VAR_KEYWORD for each in known)
        missing = [name for name in names or () if not open_ended and name not in self._signature.parameters]  # type: ignore[union-attr]
        if missing:
            raise ConfigurationError(
                "include_args",
                f"{missing[0]!r}",
                f"Its parameters are: {', '.join(each.name for each in known) or 'none'}.",
            )

    def of(self, args: tuple[Any, ...], kwargs: dict[str, Any], clean: Callable[[str], str]) -> dict[str, Any]:
        """The arguments of one call as properties, ``arg_<name>``; defaults too, since the function works with them.

        Args:
            args: By position.
            kwargs: By name.
            clean: Redacts a text.
        """
        found = self._bound(args, kwargs)
        if self._names is not None:
            found = {name: found[name] if name in found else kwargs.get(name) for name in self._names}
        return {_PREFIX + name: shown(value, clean) for name, value in found.items()}

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        if self._signature is None:
            return dict(kwargs)
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError:  # the call itself will say so
            return {}
        bound.apply_defaults()
        return {
            name: value
            for name, value in bound.arguments.items()
            if name != self._owner and not (name in self._variable and not value)
        }


def shown(value: Any, clean: Callable[[str], str]) -> Any:
    """A value as a property: itself, a short text, or what kind of thing it is.

    Args:
        value: The value.
        clean: Redacts a text.
    """
    try:
        return _shown(value, clean)
    except Exception:  # noqa: BLE001 - whatever the host's objects raise
        return f"<{type(value).__name__}>"


def _shown(value: Any, clean: Callable[[str], str]) -> Any:  # noqa: PLR0911 - one for each kind
    kind = type(value)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, Enum):
        return shown(value.value, clean)
    if isinstance(value, str):
        return _short(str.__str__(value), clean)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return f"{kind.__name__}[{len(value)} bytes]"
    if isinstance(value, dict) or (hasattr(kind, "keys") and hasattr(kind, "__len__")):
        return f"{kind.__name__}[{len(value)} keys]"
    if isinstance(value, (list, tuple, set, frozenset)) or (hasattr(kind, "__len__") and hasattr(kind, "__iter__")):
        return f"{kind.__name__}[{len(value)} items]"
    if any(base.__module__.partition(".")[0] in _SHORT for base in kind.__mro__[:-1]):
        return _short(value.isoformat() if hasattr(kind, "isoformat") else str(value), clean)
    return f"<{kind.__name__}>"


def _short(text: str, clean: Callable[[str], str]) -> str:
    cleaned = clean(text[:_CLEANED])
    return cleaned if len(cleaned) <= LONGEST else cleaned[: LONGEST - 1] + "…"
