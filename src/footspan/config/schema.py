"""The JSON Schema of the configuration file, derived from the declarations, for editors and other checks.

It says of a file what can be said without the environment. A file is YAML, and editors guess the type of a scalar
where footspan takes its text (``1.10`` is a number to them), so a scalar may be of any type whose text can be meant.
Any value may hold a reference (``${env:NAME}``), whose content nobody knows here.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from footspan.config.composite import SamplingRule
from footspan.config.consent import ACTIONS as WITHOUT_ACTIONS
from footspan.config.consent import PURPOSES
from footspan.config.declarations import DESTINATIONS, general, of_type
from footspan.config.file import ROOT
from footspan.config.options import DESTINATION_TYPES, IMPLEMENTED_TYPES
from footspan.config.own_types import CLASS_PATH, type_names
from footspan.config.values import POSITIVE_DURATION
from footspan.config.visitors import REFERRER_CLASSES
from footspan.config.web import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from footspan.config.declarations import Declared, Path
    from footspan.config.kinds import Kind

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_SCALAR: Final = ["string", "number", "boolean"]
_FILLED: Final = r"\S"
_PLAIN: Final = r"^\s*[^\x00-\x1f\x7f]*\s*$"


def _word(*words: str) -> str:
    """A regular expression of some words in any case, with space around; ECMA-262 has no switch for that."""
    folded = "|".join(
        "".join(f"[{each.upper()}{each.lower()}]" if each.isalpha() else each for each in word) for word in words
    )
    return rf"^\s*(?:{folded})\s*$"


_NUMBER: Final = r"[0-9]{1,15}(?:\.[0-9]{1,15})?"
_SIZE: Final = r"^(?=[^1-9]*[1-9])\s*[0-9]{1,19}(?:(?:\.0{1,9})?\s*[bB]?|(?:\.[0-9]{1,9})?\s*[kKmMgG][iI]?[bB])\s*$"
_PART: Final = r"[0-9]{1,12}(?:\.[0-9]{1,9})?\s*(?:[mM][sS]|[dDhHmMsS])\s*"
_DURATION: Final = rf"^\s*(?:{_NUMBER}|(?:{_PART})+)\s*$"
_ZERO: Final = r"^[^1-9]*$"
_LONGEST: Final = 36_500 * 86_400
_CATEGORY: Final = r"[^\s.*?!,=\"{}]{1,64}"
_CLASS: Final = _word(*REFERRER_CLASSES).removeprefix(r"^\s*").removesuffix(r"\s*$")
_ACTION: Final[Schema] = {"type": "string", "pattern": _word(*WITHOUT_ACTIONS)}
_PURPOSE: Final = _word(*PURPOSES).removeprefix(r"^\s*").removesuffix(r"\s*$")
_DOMAIN: Final = r"\.?[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63}){0,9}"
_NAME_OF_A_HEADER: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_ITEM: Final = {"type": _SCALAR, "allOf": [{"pattern": _FILLED}, {"pattern": _PLAIN}]}
_LIST: Final = {"anyOf": [{"type": _SCALAR, "pattern": _PLAIN}, {"type": "array", "items": _ITEM}]}
_PATTERNS: Final = {
    "anyOf": [
        {"type": "array", "items": {**_ITEM, "not": {"type": "string", "pattern": r"^\s*!(?:!|\s*$)"}}},
        {
            "type": _SCALAR,
            "pattern": _PLAIN,
            "not": {"type": "string", "pattern": r"(?:^|,)\s*!(?:!|\s*(?:,|$))"},
        },
    ]
}


def _pairs(name: str, value: str, *, values: Any = _SCALAR, lists: bool = True) -> list[Schema]:
    """A mapping of names to values, each told by what a regular expression says of it; a list of pairs as well."""
    first, second = {"type": _SCALAR, "pattern": rf"^\s*{name}\s*$"}, {"type": values, "pattern": rf"^\s*{value}\s*$"}
    pair = {"type": "array", "prefixItems": [first, second], "minItems": 2, "maxItems": 2}
    return [
        {"type": "object", "propertyNames": first, "additionalProperties": second},
        *([{"type": "array", "items": pair}] if lists else []),
    ]


def _in_one_string(pair: str) -> Schema:
    """Pairs with commas between them."""
    return {"type": "string", "pattern": rf"^(?:\s*(?:{pair}\s*)?(?:,|$))*$"}


def _rule() -> Schema:
    fields = dataclasses.fields(SamplingRule)
    needed = [each.name for each in fields if each.default is dataclasses.MISSING]
    return {
        "type": "object",
        "properties": {each.name: _leaf(each.metadata["kind"], each.metadata["help"]) for each in fields},
        "required": needed,
        "not": {"anyOf": [{"properties": {name: {"enum": [None, []]}}, "required": [name]} for name in needed]},
        "additionalProperties": False,
    }


_KINDS: Final[dict[str, Schema]] = {
    "address": {"type": "string", "pattern": r"^\s*[hH][tT][tT][pP][sS]?://[^\s/?#@\\]+(?:[/?][^\s#]*)?\s*$"},
    "boolean": {
        "anyOf": [
            {"type": "boolean"},
            {"enum": [0, 1]},
            {"type": "string", "pattern": _word("true", "false", "yes", "no", "on", "off", "1", "0")},
        ]
    },
    "actions by purpose": {
        "anyOf": [
            {
                "type": "object",
                "propertyNames": {"pattern": _word(*PURPOSES)},
                "additionalProperties": {
                    "anyOf": [
                        _ACTION,
                        {
                            "type": "object",
                            "propertyNames": {"pattern": r"^(?:\*|[a-z0-9_]{1,64})$"},
                            "additionalProperties": _ACTION,
                        },
                    ]
                },
            },
            {"type": "string", "pattern": r"^\s*\{[\s\S]*\}\s*$"},
        ]
    },
    "categories": {
        "anyOf": [
            *_pairs(r"(?!!)(?=[^\x00-\x1f\x7f]*[^\s.])[^\x00-\x1f\x7f]*", _CATEGORY),
            _in_one_string(rf"(?!!)(?=[^=,]*[^\s.=,])[^=,\x00-\x1f\x7f]*=\s*{_CATEGORY}"),
            {"type": "string", "pattern": r"^\s*\{[\s\S]*\}\s*$"},
        ]
    },
    "count": {
        "anyOf": [
            {"type": "integer", "minimum": 1, "maximum": 999_999_999},
            {"type": "string", "pattern": r"^\s*(?=0*[1-9])[0-9]{1,9}\s*$"},
        ]
    },
    "domain": {"type": _SCALAR, "pattern": rf"^\s*{_DOMAIN}\s*$"},
    "domains": {"anyOf": [*_pairs(_DOMAIN, _CLASS, values="string"), _in_one_string(rf"{_DOMAIN}\s*=\s*{_CLASS}")]},
    "duration": {
        "anyOf": [{"type": "number", "minimum": 0, "maximum": _LONGEST}, {"type": "string", "pattern": _DURATION}]
    },
    "headers": {
        "anyOf": [
            *_pairs(_NAME_OF_A_HEADER, r"[\t\x20-\x7e\x80-\xff]*", lists=False),
            _in_one_string(rf"{_NAME_OF_A_HEADER}\s*=[^,]*"),
        ]
    },
    "id of a key": {"type": _SCALAR, "pattern": r"^\s*[a-z0-9]{1,8}\s*$"},
    "key": {"type": _SCALAR, "pattern": r"^\s*[\x21-\x7e]+\s*$"},
    "list": _LIST,
    "name of a cookie": {"type": _SCALAR, "pattern": rf"^\s*(?=\S{{1,64}}\s*$){_NAME_OF_A_HEADER}\s*$"},
    "path": {"type": _SCALAR, "pattern": r"^[^\x00]*[^\x00\s][^\x00]*$"},
    "path of a request": {"type": "string", "pattern": r"^\s*/(?:[^/\s?#][^\s?#]*)?\s*$"},
    "patterns": _PATTERNS,
    "patterns by purpose": {
        "anyOf": [
            {
                "type": "object",
                "propertyNames": {"pattern": _word(*PURPOSES)},
                "additionalProperties": _PATTERNS,
            },
            {"type": "string", "pattern": r"^\s*\{[\s\S]*\}\s*$"},
        ]
    },
    "purposes": {
        "anyOf": [
            {"type": "array", "items": {"type": "string", "pattern": _word(*PURPOSES)}},
            {"type": "string", "pattern": rf"^(?:\s*(?:{_PURPOSE}\s*)?(?:,|$))*$"},
        ]
    },
    "share": {
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": 1},
            {"type": "string", "pattern": r"^\s*(?:0{1,15}(?:\.[0-9]{1,15})?|0{0,14}1(?:\.0{1,15})?)\s*$"},
        ]
    },
    "proxy": {
        "anyOf": [
            {"type": "string", "pattern": _word(ENVIRONMENT)},
            {"type": "string", "pattern": r"^\s*[hH][tT][tT][pP][sS]?://[^\s/?#\\]+/?\s*$"},
        ]
    },
    "size": {"anyOf": [{"type": "integer", "minimum": 1, "maximum": 2**63 - 1}, {"type": "string", "pattern": _SIZE}]},
    "text": _ITEM,
}
"""What can be written for each kind of value; choices speak for themselves."""


def schema_of(kind: Kind) -> Schema:
    """What can be written for a kind of value."""
    if kind.words:
        words = list(kind.words)
        # The words for whoever completes them, then any case.
        return {"anyOf": [{"enum": words}, {"type": "string", "pattern": _word(*words)}]}
    if kind.name == "rules":
        return {"anyOf": [{"type": "array", "items": _rule()}, {"type": "string", "pattern": r"^\s*\[[\s\S]*\]\s*$"}]}
    if kind is POSITIVE_DURATION:
        text = _KINDS["duration"]["anyOf"][1]
        return {
            "anyOf": [
                {"type": "number", "exclusiveMinimum": 0, "maximum": _LONGEST},
                {**text, "not": {"pattern": _ZERO}},
            ]
        }
    return _KINDS[kind.name]


def _leaf(kind: Kind, text: str, default: Any = None) -> Schema:
    found: Schema = {
        "description": text,
        # An empty key is not set; a reference may hold anything.
        "anyOf": [schema_of(kind), {"type": "null"}, {"type": "string", "pattern": r"\$"}],
    }
    if default is not None:
        found["default"] = default if isinstance(default, bool | int) and kind.name != "size" else kind.show(default)
    return found


def _section(declared: Mapping[Path, Declared], above: Path = (), **more: Schema) -> Schema:
    properties: dict[str, Schema] = {}
    for path, each in declared.items():
        if path[: len(above)] == above:
            key = path[len(above)]
            place = (*above, key)
            if path == place:
                properties[key] = _leaf(each.kind, each.help, each.default)
            elif key not in properties:
                properties[key] = _section(declared, place)
    return {"type": ["object", "null"], "properties": {**properties, **more}, "additionalProperties": False}


def _type_is(name: str) -> Schema:
    return {"properties": {"type": {"type": "string", "pattern": _word(name)}}, "required": ["type"]}


def _destinations() -> Schema:
    types = list(DESTINATION_TYPES)
    any_type = {path: each for name in types for path, each in of_type(name).items()}
    own = _section(any_type, type={"description": "What it is."})
    # Keys that types share may be of different kinds, so here only their names count.
    own["properties"] = dict.fromkeys(own["properties"], True) | {
        "type": {"anyOf": [{"enum": types}, {"type": "string", "pattern": _word(*types)}, {"type": "null"},
                           {"type": "string", "pattern": r"\$"}]}
    }  # fmt: skip
    own["allOf"] = [{"if": _type_is(name), "then": {"$ref": f"#/$defs/{name}"}} for name in types]
    # What a class of somebody's own takes, only the class knows.
    packaged = [name for name in type_names() if name not in types]
    pattern = rf"^\s*(?:{'|'.join([CLASS_PATH.pattern, *packaged])})\s*$"
    stated = {"type": "object", "properties": {"type": {"type": "string", "pattern": pattern}}, "required": ["type"]}
    own = {"if": stated, "then": {}, "else": own}
    return {
        "description": "Where events go; a second destination of a type has a name of its own and says its type.",
        "type": ["object", "null"],
        "properties": {
            **{name: {"$ref": f"#/$defs/{name}"} for name in types},
            **{name: {"type": ["object", "null"]} for name in packaged},
        },
        "patternProperties": {rf"^(?!(?:{'|'.join(types + packaged)})$)[a-z0-9]+$": own},
        "additionalProperties": False,
    }


def _definition(name: str) -> Schema:
    same = {"anyOf": [_type_is(name)["properties"]["type"], {"type": "null"}, {"type": "string", "pattern": r"\$"}]}
    found = _section(of_type(name), type=same)
    note = "" if name in IMPLEMENTED_TYPES else " Not in this version."
    return {"description": DESTINATION_TYPES[name].help + note, **found}


def json_schema() -> Schema:
    """The JSON Schema (draft 2020-12) of the configuration file."""
    telemetry = _section(general(), (), **{DESTINATIONS: _destinations()})
    return {
        "$schema": DIALECT,
        "title": "Settings of footspan",
        "description": "Only the mapping `telemetry:` is footspan's; a file may be shared with other programs.",
        "type": ["object", "null"],
        "properties": {ROOT: {"description": "Settings of footspan.", **telemetry}},
        # Settings that stand beside `telemetry:` are most likely meant to stand below it.
        "anyOf": [{"required": [ROOT]}, {"not": {"anyOf": [{"required": [key]} for key in (DESTINATIONS, "spool")]}}],
        "$defs": {name: _definition(name) for name in DESTINATION_TYPES},
    }
