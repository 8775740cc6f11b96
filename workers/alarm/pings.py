"""Pings: a URL of a service that calls somebody when they stop, such as Healthchecks."""

from __future__ import annotations

from dataclasses import dataclass, field

import requests

from dispatcher.errors import DispatcherError
from dispatcher.values.tls_faults import tls_fault

TIMEOUT = 10.0  # seconds


class PingFailed(DispatcherError):
    """The ping did not arrive; the message shows nothing of the URL, which is a secret."""


@dataclass(frozen=True)
class Pings:
    """The URLs that are asked for while calls are possible, and while they are not; each may be
    missing.
    """

    alive: str | None = field(default=None, repr=False)
    failing: str | None = field(default=None, repr=False)

    def send(self, *, possible: bool) -> bool:
        """Send one; False where there is nothing to send. Raises PingFailed."""
        url = self.alive if possible else self.failing
        if url is None:
            return False
        name = "DISPATCHER_HEARTBEAT_URL" if possible else "DISPATCHER_HEARTBEAT_FAIL_URL"
        try:
            with requests.get(url, timeout=TIMEOUT, allow_redirects=False, stream=True) as answer:
                status = answer.status_code
        except (requests.RequestException, ValueError) as error:
            why = tls_fault(error) or f"it was not reached ({type(error).__name__})"
            raise PingFailed(f"{name}: {why}") from None
        if not 200 <= status < 300:  # noqa: PLR2004
            raise PingFailed(f"{name}: it answers {status}: is the address still right?")
        return True
