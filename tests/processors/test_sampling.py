"""Tests for footspan.processors.sampling."""

from __future__ import annotations

from typing import Any

import pytest

from footspan import conventions as c
from footspan.config import SamplingSettings
from footspan.emit import SEVERITY_ERROR, SEVERITY_INFO, Draft
from footspan.processors import DropEvent
from footspan.processors.sampling import Sampler


def kept(sampler: Sampler, severity: int = SEVERITY_INFO, /, **attributes: Any) -> bool:
    """Whether the sampler keeps an event with these attributes."""
    draft = Draft("x", 1, 1, {name.replace("_", "."): value for name, value in attributes.items()}, None, severity)
    try:
        sampler(draft)
    except DropEvent:
        return False
    return True


def test_the_rate_is_met_and_recorded() -> None:
    """About the share asked for is kept, and says at which rate."""
    sampler = Sampler(SamplingSettings(enabled=True, rate=0.25))
    share = sum(kept(sampler, session_id=f"s{i}") for i in range(4000)) / 4000
    draft = Draft("x", 1, 1, {c.SESSION_ID: next(f"s{i}" for i in range(100) if kept(sampler, session_id=f"s{i}"))})
    sampler(draft)

    assert 0.21 < share < 0.29
    assert draft.attributes[c.SAMPLING_RATE] == 0.25


def test_a_session_is_kept_or_dropped_whole() -> None:
    """Every event of one session, by whichever sampler of the same settings, has one fate."""
    samplers = [Sampler(SamplingSettings(enabled=True, rate=0.5)) for _ in range(2)]
    for i in range(50):
        fates = {
            kept(s, session_id=f"s{i}", user_id=f"u{n}", log_record_uid=f"{n}") for s in samplers for n in range(5)
        }
        assert len(fates) == 1


@pytest.mark.parametrize(("by", "key"), [("user", "user_id"), ("session", "session_id")])
def test_the_key_decides(by: Any, key: str) -> None:
    """What is sampled by is what decides, not the other id."""
    sampler = Sampler(SamplingSettings(enabled=True, rate=0.5, by=by))
    other = "session_id" if key == "user_id" else "user_id"
    fates = {kept(sampler, **{key: "constant", other: f"o{i}"}) for i in range(50)}

    assert len(fates) == 1


def test_errors_are_never_dropped() -> None:
    """At rate 0 only errors are left."""
    sampler = Sampler(SamplingSettings(enabled=True, rate=0.0))

    assert kept(sampler, SEVERITY_ERROR, session_id="s")
    assert not any(kept(sampler, session_id=f"s{i}") for i in range(50))


def test_the_reason_is_named() -> None:
    """What is dropped is counted as sampled out."""
    with pytest.raises(DropEvent, match="sampled_out"):
        Sampler(SamplingSettings(enabled=True, rate=0.0))(Draft("x", 1, 1, {c.SESSION_ID: "s"}))


def test_without_any_key_the_event_itself_decides() -> None:
    """Anonymous events are sampled one by one."""
    sampler = Sampler(SamplingSettings(enabled=True, rate=0.5))

    assert {kept(sampler, log_record_uid=f"uid-{i}") for i in range(50)} == {True, False}
