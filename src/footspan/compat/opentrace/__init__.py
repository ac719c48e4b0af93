"""The OpenTrace client: ``from footspan.compat.opentrace import OpenTrace``, in place of the package ``opentrace``.

* ``client``: the class and its calls;
* ``arguments``: what they are given;
* ``calls``: what a call said, as a standard event;
* ``spelling``: payloads as JSON spells them;
* ``hearing``: what ``debug=True`` logs;
* ``instrumentor``: the same for apps that keep importing the original.
"""

from __future__ import annotations

from footspan.compat.opentrace.client import OpenTrace

__all__ = ["OpenTrace"]
