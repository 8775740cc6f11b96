"""Whoever has whole numbers shown is written down."""

from __future__ import annotations

from dispatcher.cli.person import actor
from dispatcher.security_log import SecurityEvent, tell
from dispatcher.store import Store


def unmasked(store: Store, what: str) -> None:
    """Write into the audit log and the security log that somebody has `what` shown whole. Raises
    StoreUnavailable.
    """
    store.audit.record(actor(), "unmask", what)
    tell(SecurityEvent.UNMASKED, actor=actor(), target=what)
