"""Looks for planted secrets in whatever was written, sent, logged or shown, in every spelling."""

from __future__ import annotations

import base64
import gzip
import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote_to_bytes

from privacy.canary.kinds import CARD, CARD_IN_GROUPS, STEM

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_NEEDLES: Final = (STEM, CARD, CARD_IN_GROUPS)
_AROUND: Final = 60


def _percent(text: str) -> str:
    return "".join(f"%{ord(each):02x}" for each in text)


def _base64(text: str) -> Iterator[str]:
    """What stays of a text in base64, whichever of three places it begins at."""
    for shift in range(3):
        whole = base64.b64encode(b"\0" * shift + text.encode()).decode().rstrip("=")
        first, last = -(-shift * 8 // 6), (shift + len(text)) * 8 // 6
        yield whole[first:last]
        yield whole[first:last].replace("+", "-").replace("/", "_")


def _spellings() -> dict[bytes, str]:
    """Every spelling in lower case, and what it is called."""
    found: dict[str, str] = {}
    for needle in _NEEDLES:
        found.update((form.lower(), "in base64") for form in _base64(needle))
        found[needle.encode().hex()] = "in hexadecimal"
        found["".join(f"\\\\u{ord(each):04x}" for each in needle)] = "JSON-escaped twice"
        found["".join(f"\\u{ord(each):04x}" for each in needle)] = "JSON-escaped"
        found[quote(_percent(needle)).lower()] = "URL-encoded twice, every character"
        found[_percent(needle)] = "URL-encoded, every character"
        found[quote(quote(needle)).lower()] = "URL-encoded twice"
        found[quote(needle).lower()] = "URL-encoded"
        found[needle.replace(" ", "+").lower()] = "with plus signs"
        found[needle.lower()] = "as it is"
    return {spelling.encode(): name for spelling, name in found.items()}


_SPELLINGS: Final = _spellings()
_ANY: Final = re.compile(
    b"|".join(re.escape(each) for each in sorted(_SPELLINGS, key=len, reverse=True)), re.IGNORECASE
)


class Haystack:
    """Everything that came out, by where it was found."""

    def __init__(self) -> None:
        self.parts: list[tuple[str, bytes]] = []

    def add(self, where: str, content: bytes | str) -> None:
        """Add something; what is compressed is opened."""
        data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
        if data.startswith(b"\x1f\x8b"):
            data = gzip.decompress(data)
        self.parts.append((where, data))

    def add_folder(self, folder: Path) -> None:
        """Every file below a folder, and its name."""
        for file in sorted(folder.rglob("*")):
            self.add("a file's name", str(file.relative_to(folder)))
            if file.is_file():
                self.add(str(file.relative_to(folder)), file.read_bytes())

    def add_requests(self, name: str, server: Any) -> None:
        """Every request that a stand-in over HTTP has got."""
        for request in server.requests:
            where = f"{name}: {request.method} {request.path[:80]}"
            self.add(where, request.path)
            self.add(where, json.dumps(dict(request.headers)))
            self.add(where, request.body)

    def add_calls(self, name: str, server: Any) -> None:
        """Everything that a stand-in over gRPC has got."""
        self.add(name, repr((server.calls, server.logs, server.spans)))

    def size(self, where: str) -> int:
        """How many bytes there are from a place: an empty haystack proves nothing."""
        return sum(len(data) for name, data in self.parts if name.startswith(where))

    def hits(self, places: Sequence[str] = ()) -> list[str]:
        """Every find: where, in which spelling, and from which place it came."""
        found: dict[str, None] = {}
        for where, data in self.parts:
            for once_more, opened in enumerate((data, unquote_to_bytes(data.replace(b"+", b" ")))):
                for match in _ANY.finditer(opened):
                    spelling = _SPELLINGS.get(match[0].lower(), "in another case")
                    around = opened[max(0, match.start() - _AROUND) : match.end() + _AROUND]
                    number = re.match(rb"x([0-9]{3})", opened[match.end() : match.end() + 4])
                    index = int(number[1]) if number else -1
                    origin = places[index] if 0 <= index < len(places) else "?"
                    found[f"{where}: {spelling}{' (decoded)' * once_more}, from {origin}: {around!r}"] = None
        return list(found)
