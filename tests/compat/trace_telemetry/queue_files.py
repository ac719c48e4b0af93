"""Queue files as the other SDK leaves them, and programs that drain them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def event(number: int, **fields: Any) -> dict[str, Any]:
    """An event of the queue; its id tells its number."""
    return {
        "id": f"{number:032x}",
        "name": f"event-{number}",
        "timestampUtc": f"2025-01-30T20:{number // 60 % 60:02}:{number % 60:02}.543062Z",
        "data": {"n": number},
        "applicationName": "Kiosk",
        "applicationVersion": "0.9",
        "machineName": "device-1",
        "osDescription": "Linux-5.4",
        "ipAddress": "192.0.2.44",
        "countryCode": "",
        **fields,
    }


def line(number: int, **fields: Any) -> str:
    """The same as a line."""
    return json.dumps(event(number, **fields), ensure_ascii=False) + "\n"


def write(path: Path, count: int, first: int = 0) -> None:
    """A queue of so many events."""
    path.write_text("".join(line(number) for number in range(first, first + count)), encoding="utf-8")
