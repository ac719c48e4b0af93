"""What no committed file may hold: an address of a package index, a path of the machine it was written on.

Both work for whoever wrote them and for nobody else. Run by ``make lint``; prints each place and fails.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
RULES = {
    # Told by the paths under which such an index keeps its files, and by the option that names one.
    "an address of a package index": re.compile(
        r"//[a-z0-9.-]+/(?:simple|packages|pool|@v)/|--(?:extra-)?index-url[ =]\S"
    ),
    "a path of one machine": re.compile(r"(?:^|[^\w.])/(?:home|root|work|Users)/[\w.]"),
}
NO_ADDRESSES = re.compile(r"://")
"""In pinned requirements every address is one too many."""


def committed() -> list[Path]:
    """The files that are committed or would be (not ignored)."""
    listing = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    answer = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True, timeout=60)
    return [path for name in answer.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()]


def findings(path: Path) -> list[str]:
    """The places in one file that break a rule."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return []
    name = path.relative_to(ROOT)
    rules = {**RULES, "an address": NO_ADDRESSES} if name.parts[0] == "requirements" else RULES
    return [
        f"{name}:{number}: {what}: {line.strip()[:100]}"
        for number, line in enumerate(text.splitlines(), start=1)
        for what, pattern in rules.items()
        if pattern.search(line)
    ]


def main() -> int:
    """Check every file."""
    files = committed()
    found = [finding for path in files for finding in findings(path)]
    print("\n".join([*found, f"checked {len(files)} files: {len(found)} findings"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
