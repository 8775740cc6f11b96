"""Whom an alert's chain calls next, if nothing else happens."""

from __future__ import annotations

from typing import Final

from dispatcher.alerts import chain_calls
from dispatcher.alerts.facts import Facts
from dispatcher.model.alert import Alert, AlertState
from dispatcher.policy.chain_values import Move
from dispatcher.policy.chains import next_move
from dispatcher.store import Store

MOST_PAUSES: Final = 10
"""Moves of a chain that are looked ahead."""


def next_planned(store: Store, facts: Facts, alert: Alert) -> Move | None:
    """Return whom a ringing alert's chain calls next if nobody takes the calls under way, or that
    it ends then; None where that is not known. Nothing is written. Raises StoreUnavailable.
    """
    position = chain_calls.position_of(alert)
    if alert.state is not AlertState.RINGING or alert.rules is None or alert.next_at is None:
        return None
    if facts.hold:
        return None
    now = alert.next_at
    made = chain_calls.as_they_stand(store, alert, position)
    over = [chain_calls.in_vain(each, now) for each in made]
    for _ in range(MOST_PAUSES):
        move = next_move(alert.rules, facts.who, position, over, now, last_call=alert.last_call)
        if move.calls or move.next_at is None:
            return move
        position, now = move.position, move.next_at
    return None
