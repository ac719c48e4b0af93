"""The commands: each one loads what it needs when it runs."""

from __future__ import annotations

import click

from footspan._version import __version__
from footspan.cli.config import config
from footspan.cli.deliver import deliver
from footspan.cli.explain import explain
from footspan.cli.gateway import gateway
from footspan.cli.privacy import privacy
from footspan.cli.replay import replay
from footspan.cli.status import status


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="footspan %(version)s")
def footspan() -> None:
    """Product analytics on OpenTelemetry: what was tracked, and did it arrive?

    \b
    Examples:
      footspan status                     every service's events, per destination
      footspan status --service shop      one service
      footspan status --watch             live, until Ctrl-C
      footspan status --json | jq .       for programs
      footspan deliver --service shop     deliver in a process of its own
      footspan replay --from rejected     send again what was refused
      footspan explain --name checkout    where would it go, and what would leave?
      footspan config check               what is wrong with the settings
      footspan privacy forget u_42        have a person forgotten
    """  # noqa: D301 - backslash-b is click's own mark for lines that stay as they are


footspan.add_command(config)
footspan.add_command(deliver)
footspan.add_command(explain)
footspan.add_command(gateway)
footspan.add_command(privacy)
footspan.add_command(replay)
footspan.add_command(status)
