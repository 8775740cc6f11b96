"""What Flower's process writes into the security log: who was let in, and who was refused."""

from __future__ import annotations

import time
from typing import Any

from dispatcher.security_log import Sampler, SecurityEvent, tell

REFUSED = {401, 403, 421}
LET_IN_FOR = 3600.0
"""Seconds after which an address is told of again: each request brings the password."""


class FlowerEvidence:
    """Looks at each answer."""

    def __init__(self) -> None:
        self._sampler = Sampler(time.monotonic)
        self._let_in: dict[str, float] = {}

    def look(self, handler: Any) -> None:
        """Tell of a handler's answer what is worth telling."""
        request, status = handler.request, handler.get_status()
        shown = "Authorization" in request.headers
        facts = {"address": request.remote_ip, "route": "flower"}
        facts["user_agent"] = request.headers.get("User-Agent", "")
        if status in REFUSED:
            failed = shown and status == 401  # noqa: PLR2004
            event = SecurityEvent.LOGIN_FAILED if failed else SecurityEvent.REFUSED
            self._refused(event, status=status, **facts)
        elif shown and getattr(handler, "_current_user", None) and self._is_new(request.remote_ip):
            tell(SecurityEvent.LOGIN, **facts)

    def _refused(self, event: SecurityEvent, **facts: Any) -> None:
        wanted, left_out = self._sampler.take(facts["address"])
        if left_out:
            tell(SecurityEvent.LEFT_OUT, many=left_out)
        if wanted:
            tell(event, **facts)

    def _is_new(self, address: str) -> bool:
        now = time.monotonic()
        self._let_in = {a: at for a, at in self._let_in.items() if now - at < LET_IN_FOR}
        known = address in self._let_in
        self._let_in.setdefault(address, now)
        return not known
