"""The provider's stand-in: a server with the provider's HTTP API that rings nobody.

It is written from the provider's documentation alone and imports nothing of the provider
client, so that one misreading cannot hide in both.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from dispatcher.sandbox.options import SandboxOptions

if TYPE_CHECKING:
    from dispatcher.sandbox.app import create_app
    from dispatcher.sandbox.listener import CannotListen
    from dispatcher.sandbox.server import run, running, serve

__all__ = ["CannotListen", "SandboxOptions", "create_app", "run", "running", "serve"]

_MODULE_OF = {
    "create_app": "dispatcher.sandbox.app",
    "CannotListen": "dispatcher.sandbox.listener",
    "run": "dispatcher.sandbox.server",
    "running": "dispatcher.sandbox.server",
    "serve": "dispatcher.sandbox.server",
}
"""Imported when they are first used: whoever only sets a sandbox up needs no server."""


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        found: object = getattr(import_module(_MODULE_OF[name]), name)
    except ModuleNotFoundError as error:
        if error.name != "aiohttp":
            raise
        raise ModuleNotFoundError(
            "the sandbox needs aiohttp: pip install 'voice-dispatcher[sandbox]'", name=error.name
        ) from error
    globals()[name] = found  # the next time it is an attribute like any other
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
