"""The credit of an account, as it is looked at."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from dispatcher.model.credit import Credit

NOW = 1_700_000_000_000.0


def account(**changes: object) -> Credit:
    """Return the credit of an account that wants for nothing, but for what is changed."""
    well = Credit(
        balance=Decimal(1000),
        seen_at=NOW,
        failed_checks=0,
        next_check_at=NOW,
        spent=Decimal(0),
        spent_since=Decimal(0),
        in_flight=Decimal(0),
        floor=Decimal(50),
        burn_per_hour=Decimal(0),
        waiting={},
        waiting_needs=Decimal(0),
    )
    return replace(well, **changes)  # type: ignore[arg-type]
