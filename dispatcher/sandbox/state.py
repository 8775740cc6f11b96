"""All that one running sandbox remembers, and who gets in."""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from dispatcher.sandbox import refusals
from dispatcher.sandbox.callbacks import Callbacks
from dispatcher.sandbox.clock import Clock
from dispatcher.sandbox.dial_ins import DialIns
from dispatcher.sandbox.limits import Throttle
from dispatcher.sandbox.options import SandboxOptions
from dispatcher.sandbox.outage import Outage
from dispatcher.sandbox.provider import Provider
from dispatcher.sandbox.traffic import Traffic


class Sandbox:
    """The provider and everything around it; `reset` makes it as new."""

    def __init__(self, options: SandboxOptions, clock: Clock) -> None:
        self.clock = clock
        self._started_with = options
        self.callbacks = Callbacks(clock, lambda: self.options)
        self.reset()

    def reset(self) -> None:
        """Forget every call, count and change of options; callids start again as well."""
        self.callbacks.forget()
        self.provider = Provider(self._started_with, self.clock)
        self.traffic = Traffic(self.clock)
        options = self._started_with
        self.dial_ins = DialIns(options.dial_in_numbers, options.seed, self.clock)
        self.outage = Outage(self.clock)
        self._throttle = Throttle()

    @property
    def options(self) -> SandboxOptions:
        return self.provider.options

    def change(self, changes: Mapping[str, Any]) -> None:
        """Change options from now on. Raises ValueError, and then nothing has changed."""
        self.provider.options = self.options.changed(changes)

    def admit(self, authorization: str) -> None:
        """Let a request in, or raise the Refusal it gets. Strangers do not count for the rate."""
        self.outage.check()
        if not self._knows(authorization):
            raise refusals.unauthorized()
        most = self.options.max_connections
        if most is not None and self.traffic.under_way > most:
            raise refusals.throttled(1)
        wait = self._throttle.wait(self.clock.now(), self.options.limit)
        if wait is not None:
            raise refusals.throttled(wait)
        self.traffic.accept()

    def _knows(self, authorization: str) -> bool:
        """Check HTTP Basic credentials: user = SID, password = token."""
        scheme, _, given = authorization.partition(" ")
        as_bytes = given.strip().encode(errors="replace")  # a header may hold any bytes
        right = b64encode(f"{self.options.sid}:{self.options.token}".encode())
        return scheme.lower() == "basic" and hmac.compare_digest(as_bytes, right)


SANDBOX = web.AppKey("sandbox", Sandbox)
