"""The web application: the provider's API, and the control endpoints beside it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from aiohttp import web

from dispatcher.sandbox import api, control
from dispatcher.sandbox.answers import LARGEST_BODY, orderly
from dispatcher.sandbox.clock import Clock
from dispatcher.sandbox.control_guard import guarded
from dispatcher.sandbox.options import SandboxOptions
from dispatcher.sandbox.state import SANDBOX, Sandbox


def create_app(options: SandboxOptions | None = None) -> web.Application:
    """Return a provider of its own, with nothing placed yet."""
    app = web.Application(
        middlewares=[api.counted, orderly, guarded, api.admitted], client_max_size=LARGEST_BODY
    )
    options = options or SandboxOptions()
    app[SANDBOX] = Sandbox(options, Clock())
    app.add_routes(api.routes())
    if options.control:
        app.add_routes(control.routes())
    app.cleanup_ctx.append(_callbacks)
    return app


async def _callbacks(app: web.Application) -> AsyncIterator[None]:
    callbacks = app[SANDBOX].callbacks
    await callbacks.open()
    yield
    await callbacks.close()
