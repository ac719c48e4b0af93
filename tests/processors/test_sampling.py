"""Tests for footspan.processors.sampling."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace._sampling_experimental import composable_traceid_ratio_based

from footspan import conventions as c
from footspan.config import SamplingRule, SamplingSettings
from footspan.emit import SEVERITY_ERROR, SEVERITY_INFO, Draft
from footspan.processors import DropEvent
from footspan.processors.categories import Categories
from footspan.processors.sampling import Sampler, number_of_text, number_of_trace, threshold


def sampler(rate: float, by: Any = "session", *rules: SamplingRule) -> Sampler:
    """A sampler of these settings."""
    return Sampler(SamplingSettings(enabled=True, rate=rate, by=by, rules=rules))


def draft(name: str = "x", severity: int = SEVERITY_INFO, trace: int = 0, **attributes: Any) -> Draft:
    """An event; keywords are attributes, with dots for underscores."""
    return Draft(
        name, 1, 1, {key.replace("_", "."): value for key, value in attributes.items()}, None, severity, trace_id=trace
    )


def kept(sampler: Sampler, event: Draft) -> bool:
    """Whether the sampler keeps an event."""
    try:
        sampler(event)
    except DropEvent:
        return False
    return True


# -- the number of a key -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "number"),
    [("s_1", "77ceec1a9c3f6d"), ("u_42", "afc2d29f5ba19d"), ("été", "bd010c64132bf5"), ("", "e3b0c44298fc1c")],
)
def test_the_number_of_a_text(key: str, number: str) -> None:
    """The figures that the documentation gives to whoever computes them in another language."""
    assert f"{number_of_text(key):014x}" == number


def test_every_process_computes_the_same_number() -> None:
    """Whatever seed its hashes have."""
    program = (
        "import json; from footspan.processors.sampling import number_of_text as n; "
        "print(json.dumps([n(f's{i}') for i in range(20)]))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    assert json.loads(result.stdout) == [number_of_text(f"s{i}") for i in range(20)]


@given(st.integers(1, 2**128 - 1), st.sampled_from([0.001, 0.1, 0.25, 0.5, 0.9, 1.0]))
def test_a_trace_is_kept_where_opentelemetry_keeps_it(trace: int, rate: float) -> None:
    """The threshold and the number of a trace are those of its consistent probability sampling."""
    theirs = composable_traceid_ratio_based(rate).sampling_intent(None, "", None, None, None, None).threshold

    assert threshold(rate) == theirs
    assert kept(sampler(rate, "trace"), draft(trace=trace)) is (trace % 2**56 >= threshold(rate))
    assert number_of_trace(trace) == trace % 2**56


# -- the share ---------------------------------------------------------------------------------------------------------

KEYS = {
    "in sequence": [f"s{i}" for i in range(20_000)],
    "random": [f"{random.Random(i).getrandbits(128):032x}" for i in range(20_000)],
    "alike": [f"session-of-some-length-{i:010d}-2026" for i in range(20_000)],
}


@pytest.mark.parametrize("keys", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5, 0.9])
def test_the_share_is_right(keys: list[str], rate: float) -> None:
    """Within four standard deviations, whatever ids look like. The keys are always the same, so this never flickers."""
    sampling = sampler(rate)
    share = sum(kept(sampling, draft(session_id=key)) for key in keys) / len(keys)

    assert abs(share - rate) < 4 * (rate * (1 - rate) / len(keys)) ** 0.5


@pytest.mark.parametrize("keys", KEYS.values(), ids=KEYS)
def test_one_key_says_nothing_of_the_next(keys: list[str]) -> None:
    """Neighbours are kept together as often as strangers would be, and in runs as long as a coin's."""
    rate = 0.3
    sampling = sampler(rate)
    fates = [kept(sampling, draft(session_id=key)) for key in keys]
    for distance in (1, 2, 10, 100):
        pairs = len(fates) - distance
        both = sum(one and other for one, other in zip(fates, fates[distance:], strict=False)) / pairs
        # Overlapping pairs vary a little more than independent ones would.
        assert abs(both - rate**2) < 5 * (rate**2 * (1 - rate**2) / pairs) ** 0.5
    runs = 1 + sum(one != other for one, other in pairwise(fates))
    expected = 1 + 2 * (len(fates) - 1) * rate * (1 - rate)
    assert abs(runs - expected) < 5 * expected**0.5


def test_sessions_and_users_are_drawn_apart() -> None:
    """Whether a user is kept says nothing of their sessions."""
    by_user, by_session = sampler(0.5, "user"), sampler(0.5)
    events = [draft(session_id=f"s{i}", user_id=f"u{i}") for i in range(4000)]
    both = sum(kept(by_user, each) and kept(by_session, each) for each in events) / 4000

    assert abs(both - 0.25) < 0.04


def test_what_is_kept_at_one_rate_is_kept_at_every_higher_one() -> None:
    """A rate that is raised adds sessions and takes none away."""
    rates = [0.05, 0.2, 0.5, 0.8]
    for i in range(500):
        fates = [kept(sampler(rate), draft(session_id=f"s{i}")) for rate in rates]
        assert fates == sorted(fates)


@pytest.mark.parametrize(("rate", "fate"), [(0.0, False), (1.0, True)])
def test_none_and_all(rate: float, fate: bool) -> None:
    """The ends of the range are exact, for every number a key can have."""
    sampling = sampler(rate, "trace")
    for trace in (1, 2**56 - 1, 2**56, 2**128 - 1, 2**127):
        assert kept(sampling, draft(trace=trace)) is fate


# -- what is the key ---------------------------------------------------------------------------------------------------


def test_a_session_is_kept_or_dropped_whole() -> None:
    """Every event of one session, by whichever sampler of the same settings, has one fate."""
    samplers = [sampler(0.5) for _ in range(2)]
    for i in range(50):
        fates = {
            kept(each, draft(f"n{n}", trace=n, session_id=f"s{i}", user_id=f"u{n}", log_record_uid=f"{n}"))
            for each in samplers
            for n in range(5)
        }
        assert len(fates) == 1


ORDER = {
    "session": ["session_id", "user_id", "enduser_pseudo_id", "trace", "log_record_uid"],
    "user": ["user_id", "enduser_pseudo_id", "session_id", "trace", "log_record_uid"],
    "trace": ["trace", "session_id", "user_id", "enduser_pseudo_id", "log_record_uid"],
}


def event_with(fields: dict[str, int]) -> Draft:
    """An event with some keys, numbered."""
    trace = fields.pop("trace", -1) + 1
    event = draft(trace=trace * 0x9E3779B97F4A7C15F39CC0605CEDC834 % 2**128)
    names = {
        "session_id": c.SESSION_ID,
        "user_id": c.USER_ID,
        "enduser_pseudo_id": c.ENDUSER_PSEUDO_ID,
        "log_record_uid": c.LOG_RECORD_UID,
    }
    event.attributes.update({names[field]: f"{field}-{value}" for field, value in fields.items()})
    return event


@pytest.mark.parametrize(("by", "missing"), [(by, missing) for by in ORDER for missing in range(5)])
def test_the_first_key_there_is_decides(by: str, missing: int) -> None:
    """Where an event lacks what is sampled by, the next key decides, and it alone; at last the event itself."""
    sampling = sampler(0.5, by)
    key, *below = ORDER[by][missing:]
    alone = {kept(sampling, event_with({key: 3, **dict.fromkeys(below, i)})) for i in range(40)}
    other = {kept(sampling, event_with({key: i, **dict.fromkeys(below, 3)})) for i in range(40)}

    assert len(alone) == 1
    assert other == {True, False}


@pytest.mark.parametrize("value", [None, "", True, 1.5, ["s"], {"a": 1}])
def test_what_is_no_id_is_not_there(value: Any) -> None:
    """An id is a text or a whole number."""
    fates = {kept(sampler(0.5), draft(session_id=value, user_id=f"u{i}")) for i in range(40)}

    assert fates == {True, False}


def test_a_whole_number_is_its_digits() -> None:
    """Frameworks give users numbers."""
    for i in range(40):
        assert kept(sampler(0.5), draft(session_id=i)) is kept(sampler(0.5), draft(session_id=str(i)))


# -- errors, rules, the rate on the event ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        draft(severity=SEVERITY_ERROR),
        draft(severity=21),
        draft("error.shown", severity=0),
        draft("exception", severity=0),
        draft(footspan_event_category="error"),
        draft(error_type="ValueError"),
    ],
    ids=("severity 17", "severity 21", "name", "exception", "category", "error type"),
)
def test_errors_are_never_dropped(error: Draft) -> None:
    """By severity, by category, by what is said of an exception: they are left at rate 0, and stand for themselves."""
    rule = SamplingRule(events=("*",), rate=0.0)
    error.attributes[c.SESSION_ID] = "s"

    assert kept(sampler(0.0, "session", rule), error)
    assert c.SAMPLING_RATE not in error.attributes
    assert not kept(sampler(0.0, "session", rule), draft(session_id="s"))


def test_the_settings_category_makes_an_error() -> None:
    """Categories of the settings count as the built-in ones do."""
    settings = SamplingSettings(enabled=True, rate=0.0)

    assert kept(Sampler(settings, Categories((("oops", "error"),)).of), draft("oops.again", session_id="s"))
    assert not kept(Sampler(settings), draft("oops.again", session_id="s"))


def test_the_reason_is_named() -> None:
    """What is dropped is counted as sampled out."""
    with pytest.raises(DropEvent, match="sampled_out"):
        sampler(0.0)(draft(session_id="s"))


RULES = (
    SamplingRule(events=("payment.*", "!payment.probe"), rate=1.0),
    SamplingRule(events=("user.login",), rate=0.0),
    SamplingRule(events=("user.*",), rate=0.5, by="user"),
)


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("payment.completed", 1.0),
        ("checkout.completed", 1.0),
        ("payment.probe", 0.25),
        ("user.login", 0.0),
        ("user.clicked", 0.5),
        ("click", 0.5),
        ("cart.filled", 0.25),
    ],
)
def test_the_first_rule_that_fits_decides(name: str, rate: float) -> None:
    """Patterns match the name or ``<category>.<name>``; what no rule takes has the general rate."""
    sampling = sampler(0.25, "session", *RULES)
    events = [draft(name, session_id=f"s{i}", user_id=f"u{i}") for i in range(1000)]
    survivors = [event for event in events if kept(sampling, event)]

    assert abs(len(survivors) / 1000 - rate) < 0.06
    recorded = {event.attributes.get(c.SAMPLING_RATE) for event in survivors}
    assert recorded == ({rate} if 0 < rate < 1 else {None} if rate else set())


def test_a_rule_may_sample_by_another_key() -> None:
    """What it does not say, it takes from the general setting."""
    sampling = sampler(0.25, "session", *RULES)
    fates = {kept(sampling, draft("user.clicked", session_id=f"s{i}", user_id="u")) for i in range(40)}

    assert len(fates) == 1


def test_an_event_that_was_sampled_before_keeps_the_lower_rate() -> None:
    """It came from another process: there are as many more as the lower of both rates says."""
    for before, after in ((0.1, 0.1), (0.9, 0.5), ("no rate", 0.5), (None, 0.5)):
        event = draft(session_id="u_42")
        event.attributes[c.SAMPLING_RATE] = before
        assert kept(sampler(0.5), event)
        assert event.attributes[c.SAMPLING_RATE] == after


def test_a_kind_that_is_always_kept_is_known_beforehand() -> None:
    """What the quick road asks: every event of the kind is kept, and none is marked."""
    sampling = sampler(0.25, "session", *RULES)

    assert sampling.keeps("payment.completed", {}, SEVERITY_INFO)
    assert sampling.keeps("cart.filled", {c.CATEGORY: "payment"}, SEVERITY_INFO)
    assert sampling.keeps("cart.filled", {}, SEVERITY_ERROR)
    assert not sampling.keeps("cart.filled", {}, SEVERITY_INFO)
    assert not sampling.keeps("user.login", {}, SEVERITY_INFO)


@pytest.mark.parametrize("name", [5, None, ["a"]])
def test_a_name_that_is_none_is_sampled_as_well(name: Any) -> None:
    """Whatever a caller passes for a name must not lose the event for another reason."""
    assert kept(sampler(1.0), draft(name))
    assert not kept(sampler(0.0), draft(name))


def test_names_without_end_cost_no_memory() -> None:
    """Names that hold an id would else fill the table."""
    sampling = sampler(0.5)
    for number in range(10_000):
        kept(sampling, draft(f"x{number}", session_id="s"))

    assert len(sampling._known) <= 4096
