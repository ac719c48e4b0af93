"""Any event whatsoever becomes a request that keeps to the contract."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from destinations.making import settings
from destinations.trace_telemetry.test_encoding import stored
from footspan import conventions as c
from footspan.destinations import build_destination
from footspan.destinations.trace_telemetry.wire import KEY
from servers.trace_telemetry.contract import events_of

_TEXTS = st.text(max_size=40) | st.sampled_from(["\ud800", "a\0b", "\u2028", "\U0001f600", "NaN", ""])
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS | st.binary(max_size=50),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(_TEXTS, inner, max_size=5),
    max_leaves=10,
)
_KEYS = st.sampled_from(sorted({*c.PROPERTY_NAMES, c.EXCEPTION_TYPE, c.DESTINATION, c.REDACTED, c.WIRE, "a"})) | _TEXTS
_MEMBERS = st.dictionaries(
    st.sampled_from(["data", "keys", "parity", "name", "machine", "os", "ip", "app", "version", "new"]),
    _VALUES,
    max_size=4,
)


@hypothesis_settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=_TEXTS,
    attributes=st.dictionaries(_KEYS, _VALUES, max_size=6),
    members=st.none() | _MEMBERS,
    body=_VALUES,
    resource=st.dictionaries(
        st.sampled_from([c.SERVICE_NAME, c.SERVICE_VERSION, c.HOST_NAME, c.HOST_IP, c.OS_DESCRIPTION]), _VALUES
    ),
    time_ns=st.integers(0, 2**64 - 1),
)
@example(name="", attributes={"x": float("nan")}, members={"keys": [[]]}, body=None, resource={}, time_ns=0)
def test_any_event(
    name: str,
    attributes: dict[str, Any],
    members: dict[str, Any] | None,
    body: Any,
    resource: dict[str, Any],
    time_ns: int,
) -> None:
    """Alone and beside another: nothing raises, and the contract's examiner finds nothing wrong."""
    if members is not None:
        attributes[c.WIRE] = {KEY: members}
    attributes.pop(c.GEO_COUNTRY_ISO_CODE, None)
    event = stored(name, attributes, resource, body=body, time_ns=time_ns)
    destination: Any = build_destination(settings("trace_telemetry", url="http://localhost/telemetry"))
    for events in ([event], [event, stored()]):
        request = destination.build(events)
        headers = {key.lower(): value for key, value in request.headers.items()}
        assert len(events_of(headers, request.body, pascal=False, wrapper="")) == len(events)
