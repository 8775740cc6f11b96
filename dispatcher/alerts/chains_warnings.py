"""What is allowed in a chains file, and most likely not meant; and who cannot be called."""

from __future__ import annotations

from collections.abc import Iterator

from dispatcher.errors import DispatcherError
from dispatcher.model.on_call import OnCall, Route
from dispatcher.model.on_call_fields import NOBODY
from dispatcher.model.request import JobRequest
from dispatcher.model.states import Priority
from dispatcher.store import Store, packing
from dispatcher.store.values import request_refused
from dispatcher.values.masking import mask_number


def warnings(on_call: OnCall) -> Iterator[str]:
    """Yield what can be seen in the file alone."""
    if not on_call.chains:
        yield "there is no chain: nobody is called for any alert"
    used = {name for chain in on_call.chains.values() for name in chain.names}
    used |= _members(on_call, used)
    for name in sorted({*on_call.contacts, *on_call.teams, *on_call.rotas} - used):
        yield f"{name} is in no chain: nobody calls them"
    led = {route.chain for route in on_call.routes} or set(on_call.chains)
    for name in sorted(set(on_call.chains) - led - {drill.chain for drill in on_call.drills}):
        yield f"no route leads to the chain {name}"
    yield from _never(on_call.routes)
    if on_call.routes and on_call.routes[-1].match:
        yield (
            "the last route takes not all alerts: those that fit none call nobody, and are"
            " unreached; end with a route without `match`"
        )


def uncallable(on_call: OnCall, store: Store) -> Iterator[str]:
    """Yield who would be refused if they were called now. Raises StoreUnavailable."""
    for name, contact in on_call.contacts.items():
        rows = [packing.packed(_request(number)) for number in contact.numbers]
        for number, answer in zip(contact.numbers, store.jobs.find_existing(rows), strict=True):
            refused: DispatcherError | None = request_refused(answer)
            if refused:
                yield f"{name} ({mask_number(number)}): {refused}"
    for swap in store.on_call.swaps():
        who = swap.shift.who
        if swap.rota in on_call.rotas and who not in {NOBODY, *on_call.contacts, *on_call.teams}:
            yield f"swap {swap.id} of the rota {swap.rota} names {who}, who is not there any more"


def _request(number: str) -> JobRequest:
    return JobRequest(recipient=number, say="test", lang="en", priority=Priority.URGENT)


def _members(on_call: OnCall, used: set[str]) -> set[str]:
    """Return who is called because a team or rota is."""
    rotas = [on_call.rotas[name] for name in used if name in on_call.rotas]
    found = {name for rota in rotas for name in rota.members}
    found |= {shift.who for rota in rotas for shift in rota.holidays}
    teams = [on_call.teams[name] for name in used | found if name in on_call.teams]
    return found | {name for team in teams for name in team}


def _never(routes: tuple[Route, ...]) -> Iterator[str]:
    """Yield routes that an earlier one leaves nothing to."""
    for n, route in enumerate(routes):
        before = next((k for k, each in enumerate(routes[:n]) if _covers(each, route)), None)
        if before is not None:
            yield f"routes[{n + 1}] is never taken: routes[{before + 1}] takes its alerts before"


def _covers(one: Route, other: Route) -> bool:
    return all(other.match.get(name) == wanted for name, wanted in one.match.items())
