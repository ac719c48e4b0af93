"""Values that stand in a text behind a name with no sign between: options, elements, pairs, sentences.

What a name says about its value is not decided here: ``judge`` gives what stands in the value's place, or ``None``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from footspan.privacy.named import says_nothing

if TYPE_CHECKING:
    from collections.abc import Callable

    from footspan.privacy.named import Judge

_QUOTED: Final = r"""(?:"([^"\r\n]{1,4096})"|'([^'\r\n]{1,4096})')"""

_CUT: Final = r"(?:\[[^\[\]\r\n]{1,120}\])?"  # what was cut before
_ELEMENT: Final = re.compile(r"<(?:\w{1,32}:)?([\w.\-]{2,64})(?:\s[^<>]{0,256})?>([^<>]{1,4096})</")
"""``<password>x</password>``."""
_PAIR: Final = re.compile(
    r"""\b(?:name|key|field|header)["']?[ ]{0,3}[:=][ ]{0,3}["']?([\w.\-]{2,64})["']?[\s,;]{1,40}["']?val(?:ue)?["']?"""
    rf"""[ ]{{0,3}}[:=][ ]{{0,3}}(?:{_QUOTED}|({_CUT}[^\s"'<>,;}}\]]{{0,4096}}))""",
    re.IGNORECASE,
)
"""``name: password`` and ``value: x`` beside it, as in manifests and archives of requests."""
_TUPLE: Final = re.compile(rf"""[(\[]\s?b?["']([\w.\-]{{2,64}})["']\s?,\s{{0,3}}b?{_QUOTED}\s?[)\]]""")
"""``('x-api-key', 'x')``, as headers are often printed."""
_OPTION: Final = re.compile(
    rf"""(?<![\w\-])--([A-Za-z][\w\-]{{1,63}})[ \t]{{1,3}}(?:{_QUOTED}|((?!-){_CUT}[^\s"']{{0,4096}}))"""
)
"""``--password x``."""
_USER: Final = re.compile(
    r"""(?<!\S)(?:-u|--user|--proxy-user)[ =]{0,2}["']?([^\s"':/]{1,64}:(?!\d{1,6}\b)[^\s"']{1,4096})"""
)
"""``curl -u name:x``."""
# As they are written: in small letters, with a capital, and where programs shout in capitals alone.
_WORDS: Final = (
    r"[Pp]assw(?:or[dt]|d)|PASSW(?:OR[DT]|D)|[Pp]assphrase|[Pp]asscode|pwd|[Kk]ennwort|[Cc]ontraseña|[Ss]enha"
    r"|[Ww]achtwoord|[Hh]asło|[Ll]ösenord|[Пп]ароль|密[码碼]|パスワード|비밀번호|[Ii]dentified by|IDENTIFIED BY"
)
_SENTENCE: Final = re.compile(
    rf"""(?<!\w)(?:{_WORDS})(?:[ \t]{{1,2}}(?:is|was|ist|war|lautet|es|est|era|é|è|jest))?:?[ \t]{{1,3}}"""
    rf"""(?:{_QUOTED}|([^\s"'<>()\[\],;/]{{6,256}}))"""
)
"""``my password is x``."""

_NAMED: Final = ((_ELEMENT, "</"), (_PAIR, "al"), (_TUPLE, ","), (_OPTION, "--"))
_PASSWORDS: Final = ((_USER, "-u"), (_SENTENCE, ""))
_PASSWORD: Final = "password"  # noqa: S105 - the name of a value that has none
_BY_PLACE: Final = frozenset({_ELEMENT, _PAIR})
"""Where the name is one by its place, so that a plain word may be its value."""
_NO_WORD: Final = re.compile(r"[!#$%*&^+]|[0-9][^\W\d_]|[^\W\d_][0-9]")
_BEYOND: Final = re.compile("ontraseñ|asł|ösenord|ароль|密[码碼]|パスワード|비밀번호").search


def may_be_spoken(text: str) -> bool:
    """Whether a text without ``:`` and ``=`` may hold such a value. It costs next to nothing and misses nothing."""
    return (
        ("ass" in text and _PASS(text) is not None)
        or "ASSW" in text
        or "--" in text
        or "</" in text
        or "'," in text
        or '",' in text
        or "pwd" in text
        or "ennwort" in text
        or "enha" in text
        or "twoord" in text
        or "dentified by" in text
        or "IED BY" in text
        or (not text.isascii() and _BEYOND(text) is not None)
    )


_PASS: Final = re.compile("assw|assph|assco").search


def may_be_written(text: str) -> bool:
    """Whether a text may hold such a value."""
    return may_be_spoken(text) or ("al" in text and ("=" in text or ":" in text)) or ("-u" in text and ":" in text)


def written(text: str, known: Callable[[str], bool], judge: Judge) -> str:
    """Values behind a name that no sign separates from it.

    Args:
        text: The text.
        known: Whether a name says anything.
        judge: What becomes of a value under a name.
    """

    def under(name: str, match: re.Match[str], first: int, *, prose: bool) -> str:
        at = next((group for group in range(first, match.re.groups + 1) if match[group] is not None), 0)
        value = match[at] if at else ""
        if says_nothing(value):
            return match[0]
        instead = judge(name, value, prose=prose)
        if instead is None:
            return match[0]
        start, stop = match.start(at) - match.start(), match.end(at) - match.start()
        return match[0][:start] + instead + match[0][stop:]

    for shape, mark in _NAMED:
        if mark in text:
            text = shape.sub(
                lambda match, by=shape in _BY_PLACE: (  # type: ignore[misc]
                    under(match[1], match, 2, prose=not by) if known(match[1]) else match[0]
                ),
                text,
            )
    for shape, mark in _PASSWORDS:
        if mark in text:
            text = shape.sub(
                lambda match: (
                    under(_PASSWORD, match, 1, prose=True) if _NO_WORD.search(match[match.lastindex or 0]) else match[0]
                ),
                text,
            )
    return text
