"""Which reports of a ``dcc.Location`` are moves to a page, by the memory of browsers that the Dash instrumentor has.

The memory is the same kind of thing in the same place; what is kept there is a tracker's own, because two who remember
the same reports under one name would each take the other's for somebody's coming back.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from footspan import conventions as c
from footspan.instrumentation.dash.asking import browser_of
from footspan.instrumentation.dash.memory import InProcess, browser_key, digest, open_memory, short
from footspan.instrumentation.dash.visits import Report, Verdict, load, report
from footspan.processors.redaction import Redactor
from footspan.tracking.in_force import settings_in_force
from footspan.tracking.salts import service_salt

if TYPE_CHECKING:
    from flask import Request

    from footspan.instrumentation.dash.memory import Memory
    from footspan.instrumentation.dash.places import Place
    from footspan.instrumentation.dash.reading import App, Navigation, Run


class Moves:
    """What a tracker knows of where browsers are.

    Args:
        whose: Stands for the tracker.
        spool: The spool beside which it is kept; ``None``: in this process.
    """

    def __init__(self, whose: str, spool: Any) -> None:
        self._whose = whose
        layout = getattr(spool, "layout", None)
        self._memory: Memory = InProcess() if layout is None else open_memory(Path(layout.root))
        self._redactor = Redactor(None, settings_in_force().privacy.rules)

    def loaded(self, request: Request, place: Place, app: App) -> None:
        """A page was loaded."""
        page, url, now = self._page(place, app), self._clean(place.url), time.time()
        self._memory.change(self._browser(request), lambda visits: (load(visits, page, url, "", now), None))

    def reported(self, request: Request, run: Run, found: Navigation, app: App) -> Verdict:
        """What it means that a callback reports a page."""
        tab = request.args.get("endId", "")
        told = Report(
            self._page(found.place, app),
            self._clean(found.place.url),
            digest(run.output),
            tab=digest(tab) if tab else "",
            mounting=found.mounting,
            single=found.single,
            vague=found.vague,
        )
        now = time.time()
        return self._memory.change(self._browser(request), lambda visits: report(visits, told, now))

    def _browser(self, request: Request) -> bytes:
        return browser_key(service_salt().today(), self._whose, *browser_of(request))

    def _clean(self, url: str) -> str:
        """An address as it may be on disk."""
        return str(self._redactor.mapping({c.URL_FULL: short(url)})[0].get(c.URL_FULL, ""))

    @staticmethod
    def _page(place: Place, app: App) -> str:
        return digest(app.routes, place.route, place.query)
