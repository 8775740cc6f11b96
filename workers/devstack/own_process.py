"""Our own modules as processes: found by their place, whatever else has their names.

A service may have packages called `config` or `workers` in its directory or on PYTHONPATH.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from config import roles
from config.settings import Settings
from dispatcher.client.broker_rights import Part

ROOT = Path(__file__).resolve().parents[2]


def command(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module of ours, in `environment`."""
    return [sys.executable, "-P", "-m", module, *arguments]  # -P: not from the working directory


def environment_of(part: Part, settings: Settings) -> dict[str, str]:
    """Return the environment of a process that runs a part with our settings."""
    found = {
        "DISPATCHER_REDIS_URL": settings.records,
        "DISPATCHER_BROKER_URL": settings.broker,
        "DISPATCHER_NAMESPACE": settings.namespace,
    }
    return environment(roles.environment_of(part, {**os.environ, **found}))


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which what stands beside us is found first."""
    others = given.get("PYTHONPATH")
    return {**given, "PYTHONPATH": os.pathsep.join([str(ROOT), *([others] if others else [])])}
