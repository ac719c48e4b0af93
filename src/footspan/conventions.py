"""The names footspan writes and reads: attributes, events, aliases, categories.

Names that OpenTelemetry's semantic conventions define are copied here as literals, because importing the package (and
its unstable half) costs time at start; a test holds every one against the package. Names that no convention defines
start with ``footspan.``.
"""

from __future__ import annotations

from typing import Final

# -- semantic conventions ----------------------------------------------------------------------------------------------

BROWSER_LANGUAGE: Final = "browser.language"
CLIENT_ADDRESS: Final = "client.address"
ENDUSER_PSEUDO_ID: Final = "enduser.pseudo.id"
"""A visitor: who they are is not known, only that they are the same."""
ERROR_TYPE: Final = "error.type"
EVENT_NAME: Final = "event.name"
"""Deprecated, and still what older SDKs write instead of an event name."""
EXCEPTION_MESSAGE: Final = "exception.message"
EXCEPTION_STACKTRACE: Final = "exception.stacktrace"
EXCEPTION_TYPE: Final = "exception.type"
GEO_COUNTRY_ISO_CODE: Final = "geo.country.iso_code"
HOST_IP: Final = "host.ip"
HOST_NAME: Final = "host.name"
HTTP_REQUEST_METHOD: Final = "http.request.method"
HTTP_RESPONSE_STATUS_CODE: Final = "http.response.status_code"
HTTP_ROUTE: Final = "http.route"
LOG_RECORD_UID: Final = "log.record.uid"
OS_DESCRIPTION: Final = "os.description"
OTEL_EVENT_NAME: Final = "otel.event.name"
"""The event name, in formats that have no place for one."""
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
SERVICE_NAME: Final = "service.name"
SERVICE_VERSION: Final = "service.version"
SESSION_ID: Final = "session.id"
SESSION_PREVIOUS_ID: Final = "session.previous_id"
TELEMETRY_DISTRO_NAME: Final = "telemetry.distro.name"
TELEMETRY_DISTRO_VERSION: Final = "telemetry.distro.version"
URL_FULL: Final = "url.full"
URL_PATH: Final = "url.path"
URL_QUERY: Final = "url.query"
URL_SCHEME: Final = "url.scheme"
USER_AGENT_ORIGINAL: Final = "user_agent.original"
USER_EMAIL: Final = "user.email"
USER_FULL_NAME: Final = "user.full_name"
USER_ID: Final = "user.id"

# Request headers on spans and events are `string[]` attributes named by the lower-case header
# (semantic conventions, HTTP: `http.request.header.<key>`).
HTTP_REQUEST_HEADER_REFERER: Final = "http.request.header.referer"

# -- ours --------------------------------------------------------------------------------------------------------------

CAMPAIGN_START_CODE: Final = "footspan.campaign.start_code"
CATEGORY: Final = "footspan.event.category"
CONSENT: Final = "footspan.consent"
"""``string[]``: the purposes that a person agreed to, where somebody said so or had to be asked. In the context it is
in any form that ``set_context(consent=...)`` takes."""
DESTINATION: Final = "footspan.destination"
"""Names the one destination (by its name in the settings) that a record is for."""
DESTINATION_NAME: Final = "footspan.destination.name"
"""On metrics: which destination, by its name in the settings."""
DURATION_MS: Final = "footspan.duration_ms"
LANE: Final = "footspan.spool.lane"
"""On metrics: ``events``, ``spans`` or ``logs``."""
FIRST_TOUCH: Final = "footspan.first_touch"
"""What stands before the rest of a touch's attribute where it is the visitor's first: see :data:`FIRST_TOUCHES`."""
PAGE_NOT_FOUND: Final = "footspan.page.not_found"
"""On a server span: the page that was answered says that there is no such page, whatever the status was."""
PAGE_TITLE: Final = "footspan.page.title"
PAGE_URL: Final = "footspan.page.url"
"""On a server span: the page's address as the browser shows it, where the server sees another."""
PURPOSE: Final = "footspan.purpose"
"""What an event that bears :data:`CONSENT` is for."""
REASON: Final = "footspan.reason"
"""On metrics: why events were refused, evicted or dropped."""
REDACTED: Final = "footspan.redacted"
"""``string[]``: the keys whose values the redactor removed or changed. Keys only, never values."""
REFERRER_CLASS: Final = "footspan.referrer.class"
"""How a visitor came: ``search``, ``social``, ``email``, ``paid``, ``direct``, ``internal`` or ``referral``."""
REFERRER_DOMAIN: Final = "footspan.referrer.domain"
REQUEST_ID: Final = "footspan.request.id"
SAMPLING_RATE: Final = "footspan.sampling.rate"
SCREEN: Final = "footspan.screen"
TAG: Final = "footspan.tag"
TELEGRAM_CHAT_TYPE: Final = "footspan.telegram.chat_type"
"""``private``, ``group``, ``supergroup`` or ``channel``."""
TELEGRAM_COMMAND: Final = "footspan.telegram.command"
"""A command that the bot knows; any other is ``_OTHER``."""
TELEGRAM_HANDLER: Final = "footspan.telegram.handler"
TELEGRAM_OUTCOME: Final = "footspan.telegram.outcome"
"""``handled``, ``unhandled``, ``error`` or ``cancelled``."""
TELEGRAM_TEXT: Final = "footspan.telegram.text"
TELEGRAM_UPDATE_TYPE: Final = "footspan.telegram.update_type"
WIRE: Final = "footspan.wire"
"""What one old client's wire format alone needs to be written as that client wrote it: ``{"opentrace": {...}}``. It is
no property: no other destination receives it."""

UTM_FIELDS: Final = ("source", "medium", "campaign", "content", "term")
CLICK_ID_FIELDS: Final = ("fbclid", "ttclid", "gclid", "msclkid", "twclid", "li_fat_id")

TOUCHES: Final[dict[str, str]] = {
    **{f"utm_{field}": f"footspan.utm.{field}" for field in UTM_FIELDS},
    **{field: f"footspan.click_id.{field}" for field in CLICK_ID_FIELDS},
    "referrer_class": REFERRER_CLASS,
    "referrer_domain": REFERRER_DOMAIN,
    "bot_param": CAMPAIGN_START_CODE,
}
"""What can be known of how a visitor came: the keyword, and the attribute of the last touch."""

FIRST_TOUCHES: Final[dict[str, str]] = {
    keyword: attribute.replace("footspan", FIRST_TOUCH, 1) for keyword, attribute in TOUCHES.items()
}
"""The same keyword, and the attribute of the first touch (``footspan.first_touch.utm.source``)."""

METRIC_EVENTS_ACCEPTED: Final = "footspan.events.accepted"
METRIC_EVENTS_DELIVERED: Final = "footspan.events.delivered"
METRIC_EVENTS_REFUSED: Final = "footspan.events.refused"
METRIC_EVENTS_EVICTED: Final = "footspan.events.evicted"
METRIC_EVENTS_DROPPED: Final = "footspan.events.dropped"
METRIC_SPOOL_WAITING: Final = "footspan.spool.waiting"
METRIC_SPOOL_SIZE: Final = "footspan.spool.size"
METRIC_DELIVERY_OLDEST_AGE: Final = "footspan.delivery.oldest_age"

EVENT_PAGE_VIEW: Final = "footspan.page_view"
EVENT_IDENTIFY: Final = "footspan.identify"
EVENT_INTERACTION: Final = "footspan.interaction"
EVENT_EXCEPTION: Final = "exception"
EVENT_SESSION_START: Final = "session.start"
EVENT_SESSION_END: Final = "session.end"

# -- aliases: the keyword a person writes -> the attribute it becomes --------------------------------------------------

ALIASES: Final[dict[str, str]] = {
    "user_id": USER_ID,
    "session_id": SESSION_ID,
    "request_id": REQUEST_ID,
    "email": USER_EMAIL,
    "full_name": USER_FULL_NAME,
    "category": CATEGORY,
    "bot_param": CAMPAIGN_START_CODE,
    **{f"utm_{field}": f"footspan.utm.{field}" for field in UTM_FIELDS},
    **{field: f"footspan.click_id.{field}" for field in CLICK_ID_FIELDS},
}
"""Recognised in every call."""

REQUEST_ALIASES: Final[dict[str, str]] = {
    **ALIASES,
    "url": URL_FULL,
    "path": URL_PATH,
    "query": URL_QUERY,
    "hostname": SERVER_ADDRESS,
    "referrer": HTTP_REQUEST_HEADER_REFERER,
    "ip": CLIENT_ADDRESS,
    "user_agent": USER_AGENT_ORIGINAL,
    "method": HTTP_REQUEST_METHOD,
    "language": BROWSER_LANGUAGE,
    "screen": SCREEN,
    "title": PAGE_TITLE,
    "tag": TAG,
    "visitor_id": ENDUSER_PSEUDO_ID,
    "consent": CONSENT,
    "previous_session_id": SESSION_PREVIOUS_ID,
    "referrer_class": REFERRER_CLASS,
    "referrer_domain": REFERRER_DOMAIN,
    **{f"first_touch_{keyword}": attribute for keyword, attribute in FIRST_TOUCHES.items()},
}
"""Recognised by ``page_view``, the context and the compatible clients: in ``track("payment", method="card")`` the
``method`` is the caller's own word, not HTTP's."""

MEASUREMENT_ALIASES: Final[dict[str, str]] = {
    **ALIASES,
    "duration_ms": DURATION_MS,
    "error_type": ERROR_TYPE,
    "error_message": EXCEPTION_MESSAGE,
    "stack_trace": EXCEPTION_STACKTRACE,
}
"""Recognised by the decorators and ``track_exception``."""

TELEGRAM_NAMES: Final[dict[str, str]] = {
    attribute.rpartition(".")[2]: attribute
    for attribute in (
        TELEGRAM_CHAT_TYPE,
        TELEGRAM_COMMAND,
        TELEGRAM_HANDLER,
        TELEGRAM_OUTCOME,
        TELEGRAM_TEXT,
        TELEGRAM_UPDATE_TYPE,
    )
}
"""What the instrumentation of bots says of an update, by the property's name."""

STRING_LIST_ATTRIBUTES: Final = frozenset({HTTP_REQUEST_HEADER_REFERER, HOST_IP})
"""Attributes that the conventions type as ``string[]``: a lone string becomes a list of one."""

PROPERTY_NAMES: Final[dict[str, str]] = {
    attribute: keyword for keyword, attribute in {**REQUEST_ALIASES, **MEASUREMENT_ALIASES, **TELEGRAM_NAMES}.items()
}
"""Read the other way: the property name under which a destination receives an attribute."""

# -- categories --------------------------------------------------------------------------------------------------------

CATEGORIES: Final = ("user", "generation", "payment", "error", "performance", "system")

CATEGORY_SYNONYMS: Final[dict[str, str]] = {
    **{category: category for category in CATEGORIES},
    **dict.fromkeys(("auth", "login", "signup", "logout", "session", "ui", "page", "click", "modal", "button"), "user"),
    **dict.fromkeys(("generate", "image"), "generation"),
    **dict.fromkeys(("checkout", "purchase", "stripe", "credits", "credit"), "payment"),
    **dict.fromkeys(("exception", "failure"), "error"),
    **dict.fromkeys(("timing", "duration"), "performance"),
    **dict.fromkeys(("api", "request", "response"), "system"),
}


def category_of(name: str) -> str:
    """The category that an event's name stands for, where the event does not say.

    Args:
        name: The event's name; its first dotted part decides.

    Returns:
        One of :data:`CATEGORIES` for a known first part, else the first part itself.
    """
    if name in {EVENT_PAGE_VIEW, EVENT_IDENTIFY, EVENT_INTERACTION}:
        return "user"
    first = name.partition(".")[0].lower()
    return CATEGORY_SYNONYMS.get(first, first)
