"""When a deliverer that an app spawned ends."""

from __future__ import annotations

import os
import time
from pathlib import Path

from footspan.delivery.detached import _relieved
from footspan.delivery.spawned import relief
from footspan.spool.layout import Layout


def test_a_deliverer_heeds_a_call_that_came_after_its_birth_only(tmp_path: Path) -> None:
    """One from the future was left by a clock that was set back: heeding it would end each new deliverer at once."""
    born = time.time() - 10
    assert not _relieved(str(tmp_path), born)
    call = relief(Layout(tmp_path))
    Path(call).touch()
    for moment, heeded in ((born - 5, False), (born + 5, True), (born + 3600, False)):
        os.utime(call, (moment, moment))
        assert _relieved(str(tmp_path), born) == heeded
