"""Countries of addresses, from a file in the MaxMind format. Nobody is asked: the file is all there is."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from footspan import _platform
from footspan.config import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

_KEPT: Final = 4_096
_CODE: Final = 2


def country_finder(path: str, key: str) -> Callable[[str], str]:
    """A function from an address to its country's code (ISO 3166-1, two letters), empty where none is known.

    Args:
        path: A country or city database, such as GeoLite2-Country.mmdb.
        key: The setting that names it.

    Raises:
        ConfigurationError: The package for such files is not installed, or the file is none.
    """
    try:
        with _platform.importing():
            import maxminddb  # noqa: PLC0415 - only who looks countries up needs it
    except ImportError:
        raise ConfigurationError(
            key, "a file that nothing here can read", 'Install what reads it: pip install "footspan[country]".'
        ) from None
    try:
        reader = maxminddb.open_database(path)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        missing = isinstance(error, FileNotFoundError)
        raise ConfigurationError(
            key,
            "no such file" if missing else "a file that is no MaxMind database or cannot be read",
            "Name a readable country database, such as GeoLite2-Country.mmdb.",
        ) from None

    @lru_cache(maxsize=_KEPT)
    def find(address: str) -> str:
        try:
            known = ipaddress.ip_address(address.strip().strip("[]").partition("%")[0])
            known = getattr(known, "ipv4_mapped", None) or known
            return _code(reader.get(known)) if known.is_global else ""
        except (ValueError, maxminddb.InvalidDatabaseError):  # no address, or one of a kind that the file leaves out
            return ""

    return find


def _code(record: Any) -> str:
    """The code in a record of any of the usual databases."""
    if not isinstance(record, dict):
        return ""
    country = record.get("country")
    for found in (country.get("iso_code") if isinstance(country, dict) else country, record.get("country_code")):
        if isinstance(found, str) and len(found) == _CODE:
            return found.upper()
    return ""
