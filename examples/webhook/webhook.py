"""A destination of one's own: every event as a signed JSON request, after the Standard Webhooks specification.

Settings: ``type: webhook:WebhookDestination``, ``url``, ``secret``. docs/own-destination.md goes through it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import time
from base64 import b64decode, b64encode
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from footspan.destinations import (
    ConfigurationError,
    HttpDestination,
    Option,
    Outcome,
    Request,
    Verdict,
    kinds,
    outcome_of,
    properties_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from footspan.destinations import Answer, DestinationSettings, LogLine

_BOT = re.compile(rb'"refused":\s*"bot"')


class WebhookDestination(HttpDestination):
    """One event a request; ``webhook-id`` is the event's id, by which a receiver knows what it has already."""

    type = "webhook"
    options = (
        Option(name="url", kind=kinds.ADDRESS, help="Address of the receiver.", address=True, identity=True),
        Option(name="secret", kind=kinds.SECRET, help="Key of the signature: whsec_….", secret=True, required=True),
    )
    default_max_items = 1
    default_concurrency = 4

    def __init__(self, settings: DestinationSettings) -> None:
        super().__init__(settings)
        try:
            self._key = b64decode(settings.options["secret"].removeprefix("whsec_"), validate=True)
        except ValueError:
            key = f"telemetry.destinations.{self.name}.secret"
            raise ConfigurationError(key, "a secret that is no base64", "Copy it from the receiver again.") from None

    def build(self, events: Sequence[LogLine]) -> Request:
        """The request for an event."""
        event = events[0].event
        happened = datetime.fromtimestamp(event.time_ns / 1e9, timezone.utc).isoformat()
        fields = {"type": event.name, "timestamp": happened, "data": properties_of(event)}
        body = json.dumps(fields, default=str).encode()
        now = str(int(time.time()))
        signature = hmac.digest(self._key, f"{event.uid}.{now}.".encode() + body, hashlib.sha256)
        headers = {
            "content-type": "application/json",
            "webhook-id": event.uid,
            "webhook-timestamp": now,
            "webhook-signature": f"v1,{b64encode(signature).decode()}",
        }
        return Request(self.settings.options["url"], body, headers)

    def read(self, answer: Answer, events: Sequence[LogLine]) -> Outcome:  # noqa: ARG002 - one event, one answer
        """The shared reading of a status; but a receiver that takes us for a bot says so with status 200."""
        outcome = outcome_of(answer)
        if outcome.verdict is Verdict.DELIVERED and _BOT.search(answer.body):
            return Outcome(Verdict.REFUSED, "bot")
        return outcome
