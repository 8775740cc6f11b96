"""The rules that the account goes by that day."""

from __future__ import annotations

from dispatcher.rate import Rate
from dispatcher.rules import Rules

LEASE = 64.0
RULES = Rules(
    rate=Rate(20), connections=8, lease=LEASE, gap=30, per_day=12, floor=50, warn=(5000, 500),
    zone="Asia/Tokyo", webhooks=2, every_change=False, blocked=frozenset({"DE"}),
    spend_per_day=1_000_000, spend_per_call=100,
)  # fmt: skip
