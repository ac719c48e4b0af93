"""A tracker's life: which pipeline its events go to, when that starts, and how it ends."""

from __future__ import annotations

import atexit
import sys
import weakref
from typing import TYPE_CHECKING, Any

from footspan import _guard, _otel, _platform

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from footspan.config import Settings
    from footspan.pipeline import Pipeline, Slot

    if sys.version_info >= (3, 11):
        from typing import Self
    else:
        from typing_extensions import Self


class Life:
    """What starts, flushes and ends.

    Args:
        service_name: The service's name.
        config: Path of a YAML file; else ``FOOTSPAN_CONFIG``, else ``footspan.yaml`` in the working directory.
        **settings: Any setting by its name in the file.

    Raises:
        ConfigurationError: A setting cannot be used; the text names the key, what was found and the fix.
    """

    def __init__(self, service_name: str | None = None, *, config: str | None = None, **settings: Any) -> None:
        self._slot: Slot | None = None
        self._off = False
        self._own = (
            service_name is not None or config is not None or any(each is not None for each in settings.values())
        )
        self._finalizer: weakref.finalize[Any, Any] | None = None
        if self._own:
            self.init(service_name=service_name, config=config, **settings)

    # -- the start -----------------------------------------------------------------------------------------------------

    def init(self, *, service_name: str | None = None, config: str | None = None, **settings: Any) -> None:
        """Start with these settings. Calling it again with the same ones changes nothing.

        Args:
            service_name: The service's name.
            config: Path of a YAML file; else ``FOOTSPAN_CONFIG``, else ``footspan.yaml`` in the working directory.
            **settings: Any setting by its name in the file: ``spool={"directory": …}``, ``destinations={…}``, …

        Raises:
            ConfigurationError: A setting cannot be used; the text names the key, what was found and the fix.
        """
        from footspan.config.load import load_settings  # noqa: PLC0415 - loaded when a process starts tracking

        overrides = dict(settings)
        if service_name is not None:
            overrides["service_name"] = service_name
        apart = self._own and settings.get("destinations") is not None
        loaded = load_settings(config=config, overrides=overrides, apart=apart)
        with _otel.loadable_at_exit():
            if self._own:
                self._start_own(_only_named(loaded, settings.get("destinations")))
            else:
                self._start(loaded)

    def _start(self, settings: Settings) -> None:
        with _platform.importing():
            from footspan import pipeline  # noqa: PLC0415 - loads the SDK, so not before it is needed

        self._off = pipeline.start(settings) is None
        self._slot = pipeline.default_slot()
        if not self._off and "flask" in sys.modules:
            from footspan.tracking.consent import hear_flask_if_loaded  # noqa: PLC0415 - only a Flask app needs it

            hear_flask_if_loaded(settings)

    def _start_own(self, settings: Settings) -> None:
        with _platform.importing():
            from footspan import pipeline  # noqa: PLC0415 - see _start
            from footspan.pipeline import beside  # noqa: PLC0415 - the same

        running = self._pipeline()
        if running is not None and running.settings == settings and not self._off:
            return
        slot = pipeline.open_beside(settings)
        self._end_own(0.0)
        self._slot, self._off = slot, slot is None
        if slot is not None:
            self._finalizer = weakref.finalize(self, beside.abandon, slot)
            self._finalizer.atexit = False  # the process ends what is open, in time

    def _ready(self) -> bool:
        """Whether events go anywhere; starts the process's pipeline at the first call."""
        if self._off:
            return False
        slot = self._slot
        if slot is not None and slot.pipeline is not None:
            return True
        return not self._own and self._start_quietly()

    def _start_quietly(self) -> bool:
        """Start from environment and file. A bad configuration must not stop the host at its first event."""
        with _platform.importing():
            from footspan.config import ConfigurationError  # noqa: PLC0415 - loaded when a process starts tracking
            from footspan.config.load import load_settings  # noqa: PLC0415 - the same

        try:
            with _otel.loadable_at_exit():  # the first event may be one that tells of the end
                with _platform.importing():
                    from footspan import pipeline  # noqa: PLC0415 - see _start

                if pipeline.get_pipeline() is None:
                    self._start(load_settings())
                else:  # started by auto-instrumentation
                    self._slot = pipeline.default_slot()
        except ConfigurationError as error:
            self._off = True
            _guard.logger.error("footspan is off: %s", error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the host goes on
            self._off = True
            _guard.report("start", error)
        return not self._off

    # -- meanwhile -----------------------------------------------------------------------------------------------------

    def flush(self, timeout: float = 5.0) -> dict[str, int]:
        """Wait until every destination has what was tracked so far.

        Args:
            timeout: Seconds to wait at the most.

        Returns:
            Events still waiting, by destination name; empty when nothing was started.
        """
        pipeline = self._pipeline()
        if pipeline is not None:
            with _guard.guard("flush"):
                return pipeline.flush(timeout)
        return {}

    def status(self) -> Mapping[str, Any]:
        """What became of every event, per destination; see ``docs/delivery.md``. Empty when nothing was started."""
        pipeline = self._pipeline()
        if pipeline is not None:
            with _guard.guard("status"):
                return pipeline.status()
        return {}

    def _pipeline(self) -> Pipeline | None:
        """The pipeline that was started, without loading what starting would need."""
        if self._own:
            return None if self._slot is None else self._slot.pipeline
        state = sys.modules.get("footspan.pipeline.state")
        return None if state is None else state.get_pipeline()

    def _count(self, name: str) -> None:
        pipeline = self._pipeline()
        if pipeline is not None:
            pipeline.spool.count(name)

    # -- the end -------------------------------------------------------------------------------------------------------

    def shutdown(self, timeout: float | None = None) -> None:
        """Deliver what can be delivered in time, then stop delivering here. What remains waits on disk.

        Args:
            timeout: Seconds to spend; the setting ``exit_timeout`` when not given.
        """
        pipeline = self._pipeline()
        if pipeline is not None:
            with _guard.guard("shutdown"):
                pipeline.shutdown(timeout)

    def close(self, timeout: float | None = None) -> None:
        """End a tracker that has settings of its own: ``shutdown``, then let files and threads go; the end of ``with``.

        It records nothing from then on. A tracker without settings of its own has nothing to close: what the process
        started goes on.

        Args:
            timeout: Seconds to spend; the setting ``exit_timeout`` when not given.
        """
        if self._own:
            with _guard.guard("shutdown"):
                self._off = True
                self._end_own(timeout)

    def _end_own(self, timeout: float | None) -> None:
        slot, self._slot = self._slot, None
        if self._finalizer is not None:
            self._finalizer.detach()
        if slot is not None:
            from footspan.pipeline import beside  # noqa: PLC0415 - loaded with the pipeline

            beside.close(slot, timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace_back: TracebackType | None
    ) -> None:
        self.close()

    def switch_off(self) -> None:
        """Record nothing with this tracker, until ``init`` is called."""
        self._off = True
        if not self._own:
            self._slot = None

    def forget(self) -> None:
        """Forget that this tracker was started or found to be off; for tests."""
        self._slot, self._off = None, False


def _only_named(settings: Settings, destinations: Mapping[str, Any] | None) -> Settings:
    """Settings with those destinations only that code names, where it names any.

    A tracker of its own is for events that go elsewhere: the process's destinations must not get them for having an
    address in the environment or the file. Whether those lack a key that the code leaves out does them no harm.
    """
    if destinations is None:
        return settings
    from dataclasses import replace  # noqa: PLC0415 - loaded with the settings

    kept = [
        each
        for each in settings.destinations
        if each.name in destinations or (settings.debug and each.type == each.name == "console")
    ]
    return replace(settings, destinations=tuple(kept))


def _at_exit() -> None:
    state = sys.modules.get("footspan.pipeline.state")
    if state is not None:
        state.at_exit()


# A pipeline that starts in a function at exit comes too late to ask for its own end; this one was asked for in time.
# One that started earlier has been shut down by then, and shutting it down twice does nothing.
atexit.register(_at_exit)
