"""Scripted shoppers: people, and a few who are none, who visit the shop over real HTTP.

    python shoppers.py http://127.0.0.1:8000

Each comes from an address, with a browser, a language and a way in of their own, and remembers which page views they
caused, so that the demo can compare.
"""

from __future__ import annotations

import http.client
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MAIL = "canary.customer@private.example"
PASSWORD = "canary-correct-horse"
"""What must never leave the shop. Nothing here is real."""

GOOD_CARD = "4242 4242 4242 4242"
BAD_CARD = "4000 0000 0000 0002"

_TRIES = 40
_PAUSE = 0.25


@dataclass(frozen=True)
class Person:
    """Who visits."""

    address: str
    agent: str
    language: str = ""
    referrer: str = ""
    campaign: str = ""


FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.2 "
    "Mobile/15E148 Safari/604.1"
)
BOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"

# 203.0.113.0/24 and 198.51.100.0/24 are set aside for documentation (RFC 5737).
BUYER = Person(
    "203.0.113.10", FIREFOX, "de-DE,de;q=0.9", "https://news.example/teas", "utm_source=news&utm_medium=email"
)
SECOND_TRY = Person("203.0.113.77", CHROME, "en-GB,en;q=0.8", "https://search.example/?q=oolong", "gclid=demo-click")
BROWSER = Person("198.51.100.23", SAFARI, "fr-FR,fr;q=0.9,en;q=0.7", "", "utm_source=friends&utm_campaign=spring")
CRAWLER = Person("198.51.100.200", BOT)
PROGRAM = Person("198.51.100.201", "python-requests/2.32.0")


@dataclass
class Diary:
    """What all shoppers together have done.

    Attributes:
        think: Seconds a person looks at something.
        pages: Pages seen to the end, by path and query: each is one page view.
        torn: Pages whose answer broke off: each may be one page view.
        requests: Requests answered.
        broken: Requests that broke off.
        over: Set when everybody shall go home.
    """

    think: float = 0.0
    pages: Counter[tuple[str, str]] = field(default_factory=Counter)
    torn: Counter[tuple[str, str]] = field(default_factory=Counter)
    requests: int = 0
    broken: int = 0
    over: threading.Event = field(default_factory=threading.Event, repr=False)
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def note(self, target: str, *, page: bool, whole: bool) -> None:
        """Write one request down."""
        path, _, query = target.partition("?")
        with self.lock:
            self.requests += whole
            self.broken += not whole
            if page:
                (self.pages if whole else self.torn)[path, query] += 1


class Visit:
    """One person's way through the shop: cookies, referrers, and patience with a server that breaks off."""

    def __init__(self, url: str, person: Person, diary: Diary) -> None:
        self._host = urlsplit(url).netloc
        self._person = person
        self._diary = diary
        self._cookies: dict[str, str] = {}

    def page(self, target: str, **headers: str) -> None:
        """Open a page: one page view."""
        self._ask("GET", target, page=True, headers={"Sec-Fetch-Dest": "document", **headers})

    def other(self, target: str, **headers: str) -> None:
        """Ask for something that is no page view."""
        self._ask("GET", target, page=False, headers=headers)

    def submit(self, target: str, **form: str) -> None:
        """Send a form, and open the page it leads to, if it leads to one."""
        location = self._ask("POST", target, page=False, headers={}, form=form)
        if location:
            self.page(location)

    def _ask(
        self, method: str, target: str, *, page: bool, headers: Mapping[str, str], form: Mapping[str, str] | None = None
    ) -> str:
        """One request, asked again while the server breaks off; returns where the answer leads."""
        body = urlencode(form).encode() if form is not None else None
        over = self._diary.over
        over.wait(self._diary.think)
        for _ in range(_TRIES):
            if over.is_set():
                break
            connection = http.client.HTTPConnection(self._host, timeout=10)
            try:
                connection.request(method, target, body, self._headers(headers, form=body is not None))
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                self._diary.note(target, page=page, whole=False)
                over.wait(_PAUSE)
                continue
            finally:
                connection.close()
            self._diary.note(target, page=page, whole=True)
            for value in answer.headers.get_all("Set-Cookie") or ():
                self._cookies.update((name, morsel.value) for name, morsel in SimpleCookie(value).items())
            return urlsplit(answer.headers.get("Location", "")).path
        raise ConnectionError("the shop does not answer")

    def _headers(self, more: Mapping[str, str], *, form: bool) -> dict[str, str]:
        person = self._person
        headers = {
            "User-Agent": person.agent,
            "X-Forwarded-For": person.address,
            "Accept-Language": person.language,
            "Referer": person.referrer,
            "Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items()),
            "Content-Type": "application/x-www-form-urlencoded" if form else "",
            **{name.replace("_", "-"): value for name, value in more.items()},
        }
        return {name: value for name, value in headers.items() if value}


def _landing(person: Person) -> str:
    return f"/?{person.campaign}" if person.campaign else "/"


def buys(url: str, diary: Diary) -> None:
    """Looks around, fills the cart, pays. Writes an address where it does not belong."""
    visit = Visit(url, BUYER, diary)
    visit.page(_landing(BUYER))
    visit.page("/product/oolong")
    visit.other("/static/style.css")
    visit.submit("/cart/add", slug="oolong", note=f"please write to {MAIL} when it is here")
    visit.page("/product/pot")
    visit.submit("/cart/add", slug="pot", note="gift wrap")
    visit.page("/checkout")
    visit.submit("/checkout", email=MAIL, password=PASSWORD, card=GOOD_CARD)


def pays_at_the_second_try(url: str, diary: Diary) -> None:
    """The first card is declined."""
    visit = Visit(url, SECOND_TRY, diary)
    visit.page(_landing(SECOND_TRY))
    visit.submit("/cart/add", slug="sencha", note="")
    visit.page("/checkout")
    visit.submit("/checkout", email=MAIL, password=PASSWORD, card=BAD_CARD)
    visit.submit("/checkout", email=MAIL, password=PASSWORD, card=GOOD_CARD)


def browses(url: str, diary: Diary) -> None:
    """Follows an old link, misses a page, searches, leaves. The e-mail in the address is the newsletter's fault."""
    visit = Visit(url, BROWSER, diary)
    visit.other("/teas")
    visit.page(_landing(BROWSER))
    visit.other("/nothing-here")
    visit.other("/api/search?q=sencha", Sec_Fetch_Dest="empty")
    visit.page(f"/product/cup?{urlencode({'email': MAIL})}")
    visit.other("/product/assam", Sec_Purpose="prefetch")


def is_no_person(url: str, diary: Diary) -> None:
    """A crawler that even searches, a program, a health check."""
    crawler = Visit(url, CRAWLER, diary)
    crawler.other("/")
    crawler.other("/product/rooibos")
    crawler.other("/api/search?q=rooibos")
    program = Visit(url, PROGRAM, diary)
    program.other("/api/products")
    program.other("/health")


SCRIPTS: tuple[Callable[[str, Diary], None], ...] = (buys, pays_at_the_second_try, browses, is_no_person)


def visit_all(
    url: str, diary: Diary, *, rounds: int, at_once: int = 8, between: Callable[[int], None] | None = None
) -> None:
    """Have every script run some times, several at once.

    Args:
        url: The shop.
        diary: What is to be remembered.
        rounds: How often each script runs.
        at_once: Visits at the same time.
        between: Called with the number of finished visits after each.

    Raises:
        ConnectionError: The shop does not answer any more.
    """
    with ThreadPoolExecutor(at_once) as people:
        visits = [people.submit(script, url, diary) for _ in range(rounds) for script in SCRIPTS]
        try:
            for number, visit in enumerate(visits, 1):
                visit.result()
                if between is not None:
                    between(number)
        except BaseException:
            diary.over.set()
            people.shutdown(wait=False, cancel_futures=True)
            raise


if __name__ == "__main__":
    seen = Diary()
    visit_all(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000", seen, rounds=5)
    print(f"{seen.requests} requests, {seen.pages.total()} page views, {seen.broken} broken off")
