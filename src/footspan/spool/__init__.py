"""The spool: where events wait, durable, until every destination has them.

* ``base``: the contract between whoever writes, keeps and carries.
* ``location``, ``layout``, ``pipelines``: which folder, what lies where, whose events are for whom.
* ``writer``, ``adoption``, ``ring``: appending.
* ``segments``, ``reading``, ``reels``, ``feed``: taking events out, one destination at a time.
* ``cursor``, ``journal``, ``locks``, ``heartbeat``: how far a destination is, and who carries for it.
* ``register``, ``census``, ``counters``, ``sidefiles``: the figures.
* ``retention``, ``leftovers``: what is deleted when.
* ``disk``, ``memory``: the two spools.

The format on disk is described in ``docs/spool-format.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from footspan import _guard, _platform

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from footspan.config import Settings
    from footspan.otlp_json import LogLine
    from footspan.spool.base import Spool, Target

__all__ = ["open_lane", "open_spool"]


def open_spool(settings: Settings, targets: Sequence[Target], accepts: Callable[[Target, LogLine], bool]) -> Spool:
    """The spool that the settings ask for; in memory, and said once, where none can be had on disk.

    Args:
        settings: The service's name, and everything under ``spool``.
        targets: The destinations that the events of this process are for.
        accepts: Whether a destination takes an event.

    Returns:
        The spool. It opens no segment before the first event.
    """
    if settings.spool.durability != "memory":
        spool = _on_disk(settings, targets, accepts)
        if spool is not None:
            return spool
        _say_in_memory(settings)
    with _platform.importing():
        from footspan.spool.memory import MemorySpool  # noqa: PLC0415 - one of the two is needed

    return MemorySpool(targets, accepts)


def open_lane(
    settings: Settings,
    name: str,
    beside: Spool,
    targets: Sequence[Target],
    accepts: Callable[[Target, LogLine], bool],
    max_bytes: int,
) -> Spool:
    """A spool for what is no event, in a folder of its own below the events' one; in memory where that is.

    Args:
        settings: Everything under ``spool``.
        name: The folder's name.
        beside: The events' spool.
        targets: Where its lines go.
        accepts: Whether a destination takes a line.
        max_bytes: Size of all its segments at which the oldest go.
    """
    with _platform.importing():
        from footspan.spool.disk import DiskSpool  # noqa: PLC0415 - one of the two is needed
        from footspan.spool.memory import MemorySpool  # noqa: PLC0415 - the same

    if isinstance(beside, DiskSpool):
        from footspan.spool.layout import FormatError, Layout  # noqa: PLC0415 - loaded with the events' spool

        layout = Layout(f"{beside.layout.root}/{name}")
        sync = settings.spool.durability == "disk"
        try:
            layout.prepare(sync=sync)
            return DiskSpool(layout, targets, accepts, max_bytes=max_bytes, max_age=settings.spool.max_age, sync=sync)
        except (OSError, FormatError) as error:
            _guard.report(f"opening the lane of {name}", error)
    return MemorySpool(targets, accepts)


def _say_in_memory(settings: Settings) -> None:
    from footspan.spool.location import IN_MEMORY, has_one_place  # noqa: PLC0415 - rarely needed

    if not _platform.DURABLE or not has_one_place(settings):  # else it was said with the place
        _guard.warn_once("spool", f"footspan: {IN_MEMORY}")


def _on_disk(settings: Settings, targets: Sequence[Target], accepts: Callable[[Target, LogLine], bool]) -> Spool | None:
    if not _platform.DURABLE:
        _guard.warn_once("platform", "footspan: this platform has no POSIX file locks, which a spool on disk needs")
        return None
    with _platform.importing():
        from footspan.spool.disk import DiskSpool  # noqa: PLC0415 - the same
        from footspan.spool.location import locate  # noqa: PLC0415 - the same

    layout = locate(settings)
    if layout is None:
        return None
    return DiskSpool(
        layout,
        targets,
        accepts,
        max_bytes=settings.spool.max_bytes,
        max_age=settings.spool.max_age,
        sync=settings.spool.durability == "disk",
    )
