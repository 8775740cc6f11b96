"""How things stand: jobs, pace, lines, gates, credit and what is counted, as JSON knows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from dispatcher.model.job import iso_of
from dispatcher.model.states import TERMINAL, State
from dispatcher.policy import credit_forecast as outlook
from dispatcher.store import Store
from dispatcher.store.callbacks import FATES
from dispatcher.store.credit import account
from dispatcher.store.search import counts
from dispatcher.store.spending_limits import limits
from dispatcher.store.webhooks import Outbox


def statistics(store: Store) -> dict[str, Any]:
    """Return how things stand, as JSON knows it. Raises StoreUnavailable."""
    by_state = counts(store)
    pace, credit, counted = store.pace(), account(store), Counter(store.counts())
    return {
        "jobs": {state: sum(reasons.values()) for state, reasons in by_state.items()},
        "reasons": {
            state: r for state, rs in by_state.items() if (r := {k: n for k, n in rs.items() if k})
        },
        "rate": {
            "limit": pace.rate,
            "working": pace.working_rate,
            "next_slot_in": pace.next_slot,
            "connections": pace.connections,
        },
        "ready": pace.ready,
        "lines": pace.lines,
        "fed": pace.fed,
        "waiting_since": {
            priority: None if at is None else iso_of(at) for priority, at in store.oldest().items()
        },
        "webhooks": Outbox(store).counts(),
        "gates": gates(store),
        "balance": None if credit.balance is None else float(credit.balance),
        "balance_at": None if credit.seen_at is None else iso_of(credit.seen_at),
        "credit": outlook.as_json(credit),
        "outlook": outlook.words(credit, store.now()),
        "second_calls": counted["second_calls"],
        "attempts": counted["attempts"],
        "requests": counted["requests"],
        "ended": _ended(counted),
        "callbacks": {what: counted[f"callbacks.{what}"] for what in FATES},
        "at": iso_of(store.now()),
    }


def balance(store: Store) -> dict[str, Any]:
    """Return how the account's credit stands, with what holds calls back and what limits them."""
    return outlook.as_json(account(store)) | {
        "gates": gates(store),
        "limits": [limit.to_dict() for limit in limits(store)],
    }


def gates(store: Store) -> list[dict[str, Any]]:
    """Return the gates that are closed, or ajar."""
    return [
        {
            "gate": gate.name,
            "since": iso_of(gate.since),
            "why": gate.why,
            "required": gate.required,
            "ajar": gate.ajar,
        }
        for gate in store.gates()
    ]


def _ended(counted: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Return how many jobs ever ended: state -> reason ('' for none) -> count."""
    table: dict[str, dict[str, int]] = {state: {} for state in State if state in TERMINAL}
    for name, number in counted.items():
        what, _, kind = name.partition(".")
        if what == "ended":
            state, _, reason = kind.partition(":")
            table[state][reason] = number
    return table
