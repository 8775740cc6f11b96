"""Time zones by their names, from the newer of two databases.

`zoneinfo` goes by the machine's database, however old it is, and by the package `tzdata` only where
the machine has none. But countries change their clocks at a few weeks' notice, and calling hours
that are an hour wrong wake people. So whichever of the two is the newer one counts: a new release
of ours brings new rules to an old machine, and an update of the machine to an old release.
"""

from __future__ import annotations

import zoneinfo
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

_LISTS = ("tzdata.zi", "+VERSION")
"""Files that say the version of a machine's database: Linux and BSD have the first, macOS both."""


class _Packaged(ZoneInfo):
    """A zone of the package: one that was read from a file of its own cannot be copied."""

    def __reduce__(self) -> tuple[object, ...]:
        return zone, (self.key,)


@lru_cache(maxsize=1024)  # more than there are
def zone(name: str) -> ZoneInfo:
    """Return a zone such as Asia/Tokyo. Raises ValueError for what is none."""
    try:
        found = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone such as Asia/Tokyo") from None
    return (_packaged(name) if _package_is_newer(zoneinfo.TZPATH) else None) or found


@lru_cache(maxsize=1024)
def _packaged(name: str) -> ZoneInfo | None:
    """Return the package's zone of a name that `zoneinfo` has found right, None if it has none."""
    try:
        with _package().joinpath(*name.split("/")).open("rb") as file:
            return _Packaged.from_file(file, key=name)
    except (ValueError, OSError):
        return None


def _package() -> Traversable:
    from importlib.resources import files  # noqa: PLC0415 - only where a zone is asked for

    return files("tzdata").joinpath("zoneinfo")


@cache
def _package_is_newer(folders: tuple[str, ...]) -> bool:
    """Whether the machine's database, which is in the first of these folders that says a version
    (such as 2026b), is older than the package's, or of an unknown age.
    """
    machines = next(filter(None, map(_version, map(Path, folders))), "")
    return machines < _version(_package())


def _version(folder: Traversable) -> str:
    """Return the version of the database in a folder, nothing where it says none."""
    for name in _LISTS:
        try:
            with folder.joinpath(name).open(encoding="ascii") as file:
                return file.readline(40).removeprefix("# version").strip()
        except (OSError, ValueError):
            continue
    return ""
