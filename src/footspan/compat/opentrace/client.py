"""``OpenTrace``: the client's class, its calls in their recorded order of parameters, over footspan's pipeline."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any, Final

from footspan import _guard
from footspan.compat.clients import Client
from footspan.compat.opentrace import arguments, hearing
from footspan.compat.opentrace.calls import Call
from footspan.destinations import campaigns
from footspan.destinations.opentrace import wire

if TYPE_CHECKING:
    import sys
    from collections.abc import Mapping
    from types import TracebackType

    if sys.version_info >= (3, 11):
        from typing import Self
    else:
        from typing_extensions import Self

_UNSET: Final = object()
_HASH_DIGITS: Final = 16
_PAGE: Final[tuple[str, ...]] = ("url", "ref", "lang", "res")


class OpenTrace:
    """An OpenTrace installation and, where calls name none, a project in it.

    No call raises or waits for the network, save :meth:`resolve_bot_param`, which asks there and then. What is recorded
    is on disk before the call returns, and goes to the process's other destinations, too.

    Args:
        host: Its address; a path in it stands before those of the interface.
        project_id: The Resource UID of calls that name none.
        debug: Log each delivery and refusal (names and ids only), by the logger ``footspan.opentrace``.

    Attributes:
        host: The address, without slashes at its end.
        project_id: See above; may be changed.

    Raises:
        ConfigurationError: The address, or the process's configuration, cannot be used.
    """

    def __init__(self, host: str, project_id: Any = None, debug: bool = False) -> None:  # noqa: FBT001, FBT002 - as it was
        arguments.check(host)
        self.host = host.rstrip("/")
        self.project_id = project_id
        self._debug = bool(debug)
        # One request at a time: the server stores one event after the other anyway, and so they arrive in order.
        options = {"url": self.host, "proxy": "environment", "certificate": arguments.authorities(), "concurrency": 1}
        self._client = Client("opentrace", options, place=("url",))
        if self._debug:
            hearing.show()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.host, self.project_id, self._debug)

    @property
    def event_endpoint(self) -> str:
        """Where :meth:`track_event` sends to."""
        return f"{self.host}/api/v1/event"

    @property
    def collect_endpoint(self) -> str:
        """Where :meth:`capture` sends to."""
        return f"{self.host}/api/v1/collect"

    @property
    def resolve_endpoint(self) -> str:
        """Where start codes are looked up."""
        return f"{self.host}/api/campaigns/resolve"

    # -- events --------------------------------------------------------------------------------------------------------

    def track_event(  # noqa: PLR0913 - the recorded order
        self,
        name: Any = _UNSET,
        project_id: Any = None,
        payload: Any = None,
        utm_source: Any = None,
        utm_medium: Any = None,
        utm_campaign: Any = None,
        session_id: Any = None,
        bot_param: Any = None,
        *too_many: Any,
        user_id: Any = None,
        **more: Any,
    ) -> None:
        """Record a business event.

        Args:
            name: Its name.
            project_id: The project it belongs to, if another than the object's.
            payload: Its data, usually a mapping.
            utm_source: Where the visitor came from. Given, the start code is not looked up.
            utm_medium: By which medium.
            utm_campaign: Of which campaign.
            session_id: Whose session it is in; goes out as it is.
            bot_param: The code that a bot was started with. It is looked up before delivery, not here; what it leads
                to fills the campaign fields that were not given.
            *too_many: Nothing; what stands here is left out and logged.
            user_id: Who it is; the session's id where no other is given.
            **more: ``utm_content``, ``utm_term``, click ids (``fbclid``, …). Any other keyword is kept in the payload
                and logged.
        """
        with _guard.guard("opentrace"):
            project = self._project(name, project_id)
            if project is None:
                return
            touches, others = arguments.split(
                more, {"utm_source": utm_source, "utm_medium": utm_medium, "utm_campaign": utm_campaign}
            )
            # The other request alone has fields for advertisements, and takes a session as text only.
            clicked = any(touches.get(each) is not None for each in ("fbclid", "ttclid"))
            session = str(user_id) if session_id is None and user_id is not None else session_id
            call = Call(
                wire.COLLECT if clicked else wire.EVENT, name, project, self._payload(payload, others, too_many)
            )
            call.session(str(session) if clicked and session is not None else session)
            if user_id is not None:
                call.person(user_id)
            call.touch(touches)
            self._start_code(call, bot_param)
            self._emit(call)

    def capture(  # noqa: PLR0913 - the recorded order
        self,
        name: Any = _UNSET,
        payload: Any = None,
        resource_id: Any = None,
        user_id: Any = None,
        fbclid: Any = None,
        ttclid: Any = None,
        *too_many: Any,
        meta: Any = None,
        session_id: Any = None,
        bot_param: Any = None,
        **more: Any,
    ) -> None:
        """Record an event as a browser would have.

        Args:
            name: Its name.
            payload: Its data, usually a mapping.
            resource_id: The project it belongs to, if another than the object's.
            user_id: Who it is, and whose session it is in.
            fbclid: Meta's click id.
            ttclid: TikTok's click id.
            *too_many: Nothing; what stands here is left out and logged.
            meta: The same as ``payload``, where that is not given.
            session_id: The session, if ``user_id`` does not tell it.
            bot_param: The code that a bot was started with; see :meth:`track_event`.
            **more: ``utm_source`` … ``utm_term``, further click ids, ``url``, ``ref``, ``lang``, ``res`` (screen). Any
                other keyword is kept in the payload and logged.
        """
        with _guard.guard("opentrace"):
            project = self._project(name, resource_id)
            if project is None:
                return
            touches, others = arguments.split(more, {"fbclid": fbclid, "ttclid": ttclid})
            page = {key: others.pop(key) for key in _PAGE if key in others}
            data = arguments.or_nothing(payload)
            if isinstance(data, dict) and not data:
                data = meta
            call = Call(wire.COLLECT, name, project, self._payload(data, others, too_many))
            session = user_id or session_id
            call.session(str(session) if session else None)
            if user_id:
                call.person(user_id)
            call.touch(touches)
            call.page(page)
            self._start_code(call, bot_param)
            self._emit(call)

    def track(self, name: Any = _UNSET, payload: Any = None, *too_many: Any, **more: Any) -> None:
        """:meth:`capture` by another name; what else it takes is given by keyword."""
        with _guard.guard("opentrace"):
            if too_many:
                self._invalid(f"{len(too_many)} arguments too many")
            self.capture(name, payload, **more)

    # -- people and campaigns ------------------------------------------------------------------------------------------

    def get_user_hash(self, user_id: Any) -> str:
        """A short name for somebody: the first 16 digits of SHA-256 of the id's text.

        Anybody who can guess the id can tell that it is them: it hides nobody from whoever holds the list of ids.
        """
        with _guard.guard("opentrace"):
            return hashlib.sha256(str(user_id).encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_DIGITS]
        return ""

    def resolve_bot_param(self, param: Any = None, *too_many: Any) -> dict[str, Any] | None:
        """Ask what a start code stands for, and wait for the answer; at most two seconds, and once for each code.

        Events need no such call: a ``bot_param`` is looked up on their way, where nobody waits for it.

        Args:
            param: The code, as the link to the bot had it.
            *too_many: Nothing; what stands here is left out and logged.

        Returns:
            The campaign's fields (``utm_source`` … ``utm_term``); ``None`` for an unknown code, and when the
            installation does not answer.
        """
        with _guard.guard("opentrace"):
            destination = self._client.destination
            if too_many:
                self._invalid(f"{len(too_many)} arguments too many")
            if not isinstance(param, str):
                self._invalid(f"a start code is no text but a {type(param).__name__}: it is not looked up")
            elif destination is not None:
                servers, budget = campaigns.servers_for(destination)
                return dict(campaigns.asked.look_up(param, servers, time.monotonic() + budget)) or None
        return None

    # -- the end -------------------------------------------------------------------------------------------------------

    def flush(self, timeout: float = 5.0) -> int:
        """Wait until the installation has what was recorded so far.

        Args:
            timeout: Seconds to wait at the most.

        Returns:
            Events that still wait.
        """
        with _guard.guard("flush"):
            return self._client.flush(timeout)
        return 0

    def status(self) -> Mapping[str, Any]:
        """What became of every event; see ``docs/delivery.md``."""
        return self._client.status()

    def close(self, timeout: float | None = None) -> None:
        """Deliver what can be delivered in time; what remains waits on disk. Not needed at the process's end.

        Args:
            timeout: Seconds to spend; the setting ``exit_timeout`` when not given.
        """
        with _guard.guard("shutdown"):
            self._client.close(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_back: TracebackType | None
    ) -> None:
        self.close()

    # -- inside --------------------------------------------------------------------------------------------------------

    def _project(self, name: Any, project_id: Any) -> str | None:
        """The project of a call; ``None`` where the call cannot be recorded."""
        if name is _UNSET or name is None:
            self._refuse("a call without an event's name")
            return None
        project = project_id or self.project_id
        if not project:
            self._refuse("a call without a project: OpenTrace(host, project_id) or the call names one")
            return None
        return str(project)

    def _payload(self, payload: Any, others: dict[str, Any], too_many: tuple[Any, ...]) -> Any:
        if too_many:
            self._invalid(f"{len(too_many)} arguments too many")
        data = arguments.or_nothing(payload)
        if not others:
            return data
        named = ", ".join(sorted(key for key in others if key.isidentifier())[:5])
        self._invalid(f"keywords that it does not know, kept in the payload: {named}")
        return {**data, **others} if isinstance(data, dict) else data

    def _start_code(self, call: Call, bot_param: Any) -> None:
        if bot_param is None:
            return
        if isinstance(bot_param, str):
            if bot_param:
                call.touch({"bot_param": bot_param})
        else:
            self._invalid(f"bot_param is no text but a {type(bot_param).__name__}: it is not looked up")

    def _emit(self, call: Call) -> None:
        if self._debug:
            for destination in self._client.carriers:
                hearing.listen(destination)
        self._client.emit(call.name, call.attributes, body=call.body)

    def _refuse(self, what: str) -> None:
        hearing.logger.error("OpenTrace: not sent: %s", what)
        self._count("invalid_call", "dropped")

    def _invalid(self, what: str) -> None:
        hearing.logger.error("OpenTrace: %s", what)
        self._count("invalid_call")

    def _count(self, *names: str) -> None:
        pipeline = self._client.pipeline
        if pipeline is not None:
            for name in names:
                pipeline.spool.count(name)
