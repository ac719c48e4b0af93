"""Tests for footspan.instrumentation.web_sessions.records: what a cookie holds, and that nobody else can write one."""

from __future__ import annotations

import re
import time
import uuid
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import URLSafeTimedSerializer

from footspan import conventions as c
from footspan.instrumentation.web_sessions.records import MAX_COOKIE, Record, Signer, event_uid
from footspan.tracking.sessions import Session

DAY = 86_400.0
NAMES = list(c.TOUCHES.values())
SESSION = Session("5" * 32, "v" * 32, 1_800_000_000.123, 1_800_000_060.5, "4" * 32)
FULL = Record(
    "v" * 32,
    SESSION,
    first={name: f"first {name}" for name in NAMES},
    last={name: f"lást {name}" for name in NAMES},
)


@pytest.mark.parametrize(
    "record",
    [
        FULL,
        Record("v"),
        Record("v", Session("s", "v", 1.0, 2.0), ended=True),
        Record("v" * 32, SESSION, first=FULL.first, last=FULL.first),
    ],
    ids=["full", "empty", "ended", "one touch"],
)
def test_what_is_written_is_read(record: Record) -> None:
    """All of it, times to the millisecond; as a value that a cookie can hold."""
    signer = Signer(["key"], DAY)
    value = signer.dump(record)

    assert re.fullmatch(r"[A-Za-z0-9._-]+", value)
    assert record == signer.load(value)


def test_tampering_is_seen() -> None:
    """Any changed character, and any part left out."""
    signer = Signer(["key"], DAY)
    value = signer.dump(Record("v", SESSION))

    for place in range(0, len(value) - 1, 7):
        other = "A" if value[place] != "A" else "B"
        assert signer.load(value[:place] + other + value[place + 1 :]) is None
        assert signer.load(value[:place]) is None
    assert signer.load(value) is not None


@given(st.text())
def test_garbage_is_no_record(value: str) -> None:
    """Whatever a client sends, nothing raises."""
    assert Signer(["key"], DAY).load(value) is None


@pytest.mark.parametrize(
    "data",
    [
        None,
        7,
        [],
        {},
        "x",
        [1],
        [2, "v", None, {}, None],
        [1, 7, None, {}, None],
        [1, "v", 5, {}, None],
        [1, "v", None, [], None],
        [1, "v", None, {"x": "y"}, None],
        [1, "v", ["s", "a", 2, None, 0], {}, None],
    ],
)
def test_another_programs_signature_is_no_record(data: object) -> None:
    """The right key over something else, as another version may have written."""
    serializer = URLSafeTimedSerializer(
        "key", salt="footspan.visitor", signer_kwargs=Signer(["key"], DAY)._serializer.signer_kwargs
    )

    assert Signer(["key"], DAY).load(serializer.dumps(data)) is None


def test_the_apps_own_cookies_are_no_records() -> None:
    """The key may be the app's own; what it signs with it for other ends is not ours."""
    assert Signer(["key"], DAY).load(URLSafeTimedSerializer("key").dumps([1, "v", None, {}, None])) is None


def test_keys_can_be_exchanged() -> None:
    """Cookies by the old key are read, new ones are written by the new one."""
    old, both, new = Signer(["old"], DAY), Signer(["new", "old"], DAY), Signer(["new"], DAY)

    assert both.load(old.dump(FULL)) == FULL
    assert new.load(both.dump(FULL)) == FULL
    assert new.load(old.dump(FULL)) is None


@pytest.mark.parametrize(("later", "read"), [(DAY - 5, True), (DAY + 5, False), (-60, True)])
def test_a_cookie_ages(later: float, read: bool) -> None:
    """Too old counts as none; one of a host whose clock is ahead is as good as any."""
    value = Signer(["key"], DAY).dump(FULL)
    found = Signer(["key"], DAY, clock=lambda: time.time() + later).load(value)

    assert (found == FULL) is read


def incompressible(random: Random, length: int) -> str:
    """Text of many different characters."""
    return "".join(chr(random.randrange(0x4E00, 0x9FA5)) for _ in range(length))


def test_long_touches_fit_a_cookie() -> None:
    """Random text that does not compress, at the length that attribution leaves it: the session stays whole."""
    random = Random(1)
    long = {name: incompressible(random, 255) for name in NAMES}
    record = Record("v" * 32, SESSION, first=long, last={name: text[::-1] for name, text in long.items()})
    signer = Signer(["key"], DAY)
    value = signer.dump(record)
    found = signer.load(value)

    assert len(value) <= MAX_COOKIE
    assert found is not None
    assert found.session is not None
    assert found.session.id == SESSION.id
    assert record.last[NAMES[0]].startswith(found.last[NAMES[0]])
    assert found.last[NAMES[0]]


def test_click_ids_of_the_first_touch_go_first() -> None:
    """They are the longest, and say the least later on."""
    random = Random(1)
    clicks = [name for name in NAMES if "click_id" in name]
    long = [{name: incompressible(random, 100) for name in clicks} for _ in range(2)]
    record = Record("v" * 32, SESSION, first={"footspan.utm.source": "poster", **long[0]}, last=long[1])
    found = Signer(["key"], DAY).load(Signer(["key"], DAY).dump(record))

    assert found is not None
    assert found.first == {"footspan.utm.source": "poster"}
    assert found.last == long[1]


def test_the_next_session_is_the_same_in_every_process() -> None:
    """And another with another key, or after another session."""
    other = Session("6" * 32, "v", 1.0, 1.0)
    ids = [Signer(["key"], DAY).next_id(SESSION), Signer(["key", "old"], DAY).next_id(SESSION)]

    assert ids[0] == ids[1]
    assert re.fullmatch(r"[0-9a-f]{32}", ids[0])
    assert len({ids[0], Signer(["other"], DAY).next_id(SESSION), Signer(["key"], DAY).next_id(other)}) == 3


def test_an_events_id_is_a_uuid_that_all_come_to() -> None:
    """Version 7, by the event, the session and a time that all know."""
    found = uuid.UUID(event_uid("session.end", "s", 1_800_000_000.123))

    assert found.version == 7
    assert found.variant == uuid.RFC_4122
    assert found.int >> 80 == 1_800_000_000_123
    assert str(found) == event_uid("session.end", "s", 1_800_000_000.123)
    assert str(found) != event_uid("session.start", "s", 1_800_000_000.123)
    assert str(found) != event_uid("session.end", "t", 1_800_000_000.123)
