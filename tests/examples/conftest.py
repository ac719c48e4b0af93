"""The example's modules are programs beside each other; tests import them as the demo does."""

from __future__ import annotations

import sys
from pathlib import Path

SHOP = Path(__file__).resolve().parents[2] / "examples" / "shop"

if str(SHOP) not in sys.path:
    sys.path.append(str(SHOP))
