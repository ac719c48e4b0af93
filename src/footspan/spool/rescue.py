"""What a segment that was deleted behind its writer's back still holds: the open file keeps it until it is closed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from footspan.spool.reading import read_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from footspan.spool.adoption import Place


def rescue(place: Place, acked: Callable[[str], int]) -> list[bytes]:
    """The lines that somebody does not have yet, oldest first, each with its newline.

    Args:
        place: The writer's place.
        acked: The offset up to which every destination has a segment.

    Raises:
        OSError: They cannot be read.
    """
    if not place.ours() or os.fstat(place.descriptor).st_nlink:
        return []
    start = acked(place.segment.name)
    data = os.pread(place.descriptor, max(0, os.fstat(place.descriptor).st_size - start), start)
    *lines, torn = data.split(b"\n")
    found = [line + b"\n" for line in lines if line]
    if read_line(torn).events:  # all but its newline was written; of any other part the whole waits in memory
        found.append(torn + b"\n")
    return found
