"""The types of destinations and the options that only each of them knows, declared once.

What every destination takes (``enabled``, ``events``, ``batch``, …) is declared in
:class:`~footspan.config.settings.DestinationSettings`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from footspan.config.values import BOOLEAN, LIST, PATH, PATTERNS, POSITIVE_DURATION, TEXT, choice
from footspan.config.web import HEADERS, PROXY, REQUEST_PATH, SECRET_OR_EMPTY, url

if TYPE_CHECKING:
    from footspan.config.kinds import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option of a type of destination.

    Attributes:
        name: The key.
        kind: How its value is read.
        help: What it means.
        default: Its value when nobody sets it; ``None`` leaves it out.
        secret: Whether it may hold a secret, so that no text may ever quote it.
        address: Whether it says where the destination is. Setting it in the environment enables the destination, and
            an enabled one must have at least one of its addresses.
        required: Whether an enabled destination must have it besides its address.
        identity: Whether it is part of what makes two destinations different.
    """

    name: str
    kind: Kind
    help: str
    default: Any = None
    secret: bool = False
    address: bool = False
    required: bool = False
    identity: bool = False


@dataclass(frozen=True, slots=True)
class DestinationType:
    """One type of destination.

    Attributes:
        name: The word in ``type:``, and the name of the first destination of the type.
        help: What it is.
        options: The keys that only this type knows.
        repeatable: Whether two that are alike may stand side by side. The courier keeps one place per address, so this
            holds only for a type that writes in the calling process.
        tells_host: Whether its format has a place for the host's name, system and address. They are then put on the
            resource of what this process records.
    """

    name: str
    help: str
    options: tuple[Option, ...] = ()
    repeatable: bool = False
    tells_host: bool = False

    @property
    def addresses(self) -> tuple[Option, ...]:
        """The options that say where it is."""
        return tuple(option for option in self.options if option.address)


_HEADER_INSTEAD = "Leave them out of the address and put an authorization header under `headers`."
_KEY_INSTEAD = "Leave them out of the address and put the key under `api_key`."
_NONE_INSTEAD = "Leave them out: this destination takes no credentials."


def _address(name: str, help_text: str, *, instead: str, base: bool = True, needed: bool = True) -> Option:
    return Option(
        name=name, kind=url(instead=instead, base=base), help=help_text, address=needed, identity=needed, secret=True
    )


_SPANS = Option(
    name="spans",
    kind=PATTERNS,
    help="Patterns of the spans that become events there, by name or area (`db.*`); none: only page views.",
)


_PROXY = Option(
    name="proxy",
    kind=PROXY,
    help="Address of a proxy to go through; `environment`: the one that `HTTPS_PROXY` and its like name.",
    secret=True,
)
_PROTOCOL = choice("http/json", "http/protobuf", "grpc")
_COMPRESSION = choice("gzip", "none")

# What OpenTelemetry's variables can say of one signal alone.
_TRACES = (
    Option(
        name="traces_headers", kind=HEADERS, help="Headers of requests with spans, in place of `headers`.", secret=True
    ),
    Option(name="traces_protocol", kind=_PROTOCOL, help="Encoding and transport of spans, if another."),
    Option(name="traces_compression", kind=_COMPRESSION, help="Compression of requests with spans, if another."),
    Option(name="traces_timeout", kind=POSITIVE_DURATION, help="Time for one request with spans, if another."),
    Option(name="traces_certificate", kind=PATH, help="File of the authorities to trust where spans go, if others."),
    Option(name="traces_client_certificate", kind=PATH, help="File of our own certificate for spans, if another."),
    Option(name="traces_client_key", kind=PATH, help="File of our own private key for spans, if another."),
)


_TYPES = (
    DestinationType(
        "umami",
        "An Umami server: events and page views.",
        (
            _address("url", "Address of the Umami server.", instead=_NONE_INSTEAD),
            Option(name="website", kind=TEXT, help="Id of the website in Umami.", required=True, identity=True),
            Option(name="hostname", kind=TEXT, help="Host name to report, whatever an event says."),
            Option(name="tag", kind=TEXT, help="Tag to report where an event has none."),
            Option(
                name="revenue",
                kind=LIST,
                help="Properties that stand for `revenue` where an event has none, the first first (`amount, price`).",
            ),
            Option(name="currency", kind=TEXT, help="Currency of amounts that name none, such as EUR."),
            Option(name="path", kind=REQUEST_PATH, help="Path that takes single events.", default="/api/send"),
            Option(name="batch_path", kind=REQUEST_PATH, help="Path that takes batches.", default="/api/batch"),
            _PROXY,
            _SPANS,
        ),
    ),
    DestinationType(
        "otlp",
        "Any OTLP backend or Collector.",
        (
            _address(
                "endpoint", "Base address; over HTTP, /v1/logs and /v1/traces are added.", instead=_HEADER_INSTEAD
            ),
            _address("logs_endpoint", "Whole address for events.", instead=_HEADER_INSTEAD, base=False),
            _address("traces_endpoint", "Whole address for spans.", instead=_HEADER_INSTEAD, base=False, needed=False),
            Option(name="headers", kind=HEADERS, help="Request headers, such as an API key.", secret=True),
            Option(
                name="protocol",
                kind=_PROTOCOL,
                help="Encoding and transport. Backends take HTTP on port 4318 and gRPC on 4317, as a rule.",
                default="http/json",
            ),
            Option(name="compression", kind=_COMPRESSION, help="Compression of a request.", default="gzip"),
            Option(name="certificate", kind=PATH, help="File of the authorities to trust (PEM)."),
            Option(name="client_certificate", kind=PATH, help="File of our own certificate (PEM)."),
            Option(name="client_key", kind=PATH, help="File of our own private key (PEM)."),
            *_TRACES,
            _PROXY,
        ),
    ),
    DestinationType(
        "logging",
        "Python's logging, in the calling process.",
        (
            Option(
                name="level",
                kind=choice("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL", aliases={"WARN": "WARNING"}),
                help="Level of an ordinary event.",
                default="INFO",
            ),
            Option(name="logger", kind=TEXT, help="Name of the logger.", default="footspan.events", identity=True),
        ),
        repeatable=True,
    ),
    DestinationType(
        "console",
        "Standard error, for people.",
        (
            Option(name="format", kind=choice("text", "json"), help="How an event is printed.", default="text"),
            _SPANS,
        ),
    ),
    DestinationType(
        "opentrace",
        "An OpenTrace server: one request an event.",
        (
            _address("url", "Address of the OpenTrace server.", instead=_NONE_INSTEAD),
            Option(name="project_id", kind=TEXT, help="Id of the project (its Resource UID).", identity=True),
            Option(
                name="revenue",
                kind=LIST,
                help="Properties that stand for `amount`, which its revenue report adds up, where an event has none.",
                default=("revenue",),
            ),
            Option(
                name="include_ids",
                kind=BOOLEAN,
                help="Whether an event's id and time go with it, as `footspan.uid` and `footspan.time`; default: no.",
            ),
            Option(name="certificate", kind=PATH, help="File of the authorities to trust (PEM)."),
            _PROXY,
            _SPANS,
        ),
    ),
    DestinationType(
        "trace_telemetry",
        "A TraceTelemetry server.",
        (
            _address("url", "Whole address that takes events.", instead=_KEY_INSTEAD, base=False),
            Option(name="api_key", kind=SECRET_OR_EMPTY, help="Its key, sent as `X-API-Key`.", secret=True),
            Option(
                name="key_case",
                kind=choice("camel", "pascal"),
                help="How an event's keys are spelt: `timestampUtc` or, as the .NET client does, `TimestampUtc`.",
                default="camel",
            ),
            Option(name="wrapper", kind=TEXT, help="Key of an object to put the array in; none: the array alone."),
            Option(
                name="enable_country_lookup",
                kind=BOOLEAN,
                help="Whether countries of addresses are looked up in `country_database`.",
            ),
            Option(name="country_database", kind=PATH, help="File of countries in the MaxMind format (`.mmdb`)."),
            Option(name="certificate", kind=PATH, help="File of the authorities to trust (PEM)."),
            _PROXY,
            _SPANS,
        ),
        tells_host=True,
    ),
    DestinationType(
        "dash_tracker",
        "A Dash-Tracker endpoint: one request an event.",
        (
            _address("url", "Whole address that takes events.", instead=_KEY_INSTEAD, base=False),
            Option(name="api_key", kind=SECRET_OR_EMPTY, help="Its key, sent as `X-API-Key`.", secret=True),
            Option(name="certificate", kind=PATH, help="File of the authorities to trust (PEM)."),
            _PROXY,
            _SPANS,
        ),
    ),
    DestinationType(
        "store",
        "A local database of events.",
        (Option(name="path", kind=PATH, help="File of the database.", address=True, identity=True),),
    ),
)

DESTINATION_TYPES: Final[dict[str, DestinationType]] = {kind.name: kind for kind in _TYPES}
"""Every type by its name, in the order of the reference."""

IMPLEMENTED_TYPES: Final = frozenset(
    {"umami", "otlp", "logging", "console", "dash_tracker", "trace_telemetry", "opentrace"}
)
"""The types this version can send to. The others keep their names and keys: using one is an error, not a surprise."""
