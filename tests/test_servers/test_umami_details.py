"""What the contract says beyond the recordings: urls, senders, environments, reading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from servers.umami import WEBSITE_ID, UmamiServer
from test_servers.replay import call, login
from test_servers.sending import HALF_PAST, item, post, send

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def umami() -> Iterator[UmamiServer]:
    """A running server with a fixed clock."""
    with UmamiServer(env={"APP_SECRET": "secret"}, now=lambda: HALF_PAST) as server:
        yield server


def _column(server: UmamiServer, **payload: Any) -> dict[str, Any]:
    """The row of the only page view or event that these fields make."""
    server.forget()
    assert send(server, **payload).status == 200
    (row,) = server.rows["website_event"]
    return row


# -- urls --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "path", "query", "host"),
    [
        ("/a/../b/./c?x=1#h", "/b/c#h", "x=1", "localhost"),
        ("b?q", "/b", "q", "localhost"),
        ("?only=query", "/", "only=query", "localhost"),
        ("https://WWW.Example.COM:8443/P%2Fq%20r", "/P%2Fq r", "", "example.com"),
        ("//cdn.example/x", "/x", "", "cdn.example"),
        ("https://user:pw@bücher.example/", "/", "", "xn--bcher-kva.example"),
        ("/100%", "/100%", "", "localhost"),
        ("\\a\\b", "/a/b", "", "localhost"),
        ("/é?é=é", "/é", "%C3%A9=%C3%A9", "localhost"),
        ("https://0x7f.1/", "/", "", "127.0.0.1"),
        ("undefined", "", "", "localhost"),
    ],
)
def test_urls(umami: UmamiServer, url: str, path: str, query: str, host: str) -> None:
    """Urls are resolved as a browser does it: dots, escapes, hosts."""
    row = _column(umami, url=url)
    assert (path, query, host) == (row["url_path"], row["url_query"], row["hostname"])


def test_long_parts_are_cut(umami: UmamiServer) -> None:
    """Path, query, title and the parts of the referrer are cut to 500."""
    long = "x" * 600
    row = _column(umami, url=f"/{long}?{long}", title=long, referrer=f"https://r.example/{long}?{long}")
    names = ("url_path", "url_query", "page_title", "referrer_path", "referrer_query")
    assert {500} == {len(row[name]) for name in names}


def test_utm_values_are_decoded(umami: UmamiServer) -> None:
    """Campaign parameters are read as a form; the first of a name counts."""
    row = _column(umami, url="/?utm_source=a+b%20c&utm_source=z&utm_medium=")
    assert (row["utm_source"], row["utm_medium"]) == ("a b c", "")


# -- who and where -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("agent", "screen", "expected"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0", None,
         ("firefox", "Windows 10", "desktop")),
        (("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 "
         "Safari/605.1.15"), "1440x900", ("safari", "Mac OS", "laptop")),
        (("Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile "
         "Safari/537.36"), "412x915", ("chrome", "Android OS", "mobile")),
        (("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 "
         "Edg/142.0.0.0"), "2560x1440", ("edge-chromium", "Windows 10", "desktop")),
    ],
)  # fmt: skip
def test_devices(umami: UmamiServer, agent: str, screen: str | None, expected: tuple[str, ...]) -> None:
    """Browser, system and device are told from agent and screen."""
    send(umami, userAgent=agent, **({"screen": screen} if screen else {}))
    (session,) = umami.rows["session"]
    assert expected == tuple(session[name] for name in ("browser", "os", "device"))


def test_location_headers(umami: UmamiServer) -> None:
    """A proxy's location headers win over the database, for public addresses."""
    headers = {"x_forwarded_for": "203.0.113.9", "x_vercel_ip_country": "JP", "x_vercel_ip_country_region": "13",
               "x_vercel_ip_city": "T%C5%8Dky%C5%8D"}  # fmt: skip
    post(umami, "/api/send", item(), **headers)
    (session,) = umami.rows["session"]
    assert (session["country"], session["region"], session["city"]) == ("JP", "JP-13", "Tōkyō")


def test_client_ip_header() -> None:
    """The named header comes first; it and no other decides."""
    with UmamiServer(env={"CLIENT_IP_HEADER": "X-My-IP", "SKIP_LOCATION_HEADERS": "1"}) as server:
        headers = {"x_my_ip": "198.51.100.9", "cf_connecting_ip": "203.0.113.9", "cf_ipcountry": "JP"}
        post(server, "/api/send", item(), **headers)
        assert [session["country"] for session in server.rows["session"]] == ["US"]


@pytest.mark.parametrize(("rotation", "sessions"), [("month", 1), ("week", 2), ("day", 3)])
def test_salt_rotation(rotation: str, sessions: int) -> None:
    """An anonymous visitor of three days in two weeks of one month."""
    days = (1_795_219_200, 1_795_305_600, 1_795_392_000)  # Saturday, Sunday, Monday
    with UmamiServer(env={"SALT_ROTATION": rotation}) as server:
        for day in days:
            send(server, timestamp=day)
        assert sessions == len(server.rows["session"])


# -- environment -------------------------------------------------------------------------------------------------------


def test_another_path_for_sending() -> None:
    """COLLECT_API_ENDPOINT adds a path for single items, BASE_PATH puts everything under a prefix."""
    with UmamiServer(env={"COLLECT_API_ENDPOINT": "/collect"}) as server:
        assert [post(server, path, item()).status for path in ("/collect", "/api/send")] == [200, 200]
    with UmamiServer(env={"BASE_PATH": "/stats"}) as server:
        assert [post(server, path, item()).status for path in ("/stats/api/send", "/api/send")] == [200, 404]


def test_several_websites() -> None:
    """Each known website keeps its own rows."""
    other = "11111111-1111-4111-8111-111111111111"
    with UmamiServer(websites=[WEBSITE_ID, other]) as server:
        send(server, website=other, name="e")
        assert (WEBSITE_ID, [other]) == (server.website, [row["website_id"] for row in server.events()])


# -- reading -----------------------------------------------------------------------------------------------------------


def test_reading_needs_a_token(umami: UmamiServer) -> None:
    """Without a login every question gets 401."""
    path = f"/api/websites/{WEBSITE_ID}/stats?startAt=0&endAt=1"
    assert call(umami, "GET", path).status == 401
    token = login(umami)
    assert call(umami, "GET", path, headers={"Authorization": f"Bearer {token}"}).status == 200


def test_stats_count_page_views_only(umami: UmamiServer) -> None:
    """A site with custom events alone looks empty in ``stats`` but not in ``events/stats``."""
    send(umami, name="e", id="a")
    period = f"startAt=0&endAt={int(HALF_PAST * 1000) + 1}"
    token = {"Authorization": f"Bearer {login(umami)}"}
    stats = call(umami, "GET", f"/api/websites/{WEBSITE_ID}/stats?{period}", headers=token).json()
    events = call(umami, "GET", f"/api/websites/{WEBSITE_ID}/events/stats?{period}", headers=token).json()
    assert (stats["pageviews"], stats["visitors"], events["data"]["events"]) == (0, 0, 1)


def test_events_without_a_session_are_counted_but_not_listed(umami: UmamiServer) -> None:
    """The trap of the token, seen from the reading side."""
    token = send(umami, name="a", id="a").json()["cache"]
    post(umami, "/api/send", item(name="b", id="b"), x_umami_cache=token)
    period, headers = f"startAt=0&endAt={int(HALF_PAST * 1000) + 1}", {"Authorization": f"Bearer {login(umami)}"}
    ask = f"/api/websites/{WEBSITE_ID}"
    assert call(umami, "GET", f"{ask}/events/stats?{period}", headers=headers).json()["data"]["events"] == 2
    assert call(umami, "GET", f"{ask}/events?{period}", headers=headers).json()["count"] == 1
    assert call(umami, "GET", f"{ask}/sessions?{period}", headers=headers).json()["count"] == 1


def test_one_session(umami: UmamiServer) -> None:
    """A session is shown with its distinct id, its counts and what identify told."""
    session = send(umami, name="e", id="a").json()["sessionId"]
    send(umami, "identify", id="a", data={"plan": "pro"})
    headers = {"Authorization": f"Bearer {login(umami)}"}
    ask = f"/api/websites/{WEBSITE_ID}/sessions/{session}"
    found = call(umami, "GET", ask, headers=headers).json()
    assert (found["distinctId"], found["events"], found["views"]) == ("a", 1, 0)
    (known,) = call(umami, "GET", f"{ask}/properties", headers=headers).json()
    assert (known["dataKey"], known["stringValue"]) == ("plan", "pro")
    assert call(umami, "GET", f"{ask[:-1]}0", headers=headers).status in {200, 404}
