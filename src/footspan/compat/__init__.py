"""Drop-in replacements: an app written for another SDK moves over by changing an import.

One module for each, imported by name: ``from footspan.compat.telemetry import track``.
"""
