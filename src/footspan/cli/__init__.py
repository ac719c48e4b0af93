"""The ``footspan`` command."""

from __future__ import annotations

import os
import sys
from contextlib import suppress


def main() -> None:
    """Run the command; where its libraries are missing, say how to install them."""
    try:
        from footspan.cli.commands import footspan  # noqa: PLC0415 - the libraries are an extra
    except ModuleNotFoundError as error:
        if error.name not in {"click", "rich"}:
            raise
        sys.stderr.write("The footspan command needs two libraries more: pip install 'footspan[cli]'\n")
        raise SystemExit(2) from None
    with suppress(OSError):  # a working directory that is gone
        # Destinations of one's own may be modules beside the settings; last, so that they stand in for nothing.
        sys.path.append(os.getcwd())  # noqa: PTH109 - quicker to load than pathlib
    footspan()
