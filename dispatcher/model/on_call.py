"""Who is called for an alert: contacts, teams, rotas, chains, and the routes that lead to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
"""Contacts, teams and rotas share one set of names: a step calls any of them."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Contact(_Part):
    """A person: `numbers` are E.164, called one after another; `hours` are calling hours."""

    numbers: tuple[str, ...] = Field(repr=False)
    lang: str | None = None
    hours: str | None = None
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is on call at a moment: `numbers` are E.164, called one after another.

    `why_not` says in words why they are not called now, where they are not `available`.
    """

    name: str
    numbers: tuple[str, ...]
    lang: str | None = None
    available: bool = True
    why_not: str = ""

    def __repr__(self) -> str:
        return f"Person({self.name!r})"


class Shift(_Part):
    """Somebody's turn that replaces the rota's: `who` from `start` to `end` (ISO 8601)."""

    who: Name
    start: str
    end: str
    why: str = ""


class Rota(_Part):
    """Who is on call when: `members` take turns of `turn`, from `start` on, in `zone`."""

    members: tuple[Name, ...]
    start: date
    turn: timedelta = timedelta(weeks=1)
    handover: str = "09:00"
    zone: str = "UTC"
    holidays: tuple[Shift, ...] = ()


class Step(_Part):
    """Who is called: all at once (`call`), or one after another (`call_in_turn`).

    It is gone through `times` times, with `every` between the end of one and the next; `wait` after
    it, before the chain goes on. There is neither pause where nobody could be called.
    """

    call: tuple[Name, ...] = ()
    call_in_turn: tuple[Name, ...] = ()
    times: int = Field(default=1, ge=1, le=10)
    every: timedelta = timedelta(minutes=1)
    wait: timedelta = timedelta(0)


class Storm(_Part):
    """More than so many alerts of a chain within so long are told of by one call."""

    more_than: int = Field(default=5, ge=1, le=1000)
    within: timedelta = timedelta(minutes=5)


class Chain(_Part):
    """Steps that are gone through until somebody has the alert, `repeat` times in all."""

    steps: tuple[Step, ...]
    repeat: int = Field(default=1, ge=1, le=20)
    until: str = "acknowledged"
    acknowledge_within: timedelta = timedelta(minutes=5)
    move_on_after: timedelta = timedelta(minutes=2)
    repeat_after: timedelta = timedelta(hours=4)
    storm: Storm = Storm()
    tell_resolved: bool = False


class Route(_Part):
    """Which chain alerts with these labels go to; without a `chain` nobody is called."""

    match: dict[str, str] = Field(default_factory=dict)
    chain: Name | None = None


class Drill(_Part):
    """A chain is rung on a schedule, to see that it rings."""

    chain: Name
    every: str
    at: str = "10:00"
    zone: str = "UTC"


class OnCall(_Part):
    """The whole of a chains file, checked."""

    contacts: dict[Name, Contact] = Field(default_factory=dict)
    teams: dict[Name, tuple[Name, ...]] = Field(default_factory=dict)
    rotas: dict[Name, Rota] = Field(default_factory=dict)
    chains: dict[Name, Chain] = Field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    drills: tuple[Drill, ...] = ()

    @model_validator(mode="after")
    def _all_names_are_known(self) -> Self:
        return self

    def chain_for(self, labels: dict[str, str]) -> str | None:
        """Return the name of the chain of the first route that fits; None: nobody is called."""
        for route in self.routes:
            if all(labels.get(name) == value for name, value in route.match.items()):
                return route.chain
        return None
