"""What figures depend on besides the code: the machine, the versions, the commit."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from workers.devstack.redis_server import find_servers, server_version

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("celery", "kombu", "redis", "hiredis", "requests", "urllib3", "pydantic")
PEERS = ("dramatiq", "huey", "rq")


def circumstances() -> dict[str, Any]:
    """Return all of it, as JSON keeps it; nothing that tells one machine's name or user."""
    return {
        "commit": _git("rev-parse", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "machine": machine(),
        "versions": versions(),
    }


def machine() -> dict[str, Any]:
    """Return the kind of machine, and how busy it is with other work."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory": f"{memory / 2**30:.1f} GiB",
        "load": round(os.getloadavg()[0], 1),
    }


def versions() -> dict[str, str]:
    """Return what runs: Python, the packages that matter, the Redis server that is started."""
    found = {"python": platform.python_version(), "server": _server()}
    for package in (*PACKAGES, *PEERS):
        with suppress(PackageNotFoundError):
            found[package] = version(package)
    return found


def _server() -> str:
    first = find_servers()[0]
    return f"{first.name} {server_version(first)}"


def _processor() -> str:
    with suppress(OSError):
        found = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
        if found:
            return found[1]
    return platform.processor()


def _git(*arguments: str) -> str:
    """Ask git; an archive of the sources has none."""
    with suppress(OSError):
        done = subprocess.run(
            ["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=False
        )
        return done.stdout.strip()
    return ""
