"""The countries of the world and their time zones, as the `tzdata` package has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

_OF_ANOTHER = {"AC": "SH", "TA": "SH", "XK": "RS"}
"""What has numbers and is no country of ISO 3166: the one whose clocks it shares."""
_ITS_NAME = {"AC": "Ascension Island", "TA": "Tristan da Cunha", "XK": "Kosovo"}


def zones_of_country(code: str) -> tuple[str, ...]:
    """Return the names of a country's zones, () where there is no such country (ISO 3166)."""
    return _zones().get(_OF_ANOTHER.get(code, code), ())


def all_zones() -> tuple[str, ...]:
    """Return the names of the zones of all countries, each once."""
    return tuple(sorted({zone for zones in _zones().values() for zone in zones}))


def country_name(code: str) -> str:
    """Return the English name of a country (ISO 3166), its code where it has none."""
    return _ITS_NAME.get(code) or _names().get(code, code)


@cache
def _zones() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for code, _, zone, *_ in _rows("zone.tab"):
        found[code] = (*found.get(code, ()), zone)
    return found


@cache
def _names() -> Mapping[str, str]:
    return {code: name for code, name, *_ in _rows("iso3166.tab")}


def _rows(name: str) -> Iterator[list[str]]:
    from importlib.resources import files  # noqa: PLC0415 - only where a place is asked for

    for line in files("tzdata.zoneinfo").joinpath(name).read_text("utf-8").splitlines():
        if not line.startswith("#"):
            yield line.split("\t")
