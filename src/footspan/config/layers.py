"""One layer of settings: what one source holds, flat, each value with the name to use in an error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from footspan.config.declarations import DESTINATIONS, common, general
from footspan.config.errors import ConfigurationError, stop
from footspan.config.kinds import BadValueError, describe, nearest
from footspan.config.options import DESTINATION_TYPES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from footspan.config.declarations import Path
    from footspan.config.errors import Report
    from footspan.config.kinds import Kind

Origin = Literal["code", "environment", "file"]

_ORDINARY_KEY: Final = re.compile(r"[A-Za-z0-9_.-]{1,48}")


@dataclass(frozen=True, slots=True)
class Found:
    """A value as a source holds it.

    Attributes:
        value: The value, not read yet; may be secret.
        key: What a person calls it: a dotted path, an environment variable, an argument of ``init``.
        where: `` in <file>`` for a value from a file, else nothing.
        origin: The kind of source.
    """

    value: object
    key: str
    where: str = ""
    origin: Origin = "environment"

    def read(self, kind: Kind) -> Any:
        """Read the value.

        Raises:
            ConfigurationError: If the kind cannot read it.
        """
        try:
            return kind.read(self.value)
        except BadValueError as bad:
            error = ConfigurationError(self.key, bad.found + self.where, bad.fix)
        # Raised outside the handler: no chained exception that might quote the value.
        raise error

    def read_or(self, kind: Kind, otherwise: Any, report: Report) -> Any:
        """Read the value; one that cannot be read is reported, and stands for ``otherwise``."""
        try:
            return self.read(kind)
        except ConfigurationError as error:
            report(error)
        return otherwise


Layer = dict["Path", Found]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a nested mapping of settings comes from.

    Attributes:
        name: Gives the name a person uses for a path.
        where: See :attr:`Found.where`.
        expand: Applied to each value with its name; ``None`` means nothing is set.
        origin: The kind of source.
        report: Takes what is wrong in it.
    """

    name: Callable[[Path], str]
    where: str = ""
    expand: Callable[[object, str], object] = lambda value, _key: value
    origin: Origin = "code"
    report: Report = stop

    def error(self, path: Path, found: str, fix: str) -> ConfigurationError:
        """Make an error about one place in this source."""
        return ConfigurationError(self.name(path), found + self.where, fix)

    def unknown(self, path: Path, siblings: Iterable[str]) -> ConfigurationError:
        """Make the error for a key nobody declared, with the one that was probably meant."""
        *above, key = path
        siblings = list(siblings)
        guess = nearest(key, siblings)
        if guess is not None:
            return self.error(path, "an unknown key", f"Did you mean {self.name((*above, guess))}?")
        places = [place for place in general() if key in place]
        if key in DESTINATION_TYPES:
            places.append((DESTINATIONS, key))
        if places:
            place = places[0][: places[0].index(key) + 1]
            return self.error(path, "an unknown key", f"It belongs at {self.name(place)}.")
        return self.error(path, "an unknown key", f"Known keys here: {', '.join(siblings)}.")

    def flatten(self, settings: Mapping[Any, object], also: Iterable[str] = ()) -> Layer:
        """Turn a nested mapping of settings into a layer.

        Args:
            settings: The mapping.
            also: Keys of the top level to suggest besides the declared ones.

        A key that is not declared, or a value where a mapping must stand, is reported. The keys of a destination are
        checked later, when its type is known.
        """
        layer: Layer = {}
        self._section(settings, (), layer, (DESTINATIONS, *also))
        return layer

    def _section(self, section: Mapping[Any, object], above: Path, layer: Layer, also: Iterable[str] = ()) -> None:
        known = dict.fromkeys(place[len(above)] for place in general() if place[: len(above)] == above)
        for raw, value in section.items():
            path = (*above, ordinary(raw))
            if path == (DESTINATIONS,):
                self._destinations(value, layer)
            elif path[-1] not in known:
                self.report(self.unknown(path, (*known, *also)))
            elif path in general():
                self._leaf(value, path, layer)
            else:
                self._section(self._mapping(value, path), path, layer)

    def _destinations(self, value: object, layer: Layer) -> None:
        for raw, keys in self._mapping(value, (DESTINATIONS,)).items():
            path = (DESTINATIONS, ordinary(raw))
            # The bare name stands for the destination itself: `console:` with nothing under it is one.
            layer[path] = self._found(None, path)
            for key, setting in self._mapping(keys, path).items():
                place = (*path, ordinary(key))
                if any(each[0] == place[-1] and len(each) > 1 for each in common()):
                    for inner, content in self._mapping(setting, place).items():
                        self._leaf(content, (*place, ordinary(inner)), layer)
                else:
                    self._leaf(setting, place, layer)

    def _leaf(self, value: object, path: Path, layer: Layer) -> None:
        try:
            expanded = self.expand(value, self.name(path))
        except ConfigurationError as error:
            self.report(error)
            return
        if expanded is not None:
            layer[path] = self._found(expanded, path)

    def _found(self, value: object, path: Path) -> Found:
        return Found(value, self.name(path), self.where, self.origin)

    def _mapping(self, value: object, path: Path) -> Mapping[Any, object]:
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            self.report(self.error(path, describe(value), "Write a mapping of keys to values here."))
            return {}
        return value


def ordinary(key: object) -> str:
    """A key as it may be shown: text in the wrong place might be a secret."""
    return key if isinstance(key, str) and _ORDINARY_KEY.fullmatch(key) else f"<{describe(key)}>"
