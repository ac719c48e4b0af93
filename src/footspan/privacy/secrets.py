"""Credentials inside text: private keys, tokens, what vendors' keys look like, users in addresses.

Each function gives the text with what it found replaced by what ``put`` makes of it. None costs more than in proportion
to the text: what is looked for begins at places that do not overlap, or is of bounded length.
"""

from __future__ import annotations

import re
from base64 import b64decode
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    Put = Callable[[str], str]

# -- private keys ------------------------------------------------------------------------------------------------------

_KEY_MARKS: Final = ("PRIVATE", "PuTTY-User-Key")
_SPACE: Final = r"(?: |%20|\+)"
_EDGE: Final = r"-{4,5} ?"
_NAME: Final = rf"[A-Z0-9 %+]{{0,40}}PRIVATE{_SPACE}KEY(?:{_SPACE}BLOCK)? ?-{{4,5}}"
_BEGIN: Final = re.compile(rf"{_EDGE}BEGIN{_SPACE}{_NAME}|PuTTY-User-Key-File-[0-9]:")
_END: Final = re.compile(rf"{_EDGE}END{_SPACE}{_NAME}|Private-MAC: [0-9a-f]{{0,128}}")


def private_keys(text: str, put: Put) -> str:
    """Blocks of private keys, to the end of the text where one has no end."""
    if not any(mark in text for mark in _KEY_MARKS):
        return text
    kept: list[str] = []
    at = 0
    while (begin := _BEGIN.search(text, at)) is not None:
        end = _END.search(text, begin.end())
        stop = end.end() if end else len(text)
        kept += (text[at : begin.start()], put(text[begin.start() : stop]))
        at = stop
    return "".join((*kept, text[at:]))


# -- tokens ------------------------------------------------------------------------------------------------------------

_JWT: Final = re.compile(
    r"(?<![A-Za-z0-9_\-])eyJ[A-Za-z0-9_\-]{13,}(?:\.|%2[Ee])[A-Za-z0-9_\-]{2,}(?:(?:\.|%2[Ee])[A-Za-z0-9_\-]*){0,3}"
)


def jwts(text: str, put: Put) -> str:
    """JSON web tokens, signed or encrypted (RFC 7519)."""
    return _JWT.sub(lambda match: put(match[0]), text) if "eyJ" in text else text


_SCHEME: Final = re.compile(r"\b(bearer|basic)([ \t]{1,4}|%20|\+)([A-Za-z0-9._~+/\-]{4,}={0,2})", re.IGNORECASE)
_PROVES: Final = re.compile(r"[0-9._~+/=]")
_TOKEN_LENGTH: Final = 20


def authorizations(text: str, put: Put) -> str:
    """What follows ``Bearer`` and ``Basic`` (RFC 6750, RFC 7617), where it is no word."""

    def credential(match: re.Match[str]) -> str:
        scheme, gap, token = match.groups()
        proven = _is_basic(token) if scheme.lower() == "basic" else _is_bearer(token)
        return f"{scheme}{gap}{put(token)}" if proven else match[0]

    named = "earer" in text or "asic" in text or "EARER" in text or "ASIC" in text
    return _SCHEME.sub(credential, text) if named else text


def _is_bearer(token: str) -> bool:
    return len(token) >= _TOKEN_LENGTH or _PROVES.search(token.rstrip(".")) is not None


def _is_basic(token: str) -> bool:
    token = token.rstrip("=.")
    try:
        return b":" in b64decode(token[:4096] + "=" * (-len(token[:4096]) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return False


# -- vendors' keys -----------------------------------------------------------------------------------------------------

_RUN: Final = re.compile(r"[A-Za-z0-9_\-]{16,}")
_HEX32: Final = r"[0-9a-f]{32}"

# By what they begin with, as their vendors publish it (their documentation of keys, and for secret scanning).
_VENDORS: Final = {
    "AGE-SECRET-KEY-1": r"[0-9A-Z]{40,}",
    "AIza": r"[\w\-]{35}",
    "AKIA": r"[A-Z0-9]{16}",
    "ASIA": r"[A-Z0-9]{16}",
    "ATATT3": r"[\w\-]{20,}",
    "CFPAT-": r"[\w\-]{30,}",
    "EAACEdEose0cBA": r"\w{10,}",
    "EAAA": r"[\w\-]{40,}",
    "GOCSPX-": r"[\w\-]{20,}",
    "NRAK-": r"[A-Z0-9]{20,}",
    "PMAK-": r"[0-9a-f\-]{20,}",
    "dapi": rf"{_HEX32}",
    "dckr_pat_": r"[\w\-]{20,}",
    "dop_v1_": r"[0-9a-f]{32,}",
    "doo_v1_": r"[0-9a-f]{32,}",
    "dor_v1_": r"[0-9a-f]{32,}",
    "figd_": r"[\w\-]{20,}",
    "ghp_": r"\w{20,}",
    "gho_": r"\w{20,}",
    "ghu_": r"\w{20,}",
    "ghs_": r"\w{20,}",
    "ghr_": r"\w{20,}",
    "github_pat_": r"\w{20,}",
    "glpat-": r"[\w\-]{16,}",
    "gldt-": r"[\w\-]{16,}",
    "glrt-": r"[\w\-]{16,}",
    "glptt-": r"[\w\-]{16,}",
    "glcbt-": r"[\w\-]{16,}",
    "glft-": r"[\w\-]{16,}",
    "glimt-": r"[\w\-]{16,}",
    "glagent-": r"[\w\-]{16,}",
    "gloas-": r"[\w\-]{16,}",
    "glsoat-": r"[\w\-]{16,}",
    "glffct-": r"[\w\-]{16,}",
    "glsa_": r"\w{20,}",
    "glc_": r"\w{20,}",
    "gsk_": r"[A-Za-z0-9]{30,}",
    "hf_": r"[A-Za-z0-9]{24,}",
    "LTAI": r"[A-Za-z0-9]{16,}",
    "key-": rf"{_HEX32}",
    "lin_api_": r"\w{20,}",
    "npm_": r"[A-Za-z0-9]{30,}",
    "ntn_": r"\w{30,}",
    "pk_live_": r"\w{10,}",
    "pplx-": r"\w{30,}",
    "pscale_tkn_": r"[\w\-]{20,}",
    "pul-": r"[0-9a-f]{40}",
    "pypi-": r"[\w\-]{30,}",
    "r8_": r"\w{30,}",
    "rk_live_": r"\w{10,}",
    "rk_test_": r"\w{10,}",
    "rubygems_": r"[0-9a-f]{30,}",
    "sbp_": r"[0-9a-f]{30,}",
    "shpat_": rf"{_HEX32}",
    "shpca_": rf"{_HEX32}",
    "shppa_": rf"{_HEX32}",
    "shpss_": rf"{_HEX32}",
    "sk-": r"(?=[\w\-]*\d)[\w\-]{20,}",
    "sk_live_": r"\w{10,}",
    "sk_test_": r"\w{10,}",
    "sntrys_": r"\w{20,}",
    "sntryu_": r"[0-9a-f]{40,}",
    "secret_": r"[A-Za-z0-9]{30,}",
    "sq0atp-": r"[\w\-]{20,}",
    "sq0csp-": r"[\w\-]{20,}",
    "tfp_": r"\w{30,}",
    "whsec_": r"\w{16,}",
    "xai-": r"[A-Za-z0-9]{40,}",
    "xkeysib-": r"[0-9a-f]{40,}",
    "xapp-": r"[\w\-]{14,}",
    "xoxa-": r"[\w\-]{10,}",
    "xoxb-": r"[\w\-]{10,}",
    "xoxe-": r"[\w\-]{10,}",
    "xoxo-": r"[\w\-]{10,}",
    "xoxp-": r"[\w\-]{10,}",
    "xoxr-": r"[\w\-]{10,}",
    "xoxs-": r"[\w\-]{10,}",
    "AC": rf"{_HEX32}",
    "SK": rf"{_HEX32}",
}
_PREFIXES: Final = tuple(_VENDORS)
_WHOLE: Final = re.compile("|".join(f"{re.escape(prefix)}{rest}" for prefix, rest in _VENDORS.items()))
# Whatever else is named in front and then drawn by lot: no word, no hash, and longer than the ids of objects are.
_DRAWN: Final = re.compile(
    r"[a-z][a-z0-9]{1,11}(?:[_\-][a-z0-9]{1,8}){0,2}[_\-](?=[a-z0-9_\-]{0,99}[A-Z])(?=[A-Z0-9_\-]{0,99}[a-z])"
    r"(?=(?:[A-Za-z_\-]{0,40}[0-9]){3})[A-Za-z0-9]{36,}(?![A-Za-z0-9_\-])"
)
_HASHED: Final = ("sha", "md5", "blake", "crc")
_DOTTED: Final = ("SG.", "dp.pt.", "dt0c01.", "dt0s01.", "hvb.", "hvr.", "hvs.", "sl.", "ya29.", "1//")
# Three pieces with dots between, or two: Discord, Airtable, Terraform.
_PIECES: Final = re.compile(
    r"(?<![\w.\-])(?:[MNO][\w\-]{23,27}\.[\w\-]{6}\.[\w\-]{27,}|pat[A-Za-z0-9]{14}\.[0-9a-f]{64}"
    r"|[A-Za-z0-9]{14}\.atlasv1\.[\w\-]{60,})"
)
_LONG_PIECE: Final = re.compile(r"\.[A-Za-z0-9_\-]{27}")
_LONGEST_DOTTED: Final = max(map(len, _DOTTED))
_PATHS: Final = re.compile(
    r"(hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/|api\.telegram\.org/bot"
    r"|outlook\.office\.com/webhook/)([\w\-/.:@]{8,})"
)
_PATH_MARKS: Final = ("hooks.slack.com/", "/api/webhooks/", "api.telegram.org/bot", "office.com/webhook/")
_BOT: Final = re.compile(r"(?<![0-9])[0-9]{8,10}:AA[\w\-]{32,36}(?![\w\-])")
_BOT_MARK: Final = ":AA"
_MAILCHIMP: Final = re.compile(rf"{_HEX32}-us[0-9]{{1,2}}")


def api_keys(text: str, put: Put) -> str:
    """Keys and tokens in their vendors' published form, and addresses that are keys themselves."""
    if "/" in text and any(mark in text for mark in _PATH_MARKS):
        text = _PATHS.sub(lambda match: match[1] + put(match[2]), text)
    if _BOT_MARK in text:
        text = _BOT.sub(lambda match: put(match[0]), text)
    if _LONG_PIECE.search(text):
        text = _PIECES.sub(lambda match: put(match[0]), text)
    kept: list[str] = []
    at = 0
    for run in _RUN.finditer(text):
        start, found = run.start(), run[0]
        if (found.startswith(_PREFIXES) and _WHOLE.match(found)) or _MAILCHIMP.fullmatch(found) or _is_drawn(found):
            stop = run.end()
        elif start and text[start - 1] in "./" and (lead := _dotted(text, start)):
            start, stop = start - lead, _dotted_end(text, run.end())
        else:
            continue
        if start >= at:
            kept += (text[at:start], put(text[start:stop]))
            at = stop
    return "".join((*kept, text[at:])) if kept else text


def _is_drawn(found: str) -> bool:
    return len(found) > _LEAST_DRAWN and _DRAWN.match(found) is not None and not found.startswith(_HASHED)


_LEAST_DRAWN: Final = 38


def _dotted(text: str, start: int) -> int:
    """How many characters before a run belong to it: a prefix that ends with a dot."""
    before = text[max(0, start - _LONGEST_DOTTED) : start]
    for prefix in _DOTTED:
        place = start - len(prefix) - 1
        if before.endswith(prefix) and (place < 0 or not (text[place].isalnum() or text[place] in "_-.")):
            return len(prefix)
    return 0


_REST: Final = re.compile(r"(?:\.[A-Za-z0-9_\-]+)*")


def _dotted_end(text: str, stop: int) -> int:
    rest = _REST.match(text, stop)
    return rest.end() if rest else stop


# -- addresses ---------------------------------------------------------------------------------------------------------

# Up to the last @ before the path; and where a password holds a slash of its own, which is no port, up to the next @.
_URL_USER: Final = re.compile(
    r"""://([^\s/?#"'<>]{1,256}|[^\s/?#@:\["'<>]{0,128}:(?!\d{1,5}(?:[/?#]|$))[^\s@"'<>]{1,256})@"""
)


def url_credentials(text: str, put: Put) -> str:
    """User and password before the host of an address (RFC 3986 §3.2.1)."""
    if "://" not in text or "@" not in text:
        return text
    return _URL_USER.sub(lambda match: f"://{put(match[1])}@", text)
