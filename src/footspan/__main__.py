"""``python -m footspan``: the command, where its script is not on the path."""

from __future__ import annotations

from footspan.cli import main

if __name__ == "__main__":
    main()
