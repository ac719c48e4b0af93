"""The gate: an event whose purpose nobody agreed to is dropped here, before the disk, or kept as far as it may be.

What was decided stands on the event (``footspan.consent``: the purposes agreed to, ``footspan.purpose``: what it is
for), so that each destination gets it, or not, by what held when it was made. An event of which nobody said anything
bears neither while ``privacy.consent`` is ``opt_out``.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from footspan import conventions as c
from footspan.config.consent import ACTIONS, EVERYWHERE, PURPOSES, action_for
from footspan.config.policy import ACTIONS as STRICTNESS
from footspan.patterns import matcher
from footspan.privacy.consent import Purposes, granted, state_of
from footspan.processors import DropEvent
from footspan.processors.campaign_traces import without_campaign
from footspan.processors.redaction import Redactor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from footspan.config import Settings
    from footspan.config.consent import Purpose, Without
    from footspan.config.policy import Action, Class, Policy
    from footspan.emit import Draft
    from footspan.privacy import Pseudonymiser

NO_CONSENT: Final = "no_consent"
"""The count of events that nobody may have."""
WITHHELD: Final = "withheld"
"""The count of events that some destination may not have, though another does."""

ALLOWED: Final = "send"
_CLASSES: Final[Mapping[Class, Action]] = {"contact": "pseudonym", "identifier": "pseudonym", "location": "ip_prefix"}
_IDENTITY: Final[Mapping[str, Action]] = {
    c.USER_ID: "pseudonym",
    c.ENDUSER_PSEUDO_ID: "pseudonym",
    c.SESSION_ID: "pseudonym",
    c.SESSION_PREVIOUS_ID: "pseudonym",
    c.USER_EMAIL: "pseudonym",
    c.USER_FULL_NAME: "drop",
    c.CLIENT_ADDRESS: "ip_prefix",
}


def pseudonymous(policy: Policy) -> Policy:
    """A policy with everything made a pseudonym that says who somebody is; what it forbids already stays forbidden."""
    classes = {**policy.classes, **{cls: _stricter(act, policy.classes.get(cls)) for cls, act in _CLASSES.items()}}
    identity = {**policy.identity, **{key: _stricter(act, policy.identity.get(key)) for key, act in _IDENTITY.items()}}
    return replace(policy, classes=classes, identity=identity, destinations={})


def _stricter(one: Action, other: Action | None) -> Action:
    return one if other is None else max(one, other, key=STRICTNESS.index)


def refused_purpose(attributes: Mapping[str, Any]) -> Purpose | None:
    """The purpose of an event that nobody agreed to; ``None`` where they did, or nobody was asked."""
    if c.CONSENT not in attributes:
        return None
    said, purpose = attributes[c.CONSENT], attributes.get(c.PURPOSE)
    known: Purpose = purpose if purpose in PURPOSES else PURPOSES[0]
    return None if isinstance(said, (list, tuple)) and known in said else known


def agrees_to_marketing(attributes: Mapping[str, Any]) -> bool:
    """Whether an event that bears consent agrees to marketing."""
    said = attributes.get(c.CONSENT)
    return isinstance(said, (list, tuple)) and "marketing" in said


class ConsentGate:
    """A processor that drops what nobody may have.

    Args:
        settings: The settings in force.
        category_of: The category that an event's name stands for.
        count: Called with the name of a counter.
        pseudonymiser: What makes tokens; without one a constant stands for each.
    """

    def __init__(
        self,
        settings: Settings,
        category_of: Callable[[str], str] = c.category_of,
        count: Callable[[str], None] | None = None,
        pseudonymiser: Pseudonymiser | None = None,
    ) -> None:
        privacy = settings.privacy
        self.opt_in = privacy.consent == "opt_in"
        """Whether silence is a no."""
        self._category_of = category_of
        self._count = count
        self._purposes = Purposes(privacy.purposes)
        self._settings = privacy.purposes
        self._takers = [(each.name, matcher(each.events)) for each in settings.destinations if each.enabled]
        self._redactor = Redactor(count, pseudonymous(privacy.rules), pseudonymiser=pseudonymiser)

    def purpose_of(self, name: Any, attributes: Mapping[str, Any]) -> Purpose:
        """What an event is for."""
        name = name if isinstance(name, str) else ""
        return self._purposes.of(name, self._category(name, attributes))

    def _category(self, name: str, attributes: Mapping[str, Any]) -> str:
        category = attributes.get(c.CATEGORY)
        return category if isinstance(category, str) and category else self._category_of(name)

    def __call__(self, draft: Draft) -> None:
        """Decide, and write what was decided on an event that goes on.

        Raises:
            DropEvent: No destination may have it (counted ``no_consent``). Nothing of it is left in the draft.
        """
        attributes = draft.attributes
        if c.CONSENT not in attributes and not self.opt_in:
            return
        said = attributes.get(c.CONSENT)
        agreed = granted({} if said is None else state_of(said), otherwise=not self.opt_in)
        purpose = self.purpose_of(draft.name, attributes)
        takers = self._takers_of(draft)
        actions: list[Without] = (
            [ALLOWED] if purpose in agreed else [action_for(self._settings, purpose, name) for name in takers]
        )
        loosest: Without = min(actions, key=ACTIONS.index, default="drop")
        if loosest == "drop":
            draft.attributes, draft.body = {}, None  # processors of somebody else's may look at it yet
            raise DropEvent(NO_CONSENT)
        if "drop" in actions and self._count is not None:
            self._count(WITHHELD)
        attributes[c.CONSENT] = agreed
        attributes[c.PURPOSE] = purpose
        if "marketing" not in agreed and self._settings.campaigns and not self._may_have_campaigns(takers):
            draft.attributes = without_campaign(attributes)
        if loosest == "pseudonymise":
            self._redactor(draft)

    def _takers_of(self, draft: Draft) -> list[str]:
        """The destinations that an event is for by name and patterns; ``*`` where there are none at all."""
        if not self._takers:
            return [EVERYWHERE]
        named = draft.attributes.get(c.DESTINATION)
        if named:
            return [name for name, _ in self._takers if name == named]
        given: Any = draft.name
        name = given if isinstance(given, str) else ""
        category = self._category(name, draft.attributes)
        return [each for each, takes in self._takers if takes(name, category)]

    def _may_have_campaigns(self, takers: list[str]) -> bool:
        return any(action_for(self._settings, "marketing", name) == "send" for name in takers)
