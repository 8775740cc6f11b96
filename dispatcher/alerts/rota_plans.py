"""Whose turn it is in the days to come, with the swaps: what people are shown of a rota."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dispatcher.model.on_call import OnCall, Rota
from dispatcher.policy.rotas import Turn, turns
from dispatcher.store import Store
from dispatcher.store.on_call import Swap, rota_of


@dataclass(frozen=True, slots=True)
class RotaPlan:
    """A rota's turns from now on, in order, and the swaps that overrule it."""

    name: str
    rota: Rota
    turns: Sequence[Turn]
    swaps: Sequence[Swap]

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON knows it."""
        return {
            "name": self.name,
            "zone": self.rota.zone,
            "turns": [turn.to_dict() for turn in self.turns],
            "swaps": [swap.to_dict() for swap in self.swaps],
        }


def plans(store: Store, on_call: OnCall, names: Sequence[str], days: int) -> list[RotaPlan]:
    """Return the plans of rotas for so many days. Raises UnknownRota, StoreUnavailable."""
    rotas = {name: rota_of(on_call, name) for name in names}
    swaps = store.on_call.swaps()
    now = store.moment()
    return [
        _plan(name, rota, [swap for swap in swaps if swap.rota == name], now, days)
        for name, rota in rotas.items()
    ]


def _plan(name: str, rota: Rota, swaps: list[Swap], now: datetime, days: int) -> RotaPlan:
    shifts = [swap.shift for swap in swaps]
    found = turns(name, rota, now, now + timedelta(days=days), shifts)
    return RotaPlan(name, rota, list(found), swaps)
