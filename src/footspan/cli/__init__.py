"""The ``footspan`` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command; where its libraries are missing, say how to install them."""
    try:
        from footspan.cli.commands import footspan  # noqa: PLC0415 - the libraries are an extra
    except ModuleNotFoundError as error:
        if error.name not in {"click", "rich"}:
            raise
        sys.stderr.write("The footspan command needs two libraries more: pip install 'footspan[cli]'\n")
        raise SystemExit(2) from None
    footspan()
