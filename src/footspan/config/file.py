"""The configuration file: YAML, of which only the ``telemetry:`` mapping is ours.

Scalars stay text. YAML's guesses would turn version ``1.10`` into the number 1.1 and ``no`` into a boolean; the kinds
of the settings know better, and a value means the same in the file and in the environment.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from footspan.config.declarations import DESTINATIONS
from footspan.config.errors import ConfigurationError, stop
from footspan.config.kinds import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from yaml import MappingNode, Node

    from footspan.config.errors import Report

ROOT: Final = "telemetry"

_REFERENCE: Final = re.compile(r"\$\$|\$\{(?:([^}]*)\})?")
_VARIABLE: Final = re.compile(r"(?:env:)?([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)


def read_file(
    path: Path,
    *,
    named_by: str,
    report: Report = stop,
    ours: tuple[str, ...] = (ROOT,),
    whole: bool = False,
) -> Mapping[Any, object]:
    """Read the mapping of a file that is ours, as a rule that under ``telemetry:``.

    Args:
        path: The file.
        named_by: What named the file, for the error if it cannot be read.
        report: Takes each key that stands there twice.
        ours: The keys that lead to it; none for a file that is ours from top to bottom.
        whole: Whether to return what stands around it as well.

    Returns:
        The mapping; empty if the file has none.

    Raises:
        ConfigurationError: If the file cannot be read or is no YAML. Nothing of its content is quoted but keys.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigurationError(str(path), "text that is not UTF-8", "Save the file as UTF-8.") from None
    except (OSError, ValueError) as error:
        found = f"no readable file at {path} ({type(error).__name__})"
        raise ConfigurationError(named_by, found, "Name a file that exists and may be read.") from None
    return _parse(text, str(path), report, ours, whole=whole)


def _parse(text: str, name: str, report: Report, ours: tuple[str, ...], *, whole: bool) -> Mapping[Any, object]:
    import yaml  # noqa: PLC0415 - only a file needs it

    problem: tuple[str, str]
    try:
        loader = _loader()(text)
        try:
            root = section = loader.get_single_node()
            for depth, key in enumerate(ours):
                section = section and _section(section, ours[:depth], key, name)
            if section is not None:
                _refuse_duplicates(section, name, report)
            settings = loader.construct_document(root if whole else section) if root and (whole or section) else None
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problem = f"{name}, line {line}", "a control character"
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = f"{name}, line {mark.line + 1}" if mark else name, "text that is not valid YAML"
    except RecursionError:
        problem = name, "YAML that is nested too deeply"
    else:
        if settings is None:
            return {}
        if not isinstance(settings, dict) and (whole or not ours):
            raise ConfigurationError(name, "no mapping", "Write keys and what holds for each.")
        if not isinstance(settings, dict):
            raise _no_mapping(ours, name)
        return settings
    # Raised outside the handler: the parser's own message quotes the file.
    raise ConfigurationError(*problem, "Correct the syntax there; a wrong indent or a missing quote is usual.")


@cache
def _loader() -> Any:
    """The YAML loader: no objects but the plain ones, and no guesses about scalars except null and merge keys."""
    import yaml  # noqa: PLC0415 - only a file needs it

    kept = {"tag:yaml.org,2002:null", "tag:yaml.org,2002:merge"}

    class TextLoader(yaml.SafeLoader):
        yaml_implicit_resolvers = {  # noqa: RUF012 - replaces the parent's own attribute
            first: [(tag, pattern) for tag, pattern in resolvers if tag in kept]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    return TextLoader


def _section(node: Node, above: tuple[str, ...], key: str, name: str) -> Node | None:
    """The node under a key, if there is one."""
    from yaml import MappingNode  # noqa: PLC0415 - only a file needs it

    if not isinstance(node, MappingNode):
        if above and not node.value:
            return None
        raise (
            _no_mapping(above, name)
            if above
            else ConfigurationError(name, "no mapping", f"Write the settings as keys under `{key}:`.")
        )
    sections: list[tuple[Node, Node]] = [(found, value) for found, value in node.value if found.value == key]
    if len(sections) > 1:
        raise _twice(key, name, sections[1][0])
    if sections:
        return sections[0][1]
    _refuse_misplaced(node, above, key, name)
    return None


def _refuse_misplaced(node: MappingNode, above: tuple[str, ...], missing: str, name: str) -> None:
    """Refuse a mapping that lacks our key and has one that was meant to be it, or to stand below it."""
    ours = {DESTINATIONS, "spool"} if missing == ROOT else set()
    place = ".".join((*above, missing))
    for key, _ in node.value:
        if isinstance(key.value, str) and (key.value in ours or nearest(key.value, [missing])):
            raise ConfigurationError(
                place, f"no such key in {name}, but a key `{key.value}`", f"Put the settings under `{place}:`."
            )


def _no_mapping(place: tuple[str, ...], name: str) -> ConfigurationError:
    dotted = ".".join(place)
    return ConfigurationError(dotted, f"no mapping in {name}", f"Write the settings as keys under `{dotted}:`.")


def _refuse_duplicates(section: Node, name: str, report: Report) -> None:
    """Refuse a mapping that has a key twice; YAML's own answer, the last one wins, hides mistakes."""
    from yaml import MappingNode, SequenceNode  # noqa: PLC0415 - only a file needs it

    waiting, seen = [section], set()
    while waiting:
        node = waiting.pop()
        if id(node) in seen:  # an alias
            continue
        seen.add(id(node))
        if isinstance(node, MappingNode):
            _refuse_twins(node, name, report)
            waiting += [value for _, value in node.value]
        elif isinstance(node, SequenceNode):
            waiting += node.value


def _refuse_twins(node: MappingNode, name: str, report: Report) -> None:
    keys = set()
    for key, _ in node.value:
        if isinstance(key.value, str) and not key.tag.endswith(":merge"):
            if key.value in keys:
                report(_twice(key.value, name, key))
            keys.add(key.value)


def _twice(key: str, name: str, node: Node) -> ConfigurationError:
    place = f"{name}, line {node.start_mark.line + 1}"
    return ConfigurationError(place, f"the key `{key}` a second time", "Keep one of them.")


def expand(value: object, environ: Mapping[str, str], key: str) -> object:
    """Put environment variables into a value: ``${env:NAME}``, ``${env:NAME:-default}``, and ``$$`` for a dollar.

    The rules are those of OpenTelemetry's configuration files and of the Collector: ``env:`` may be left out, an unset
    or empty variable takes the default or else nothing, and what is put in is not expanded again.

    Args:
        value: A scalar, a list or a mapping, as the file holds it.
        environ: The variables.
        key: What the value is called in an error.

    Returns:
        The value; ``None`` for text of which references left nothing, which counts as not set.

    Raises:
        ConfigurationError: If a reference cannot be read.
    """
    if isinstance(value, str):
        return _expand_text(value, environ, key)
    if isinstance(value, list):
        return [expand(item, environ, key) for item in value]
    if isinstance(value, dict):
        return {name: expand(item, environ, key) for name, item in value.items()}
    return value


def _expand_text(text: str, environ: Mapping[str, str], key: str) -> str | None:
    if "$" not in text:
        return text

    def replace(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        variable = _VARIABLE.fullmatch(match[1] or "")
        if variable is None:
            raise ConfigurationError(
                key, "a reference that names no variable", "Write ${env:NAME} or ${env:NAME:-default}; $$ is a dollar."
            )
        return environ.get(variable[1]) or variable[2] or ""

    return _REFERENCE.sub(replace, text) or None
