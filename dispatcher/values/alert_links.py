"""Links with which somebody says that they have an alert: the link itself is the secret.

Each names one alert and proves by a MAC that it came from us; it is good for a week. Who has it
may take that alert and nothing else.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from dispatcher.values.callback_urls import Expired, Forged, mac_of

PREFIX: Final = "/acknowledge"
LIFETIME: Final = 7 * 86_400
"""Seconds for which a link is good: longer than anybody is on call, and no longer."""
_PURPOSE: Final = "voice-dispatcher acknowledge"  # the keys sign other things too


def link_secret_from_key(key: str) -> str:
    """Return what signs links, as it follows from a key of the dispatcher.

    So the process that gives links out needs no key that signs anything else.
    """
    return hmac.new(key.encode(), b"voice-dispatcher links", hashlib.sha256).hexdigest()


@dataclass(frozen=True)
class AlertLinks:
    """`base` is where people reach the gateway. The first of `keys` signs; all of them are taken,
    so that they are rotated.
    """

    base: str
    keys: Sequence[str] = field(repr=False)

    def of(self, alert_id: str, at: float) -> str:
        """Return the link for an alert; its time runs from `at`, in ms since the epoch."""
        expires = str(int(at / 1000) + LIFETIME)
        mac = mac_of(self.keys[0], _PURPOSE, alert_id, expires)
        return f"{self.base}{PREFIX}/{alert_id}/{expires}/{mac}"

    def verify(self, alert_id: str, expires: str, mac: str, now: float) -> None:
        """Take the parts as they came; `now` in ms since the epoch. Raises Forged, Expired."""
        given = mac.encode("utf-8", "replace")
        # Every key is tried, and each compared to its end: the time tells nothing.
        matches = [
            hmac.compare_digest(mac_of(key, _PURPOSE, alert_id, expires).encode(), given)
            for key in self.keys
        ]
        if not any(matches):
            raise Forged("this link was not made by this dispatcher, or is not whole")
        if now > int(expires) * 1000:
            raise Expired("this link has expired")
