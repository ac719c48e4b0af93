"""Values as they may stand in a file, good and bad, for every kind of setting."""

from __future__ import annotations

from typing import Final

POOL: Final = [
    # scalars
    "true", "No", '"ON"', "maybe", "~", '""', '" "', "word", "two words", '"tab\\there"', '"line\\nbreak"', "é", "a=b",
    "0", "1", "7", "-1", "1000000000", "1.5", "0.25", "1.10", '"0.25"', '"1.0"', '"1.5"', '"0"', "1e3",
    "512MiB", '"1 kb"', "0B", '"1.5GiB"', "1XB", "7d", "1h30m", "200ms", "0s", "7 d", "1y", "1h30",
    "INFO", "warn", "Session", "sesion", "HTTP/JSON", "opt_in", "umami",
    "https://h", '"HTTPS://H/p?q"', "https://u:p@h", '"https://h/#x"', "ftp://h", '"https://"', '"https://h h"',
    "h:4317",
    "/p", "//p", "/p?q", "p", "/", "/a b", ".example.com", "example..com",
    # lists
    "[]", "[a]", "[a, b.*]", '["!a"]', '["!"]', '["!!a"]', '[""]', "[a, ~]", "[1, 2]", "[[a]]", "[{a: b}]",
    '"a,b"', '"a,!"', '"!,a"', '"!a, b"', '"a,,b"', '"!!a"', '"[]"',
    # mappings
    "{}", "{a: b}", "{a: ~}", "{a: user}", "{A.*: Error}", '{"!a": user}', "{a: two words}", '{".": user}', "{a: 1}",
    "{a: search}", "{a: [b]}", '{x-key: "é"}', '{"x key": v}', '{"": user}', '{" a ": " user "}',
    # rules
    "[{events: a, rate: 1}]", "[{events: a}]", "[{events: [], rate: 1}]", "[{events: a, rate: 2}]", "[x]", "[~]",
    "[{events: a, rate: 0.5, by: User}]", "[{events: a, rate: 0.5, by: x}]", "[{event: a, rate: 0.5}]",
    "[{events: [a, b.*], rate: 0}]", "[{events: a, rate: 1, by: ~}]", "[{events: ~, rate: 1}]",
    # references
    '"${env:NAME:-7}"', '"$$"', '["${env:NAME:-a}"]',
]  # fmt: skip
