"""How Flower runs, as the environment it reads (so that its password is in no command line)."""

from __future__ import annotations

from config.settings import InvalidSettings, Settings
from dispatcher.values.hosts import is_loopback

TASKS = 50_000
"""Tasks that Flower remembers: about a kilobyte each, in its memory and its file."""


def environment(settings: Settings) -> dict[str, str]:
    """Return Flower's options as FLOWER_… variables.

    Raises InvalidSettings where it would be open to others than this machine without a password,
    or its API to anybody.
    """
    if settings.flower_auth is None and not is_loopback(settings.flower_host):
        raise InvalidSettings(
            f"DISPATCHER_FLOWER_HOST={settings.flower_host!r} lets others reach Flower:"
            " set DISPATCHER_FLOWER_AUTH=user:password, or use 127.0.0.1"
        )
    if settings.flower_api and settings.flower_auth is None:
        raise InvalidSettings(
            "DISPATCHER_FLOWER_API=true lets others start tasks through Flower:"
            " set DISPATCHER_FLOWER_AUTH=user:password"
        )
    options = {
        "FLOWER_ADDRESS": settings.flower_host,
        "FLOWER_PORT": str(settings.flower_port),
        "FLOWER_READ_ONLY": str(not settings.flower_api).lower(),
        "FLOWER_PERSISTENT": "true",
        "FLOWER_DB": str(settings.flower_db),
        "FLOWER_STATE_SAVE_INTERVAL": "10000",
        "FLOWER_MAX_TASKS": str(TASKS),
        "FLOWER_ENABLE_EVENTS": "true",
        "FLOWER_TASKS_COLUMNS": "name,uuid,state,args,result,received,runtime,worker",
    }
    if settings.flower_auth is not None:
        options["FLOWER_BASIC_AUTH"] = settings.flower_auth.get_secret_value()
    return options
