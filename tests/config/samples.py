"""A value of every kind, as text and as the setting it becomes, for the tests that walk over all declarations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from footspan.config import SamplingRule

if TYPE_CHECKING:
    from footspan.config.kinds import Kind

_BY_KIND: dict[str, tuple[str, Any]] = {
    "actions by purpose": (
        '{"analytics": "Drop", "marketing": {"otlp": "send", "*": "pseudonymise"}}',
        (("analytics", (("*", "drop"),)), ("marketing", (("otlp", "send"), ("*", "pseudonymise")))),
    ),
    "address": ("https://Stats.example.com/p?team=1", "https://stats.example.com/p?team=1"),
    "boolean": ("false", False),
    "categories": ('{"Invoice": "payment", "ml.*": "Generation"}', (("invoice", "payment"), ("ml.*", "generation"))),
    "count": ("7", 7),
    "domain": ("Shop.example", "shop.example"),
    "domains": ("Find.example=search, b.example=Social", (("find.example", "search"), ("b.example", "social"))),
    "duration": ("1m30s", 90.0),
    "headers": ("X-Key=a%20b,second=c", {"x-key": "a b", "second": "c"}),
    "id of a key": ("k7", "k7"),
    "key": ("k-123", "k-123"),
    "list": ("/a, /b", ("/a", "/b")),
    "name of a cookie": ("visit", "visit"),
    "path": ("~/x.d", Path("~/x.d").expanduser()),
    "path of a request": ("/in", "/in"),
    "patterns by purpose": ('{"Marketing": ["ad.*", "!ad.x"]}', (("marketing", ("ad.*", "!ad.x")),)),
    "purposes": ("Marketing, analytics", ("marketing", "analytics")),
    "patterns": ("user.*,!user.x", ("user.*", "!user.x")),
    "rules": (
        '[{"events": "payment.*", "rate": 1}, {"events": ["a", "!b"], "rate": 0.1, "by": "user"}]',
        (
            SamplingRule(events=("payment.*",), rate=1.0),
            SamplingRule(events=("a", "!b"), rate=0.1, by="user"),
        ),
    ),
    "proxy": ("http://ann:pw@Proxy.example:3128/", "http://ann:pw@proxy.example:3128"),
    "share": ("0.25", 0.25),
    "size": ("3KiB", 3072),
    "text": ("1.10", "1.10"),
}


def sample(kind: Kind) -> tuple[str, Any]:
    """Text that a kind reads, and what it reads it as."""
    if kind.name.startswith("`"):
        last = kind.name.rpartition("`")[0].rpartition("`")[2]
        return last.lower(), last
    return _BY_KIND[kind.name]
