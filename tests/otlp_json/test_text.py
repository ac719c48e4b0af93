"""JSON text on orjson and on the standard library."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from footspan.otlp_json import text
from otlp_json.strategies import TEXT, VALUES


@given(TEXT)
def test_both_writers_quote_alike(value: str) -> None:
    """A stored line does not tell which one wrote its strings."""
    assert text.quote(value) == text._quote_plainly(value)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_both_writers_give_numbers_that_read_back(value: float) -> None:
    """The digits may differ, the number does not."""
    assert value == float(text.number(value)) == float(text._number_plainly(value))


@given(st.recursive(st.one_of(TEXT, st.integers(-9, 9)), lambda inner: st.lists(inner, max_size=3)))
def test_both_writers_dump_alike(value: object) -> None:
    """Compact, in UTF-8."""
    assert text.dumps(value) == text._dumps_plainly(value)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a":1}', {"a": 1}),
        (b'\xef\xbb\xbf{"a":1}', {"a": 1}),
        (b"[NaN,Infinity,-Infinity]", ["NaN", "Infinity", "-Infinity"]),
        (b'"\\ud800"', "\ufffd"),
        (b'{"\\uDC00":"\\ud83d\\ude00 \\\\ud800"}', {"\ufffd": "😀 \\ud800"}),
    ],
)
def test_the_reader_is_patient(data: bytes, value: object) -> None:
    """What other writers produce is read."""
    assert value == text.loads(data)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000, b"nul", b'"\x00"'])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    """With a ``ValueError``, however it is broken."""
    with pytest.raises(ValueError, match=r"."):
        text.loads(data)


def test_everything_works_without_orjson() -> None:
    """A process that has no orjson writes the same events, and reads them."""
    program = textwrap.dedent(
        """
        import json, sys
        sys.modules["orjson"] = None
        from footspan.otlp_json import LogLine, encode_line, encode_record, encode_suffix, explode, merge, text
        assert text._fast is None
        suffix = encode_suffix({"service.name": "shop"}, "footspan")
        for _ in range(2):
            record = encode_record(name='a"\\ud800', time_ns=1, body={"b": [1.5, None, "\\udfff"]}, attributes={
                "log.record.uid": "u", "s": 'quote " \\\\ \\x01 ü 😀', "sur": "\\ud800", "i": 5, "big": 2**70, "f": 0.1,
                "nan": float("nan"), "ok": True, "none": None, "list": [1, ["x"]], "bytes": b"ab", "obj": object()})
        line = LogLine(encode_line(record, suffix))
        foreign = json.dumps(json.loads(merge([line, line]))).encode()
        again = explode(foreign)
        assert [line.line] * 2 == [found.line for found in again], again[0].line
        sys.stdout.buffer.write(encode_line(record, suffix))
        """
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=False)
    assert (0, b"") == (result.returncode, result.stderr)
    read = json.loads(result.stdout)["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
    values = {pair["key"]: pair["value"] for pair in read["attributes"]}
    assert 'a"\ufffd' == read["eventName"]
    assert {"stringValue": 'quote " \\ \x01 ü 😀'} == values["s"]
    assert {"doubleValue": "NaN"} == values["nan"]
    assert {"stringValue": "\ufffd"} == values["sur"]


@given(VALUES)
def test_the_fallback_says_the_same_of_any_value(value: object) -> None:
    """Not the same digits of a float, but the same values."""
    from footspan.otlp_json import values as v  # noqa: PLC0415 - patched below

    with pytest.MonkeyPatch.context() as patch:
        expected = json.loads(v.any_value(value))
        patch.setattr(v, "quote", text._quote_plainly)
        patch.setattr(v, "number", text._number_plainly)
        assert expected == json.loads(v.any_value(value))
