"""The third part of the corpus: what looks like personal data and is none."""

# ruff: noqa: E501, Q003 - templates are read as lines, and written as people do

from __future__ import annotations

import base64
import string
import uuid
from typing import TYPE_CHECKING, Final

from privacy_field import ALNUM, HEX, LOWER, UPPER, URLSAFE, draw
from privacy_field_people import check_digit

if TYPE_CHECKING:
    import random

DIGITS: Final = string.digits

AS_THEY_ARE: Final = (
    ("token_count", "1532"), ("tokenCount", "88"), ("max_tokens", "4096"), ("tokens_used", "12000"), ("tokenizer", "cl100k_base"), ("token_type", "Bearer"), ("tokenType", "access"),
    ("token_expires_in", "3600"), ("token_expiry", "2026-01-01"), ("tokens_per_second", "41.5"), ("password_reset_at", "2025-04-01T12:00:00Z"), ("password_length", "12"), ("password_changed", "yes"), ("passwordStrength", "weak"),
    ("has_password", "no"), ("password_required", "yes"), ("password_policy", "strict"), ("password_expires_days", "90"), ("password_visible", "off"), ("password_attempts", "3"), ("forgot_password_clicked", "header"),
    ("card_type", "visa"), ("cardType", "debit"), ("card_brand", "mastercard"), ("card_country", "DE"), ("card_count", "3"), ("business_card_template", "modern"), ("card_layout", "grid"), ("card_last4", "4242"), ("dashboard_card", "revenue"), ("cardinality", "12"), ("discard", "yes"), ("postcard_size", "A6"),
    ("author", "J. Verne"), ("authority", "city council"), ("authors_count", "2"), ("authored_at", "2024"), ("authentic", "yes"), ("auth_method", "oauth"), ("authentication_type", "sso"), ("authorized_by_role", "manager"),
    ("secretary", "Office A"), ("secretariat", "north"), ("keyboard", "qwertz"), ("keyboardLayout", "de"), ("key", "Enter"), ("keyCode", "13"), ("keyword", "red shoes"), ("keywords", "boots, hats"), ("monkey", "capuchin"), ("turkey", "sandwich"), ("hockey", "ice"), ("primary_key", "id"), ("foreign_key", "order_id"), ("key_count", "20"),
    ("passport_required", "yes"), ("passed", "12"), ("passenger_count", "2"), ("passing_grade", "C"), ("compass", "north"), ("bypass", "A3"), ("passage", "chapter 2"), ("passive", "yes"), ("boarding_pass_type", "mobile"),
    ("pinned", "yes"), ("pinch_zoom", "2.0"), ("shipping", "express"), ("shopping_cart", "3 items"), ("pinterest", "board"), ("mapping", "v2"), ("spinner", "dots"), ("opinion", "good"),
    ("phone_model", "Pixel 8"), ("phoneBrand", "Fairphone"), ("is_mobile", "yes"), ("mobile_app_version", "5.2.1"), ("microphone", "on"), ("headphone_jack", "yes"), ("saxophone", "alto"), ("telephone_support_hours", "9-17"),
    ("email_verified", "yes"), ("email_count", "4"), ("email_subject_length", "32"), ("email_template", "welcome_v2"), ("email_opened_at", "2025-05-05"), ("emails_sent", "30"), ("email_frequency", "weekly"), ("email_client", "Outlook"),
    ("faxed", "no"), ("cookie_consent", "granted"), ("cookies_enabled", "yes"), ("cookie_banner_version", "3"), ("cookieless", "yes"), ("cookie_recipe", "chocolate chip"),
    ("session_count", "4"), ("session_duration", "320"), ("session_start", "2025-05-05T10:00:00Z"), ("credential_type", "passkey"), ("credits", "40"), ("secret_santa", "party"), ("secrets_count", "3"),
    ("pantry", "full"), ("panel", "left"), ("company", "Acme"), ("span", "12"), ("expand", "all"), ("japan", "tokyo"), ("iban_valid", "yes"), ("caliban", "tempest"), ("urban", "yes"), ("discount_code", "SPRING25"), ("promo_code", "WELCOME10"), ("country_code", "DE"), ("status_code", "404"), ("zip_file", "a.zip"), ("error_code", "E1001"),
    ("hash_tag", "#summer"), ("signature_required", "yes"), ("design", "flat"), ("sigma", "0.5"), ("jwt_enabled", "yes"), ("otp_enabled", "no"), ("pin_set", "yes"), ("salted_caramel", "ice"), ("basalt", "rock"), ("ssn_required", "no"),
)  # fmt: skip
"""Keys that hold a word of those that are looked for, with values that give nobody away."""

SENTENCES: Final = (
    "Please reset your password within 24 hours.", "The password must be at least 12 characters long", "Wrong password, 2 attempts left", "password: must contain a digit", "Password (optional)", "Forgot your password?", "Passwort vergessen?", "mot de passe oublié",
    "token: missing or expired", "Unexpected token < in JSON at position 0", "unexpected token: ')' (line 3)", "Invalid token type: string", "tokens: 523 in, 88 out", "token bucket is empty, retry in 3s", "secret: none", "It is no secret: we love cake",
    "api_key: required", "the api key is missing", "Authorization: required", "basic plan, bearer of good news", "Basic understanding of SQL", "Bearer authentication failed", "Bearer token missing", "the standard bearer: a flag",
    "cookie: accepted all", "Cookies: necessary, statistics", "author: Jane Austen", "Session: expired", "session: 3 of 12", "key: Enter", "key=value pairs", "keyboard: qwerty", "secretary: on leave", "pass: 12, fail: 3", "pass=12 fail=3 skip=1", "PASS: test_login", "pin: board saved", "Pin: added",
    "see https://docs.example/guide#authentication", "https://shop.example/p/red-shoes?size=42&colour=blue", "https://cdn.example/js/app.3f2a1bc9.js", "https://blog.example/2024/05/17/how-to-hash-passwords", "https://example.com:8443/status", "http://localhost:3000/?page=2", "https://news.example/?utm_source=mail&utm_campaign=spring_2025",
    "12:30-14:00 lunch, 15:00-16:30 talk", "Mon-Fri 09:00-17:00, Sat 10:00-14:00", "Season 2003-2004, 2010-2011, 2012-2013", "1914-1918 and 1939-1945", "pages 120-135, 210-224", "scores 3-2, 4-1, 0-0, 2-2", "1-800-FLOWERS", "size 10 x 20 x 30 cm", "1920x1080@60Hz", "5 @ 10.00 = 50.00", "@media (max-width: 600px)", "@app.route('/x')", "import numpy as np  # @author", "npm i @types/node@20.1.0", "git@github.example:team/app", "user@host:~$ ls", "root@localhost", "pkg:npm/left-pad@1.3.0", "actions/checkout@v4", "image@sha256:abc", "foo@bar", "a @ b . c",
    "Chapter 4.1.2.3 of the manual", "Firmware 10.0.19045.4291", "version 1.2.3.4 is out", "Chrome/124.0.6367.118 Safari/537.36", "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1", "Dalvik/2.1.0 (Linux; U; Android 14; SM-S918B Build/UP1A.231005.007)", "curl/8.5.0", "python-requests/2.31.0",
    "rgb(12, 34, 56) #aabbcc #12345678", "hsl(210deg 50% 50% / 0.5)", "border: 1px solid #ccc; margin: 0 auto;", "M10 20 L30 40 C50 60 70 80 90 100 Z", "viewBox=\"0 0 1024 1024\"", "matrix(0.5 0.25 0.75 1 100 200)", "translate(-120.5, 340.25)",
    "EUR 1.234.567,89", "1 234 567,89 €", "$1,234,567.89", "₹12,34,567.00", "CHF 1'234'567.50", "¥1,234,567", "12.345.678 COP", "R$ 1.234.567,00", "1 234 567 kr", "-1,234,567.00 USD", "0.00012345 BTC", "1e-7 to 1e+12", "99.999999%", "100,000,000 views", "1 000 000 000 rows",
    "48.858370, 2.294481", "-33.856784,151.215297", "48°51'30.1\"N 2°17'40.2\"E", "geo:52.520008,13.404954", "POINT(13.404954 52.520008)", "bbox=5.98865807458,47.3024876979,15.0169958839,54.983104153", "lat=52.5200 lng=13.4050", "#map=15/52.52001/13.40495",
    "00:1A:2B:3C:4D:5E", "00-1A-2B-3C-4D-5E", "001a.2b3c.4d5e", "fe:ed:fa:ce:be:ef is up", "2025-05-17 12:34:56,789 INFO", "17/May/2025:12:34:56 +0200", "20250517T123456Z", "2025-137", "2025W203", "05/17/2025 12:34 PM", "17.05.2025 12:34:56", "17-05-2025", "2025.05.17", "20250517", "12:34:56.789012", "Sat, 17 May 2025 12:34:56 GMT",
    "ISBN 978-3-16-148410-0", "ISBN-10 3-16-148410-X", "ISSN 2049-3630", "doi:10.1000/182.2024.123456", "arXiv:2401.12345v2", "RFC 9110, section 11.6.1", "CVE-2024-12345", "ISO 8601-1:2019", "DIN EN 60529", "US patent 10,123,456", "ASIN B08N5WRWNW", "PMID: 12345678", "ICD-10 F32.1", "HS code 8471.30.0100", "NACE 62.01",
    "UPS 1Z999AA10123456784", "FedEx 7777 1234 5678", "DHL JJD000390007882823612", "USPS 9400 1000 0000 0000 0000 00", "RR123456785DE", "AWB 020-12345675", "flight LH 1234 on 12.05.", "Seat 12A, gate B42", "Container MSKU 123456 7", "VIN WVWZZZ1JZXW000001", "Kennzeichen B-AB 1234", "PO-2024-000123456", "RMA 2024/123456-7", "SKU: 4006381-333931", "Art.-Nr. 123.456.78", "Rechnung 2024-05-000123",
    "line 1234567: syntax error", "0x7ffeefbff5c8 in main", "exit status 137 (pid 1234567)", "uid=1000 gid=1000 groups=1000,27,998", "load average: 0.52, 0.58, 0.59", "1234567 bytes in 0.123 s", "rows=1234567 width=48 cost=0.43..8.45", "[1234567.890123] usb 1-1: new device", "PID 1234567 TID 140735123456789", "inode 123456789012", "chmod 0644", "mem 8589934592", "port 65535", "took 1234567890 ns", "seq 4294967295, ack 2147483648",
    "SHA256:uNiVztksCsDhcc0u9e8BrQ1234567890abcdefghijk", "W/\"33a64df551425fcc55e4d42a148795d9f25f89d4\"", "sha384-oqVuAfXRKap7fdgcCY5uykM6+R9GqQ8K/uxy9rx7HNQlGYl1kPzQho1wx4JwY8wC", "nonce-r4nd0mNonceValue1234", "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk", "v1.2.3-beta.4+build.5678", "^1.2.3 || >=2.0.0 <3.0.0", "numpy==1.26.4; python_version >= '3.9'", "linux/amd64, linux/arm64/v8", "en-US,en;q=0.9,de;q=0.8", "text/html; charset=utf-8", "max-age=31536000; includeSubDomains", "SELECT id, name FROM t WHERE id = 1234567", "if (a == b && c != d) return x::y;", "a: b: c: d", "{'a': 1, 'b': [1, 2, 3]}", "x = y = z = 0", "std::map<int, std::string>", "Traceback (most recent call last):\n  File \"/app/main.py\", line 12, in <module>\nKeyError: 'password'",
    "DELETE /api/tokens/123 204", "POST /password/reset 200", "GET /api/v1/cards?limit=10", "card declined: insufficient funds", "cards: 4 of 52", "phone: ringing", "phone number missing", "Telefon: besetzt", "email: invalid format", "email=missing", "iban: invalid", "IBAN checksum wrong", "cvv: mismatch",
)  # fmt: skip
"""Texts that give nobody away."""


def lookalikes(r: random.Random) -> list[tuple[str, str]]:
    """All lines that hold nothing: key, text."""

    def digits(count: int) -> str:
        return r.choice("123456789") + draw(r, DIGITS, count - 1)

    def luhn(prefix: str, length: int) -> str:
        body = prefix + draw(r, DIGITS, length - len(prefix) - 1)
        return body + check_digit(body)

    def ean(prefix: str, length: int = 13) -> str:
        body = prefix + draw(r, DIGITS, length - 1 - len(prefix))
        total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
        return body + str(-total % 10)

    made = []
    for _ in range(6):
        made += [
            ("order_id", luhn("4", 16)), ("orderId", luhn("51", 16)), ("message", f"order #{digits(8)} shipped"), ("message", f"order {digits(12)} confirmed"), ("message", f"Auftrag {digits(9)} angelegt"), ("message", f"pedido {digits(7)} enviado"),
            ("sku", f"{draw(r, UPPER, 3)}-{digits(5)}-{draw(r, UPPER, 2)}"), ("gtin", ean("40")), ("ean", ean("978")), ("message", f"scanned {ean('400')}"), ("message", f"GTIN-14 {ean('1', 14)}"), ("message", f"barcode {ean('5', 8)} unknown"), ("isbn", ean("978")), ("message", f"UPC {ean('0', 12)}"),
            ("tracking", f"1Z{draw(r, UPPER + DIGITS, 16)}"), ("tracking_no", digits(20)), ("message", f"Sendung {digits(14)} unterwegs"), ("timestamp", str(17 * 10**11 + r.randrange(10**10))), ("message", f"ts={17 * 10**11 + r.randrange(10**10)}"), ("ts_us", str(17 * 10**14 + r.randrange(10**13))), ("message", f"started at {17 * 10**17 + r.randrange(10**16)}"), ("message", f"at {17 * 10**8 + r.randrange(10**7)}.{digits(6)}"),
            ("sha", draw(r, HEX, 40)), ("message", f"commit {draw(r, HEX, 7)}"), ("message", f"{draw(r, HEX, 40)}..{draw(r, HEX, 40)}"), ("message", f"sha256 {draw(r, HEX, 64)}"), ("file", f"/static/{draw(r, HEX, 32)}.webp"), ("message", f"md5 {draw(r, HEX, 32).upper()}"),
            ("request", str(uuid.UUID(int=r.getrandbits(128), version=1))), ("message", f"job {uuid.UUID(int=r.getrandbits(128), version=3)} done"), ("link", f"https://a.example/u/{uuid.UUID(int=r.getrandbits(128), version=4)}"), ("message", f"[{uuid.UUID(int=r.getrandbits(128), version=5)}]"), ("message", f"0{digits(7)}-{digits(4)}-7{digits(3)}-8{digits(3)}-{digits(12)}"), ("message", f"{digits(8)}-{digits(4)}-4{digits(3)}-9{digits(3)}-{digits(12)} done"), ("trace", "".join(draw(r, DIGITS, 32))),
            ("ulid", "01" + draw(r, "0123456789ABCDEFGHJKMNPQRSTVWXYZ", 24)), ("message", f"ulid 01{draw(r, '0123456789ABCDEFGHJKMNPQRSTVWXYZ', 24)}"), ("nanoid", draw(r, URLSAFE, 21)), ("message", f"share {draw(r, ALNUM, 21)}"), ("ksuid", draw(r, ALNUM, 27)), ("object", draw(r, HEX, 24)), ("message", f"cus_{draw(r, ALNUM, 14)} updated"), ("message", f"pi_{draw(r, ALNUM, 24)} succeeded"), ("message", f"price_{draw(r, ALNUM, 24)}"), ("message", f"evt_{draw(r, ALNUM, 24)} received"), ("message", f"arn:aws:iam::{digits(12)}:role/app"), ("message", f"i-{draw(r, HEX, 17)} terminated"), ("message", f"{draw(r, LOWER, 8)}-{draw(r, HEX, 10)}-{draw(r, LOWER, 5)} evicted"), ("message", f"sk-{draw(r, LOWER, 6)}-{draw(r, LOWER, 7)}-{draw(r, LOWER, 9)}"),
            ("version", f"{r.randint(0, 9)}.{r.randint(0, 40)}.{r.randint(0, 99)}-rc.{r.randint(1, 9)}+{digits(8)}"), ("message", f"upgrade {r.randint(0, 9)}.{r.randint(0, 99)}.{r.randint(0, 9)}.{r.randint(0, 9)} -> {r.randint(1, 9)}.0.0.{r.randint(0, 99)}"), ("position", f"{r.uniform(-90, 90):.7f}, {r.uniform(-180, 180):.7f}"), ("message", f"near {r.uniform(-90, 90):.4f} {r.uniform(-180, 180):.4f}"), ("message", f"x={r.uniform(0, 9999):.3f} y={r.uniform(0, 9999):.3f} z={r.uniform(0, 9999):.3f}"),
            ("price", f"{r.randint(1, 999)}.{digits(3)}.{digits(3)},{draw(r, DIGITS, 2)}"), ("message", f"{r.randint(1, 9)} {digits(3)} {digits(3)},{draw(r, DIGITS, 2)} Kč"), ("message", f"Summe {r.randint(1, 9)}.{digits(3)}.{digits(3)},{draw(r, DIGITS, 2)}"), ("amount", digits(9)), ("message", f"{digits(3)},{digits(3)},{digits(3)} downloads"), ("ids", f"{digits(6)}, {digits(6)}, {digits(6)}"), ("message", f"ids {digits(5)},{digits(5)},{digits(5)},{digits(5)}"), ("message", f"[{digits(4)}, {digits(4)}, {digits(4)}, {digits(4)}]"), ("message", f"{digits(4)} {digits(4)} {digits(3)} {digits(2)} points"), ("message", f"counts: {digits(3)} {digits(3)} {digits(4)}"), ("message", f"range {digits(7)}-{digits(7)}"),
            ("message", f"snowflake {digits(18)}"), ("message", f"tweet {digits(19)}"), ("channel", digits(18)), ("device", luhn("35", 15)), ("image", "data:image/png;base64," + base64.b64encode(r.randbytes(60)).decode()), ("body", base64.b64encode(r.randbytes(90)).decode()), ("path", f"/orders/{digits(10)}/items/{digits(6)}"), ("url", f"https://shop.example/c/{digits(4)}/p/{digits(9)}?variant={digits(8)}&ref=home"), ("message", f"heap {digits(9)}/{digits(10)} ({r.randint(1, 99)}%)"), ("message", f"{r.randint(1, 28):02d}.{r.randint(1, 12):02d}.20{r.randint(10, 25)} {r.randint(10, 23)}:{r.randint(10, 59)}"), ("message", f"20{r.randint(10, 25)}{r.randint(1, 12):02d}{r.randint(10, 28)}{r.randint(10, 23)}{r.randint(10, 59)}{r.randint(10, 59)}"),
        ]  # fmt: skip
    return [*AS_THEY_ARE, *(("message", text) for text in SENTENCES), *made]
