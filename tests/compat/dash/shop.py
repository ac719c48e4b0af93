"""A tracked app, served by itself (``python shop.py``, ``python shop.py debug``) or by gunicorn (``shop:server``)."""

from __future__ import annotations

import os
import sys

from compat.dash.apps import pages_app
from footspan.compat.dash_user_tracker import Tracker

app = pages_app(url_base_pathname=os.environ.get("PREFIX", "/"))
tracker = Tracker(
    app,
    "Shop",
    tracker_endpoint=os.environ["ENDPOINT"],
    api_key="key-1",
    enable_page_interaction_tracking=True,
)
server = app.server

if __name__ == "__main__":
    debug = "debug" in sys.argv
    if debug:
        app.enable_dev_tools(debug=True, dev_tools_silence_routes_logging=False)
    server.run(port=0, debug=debug, threaded=True)  # with debug, a child of the reloader serves
