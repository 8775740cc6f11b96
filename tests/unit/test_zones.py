"""Time zones come from the newer of the machine's database and the package's."""

from __future__ import annotations

import pickle
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from dispatcher.values.calling_hours import CallingHours
from dispatcher.values.zones import zone

WINTER = datetime(2026, 12, 1, tzinfo=UTC)
CASABLANCA = "Africa/Casablanca"
"""An hour ahead of UTC until September 2026, and not since then (2026f)."""
NOT_THERE = "Mars/Base"
ASKED = (CASABLANCA, NOT_THERE, "Asia/Tokyo", "Asia/Seoul")


def of_package(name: str) -> bytes:
    return files("tzdata").joinpath("zoneinfo", *name.split("/")).read_bytes()


def ahead(name: str) -> timedelta | None:
    return WINTER.astimezone(zone(name)).utcoffset()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Path]:
    """A machine's database, in which Casablanca and a base on Mars have Tokyo's clock."""
    for name in (CASABLANCA, NOT_THERE):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_bytes(of_package("Asia/Tokyo"))
    before = zoneinfo.TZPATH
    try:
        yield use(tmp_path)
    finally:
        use(*before)


def use(*folders: Path | str) -> Path:
    zoneinfo.reset_tzpath(tuple(map(str, folders)))
    zoneinfo.ZoneInfo.clear_cache(only_keys=ASKED)  # what others keep of the rest stays the same
    zone.cache_clear()
    return Path(folders[0])


@pytest.mark.parametrize(
    ("file", "says"),
    [("tzdata.zi", "# version 2025b\n"), ("+VERSION", "2026e"), ("+VERSION", ""), ("none", "")],
)
def test_a_machine_with_older_rules_or_of_unknown_age_is_not_gone_by(
    machine: Path, file: str, says: str
) -> None:
    (machine / file).write_text(says)
    assert ahead(CASABLANCA) == timedelta(0)
    assert ahead("Asia/Tokyo") == timedelta(hours=9)  # which the machine does not have
    assert ahead(NOT_THERE) == timedelta(hours=9)  # which only the machine has


@pytest.mark.parametrize(
    ("file", "says"), [("tzdata.zi", "# version 2999a\n# more"), ("+VERSION", "2999a\n")]
)
def test_a_machine_with_newer_rules_is(machine: Path, file: str, says: str) -> None:
    (machine / file).write_text(says)
    assert ahead(CASABLANCA) == timedelta(hours=9)
    assert ahead("Asia/Seoul") == timedelta(hours=9)  # which the machine does not have


def test_calling_hours_obey_the_rules_of_today_on_an_old_machine(machine: Path) -> None:
    (machine / "tzdata.zi").write_text("# version 2025b\n")
    window = CallingHours.parse(f"09:00-18:00 {CASABLANCA}").window([], WINTER)
    assert window
    assert (window.opens.hour, window.closes.hour) == (9, 18)


def test_a_zone_is_the_same_wherever_it_was_copied(machine: Path) -> None:
    for name in (CASABLANCA, NOT_THERE):
        assert pickle.loads(pickle.dumps(zone(name))) is zone(name)


@pytest.mark.parametrize(
    "name", ["", "Asia", "Asia/Nowhere", "../zones", "/etc/hosts", "Asia/../UTC"]
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a time zone such as Asia/Tokyo"):
        zone(name)
