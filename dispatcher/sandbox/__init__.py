"""The provider's stand-in: a server with the provider's HTTP API that rings nobody.

It is written from the provider's documentation alone and imports nothing of the provider
client, so that one misreading cannot hide in both.
"""

from __future__ import annotations

try:
    import aiohttp  # noqa: F401 - only to say what is missing
except ModuleNotFoundError as error:  # pragma: no cover - the development set-up has it
    raise ModuleNotFoundError(
        "the sandbox needs aiohttp: pip install 'voice-dispatcher[sandbox]'", name=error.name
    ) from error

from dispatcher.sandbox.app import create_app
from dispatcher.sandbox.options import SandboxOptions
from dispatcher.sandbox.server import CannotListen, run, running, serve

__all__ = ["CannotListen", "SandboxOptions", "create_app", "run", "running", "serve"]
