"""What every destination is given: one event of each kind, and everything an event may hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from destinations.making import TIME_NS, line
from footspan import conventions as c
from footspan.otlp_json import LogLine

if TYPE_CHECKING:
    from collections.abc import Mapping

SECOND: Final = TIME_NS // 1_000_000_000
LONG_NAME: Final = "a.name.that.is.longer.than.fifty.characters.and.still.goes.on"

# As another SDK writes it and a Collector passes it on: other order, white space, numbers as numbers, no id of ours.
_FOREIGN: Final = json.dumps(
    {
        "resourceLogs": [
            {
                "resource": {"attributes": [{"key": "telemetry.sdk.language", "value": {"stringValue": "java"}}]},
                "scopeLogs": [
                    {
                        "scope": {"name": "shop", "version": "2"},
                        "logRecords": [
                            {
                                "attributes": [
                                    {"key": "user.id", "value": {"stringValue": "u9"}},
                                    {"key": "count", "value": {"intValue": 3}},
                                    {"key": "ratio", "value": {"doubleValue": 0.5}},
                                    {
                                        "key": "who",
                                        "value": {
                                            "kvlistValue": {"values": [{"key": "age", "value": {"intValue": "41"}}]}
                                        },
                                    },
                                ],
                                "severityText": "INFO",
                                "severityNumber": 9,
                                "eventName": "order.placed",
                                "timeUnixNano": str(TIME_NS),
                            }
                        ],
                    }
                ],
            }
        ]
    },
    indent=1,
).encode()

EVENTS: Final[Mapping[str, LogLine]] = {
    "custom": line("cart.opened", {c.USER_ID: "u1", "items": 3, "price": 9.99, "express": True, "coupon": "A"}),
    "nothing": line("ping"),
    "page view": line(
        c.EVENT_PAGE_VIEW,
        {c.URL_FULL: "https://shop.example/cart?x=1", c.PAGE_TITLE: "Cart", c.USER_ID: "u1"},
    ),
    "identify": line(c.EVENT_IDENTIFY, {c.USER_ID: "u1", "plan": "pro"}),
    "exception": line(
        "exception",
        {c.ERROR_TYPE: "ValueError", c.EXCEPTION_MESSAGE: "no such thing", c.EXCEPTION_STACKTRACE: "Traceback\n  x"},
        severity_number=17,
    ),
    "text body": line("note", {"a": 1}, body="what was said"),
    "mapping body": line("note", {"a": 1}, body={"b": {"c": 2}}),
    "unicode": line("caf\u00e9.ge\u00f6ffnet", {"gr\u00f6\u00dfe": "\u65e5\u672c \U0001f9c0 \u2028", "nul": "a\0b"}),
    "nested": line("order", {"order": {"id": 7, "lines": [{"sku": "a"}, {"sku": "b"}]}, "none": {}}),
    "limits": line(LONG_NAME, {"text": "x" * 600, "huge": 10**18, "tiny": 0.00001, "list": ["y" * 400, "z" * 400]}),
    "foreign": LogLine(_FOREIGN),
}
"""By kind. Each destination's adapter says what each of them looks like there."""
