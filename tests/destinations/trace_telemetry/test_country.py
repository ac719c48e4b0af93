"""Countries of addresses: from a file alone, and what is wrong with it is said at start."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import maxminddb
import pytest

from destinations.making import settings
from destinations.trace_telemetry.mmdb import write_database
from destinations.trace_telemetry.test_encoding import element, stored
from footspan import conventions as c
from footspan.config import ConfigurationError
from footspan.destinations import build_destination
from footspan.destinations.trace_telemetry.country import country_finder
from footspan.destinations.trace_telemetry.encoding import Form

if TYPE_CHECKING:
    from pathlib import Path

    from footspan.destinations.base import Destination

NETWORKS = {
    "81.2.69.0/24": {"country": {"iso_code": "GB", "names": {"en": "United Kingdom"}}},
    "89.160.20.0/24": {"continent": {"code": "EU"}, "country": {"iso_code": "se"}},
    "2.125.160.0/24": {"country": "FR"},
    "175.16.199.0/24": {"country_code": "CN", "country": "China"},
    "216.160.83.0/24": {"continent": {"code": "NA"}},
    "214.78.0.0/16": ["no", "map"],
    "10.0.0.0/8": {"country": {"iso_code": "XX"}},
    "2001:218::/32": {"country": {"iso_code": "JP"}},
}


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A file with some networks."""
    return write_database(tmp_path / "country.mmdb", NETWORKS)


def test_the_file_is_one(database: str) -> None:
    """What our tests write, the library reads: else every look-up below could be empty for that reason."""
    with maxminddb.open_database(database) as reader:
        assert reader.metadata().database_type == "Test-Country"
        assert reader.get("81.2.69.160") == NETWORKS["81.2.69.0/24"]
        assert reader.get("10.1.2.3") == NETWORKS["10.0.0.0/8"]


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("81.2.69.160", "GB"),
        (" 81.2.69.160 ", "GB"),
        ("89.160.20.1", "SE"),
        ("2.125.160.216", "FR"),
        ("175.16.199.1", "CN"),
        ("2001:218::1", "JP"),
        ("[2001:218::1]", "JP"),
        ("::ffff:81.2.69.160", "GB"),
        ("216.160.83.56", ""),
        ("214.78.120.1", ""),
        ("8.8.8.8", ""),
        ("10.1.2.3", ""),
        ("127.0.0.1", ""),
        ("fe80::1%eth0", ""),
        ("192.0.2.1", ""),
        ("no address", ""),
        ("", ""),
    ],
)
def test_addresses(database: str, address: str, code: str) -> None:
    """Private addresses have no country, whatever a file says of them; nor has what is no address."""
    assert country_finder(database, "key")(address) == code


def test_a_file_of_the_fourth_version_alone(tmp_path: Path) -> None:
    """It knows no other addresses, which is no failure."""
    path = write_database(tmp_path / "4.mmdb", {"81.2.69.0/24": {"country": {"iso_code": "GB"}}}, version=4)
    find = country_finder(path, "key")
    assert [find(each) for each in ("81.2.69.160", "2001:218::1")] == ["GB", ""]


def test_which_address_counts(database: str) -> None:
    """What the event says of its country, else the visitor's address, else the machine's."""
    form = Form(country=country_finder(database, "key"))
    visitor = {c.CLIENT_ADDRESS: "81.2.69.160"}
    machine = {c.HOST_IP: ["89.160.20.1", "81.2.69.160"]}
    assert element(stored(attributes={**visitor, c.GEO_COUNTRY_ISO_CODE: "DE"}), form)["countryCode"] == "DE"
    assert element(stored(attributes=visitor, resource=machine), form)["countryCode"] == "GB"
    assert element(stored(resource=machine), form)["countryCode"] == "SE"
    assert element(stored(attributes={c.CLIENT_ADDRESS: "10.0.0.1"}, resource=machine), form)["countryCode"] == ""
    assert element(stored(attributes=visitor, resource=machine))["countryCode"] == ""


# -- settings ----------------------------------------------------------------------------------------------------------


def build(**options: Any) -> Destination:
    """The destination with some options."""
    return build_destination(settings("trace_telemetry", url="http://localhost/telemetry", **options))


def test_both_settings_look_countries_up(database: str) -> None:
    """The switch and the file."""
    destination: Any = build(enable_country_lookup=True, country_database=database)
    assert destination.form.country("81.2.69.160") == "GB"


def test_one_setting_alone_does_not(database: str, caplog: pytest.LogCaptureFixture) -> None:
    """A file without the switch is left closed; the switch without a file is said once, and is no reason to stop."""
    closed: Any = build(country_database="/nowhere/at/all.mmdb")
    assert closed.form.country is None
    assert not caplog.records
    for _ in range(2):
        without: Any = build(enable_country_lookup=True)
        assert without.form.country is None
    [said] = caplog.messages
    assert "telemetry.destinations.trace_telemetry.country_database" in said


def test_a_file_that_is_not_there() -> None:
    """Known at start, with what to do."""
    with pytest.raises(ConfigurationError, match=r"country_database: found no such file.*GeoLite2") as raised:
        build(enable_country_lookup=True, country_database="/nowhere/at/all.mmdb")
    assert "nowhere" not in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"no database", b"\xab\xcd\xefMaxMind.com"])
def test_a_file_that_is_none(tmp_path: Path, content: bytes) -> None:
    """The same, also where the file ends early; a folder is no file either."""
    path = tmp_path / "broken.mmdb"
    path.write_bytes(content)
    for wrong in (path, tmp_path):
        with pytest.raises(ConfigurationError, match="no MaxMind database"):
            build(enable_country_lookup=True, country_database=str(wrong))


def test_a_package_that_is_not_there(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says how to get it."""
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    with pytest.raises(ConfigurationError, match=r'pip install "footspan\[country\]"'):
        build(enable_country_lookup=True, country_database=database)
