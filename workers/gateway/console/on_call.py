"""Who is on call: chains, whom they call now, rotas, and who stands in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from dispatcher.alerts.chain_words import ends, in_words, leads
from dispatcher.alerts.chains_gaps import MOST, gaps
from dispatcher.alerts.rota_plans import plans
from dispatcher.model.on_call import Chain, OnCall, Person, Step
from dispatcher.model.on_call_fields import NOBODY
from dispatcher.policy.rotas import LONGEST_WHY, new_swap, who_is
from dispatcher.store.on_call import UnknownRota, rota_of
from workers.gateway.console.actions import noted
from workers.gateway.console.context import ConsoleContext, redirect
from workers.gateway.console.forms import Fields
from workers.gateway.console.pages import ROOT
from workers.gateway.console.sessions import Visitor
from workers.gateway.problems import Problem

DAYS = 28
"""How far the turns of a rota are shown."""
LIST = f"{ROOT}/on-call"


@dataclass(frozen=True, slots=True)
class ShownStep:
    """A step of a chain in words, and who is meant by each name in it now."""

    words: str
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class ShownChain:
    """A chain: its steps, how it ends, and which alerts lead to it, in words."""

    name: str
    steps: tuple[ShownStep, ...]
    ends: str
    leads: str


class OnCallPages:
    """The routes."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context, self._store = context, context.store

    def list(self, _request: Request, visitor: Visitor) -> Response:
        """Show who is on call now, and who is called for what."""
        published = self._store.on_call.get()
        on_call = published.on_call if published else OnCall()
        swaps, now = self._store.on_call.overrides(), self._store.moment()
        who = who_is(on_call, now, swaps)
        return self._context.pages.page(
            "on_call.html",
            visitor,
            published=published,
            rotas=plans(self._store, on_call, list(on_call.rotas), DAYS),
            chains=[_shown(on_call, name, who) for name in on_call.chains],
            holes=list(islice(gaps(on_call, now, swaps), MOST)),
            now=self._store.now(),
        )

    def chain(self, request: Request, visitor: Visitor) -> Response:
        """Show whom a chain calls, step by step, as it is now."""
        name, on_call = request.path_params["name"], self._in_force()
        if name not in on_call.chains:
            raise Problem(
                HTTPStatus.NOT_FOUND,
                f"there is no chain {name[:40]!r}",
                remedy="see who is on call: it may have another name now",
            )
        who = who_is(on_call, self._store.moment(), self._store.on_call.overrides())
        return self._context.pages.page("chain.html", visitor, chain=_shown(on_call, name, who))

    def rota(self, request: Request, visitor: Visitor) -> Response:
        """Show whose turn it is when, who stands in, and a form for who is to."""
        on_call, name = self._in_force(), request.path_params["name"]
        (plan,) = plans(self._store, on_call, [name], DAYS)
        return self._context.pages.page(
            "rota.html",
            visitor,
            plan=plan,
            people=[*on_call.contacts, *on_call.teams],
            nobody=NOBODY,
            longest=LONGEST_WHY,
            days=DAYS,
            now=self._store.now(),
        )

    def swap(self, request: Request, visitor: Visitor, fields: Fields) -> Response:
        """Have somebody stand in for a while."""
        name, on_call = request.path_params["name"], self._in_force()
        between, why = (fields.one("from"), fields.one("to")), noted(fields, needed=False)
        rota = rota_of(on_call, name)
        shift, until = new_swap(on_call, rota, fields.one("who"), between, why)
        self._store.on_call.swap(name, shift, until=until, by=visitor.actor)
        return redirect(_rota(name))

    def end_swap(self, request: Request, visitor: Visitor, fields: Fields) -> Response:
        """Have nobody stand in any more: the rota holds again."""
        name, id_ = request.path_params["name"], fields.one("swap")
        if not any(each.id == id_ and each.rota == name for each in self._store.on_call.swaps()):
            raise UnknownRota("nobody stands in so any more: somebody else has ended it")
        self._store.on_call.end_swap(id_, by=visitor.actor)
        return redirect(_rota(name))

    def _in_force(self) -> OnCall:
        return self._store.on_call.in_force() or OnCall()


def _shown(on_call: OnCall, name: str, who: Callable[[str], Sequence[Person]]) -> ShownChain:
    chain: Chain = on_call.chains[name]
    steps = tuple(_step(step, who) for step in chain.steps)
    return ShownChain(name, steps, ends(chain), leads(on_call, name))


def _step(step: Step, who: Callable[[str], Sequence[Person]]) -> ShownStep:
    names = dict.fromkeys((*step.call, *step.call_in_turn))
    return ShownStep(in_words(step), tuple(person for name in names for person in who(name)))


def _rota(name: str) -> str:
    return f"{LIST}/rotas/{quote(name, safe='')}"
