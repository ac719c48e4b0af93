"""``Tracker``: the calls people write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from footspan import _guard, _platform
from footspan import conventions as c
from footspan.emit import SEVERITY_ERROR, SEVERITY_INFO, emit_event
from footspan.processors.scopes import to_attributes
from footspan.tracking.decorators import Decorators
from footspan.tracking.life import Life
from footspan.tracking.values import epoch_ns, exception_properties, misplaced, pairs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import NoReturn

    from opentelemetry.context import Context

    from footspan.pipeline import Slot

_UNSET: Final = object()


class Tracker(Life, Decorators):
    """Turns calls into events. No call raises or waits for the network.

    With any setting it has a service, destinations, a spool and a pipeline of its own, and lives side by side with
    others until ``close`` or the end of a ``with`` block; dropped, it closes itself. Without one it is a further handle
    on the process's pipeline, as the module's functions are: those are the methods of one default tracker, which starts
    that pipeline from environment and file at its first call.

    Args:
        service_name: The service's name.
        config: Path of a YAML file; else ``FOOTSPAN_CONFIG``, else ``footspan.yaml`` in the working directory.
        **settings: Any setting by its name in the file, as for ``init``. Where ``destinations`` are given, this tracker
            has no others; keys that they leave out come from environment and file.

    Raises:
        ConfigurationError: A setting cannot be used; the text names the key, what was found and the fix.
    """

    # -- calls -------------------------------------------------------------------------------------------------------

    def track(self, event_name: Any = _UNSET, /, *too_many: NoReturn, **properties: Any) -> str:
        """Record one event. It is on disk when this returns.

        Args:
            event_name: Its name, such as ``checkout.completed``; may be given as ``event_name=`` too.
            *too_many: Nothing. A mapping given here by mistake is kept as properties, with a warning and a count
                (``invalid_call``): the call for one is ``track_event``.
            **properties: Its properties, nested values allowed. ``user_id``, ``session_id``, ``request_id``, ``email``,
                ``full_name``, ``utm_*`` and click ids become the standard attributes, ``category`` sets the category,
                ``timestamp`` (an aware ``datetime`` or epoch seconds) the event's time; every other keyword keeps its
                name.

        Returns:
            The event's id (``log.record.uid``); empty when tracking is off.
        """
        slot = self._slot  # leads nowhere while tracking is off
        if slot is not None and (road := slot.quick) is not None:
            if not too_many:
                uid = road(event_name, properties)
                if uid:
                    return uid
        elif self._off:
            return ""
        with _guard.guard("track"):
            if too_many:
                properties = self._misplaced("track", too_many, properties)
            if event_name is _UNSET:
                event_name = self._name_among(properties)
            return self._emit(event_name, properties, c.ALIASES)
        return ""

    def track_event(self, event_name: str, properties: Mapping[str, Any] | None = None) -> str:
        """``track`` with the properties in a mapping, whose keys need not be identifiers.

        Args:
            event_name: The event's name.
            properties: Its properties. What is no mapping becomes the record's body.

        Returns:
            The event's id; empty when tracking is off.
        """
        with _guard.guard("track"):
            found = {} if properties is None else pairs(properties)
            if found is None:
                return self._emit(event_name, {}, c.ALIASES, body=properties)
            return self._emit(event_name, found, c.ALIASES)
        return ""

    def page_view(self, url: str | None = None, *too_many: NoReturn, **properties: Any) -> str:
        """Record that somebody saw a page.

        Args:
            url: The page's address, whole or from the path on.
            *too_many: As for ``track``.
            **properties: ``title``, ``referrer``, ``hostname``, ``path``, ``query``, ``ip``, ``user_agent``,
                ``language``, ``screen``, ``tag``, and any others.

        Returns:
            The event's id; empty when tracking is off.
        """
        with _guard.guard("track"):
            if too_many:
                properties = self._misplaced("page_view", too_many, properties)
            if url is not None:
                properties["url"] = url
            return self._emit(c.EVENT_PAGE_VIEW, properties, c.REQUEST_ALIASES)
        return ""

    # No overloads, here and in `track`: executors' `submit` would not be typed with them.
    def identify(self, user_id: Any = _UNSET, /, *too_many: NoReturn, **traits: Any) -> str:
        """Say what is known of a user.

        Args:
            user_id: The user's id; may be given as ``user_id=`` too.
            *too_many: As for ``track``.
            **traits: What is known: ``plan="pro"``, ``email``, ``full_name``, …

        Returns:
            The event's id; empty when tracking is off.
        """
        with _guard.guard("track"):
            if too_many:
                traits = self._misplaced("identify", too_many, traits)
            if user_id is not _UNSET:
                traits["user_id"] = user_id
            return self._emit(c.EVENT_IDENTIFY, traits, c.ALIASES)
        return ""

    def track_exception(
        self,
        exc: BaseException,
        event_name: str = c.EVENT_EXCEPTION,
        extra_data: Any = None,
        **properties: Any,
    ) -> str:
        """Record an exception with its stack trace.

        Args:
            exc: The exception.
            event_name: The event's name.
            extra_data: More properties; what is no mapping is kept under ``extra``.
            **properties: More properties, by name.

        Returns:
            The event's id; empty when tracking is off.
        """
        with _guard.guard("track"):
            extra = {} if extra_data is None else pairs(extra_data)
            if extra is None:
                extra = {"extra": extra_data}
            return self._emit(
                event_name,
                {"category": "error", **exception_properties(exc), **extra, **properties},
                c.MEASUREMENT_ALIASES,
                error=True,
            )
        return ""

    def _emit(
        self,
        name: Any,
        properties: dict[str, Any],
        aliases: Mapping[str, str],
        *,
        body: Any = None,
        error: bool = False,
        context: Context | None = None,
    ) -> str:
        if not self._ready():
            return ""
        slot = self._slot
        if slot is not None and slot.quick is None:
            _open_road(slot)
        time_ns: int | None = None
        if properties.get("timestamp") is not None:
            time_ns = epoch_ns(properties["timestamp"])
            if time_ns is None:
                self._count("invalid_time")
            else:
                del properties["timestamp"]
        attributes = to_attributes(properties, aliases)
        category = attributes.get(c.CATEGORY)
        if not category and isinstance(name, str):
            pipeline = None if slot is None else slot.pipeline
            category = c.category_of(name) if pipeline is None else pipeline.categories.of(name)
        return emit_event(
            name,
            attributes,
            time_ns=time_ns,
            severity_number=SEVERITY_ERROR if error or category == "error" else SEVERITY_INFO,
            body=body,
            context=context,
            emitter=None if slot is None else slot.emitter,
        )

    def _name_among(self, properties: dict[str, Any]) -> Any:
        if "event_name" in properties:
            return properties.pop("event_name")
        _guard.warn_once(
            "track without a name",
            "footspan: track() was called without a name: the event is 'footspan.unnamed'; write track('its.name', …)",
        )
        if self._ready():
            self._count("invalid_call")
        return ""

    def _misplaced(self, call: str, arguments: tuple[Any, ...], properties: dict[str, Any]) -> dict[str, Any]:
        found = misplaced(call, arguments, properties)
        if self._ready():  # started, so that there is who counts
            self._count("invalid_call")
        return found


def _open_road(slot: Slot) -> None:
    with _platform.importing():
        from footspan.pipeline.quick import open_road  # noqa: PLC0415 - the pipeline is loaded by now

    open_road(slot)


default_tracker = Tracker()
