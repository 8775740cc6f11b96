"""What a process tells of its settings, so that two that differ show, and no value does."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from pydantic import SecretStr

from config.roles import NEEDED_BY
from config.settings import Settings

DIGITS = 8
OF_ONE_PROCESS = frozenset(
    {
        *("log_level", "security_log", "task_events", "tracing", "serve_default_queue"),
        *("chains", "link_url", "alarm_sender"),
    }
)
"""Settings that may well differ between processes: paths, and what follows for one from what only
another is given. What a server listens on, too.
"""
OF_ONE_SERVER = ("gateway_", "flower_", "console", "metrics", "trusted_proxies")


def fingerprint(settings: Settings) -> dict[str, str]:
    """Return the settings that are not the default, with digits that differ where values do.

    Left out are secrets, what only some roles are given, and what may differ.
    """
    values = {name: getattr(settings, name) for name in Settings.model_fields if _counts(name)}
    return {
        f"DISPATCHER_{name.upper()}": _digits(value)
        for name, value in values.items()
        if not isinstance(value, SecretStr) and value != Settings.model_fields[name].default
    }


def _counts(name: str) -> bool:
    own = name in OF_ONE_PROCESS or name.startswith(OF_ONE_SERVER)
    return not own and f"DISPATCHER_{name.upper()}" not in NEEDED_BY


def _digits(value: Any) -> str:
    ordered = sorted(map(str, value)) if isinstance(value, frozenset) else value
    return sha256(repr(ordered).encode()).hexdigest()[:DIGITS]
