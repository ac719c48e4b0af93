"""Types of destinations that are not built in: a class of somebody's own, named in the settings or by its package.

Here only what settings need is read from the class: its type's name and its options. Whether it can deliver is for
those who build destinations.
"""

from __future__ import annotations

import re
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from footspan import _platform
from footspan.config.kinds import BadValueError, Kind, nearest
from footspan.config.options import DESTINATION_TYPES, DestinationType, Option
from footspan.config.values import read_text
from footspan.config.web import MASK

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.metadata import EntryPoint

GROUP: Final = "footspan_destination"
"""The entry point group in which a package names its destinations."""

TYPE_NAME: Final = re.compile(r"[a-z][a-z0-9]*")
CLASS_PATH: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*")

_OPTION_NAME: Final = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)*")


def type_of(name: str) -> DestinationType:
    """A type of destination, built in or not.

    Args:
        name: What stands in ``type:``: a built-in type, the name of an entry point, or ``package.module:Class``.

    Raises:
        BadValueError: There is no such type, or its class cannot be used.
    """
    return DESTINATION_TYPES.get(name) or _read(load_class(name))


def load_class(name: str) -> Any:
    """What an own type's name stands for.

    Raises:
        BadValueError: There is nothing of this name, or it cannot be loaded.
    """
    if CLASS_PATH.fullmatch(name):
        module, _, attribute = name.partition(":")
        return _loaded(module, attribute)
    entry = _entry(name)
    if entry is None:
        known = type_names()
        guess = nearest(name, known)
        hint = f" Did you mean {guess}?" if guess else ""
        raise BadValueError(
            f"{name!r}" if TYPE_NAME.fullmatch(name) and len(name) <= _LONGEST_QUOTE else "a type that there is not",
            f"Write one of {', '.join(known)}, or a class of your own: package.module:Class.{hint}",
        )
    found = _loaded(entry.module, entry.attr)
    if getattr(found, "type", None) != name:
        raise BadValueError(
            f"an entry point {name!r} whose class calls itself something else",
            f'Set `type = "{name}"` in the class, or rename the entry point.',
        )
    return found


_LONGEST_QUOTE: Final = 40


def is_registered(name: str) -> bool:
    """Whether an installed package names a destination so."""
    return TYPE_NAME.fullmatch(name) is not None and name not in DESTINATION_TYPES and _entry(name) is not None


def type_names() -> list[str]:
    """The types that can be used by a plain word: the built-in ones, then those of installed packages."""
    return [*DESTINATION_TYPES, *sorted(_registered() - set(DESTINATION_TYPES))]


def _read_type(value: object) -> str:
    text = read_text(value)
    if text.casefold() in DESTINATION_TYPES:
        return text.casefold()
    type_of(text)
    return text


TYPE: Final = Kind("type of a destination", _read_type)


# -- loading -----------------------------------------------------------------------------------------------------------


def _loaded(module: str, attribute: str) -> Any:
    """What a module has under a name; whatever it does when it is loaded, it is a setting that cannot be used."""
    try:
        with _platform.importing():
            loaded = import_module(module)
        if hasattr(loaded, attribute):
            return getattr(loaded, attribute)
        found, fix = f"a class that {module} has not", "Write package.module:Class."
    except ModuleNotFoundError as error:
        missing = str(error.name or "")
        if missing and (module == missing or module.startswith(f"{missing}.")):
            found = f"a class in {module}, a module that is not there"
            fix = "Write package.module:Class; the module must be importable where the service runs (PYTHONPATH)."
        else:
            found, fix = f"a class in {module}, which needs {missing or 'another module'}", "Install what is missing."
    except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody else's code, run for the first time
        found, fix = f"a class in {module}, which fails to load ({type(error).__name__})", "Import it to see why."
    # Outside the handlers: no chained exception that might quote what must not be shown.
    raise BadValueError(found, fix)


def _entry_points() -> Iterable[EntryPoint]:
    from importlib.metadata import entry_points  # noqa: PLC0415 - only types that are not built in need it

    return entry_points(group=GROUP)


def _entry(name: str) -> EntryPoint | None:
    return next((entry for entry in _entry_points() if entry.name == name), None)


def _registered() -> set[str]:
    return {entry.name for entry in _entry_points()}


# -- what the class says -----------------------------------------------------------------------------------------------


def _read(found: Any) -> DestinationType:
    """The type that a class declares.

    Raises:
        BadValueError: It declares none, or one that settings cannot have.
    """
    if not isinstance(found, type):
        raise BadValueError("something that is no class", "Write package.module:Class.")
    name = getattr(found, "type", None)
    if not isinstance(name, str) or not TYPE_NAME.fullmatch(name) or name in DESTINATION_TYPES:
        raise BadValueError(
            f"the class {found.__name__}, without a type of its own",
            'Set `type = "…"` in the class: lower-case letters and digits, and no built-in type.',
        )
    options = getattr(found, "options", ())
    if not isinstance(options, tuple) or not all(isinstance(option, Option) for option in options):
        raise BadValueError(
            f"the class {found.__name__}, whose options cannot be read",
            "Set `options` in the class to a tuple of footspan.destinations.Option.",
        )
    taken = {path[0] for path in _common()} | {"type"}
    names = [option.name for option in options]
    for each in names:
        if not _OPTION_NAME.fullmatch(each) or each in taken or names.count(each) > 1:
            raise BadValueError(
                f"the class {found.__name__}, whose option {each!r} cannot have that name",
                "Use a name of lower-case letters, digits and _, once, that is no setting of every destination.",
            )
    return DestinationType(name, _first_line(found), tuple(_masked(option) for option in options))


def _common() -> Iterable[tuple[str, ...]]:
    from footspan.config.declarations import common  # noqa: PLC0415 - it needs this module

    return common()


def _first_line(found: type[Any]) -> str:
    return (found.__doc__ or "").strip().partition("\n")[0]


def _masked(option: Option) -> Option:
    """An option that may hold a secret, whatever its kind, is shown by none."""
    if not option.secret or option.kind.mask is not None:
        return option
    return replace(option, kind=replace(option.kind, mask=lambda _: MASK))
