"""Run the Python blocks of one Markdown file, in one namespace, in order: the process of one documentation test.

Reads ``{"path", "blocks": [[line, code], ...]}`` as JSON from standard input. Tracebacks name the file's own lines.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    """Run the blocks; the first failure ends the process with its traceback."""
    sys.path.insert(0, str(Path(__file__).parent.parent))
    from network_guard import blocked_network  # noqa: PLC0415 - found on the path that was just set

    job = json.load(sys.stdin)
    namespace: dict[str, object] = {"__name__": "__main__"}
    # Examples name servers that are not there: to them it shall look like that, too.
    with blocked_network():
        for line, code in job["blocks"]:
            exec(compile("\n" * (line - 1) + code, job["path"], "exec"), namespace)
        shutdown = getattr(sys.modules.get("footspan"), "shutdown", None)
        if shutdown is not None:
            shutdown(timeout=0.5)


if __name__ == "__main__":
    main()
