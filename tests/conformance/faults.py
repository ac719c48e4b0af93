"""Everything that can go wrong between us and a server, whose fault it is, and what becomes of the events.

One table for all; each destination names the exceptions that its contract makes.
"""

from __future__ import annotations

import enum
import ssl
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from footspan.destinations.base import Verdict
from servers.otlp import OtlpSink

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from servers.faults import Faults


class Blame(enum.Enum):
    """Whose fault it is that events were not taken."""

    EVENTS = Verdict.REFUSED
    DESTINATIONS = Verdict.PARK
    NOBODYS = Verdict.RETRY
    UNKNOWN = Verdict.AMBIGUOUS
    NONE = Verdict.DELIVERED
    HOW_WE_SEND = Verdict.AGAIN


class Fate(enum.Enum):
    """What becomes of an event in the end, the fault having struck once."""

    DELIVERED = "delivered"
    RETRIED = "delivered after a pause"
    PARKED = "kept until the destination works"
    REJECTED = "given up, with the reason"
    AMBIGUOUS = "as `on_ambiguous` says"


@dataclass(frozen=True, slots=True)
class Expected:
    """What must follow from a fault.

    Attributes:
        blame: Whose fault it is.
        fate: What becomes of a single event.
        retry_after: The pause that the answer asks for.
    """

    blame: Blame
    fate: Fate
    retry_after: float | None = None


REJECTED: Final = Expected(Blame.EVENTS, Fate.REJECTED)
PARKED: Final = Expected(Blame.DESTINATIONS, Fate.PARKED)
RETRIED: Final = Expected(Blame.NOBODYS, Fate.RETRIED)
AMBIGUOUS: Final = Expected(Blame.UNKNOWN, Fate.AMBIGUOUS)
DELIVERED: Final = Expected(Blame.NONE, Fate.DELIVERED)
OTHERWISE: Final = Expected(Blame.HOW_WE_SEND, Fate.DELIVERED)

PAUSE: Final = 7.0
JSON: Final = {"Content-Type": "application/json"}
HTML: Final = {"Content-Type": "text/html; charset=utf-8"}

HTTP: Final[Mapping[str, Expected]] = {
    "connection refused": RETRIED,
    "connection reset before the answer": AMBIGUOUS,
    "connection reset in the answer": AMBIGUOUS,
    "no answer in time": AMBIGUOUS,
    "no such host": PARKED,
    "certificate not trusted": PARKED,
    "302": PARKED,
    "308": PARKED,
    "400": REJECTED,
    "401": PARKED,
    "403": PARKED,
    "404": PARKED,
    "405": PARKED,
    "413": REJECTED,
    "415": PARKED,
    "422": REJECTED,
    "429": Expected(Blame.NOBODYS, Fate.RETRIED, PAUSE),
    "500": AMBIGUOUS,
    "502": AMBIGUOUS,
    "503": RETRIED,
    "504": AMBIGUOUS,
    "broken JSON": AMBIGUOUS,
    "a web page": PARKED,
}
"""What holds for a destination over HTTP whose contract does not say otherwise."""

SLOW: Final = "no answer in time"
TIMEOUT: Final = 0.4
_CERTIFICATE: Final = Path(__file__).parents[1] / "destinations" / "localhost.pem"


@contextmanager
def elsewhere(fault: str) -> Iterator[str]:
    """The address to go to for a fault that needs another one; empty for every other fault."""
    if fault == "no such host":
        yield "http://nowhere.invalid"
    elif fault == "certificate not trusted":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(_CERTIFICATE)
        with OtlpSink(tls=context) as sink:
            yield sink.url
    else:
        yield ""


def strike(faults: Faults, fault: str) -> None:
    """Make a stand-in have a fault for its next request."""
    if fault == "connection refused":
        faults.down(1.0)
    elif fault == "connection reset before the answer":
        faults.reset(stored=False)
    elif fault == "connection reset in the answer":
        faults.reset()
    elif fault == SLOW:
        faults.hang(10.0)
    elif fault == "broken JSON":
        faults.answer(200, b'{"almost":', JSON)
    elif fault == "a web page":
        faults.answer(200, b"<!DOCTYPE html><html><body>Sign in</body></html>", HTML)
    elif fault.isdigit():
        more: dict[str, Any] = {"302": {"Location": "/elsewhere"}, "308": {"Location": "/elsewhere"}}.get(fault, {})
        faults.answer(int(fault), b"", {"Retry-After": f"{PAUSE:.0f}"} if fault == "429" else more)
