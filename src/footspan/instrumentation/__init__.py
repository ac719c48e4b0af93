"""Footspan as an OpenTelemetry distro: what ``opentelemetry-instrument`` loads.

* ``environment``: chooses footspan where several distros are installed and nobody chose.
* ``distro`` and ``defaults``: the environment that page views need; nothing the operator set is changed.
* ``configurator`` and ``parts``: the SDK's providers, with footspan's processors in them.
* ``choice``: which exporters mean footspan's own destinations.
* ``hooks``: where another distro was chosen, footspan joins what that one has built.
* ``startup``: the settings, read once; a bad configuration never stops the app.
* ``propagation``: repair of an empty propagator.
"""
