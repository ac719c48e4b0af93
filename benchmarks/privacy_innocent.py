"""What looks like personal data and is none: the hard negatives of the corpus."""

# ruff: noqa: E501 - templates are read as lines

from __future__ import annotations

import string
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random


def pick(r: random.Random, alphabet: str, count: int) -> str:
    """So many characters of an alphabet."""
    return "".join(r.choice(alphabet) for _ in range(count))


def word_of(r: random.Random) -> str:
    """A word."""
    return r.choice(
        [
            "amber",
            "birch",
            "cedar",
            "delta",
            "ember",
            "fjord",
            "grove",
            "heron",
            "iris",
            "juniper",
            "kestrel",
            "larch",
            "maple",
            "north",
        ]
    )


def hard(r: random.Random, valid: str, invalid: str) -> tuple[str, str]:
    """A key and a line: orders, versions, hashes, coordinates, prices, times, words.

    Args:
        r: Where chance comes from.
        valid: The digits of a card.
        invalid: The same with another check digit.
    """

    def digits(count: int) -> str:
        return pick(r, "123456789", 1) + pick(r, string.digits, count - 1)

    def hexa(count: int) -> str:
        return pick(r, "0123456789abcdef", count)

    return r.choice(
        (
            lambda: ("message", f"order {digits(8)} shipped"),
            lambda: ("note", f"invoice 2024-{digits(6)} is paid"),
            lambda: ("order_id", valid),
            lambda: ("order_number", valid),
            lambda: ("message", f"tracking {invalid}"),
            lambda: ("note", f"order {invalid} refunded"),
            lambda: ("version", f"{r.randint(0, 20)}.{r.randint(0, 99)}.{r.randint(0, 9999)}"),
            lambda: (
                "message",
                f"upgraded to v{r.randint(1, 9)}.{r.randint(0, 99)}.{r.randint(0, 99)}-rc.{r.randint(1, 9)}",
            ),
            lambda: ("commit", hexa(40)),
            lambda: ("message", f"built {hexa(40)} on main"),
            lambda: ("digest", f"sha256:{hexa(64)}"),
            lambda: ("message", f"at {r.uniform(-90, 90):.6f}, {r.uniform(-180, 180):.6f}"),
            lambda: ("note", f"total {r.randint(1, 999)}.{r.randint(100, 999)},{r.randint(10, 99)} EUR"),
            lambda: ("note", f"${r.randint(1, 9)},{r.randint(100, 999)},{r.randint(100, 999)}.00 raised"),
            lambda: ("request", str(uuid.UUID(int=r.getrandbits(128), version=4))),
            lambda: ("message", f"job {uuid.UUID(int=r.getrandbits(128), version=4)} done"),
            lambda: (
                "message",
                f"2024-0{r.randint(1, 9)}-{r.randint(10, 28)} {r.randint(10, 23)}:{r.randint(10, 59)}:{r.randint(10, 59)}.{digits(6)} started",
            ),
            lambda: ("at", f"2025-1{r.randint(0, 2)}-{r.randint(10, 28)}T{r.randint(10, 23)}:{r.randint(10, 59)}:00Z"),
            lambda: ("timestamp", str(1_600_000_000_000 + r.randrange(10**11))),
            lambda: ("message", f"epoch {1_600_000_000 + r.randrange(10**8)}"),
            lambda: (
                "user_agent",
                f"Mozilla/5.0 (X11; Linux x86_64; rv:{r.randint(90, 130)}.0) Gecko/20100101 Firefox/{r.randint(90, 130)}.0",
            ),
            lambda: ("link", f"https://shop.example/p/{digits(7)}?page={r.randint(1, 40)}&sort=price"),
            lambda: ("message", f"{r.randint(2, 9)} @ {r.randint(1, 99)}.50 each"),
            lambda: ("message", f"thanks @{word_of(r)}!"),
            lambda: ("message", "the password was reset"),
            lambda: ("message", "password: required"),
            lambda: ("error", "token: expired"),
            lambda: ("error", "a basic authentication header is missing"),
            lambda: ("plan", "basic"),
            lambda: ("message", f"copied {digits(9)} of {digits(10)} bytes"),
            lambda: ("input_tokens", str(r.randrange(9000))),
            lambda: ("path", f"/static/js/{hexa(20)}.chunk.js"),
            lambda: ("sku", f"{pick(r, string.ascii_uppercase, 3)}-{digits(6)}-{digits(3)}"),
            lambda: ("message", f"ISBN 978-3-{digits(4)}-{digits(4)}-{r.randint(0, 9)}"),
            lambda: ("message", f"opening hours 09:00-17:30, room {digits(3)}"),
        )
    )()


def harder(r: random.Random, valid: str, spaced: str) -> tuple[str, str]:
    """A key and a line of the half that the rules were not made with.

    Args:
        r: Where chance comes from.
        valid: The digits of a card.
        spaced: Such digits in groups, with another check digit.
    """

    def digits(count: int) -> str:
        return pick(r, "123456789", 1) + pick(r, string.digits, count - 1)

    def hexa(count: int) -> str:
        return pick(r, "0123456789abcdef", count)

    return r.choice(
        (
            lambda: ("message", f"Bestellung {digits(10)} wurde versandt"),
            lambda: ("note", f"Rechnung Nr. {digits(4)}-{digits(5)}"),
            lambda: ("note", f"pedido nº {digits(9)}"),
            lambda: ("tracking_number", valid),
            lambda: ("transactionId", valid),
            lambda: ("message", f"parcel {spaced} is late"),
            lambda: ("message", f"snowflake 1{digits(17)}"),
            lambda: (
                "message",
                f"firmware {r.randint(1, 20)}.{r.randint(0, 250)}.{r.randint(0, 250)}.{r.randint(0, 250)} installed",
            ),
            lambda: ("message", f"requires numpy>={r.randint(1, 2)}.{r.randint(10, 30)}.{r.randint(0, 9)},<3"),
            lambda: ("etag", f'W/"{hexa(32)}"'),
            lambda: ("message", f"md5={hexa(32)} size={digits(8)}"),
            lambda: ("trace", hexa(32)),
            lambda: (
                "message",
                f"bounding box {r.uniform(0, 9):.5f} {r.uniform(10, 60):.5f} {r.uniform(0, 9):.5f} {r.uniform(10, 60):.5f}",
            ),
            lambda: ("note", f"{r.randint(1, 9)} {r.randint(100, 999)} {r.randint(100, 999)},{r.randint(10, 99)} zł"),
            lambda: ("note", f"Preis: {r.randint(1, 99)}.{r.randint(100, 999)}.{r.randint(100, 999)} €"),
            lambda: ("uid", uuid.UUID(int=r.getrandbits(128), version=4).hex),
            lambda: (
                "message",
                f"retry {r.randint(1, 9)}/10 in {digits(4)} ms (id={uuid.UUID(int=r.getrandbits(128), version=4)})",
            ),
            lambda: (
                "message",
                f"{r.randint(10, 28)}.0{r.randint(1, 9)}.2025 {r.randint(10, 23)}:{r.randint(10, 59)} Uhr",
            ),
            lambda: (
                "message",
                f"{r.randint(10, 12)}/{r.randint(10, 28)}/2025 - {r.randint(10, 12)}/{r.randint(10, 28)}/2026",
            ),
            lambda: ("message", f"week 2025-W{r.randint(10, 52)}-{r.randint(1, 7)}"),
            lambda: ("message", f"took {digits(7)} ns, {digits(8)} rows"),
            lambda: ("message", f"pid {digits(5)} exited with 137 after {digits(6)} s"),
            lambda: (
                "traceback",
                f'File "/srv/app/views.py", line {digits(3)}, in get\n    raise ValueError({digits(5)})',
            ),
            lambda: ("message", f"<Order object at 0x7f{hexa(10)}>"),
            lambda: ("link", f"https://cdn.example/a/{hexa(24)}/w_{digits(3)},h_{digits(3)}/img.png?v={digits(10)}"),
            lambda: ("message", f"::1 is up, {r.randint(1, 9)}:{r.randint(10, 59)} left"),
            lambda: ("message", f"score {r.randint(0, 9)}:{r.randint(0, 9)} ({r.randint(0, 9)}:{r.randint(0, 9)})"),
            lambda: ("message", f"EAN 40{digits(11)}"),
            lambda: ("message", f"batch {digits(6)}-{digits(4)}-{digits(2)}"),
            lambda: ("message", f"case #{digits(8)} closed"),
            lambda: ("message", f"seats {r.randint(10, 40)}A-{r.randint(10, 40)}F, gate {r.randint(1, 60)}"),
            lambda: ("message", "Your token has been used: please request a new one"),
            lambda: ("message", "secret: it gets better with butter"),
            lambda: ("message", "bearer shares are no longer issued; see basic principles"),
            lambda: ("message", "user@ is missing a domain, and so is @home"),
            lambda: ("message", f"ssh {word_of(r)}@localhost failed"),
            lambda: (
                "message",
                f"pip install sk-learn-extra=={r.randint(0, 3)}.{r.randint(0, 9)} task-runner-framework-plugin",
            ),
            lambda: ("query", f"utm_source=news&utm_id={digits(9)}&page=2"),
            lambda: ("message", f"range 1{digits(6)}-1{digits(6)} reserved"),
            lambda: ("css", f"#{hexa(6)} 12px 1.5em rgba(12, 34, 56, 0.7{r.randint(1, 9)})"),
        )
    )()
