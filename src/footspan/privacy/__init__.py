"""Privacy: what is looked for in data, and what becomes of it. Plain values in, plain values out.

:class:`Cleaner` holds values of any depth to a :class:`~footspan.config.policy.Policy`. What it is made of:
``keys`` (which keys say what their values are), ``texts`` (what is looked for inside text, each kind in a module of its
own), ``actions`` (what is written in its place), ``pseudonym`` (the seam for keyed tokens).
"""

from __future__ import annotations

from footspan.privacy.actions import FAILED, MARKS
from footspan.privacy.cleaner import Cleaner
from footspan.privacy.hits import Hit
from footspan.privacy.pseudonym import HmacPseudonymiser, Pseudonymiser

__all__ = ["FAILED", "MARKS", "Cleaner", "Hit", "HmacPseudonymiser", "Pseudonymiser"]
