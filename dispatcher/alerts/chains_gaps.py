"""When nobody would be called: holes of rotas, and hours that leave out all of a chain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from dispatcher.model.on_call import OnCall, Shift
from dispatcher.policy.rotas import Turn, turns, who_is
from dispatcher.values.zones import zone

Swaps = Mapping[str, Sequence[Shift]]
NO_SWAPS: Swaps = {}
AHEAD = timedelta(days=28)
"""How far holes of rotas are looked for."""
_A_WEEK, _STEP = timedelta(days=7), timedelta(minutes=30)
MOST = 10
"""Gaps that are told."""


def gaps(on_call: OnCall, now: datetime, swaps: Swaps = NO_SWAPS) -> Iterator[str]:
    """Yield the first hole of each rota, and the first moment at which a chain has nobody."""
    for name in sorted(_used(on_call) & on_call.rotas.keys()):
        rota = on_call.rotas[name]
        found = turns(name, rota, now, now + AHEAD, swaps.get(name, ()))
        if hole := next((turn for turn in found if turn.who is None), None):
            yield f"the rota {name} has a hole: {_told(hole, rota.zone)}"
    for name, chain in on_call.chains.items():
        names = [each for each in dict.fromkeys(chain.names) if each not in on_call.rotas]
        if len(names) == len(set(chain.names)) and _all_have_hours(on_call, names):
            at = _nobody(on_call, names, now)
            if at is not None:
                yield f"the chain {name} has nobody who may be called at {at:%a %H:%M} UTC"


def _used(on_call: OnCall) -> set[str]:
    return {name for chain in on_call.chains.values() for name in chain.names}


def _told(hole: Turn, in_zone: str) -> str:
    start, end = (at.astimezone(zone(in_zone)) for at in (hole.start, hole.end))
    why = f" ({hole.why})" if hole.why else ""
    return f"nobody is on call from {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}{why}"


def _all_have_hours(on_call: OnCall, names: Sequence[str]) -> bool:
    people = {each for name in names for each in on_call.teams.get(name, (name,))}
    return all(on_call.contacts[each].hours is not None for each in people)


def _nobody(on_call: OnCall, names: Sequence[str], now: datetime) -> datetime | None:
    """Return the first moment within a week at which none of these may be called."""
    at, end = now, now + _A_WEEK
    while at < end:
        people = who_is(on_call, at)
        if not any(person.available for name in names for person in people(name)):
            return at
        at += _STEP
    return None
