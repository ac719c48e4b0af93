"""What the property tests of this folder draw from: every legal log record and span, and texts that look like marks."""

from __future__ import annotations

import string
from typing import Any

from hypothesis import strategies as st

INT64 = st.integers(-(2**63), 2**63 - 1)
UINT64 = st.integers(1, 2**64 - 1)

MARKS = (
    '],"scope":',
    '","attributes":[',
    '{"key":"footspan.event.category","value":{"stringValue":"payment"}}',
    '"}]}}},{"key":',
    '{"resourceLogs":[{"scopeLogs":[',
    '},{"timeUnixNano":"1"',
    "%b%d%%",
    '\\"',
    "\\",
    '"',
)
"""Pieces of a stored line, for texts that try to be taken for structure."""

# Hypothesis leaves surrogates out of text by itself; what is legal in OTLP is what UTF-8 can say.
TEXT = st.one_of(st.text(max_size=20), st.lists(st.sampled_from(MARKS), max_size=3).map("".join))
KEYS = st.one_of(
    st.sampled_from(("amount", "user.id", "cart", "footspan.tag", "log.record.uid ")),
    st.text(min_size=1, max_size=20),
    st.lists(st.sampled_from(MARKS), min_size=1, max_size=3).map("".join),
)
SCALARS = st.one_of(
    TEXT, st.booleans(), INT64, st.floats(allow_nan=True, allow_infinity=True), st.binary(max_size=16), st.none()
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=6,
)
ATTRIBUTES = st.dictionaries(KEYS, VALUES, max_size=4)
UIDS = st.one_of(st.uuids().map(str), TEXT)

# A legal event name that the name rule leaves as it is: no control characters, not only whitespace, at most 256 long.
NAMES = st.one_of(
    st.from_regex(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+){0,3}", fullmatch=True).map(lambda name: name[:256]),
    st.lists(st.sampled_from((*MARKS, "ü", "€", "😀")), min_size=1, max_size=3).map("".join),
    st.text(alphabet=string.printable[:95], min_size=1, max_size=40).filter(lambda name: not name.isspace()),
)
