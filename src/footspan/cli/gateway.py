"""``footspan gateway``: events of other processes, in through OTLP/HTTP."""

from __future__ import annotations

import ipaddress
from dataclasses import replace
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import click

if TYPE_CHECKING:
    from footspan.config import Settings

DEFAULT_SERVICE: Final = "footspan-gateway"
"""Names the spool where nobody named the service, so that it is the same from whatever folder the gateway starts."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Address to listen on.")
@click.option(
    "--port", default=4318, show_default=True, type=click.IntRange(0, 65535), help="Port to listen on; 0: any free one."
)
def gateway(host: str, port: int) -> None:
    """Take events from any OpenTelemetry SDK or Collector and deliver them.

    Senders post OTLP/HTTP logs to /v1/logs, as JSON or protobuf, plain or compressed with gzip or deflate. Every event
    is cleaned of personal data, is on this machine's disk before the sender gets its 200, and goes to each destination
    of the settings (footspan.yaml, FOOTSPAN_DESTINATIONS_...). GET /healthz says whether events can be kept.

    \b
    Examples:
      export FOOTSPAN_DESTINATIONS_UMAMI_URL=https://stats.example.com
      export FOOTSPAN_DESTINATIONS_UMAMI_WEBSITE=6f3a1f0e-5f0a-4a52-9a6e-0f7a3f5f2c11
      footspan gateway                            listen on http://127.0.0.1:4318
      footspan gateway --port 4319                where a Collector has that port
      footspan status --service footspan-gateway  what became of the events

    \b
    In a sender's environment (any language):
      OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318

    Ctrl-C or SIGTERM ends it: requests under way are answered, and what could not be delivered within exit_timeout
    waits on disk for the next start.

    \b
    Exit codes:
      0  ended by Ctrl-C or SIGTERM
      2  an option or setting cannot be used, or the address or the spool's folder cannot be had
    """  # noqa: D301 - backslash-b is click's own mark for lines that stay as they are
    try:
        from footspan.gateway import create_app, server  # noqa: PLC0415 - the libraries are an extra
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"starlette", "uvicorn"}:
            raise
        raise click.UsageError("The gateway needs two libraries more: pip install 'footspan[gateway]'") from None
    from footspan.config import ConfigurationError  # noqa: PLC0415 - only what the command needs
    from footspan.pipeline import configure  # noqa: PLC0415

    try:
        settings = _settings()
        listening = server.listen(host, port)
    except ConfigurationError as error:
        raise click.UsageError(str(error)) from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise click.UsageError(f"Cannot listen on {host}, port {port}: {reason}. Try another --port.") from None
    with listening:
        bound_host, bound_port = listening.getsockname()[:2]
        _refuse_itself(settings, bound_host, bound_port)
        try:
            pipeline = configure(settings)
        except ConfigurationError as error:
            raise click.UsageError(str(error)) from None
        if pipeline is None:
            raise click.UsageError("footspan is switched off: TELEMETRY_ENABLED or OTEL_SDK_DISABLED, or `enabled`.")
        try:
            if settings.spool.durability != "memory" and not pipeline.spool.durable:
                raise click.UsageError(
                    "There is no folder to keep events in. Name one with FOOTSPAN_SPOOL_DIRECTORY, or say that memory "
                    "is enough with FOOTSPAN_SPOOL_DURABILITY=memory."
                )
            _announce(server.url_of(listening), bound_host, settings)
            server.serve(create_app(pipeline), listening)
        finally:
            pipeline.shutdown()
    click.echo("footspan gateway: stopped", err=True)


def _settings() -> Settings:
    from footspan.config import load_settings  # noqa: PLC0415 - only what the command needs

    settings = load_settings()
    if settings.service.name is None:
        settings = replace(settings, service=replace(settings.service, name=DEFAULT_SERVICE))
    return settings


def _refuse_itself(settings: Settings, host: str, port: int) -> None:
    """Events that are delivered to the gateway itself would go round for ever, becoming more and more."""
    for destination in settings.destinations:
        if not destination.enabled or destination.type != "otlp":
            continue
        for option in ("endpoint", "logs_endpoint"):
            address = urlsplit(str(destination.options.get(option) or ""))
            name = address.hostname or ""
            if _port(address.scheme, address.port) == port and (name == host or (_is_here(name) and _is_here(host))):
                raise click.UsageError(
                    f"The destination {destination.name!r} is this gateway itself (port {port}): name another address "
                    "there, or give the gateway another --port."
                )


def _port(scheme: str, port: int | None) -> int:
    return port if port is not None else 443 if scheme == "https" else 80


def _is_here(host: str) -> bool:
    """Whether a host is certainly this machine."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return address.is_loopback or address.is_unspecified


def _announce(url: str, host: str, settings: Settings) -> None:
    click.echo(f"footspan gateway: listening on {url}; Ctrl-C ends it")
    names = [destination.name for destination in settings.destinations if destination.enabled]
    if names:
        click.echo(f"  delivers to: {', '.join(names)}")
    else:
        click.echo("  delivers to: nowhere yet; events are kept until max_age (see docs/configuration.md)")
    if not ipaddress.ip_address(host).is_loopback:
        click.echo(
            "  warning: this address is open to the network, and everybody who reaches it can send events. "
            "Put a proxy with TLS and authentication in front.",
            err=True,
        )
