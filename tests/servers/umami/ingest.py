"""One item and a batch of them: the order of checks, then what is stored. Contract sections 2, 3 and 6."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any, Final

from servers.umami import errors, js, schema
from servers.umami.bots import is_bot
from servers.umami.client import Clients
from servers.umami.errors import ColumnError, ServerFault
from servers.umami.flatten import Leaf, flatten
from servers.umami.identity import VISIT_SECONDS, Identity
from servers.umami.url import InvalidUrlError, Url, decode, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from contextlib import AbstractContextManager

    from servers.umami.client import Client
    from servers.umami.tables import Row, Tables

PAGE_VIEW, CUSTOM_EVENT, LINK_EVENT, PIXEL_EVENT, PERFORMANCE = range(1, 6)

_URL_RESERVED: Final = ";/?:@&=+$,#"
_COLUMN_PARAMETERS: Final = (
    "utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term",
    "gclid", "fbclid", "msclkid", "ttclid", "li_fat_id", "twclid",
)  # fmt: skip
_VITALS: Final = ("lcp", "inp", "cls", "fcp", "ttfb")
_LONGEST: Final = 500

Reply = tuple[int, dict[str, Any]]


class Ingest:
    """Takes items.

    Args:
        env: The server's environment.
        tables: Where rows go.
        websites: The known website ids; looked at with each item.
        now: Unix seconds.
        lock: Held while an item is handled: items are handled one after the other.
    """

    def __init__(
        self,
        env: Mapping[str, str],
        tables: Tables,
        websites: Collection[str],
        now: Callable[[], float],
        lock: AbstractContextManager[object],
    ) -> None:
        self._tables, self._websites, self._now, self._lock = tables, websites, now, lock
        self._identity = Identity(env.get("APP_SECRET", ""), env.get("SALT_ROTATION", "month"))
        self._clients = Clients(env)
        self._check_bots = not env.get("DISABLE_BOT_CHECK")
        self._cut_slash = bool(env.get("REMOVE_TRAILING_SLASH"))
        self.bots = 0

    def batch(self, body: Any, headers: Mapping[str, str], before_each: Callable[[], None]) -> Reply:
        """A batch: each item as if sent alone with the batch's headers, and an account of them."""
        wrong = schema.check_batch(body)
        if wrong:
            return 400, errors.bad_request(**wrong)
        details: list[dict[str, Any]] = []
        cache: Any = None
        for index, item in enumerate(body):
            before_each()
            status, answer = self.send(item, headers)
            if status >= 400:
                details.append({"index": index, "response": answer})
            elif cache is None or cache is js.UNDEFINED:
                cache = answer.get("cache", js.UNDEFINED)
        account = {"size": len(body), "processed": len(body) - len(details), "errors": len(details), "details": details}
        return 200, account if cache is js.UNDEFINED else account | {"cache": cache}

    def send(self, body: Any, headers: Mapping[str, str]) -> Reply:
        """One item."""
        checked, wrong = schema.check_send(body)
        if wrong:
            return 400, errors.bad_request(**wrong)
        try:
            with self._lock:
                return self._handle(checked["type"], checked["payload"], headers)
        except ServerFault as fault:
            return 500, errors.server_error(fault)

    def _handle(self, kind: str, payload: dict[str, Any], headers: Mapping[str, str]) -> Reply:
        website = payload.get("website")
        token = None
        if website:
            token = self._token(headers.get("x-umami-cache", ""))
            if token is None and website.lower() not in self._websites:
                return 400, errors.bad_request("Website not found.")
        client = self._clients.look(payload, headers)
        if self._check_bots and is_bot(client.user_agent):
            self.bots += 1
            return 200, {"beep": "boop"}
        if self._clients.is_ignored(client.ip):
            return 403, errors.FORBIDDEN

        source = website or payload.get("pixel") or payload.get("link") or ""
        now = self._now()
        sent_at = payload.get("timestamp")
        at_ms: int | None = sent_at * 1000 if sent_at else int(now * 1000)
        if at_ms is not None and abs(at_ms) > js.MAX_TIME_MS:
            at_ms = None
        session = self._identity.session(source, payload.get("id"), client.ip, client.user_agent, at_ms)
        if token is None:
            self._insert_session(source, session, payload, client, at_ms)

        visit, issued = self._identity.visit(session, at_ms), int(now)
        if token is not None and (sent_at or int(now) - token.get("iat", 0) <= VISIT_SECONDS):
            visit, issued = token.get("visitId", visit), token.get("iat", issued)
        common: Row = {"website_id": source, "session_id": session, "created_at": at_ms}
        if kind == "identify":
            self._identify(payload, common)
        else:
            self._event(kind, payload, common, visit)
        claims = {"websiteId": website} if website else {}
        cache = self._identity.token({**claims, "sessionId": session, "visitId": visit, "iat": issued})
        return 200, {"cache": cache, "sessionId": session, "visitId": visit}

    def _token(self, text: str) -> dict[str, Any] | None:
        try:
            return self._identity.claims(text) if text else None
        except ValueError:
            return None

    def _insert_session(
        self, source: str, session: str, payload: dict[str, Any], client: Client, at_ms: int | None
    ) -> None:
        row = {
            "session_id": session, "website_id": source, "browser": client.browser, "os": client.os,
            "device": client.device, "screen": payload.get("screen"), "language": payload.get("language"),
            "country": client.country, "region": client.region, "city": client.city, "created_at": at_ms,
            "distinct_id": payload.get("id"),
        }  # fmt: skip
        try:
            self._tables.insert_session(row)
        except ColumnError as error:
            raise error.in_raw_query() from None

    # -- events --------------------------------------------------------------------------------------------------------

    def _event(self, kind: str, payload: dict[str, Any], common: Row, visit: str) -> None:
        hostname = payload.get("hostname") or ""
        base = f"https://{hostname or 'localhost'}"
        url = _parse(payload.get("url", "undefined"), base)
        path = "" if url.pathname == "/undefined" else url.pathname + url.hash
        if self._cut_slash:
            before, mark, fragment = path.partition("#")
            path = before.removesuffix("/") + mark + fragment
        name = payload.get("name")
        event_id = str(uuid.uuid4())
        row: Row = {
            "event_id": event_id, **common,
            "url_path": _path(path), "url_query": js.cut(url.query or "", _LONGEST),
            **self._referrer(payload.get("referrer"), base),
            "page_title": js.cut(decode(payload["title"]), _LONGEST) if "title" in payload else None,
            "event_type": _event_type(kind, payload), "event_name": name or None, "visit_id": visit,
            "tag": payload.get("tag"), **{key: url.parameter(key) for key in _COLUMN_PARAMETERS},
            **{key: payload.get(key) for key in _VITALS if kind == "performance"},
            "hostname": hostname or url.host.removeprefix("www."),
        }  # fmt: skip
        self._write("website_event", [row], "WebsiteEvent", "websiteEvent.create")
        if "data" in payload:
            self._event_data(payload["data"], row)

    def _referrer(self, referrer: str | None, base: str) -> Row:
        if not referrer:
            return {}
        url = _parse(referrer, base)
        return {
            "referrer_path": _path(url.pathname),
            "referrer_query": js.cut(url.query or "", _LONGEST),
            "referrer_domain": js.cut(url.host.removeprefix("www."), _LONGEST),
        }

    def _event_data(self, data: dict[str, Any], event: Row) -> None:
        common = {"website_id": event["website_id"], "website_event_id": event["event_id"]}
        rows = [{"event_data_id": str(uuid.uuid4()), **common, **_columns(leaf), "created_at": event["created_at"]}
                for leaf in flatten(data)]  # fmt: skip
        self._write("event_data", rows, "EventData", "eventData.createMany")
        revenue, currency = data.get("revenue"), data.get("currency")
        if js.to_number(revenue) > 0 and currency:
            self._revenue(revenue, currency, event)

    def _revenue(self, revenue: Any, currency: Any, event: Row) -> None:
        call = "revenue.create"
        if not event["event_name"]:
            raise errors.invalid_argument(call, "Argument `eventName` is missing.")
        if not isinstance(currency, str):
            raise errors.invalid_argument(call, "Argument `currency`: Invalid value provided. Expected String.")
        if isinstance(revenue, bool | list):
            raise errors.invalid_argument(call, "Argument `revenue`: Invalid value provided. Expected Decimal.")
        keys = ("website_id", "session_id", "event_id", "event_name", "created_at")
        row = {"revenue_id": str(uuid.uuid4()), **{key: event[key] for key in keys}}
        row |= {"currency": currency, "revenue": js.to_number(revenue)}
        self._write("revenue", [row], "Revenue", call)

    def _write(self, table: str, rows: list[Row], model: str, call: str) -> None:
        try:
            self._tables.insert(table, rows)
        except ColumnError as error:
            raise error.in_call(model, call) from None

    # -- identify ------------------------------------------------------------------------------------------------------

    def _identify(self, payload: dict[str, Any], common: Row) -> None:
        for leaf in flatten(payload.get("data", {})):
            row: Row = {
                "session_data_id": str(uuid.uuid4()), **common, **_columns(leaf), "distinct_id": payload.get("id"),
            }  # fmt: skip
            try:
                updated = self._tables.update_session_data(row)
            except ColumnError as error:
                raise error.in_call("SessionData", "sessionData.updateMany") from None
            if not updated:
                self._write("session_data", [row], "SessionData", "sessionData.create")


def _event_type(kind: str, payload: dict[str, Any]) -> int:
    if kind == "performance":
        return PERFORMANCE
    if payload.get("link"):
        return LINK_EVENT
    if payload.get("pixel"):
        return PIXEL_EVENT
    return CUSTOM_EVENT if payload.get("name") else PAGE_VIEW


def _parse(text: str, base: str) -> Url:
    try:
        return parse(text, base)
    except InvalidUrlError:
        raise errors.invalid_url(text, base) from None


def _path(path: str) -> str:
    return js.cut(decode(path, keep=_URL_RESERVED), _LONGEST)


def _columns(leaf: Leaf) -> Row:
    return {
        "data_key": leaf.key,
        "string_value": leaf.text,
        "number_value": leaf.number,
        "date_value": leaf.date_ms,
        "data_type": leaf.type,
    }
